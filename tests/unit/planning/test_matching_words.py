"""Changes to the last word: what is refused says whose, why and what next, and carries both objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.planning.asked import FIX_FINDINGS
from dbt_statsig.vocabulary.changes import Action, Change, FieldChange
from dbt_statsig.vocabulary.sources import Kind, Source
from tests.unit.planning.test_matching import ASSIGNMENT, EVENT, only, planned, source, wanted

if TYPE_CHECKING:
    from dbt_statsig.planning.matching import Desired

HELD = 'It is "A" in Statsig, and another object has its new name.'
CIRCLE = "Several assignment sources exchange their names in a circle."


def refused(
    action: Action, item: Desired, reason: str, fix: str, *, live: Source | None = None, live_name: str = ""
) -> Change:
    """The whole change of a declaration that is not written."""
    return Change(
        action=action,
        kind=item.kind,
        name=item.name,
        unique_id=item.unique_id,
        live_name=live_name,
        reason=reason,
        fix=fix,
        desired=item.payload,
        live=live,
    )


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (
            source("A", sql="SELECT 9"),
            "Not managed by this project: it has no ownership line.",
        ),
        (
            source("A", "x", project="other", sql="SELECT 9"),
            'Not managed by this project: it belongs to dbt project "other".',
        ),
        (
            source("A"),
            (
                "Statsig has this object as declared, but without an ownership line: it was removed, or the object "
                "was created by hand."
            ),
        ),
    ],
)
def test_foreign(live: Source, reason: str) -> None:
    """Whose the object is, and how to take it over."""
    item = wanted("A", "a")
    fix = 'To take it over, run again with --adopt "A".'
    fix = f'If it has moved to "other", remove its block here. {fix}' if '"other"' in reason else fix
    assert only(planned([item], [live])) == refused(Action.FOREIGN, item, reason, fix, live=live, live_name="A")


def test_twin() -> None:
    """A name that differs in case alone is the console's to spell."""
    item = wanted("checkout", "a")
    reason = 'Statsig has "Checkout", which differs only in upper and lower case.'
    fix = "Declare the name as Statsig spells it."
    assert only(planned([item], [source("Checkout")])) == refused(Action.FOREIGN, item, reason, fix)


def test_a_twin_of_ones_own_is_taken_with_it() -> None:
    """A name of ours that changes its case is a rename, and no twin of itself."""
    change = only(planned([wanted("checkout", "a")], [source("Checkout", "a")]))
    assert (change.action, change.live_name, change.unique_id) == (Action.RENAME, "Checkout", "model.shop.a")


def test_a_name_that_is_held() -> None:
    """A rename that cannot be made says by what it is held up."""
    item = wanted("B", "a")
    change, _ = planned([item], [source("A", "a"), source("B", "gone")]).changes
    assert change == refused(Action.BLOCKED, item, HELD, "Delete or rename that object first.", live_name="B")


def test_a_circle() -> None:
    """A circle says how to break it."""
    one, other = wanted("B", "a"), wanted("A", "b")
    changes = planned([one, other], [source("A", "a"), source("B", "b")]).changes
    fix = "Give one of them another name first, then run again."
    assert changes == (
        refused(Action.BLOCKED, other, CIRCLE, fix, live_name="A"),
        refused(Action.BLOCKED, one, CIRCLE, fix, live_name="B"),
    )


def test_blocked() -> None:
    """A declaration with errors keeps the reason that it came with."""
    item = wanted("A", "a", blocked="It has errors.")
    assert only(planned([item], [])) == refused(Action.BLOCKED, item, "It has errors.", FIX_FINDINGS)


@pytest.mark.parametrize(
    ("prune", "complete", "action", "fix"),
    [
        (False, True, Action.ORPHAN, "To delete it, run `sync --prune`."),
        (False, False, Action.ORPHAN, "To delete it, run `sync --prune`."),
        (True, True, Action.DELETE, ""),
        (
            True,
            False,
            Action.BLOCKED,
            "The list of live objects was incomplete, so nothing is deleted; run again.",
        ),
    ],
)
def test_no_longer_declared(action: Action, fix: str, *, prune: bool, complete: bool) -> None:
    """What to do about it depends on what was asked for and on what is known."""
    live = source("A", "a")
    assert only(planned([], [live], prune=prune, complete=complete)) == Change(
        action=action,
        kind=ASSIGNMENT,
        name="A",
        unique_id="model.shop.a",
        live_name="A",
        reason="It is no longer declared.",
        fix=fix,
        live=live,
    )


def test_created() -> None:
    """What is new carries its payload, and no reason."""
    item = wanted("A", "a")
    plan = planned([item], [])
    assert plan.project == "shop"
    assert only(plan) == Change(
        action=Action.CREATE, kind=ASSIGNMENT, name="A", unique_id="model.shop.a", desired=item.payload
    )


def test_replaced() -> None:
    """A kind that cannot be renamed is created again, and each of the two says so."""
    item, live = wanted("B", "a", kind=EVENT), source("A", "a", kind=EVENT)
    old, new = planned([item], [live], kind=EVENT).changes
    assert new == Change(
        action=Action.CREATE,
        kind=EVENT,
        name="B",
        unique_id="model.shop.a",
        reason='Replaces "A": a qualifying event cannot be renamed.',
        desired=item.payload,
    )
    assert (old.action, old.reason, old.live) == (Action.ORPHAN, 'Replaced by "B".', live)


def test_renamed() -> None:
    """A rename carries both objects, the new name first among its fields."""
    item, live = wanted("B", "a", sql="SELECT 2"), source("A", "a")
    assert only(planned([item], [live])) == Change(
        action=Action.RENAME,
        kind=ASSIGNMENT,
        name="B",
        unique_id="model.shop.a",
        live_name="A",
        fields=(
            FieldChange(field="name", before="A", after="B"),
            FieldChange(field="sql", before="SELECT 1", after="SELECT 2"),
        ),
        desired=item.payload,
        live=live,
    )


def test_two_of_a_node_are_not_guessed() -> None:
    """Where a node has two new names or two old ones, nothing says which became which: created and orphaned."""
    new = planned([wanted("B", "a"), wanted("C", "a")], [source("A", "a")])
    assert [(change.action.value, change.name) for change in new.changes] == [
        ("orphan", "A"),
        ("create", "B"),
        ("create", "C"),
    ]
    old = planned([wanted("C", "a")], [source("A", "a"), source("B", "a")])
    assert [(change.action.value, change.name) for change in old.changes] == [
        ("orphan", "A"),
        ("orphan", "B"),
        ("create", "C"),
    ]


def test_an_orphan_of_a_node_that_was_not_selected() -> None:
    """With a selection, only what the selected nodes own is looked at; what is protected is left out after it."""
    live = [source("A", "a"), source("B", "b"), source("C", "c")]
    protected = frozenset({(ASSIGNMENT, "model.shop.b")})
    only_these = frozenset({"model.shop.b", "model.shop.c"})
    plan = planned([], live, selected_ids=only_these, protected=protected)
    assert [change.name for change in plan.changes] == ["C"]
    assert Kind.METRIC_SOURCE not in {change.kind for change in plan.changes}
