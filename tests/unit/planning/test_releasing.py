"""What releasing an object changes, and whose objects it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from dbt_statsig.planning.adoption import releasable, release_plan
from dbt_statsig.planning.asked import Live, Scope
from dbt_statsig.vocabulary.changes import Action, Plan
from dbt_statsig.vocabulary.ownership import Ownership, claim, docs_link
from tests.unit.planning.test_matching import ASSIGNMENT, only, shown, source

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.sources import Source

OWNER = Ownership("shop", "model.shop.a")


def released(*live: Source, names: str = "A", locked: str = "") -> Plan:
    """The plan that releases the assignment sources of these one-letter names."""
    pairs = frozenset((ASSIGNMENT, name) for name in locked)
    return release_plan({ASSIGNMENT: Live(items=live)}, names, Scope(project="shop"), locked=pairs)


@pytest.mark.parametrize(
    ("description", "text"),
    [
        (claim("", OWNER), ""),
        (claim("Two\n\nlines.", OWNER), "Two\n\nlines."),
        (claim("Text.", OWNER, link=docs_link("https://example.com/a")), "Text."),
        (claim("Text.\n\nThe text above was kept as it was in Statsig.", OWNER), "Text."),
        (claim("Text.", OWNER) + " (kept tags=1a2b3c4d5e6f)", "Text."),
        (claim("Text.", OWNER).lower(), "text."),
        ("Managed by dbt: other/x\n" + claim("", OWNER), "Managed by dbt: other/x"),
    ],
)
def test_only_what_this_program_wrote_goes(description: str, text: str) -> None:
    """The line, the link, the mark and the note go; the text stays, and no other field changes."""
    change = only(released(structs.replace(source("A", "a"), description=description)))
    assert (change.action, change.unique_id) == (Action.UPDATE, "model.shop.a")
    assert [(field.field, field.after) for field in change.fields] == [("description", text)]


@pytest.mark.parametrize(
    ("locked", "fields", "reason"),
    [
        ("A", ["description", "is_read_only"], ""),
        ("", ["description"], "It stays read-only in the console: neither its block nor a setting made"),
    ],
)
def test_read_only(locked: str, fields: list[str], reason: str) -> None:
    """What this project made read-only can be edited again; what somebody else made so stays."""
    change = only(released(structs.replace(source("A", "a"), is_read_only=True), locked=locked))
    assert [field.field for field in change.fields] == fields
    assert change.reason.startswith(reason)


def test_objects_of_others() -> None:
    """An object of nobody, of another project or of another namespace is refused with its owner."""
    elsewhere = structs.replace(source("B", "b"), description=claim("", Ownership("shop", "model.shop.b", "dev")))
    theirs = source("C", "c", project="other")
    plan = released(source("A"), elsewhere, theirs, source("D", "d"), names="ABC")
    assert shown(plan) == [("foreign", "A"), ("foreign", "B"), ("foreign", "C")]
    assert [change.reason.partition(": ")[2] for change in plan.changes] == [
        "nobody owns it.",
        'dbt project "shop@dev" owns it.',
        'dbt project "other" owns it.',
    ]
    live = {ASSIGNMENT: Live(items=(source("A"), elsewhere, theirs, source("D", "d")))}
    assert list(releasable(live, Scope(project="shop"))) == [(ASSIGNMENT, "D")]
