"""Names that differ only in case or in the Unicode form of a character are one name: nothing is put beside a twin."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.sources import Kind, Source, folded
from tests.unit.planning.test_matching import ASSIGNMENT, only, planned, shown, source, wanted

if TYPE_CHECKING:
    from dbt_statsig.planning.matching import Desired

COMPOSED, DECOMPOSED = unicodedata.normalize("NFC", "Café"), unicodedata.normalize("NFD", "Café")
TWINS = [("checkout", "Checkout"), (COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), ("STRASSE", "straße")]


@pytest.mark.parametrize(("declared", "live"), TWINS)
@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_a_creation_beside_a_foreign_twin(kind: Kind, declared: str, live: str) -> None:
    """A foreign name that differs only in its spelling is not created a second time."""
    change = only(planned([wanted(declared, "a", kind=kind)], [source(live, kind=kind)], kind=kind))
    assert (change.action, change.name) == (Action.FOREIGN, declared)
    assert change.reason.startswith(f'Statsig has "{live}", which differs only in ')


@pytest.mark.parametrize(("declared", "live"), TWINS)
def test_a_rename_onto_a_foreign_twin(declared: str, live: str) -> None:
    """A rename onto another spelling of a foreign name is refused, and the object keeps its name."""
    plan = planned([wanted(declared, "a")], [source("Old", "a"), source(live)], prune=True)
    assert [(change.action, change.name) for change in plan.changes] == [(Action.FOREIGN, declared)]


def test_the_words() -> None:
    """The message says in what the two differ."""
    case = only(planned([wanted("a", "a")], [source("A")])).reason
    form = only(planned([wanted(COMPOSED, "a")], [source(DECOMPOSED)])).reason
    assert case.endswith("which differs only in upper and lower case.")
    assert form.endswith("which differs only in its Unicode form.")


def test_two_live_twins() -> None:
    """Where the console has two spellings, the exact one is the declared one, and the other stays as it is."""
    assert shown(planned([wanted("A", "a")], [source("A", "a"), source("a")])) == [("unchanged", "A")]


def test_a_twin_that_moves_away() -> None:
    """A name whose only twin is renamed to something else first is free."""
    plan = planned([wanted("B", "a"), wanted("a", "new")], [source("A", "a")])
    assert [(change.action, change.name, change.requires) for change in plan.changes] == [
        (Action.CREATE, "a", ("B",)),
        (Action.RENAME, "B", ()),
    ]


def test_a_circle_of_twins() -> None:
    """Exchanging names in other spellings is a circle as well."""
    plan = planned([wanted("b", "a"), wanted("a", "b")], [source("A", "a"), source("B", "b")])
    assert shown(plan) == [("blocked", "a"), ("blocked", "b")]
    assert "circle" in plan.changes[0].reason


@given(st.text())
def test_folded(name: str) -> None:
    """Every spelling of a name has one form, which is its own."""
    spellings = [name.casefold(), unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name), folded(name)]
    assert {folded(spelling) for spelling in spellings} == {folded(name)}


ALPHABET = ["A", "a", "B", "b", COMPOSED, DECOMPOSED, COMPOSED.upper()]


@st.composite
def sides(draw: st.DrawFn, kind: Kind) -> tuple[list[Desired], list[Source]]:
    """Declarations without twins among them, and live objects of any spelling and owner."""
    names = draw(st.lists(st.sampled_from(ALPHABET), unique_by=folded))
    held = draw(st.lists(st.sampled_from(ALPHABET), unique=True))
    nodes = st.sampled_from(["a", "b", "c"])
    owners = st.sampled_from(["", "a", "b", "c"])
    desired = [wanted(name, draw(nodes), kind=kind) for name in names]
    projects = st.sampled_from(["shop", "shop", "other"])
    return desired, [source(name, draw(owners), kind=kind, project=draw(projects)) for name in held]


@given(data=st.data(), kind=st.sampled_from([ASSIGNMENT, Kind.METRIC_SOURCE]), prune=st.booleans())
def test_no_plan_makes_a_twin(data: st.DataObject, kind: Kind, prune: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever both sides hold, a plan gives no object a name beside a twin of it."""
    desired, live = data.draw(sides(kind))
    before = {name: folded(name) for name in (item.name for item in live)}
    plan = planned(desired, live, kind=kind, prune=prune)
    after = set(before)
    for change in plan.changes:
        if change.action is Action.RENAME:
            after.remove(change.live_name)
    for change in plan.changes:
        if change.action in {Action.CREATE, Action.RENAME}:
            assert folded(change.name) not in {folded(name) for name in after}
            after.add(change.name)
