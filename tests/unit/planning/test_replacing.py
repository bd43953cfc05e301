"""A replacement is one unit: the old object goes only after what takes its place is there."""

from __future__ import annotations

import pytest
from msgspec import structs

from dbt_statsig.planning.matching import Live, Scope, build_plan
from dbt_statsig.vocabulary.changes import Action, Change, united
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.planning.test_matching import EVENT, planned, shown, source, wanted

METRIC = Kind.METRIC_SOURCE


def by_name(changes: tuple[Change, ...]) -> dict[str, Change]:
    """The changes by name."""
    return {change.name: change for change in changes}


@pytest.mark.parametrize("kind", [EVENT, METRIC])
def test_the_old_one_requires_the_new_one(kind: Kind) -> None:
    """Where a kind cannot be renamed, deleting the old object requires the creation of the new one."""
    plan = planned([wanted("B", "a", kind=kind)], [source("A", "a", kind=kind)], kind=kind, prune=True)
    found = by_name(plan.changes)
    assert (found["A"].action, found["A"].requires) == (Action.DELETE, ("B",))
    assert (found["B"].action, found["B"].requires) == (Action.CREATE, ())


def test_a_new_one_that_is_there_is_not_waited_for() -> None:
    """Where the new object is there already as ours, nothing has to come first."""
    live = [source("A", "a", kind=EVENT), source("B", "a", kind=EVENT)]
    found = by_name(planned([wanted("B", "a", kind=EVENT, sql="SELECT 2")], live, kind=EVENT, prune=True).changes)
    assert (found["A"].action, found["A"].requires) == (Action.DELETE, ())


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_several_new_ones_all_come_first(kind: Kind) -> None:
    """Where nothing says which of a node's new sources takes the old one's place, all of them must be there."""
    plan = planned(
        [wanted("B", "a", kind=kind), wanted("C", "a", kind=kind), wanted("D", "d", kind=kind)],
        [source("A", "a", kind=kind)],
        kind=kind,
        prune=True,
    )
    assert by_name(plan.changes)["A"].requires == ("B", "C")


@pytest.mark.parametrize(("prune", "action"), [(True, Action.BLOCKED), (False, Action.ORPHAN)])
@pytest.mark.parametrize("held", [source("B", kind=EVENT), source("b", kind=EVENT)], ids=["foreign", "twin"])
def test_a_refused_replacement_keeps_the_old_one(held: object, action: Action, *, prune: bool) -> None:
    """Where the new object is refused, the old one stays and says why."""
    live = [source("A", "a", kind=EVENT), held]
    plan = planned([wanted("B", "a", kind=EVENT)], live, kind=EVENT, prune=prune)  # type: ignore[arg-type]  # drawn
    old = by_name(plan.changes)["A"]
    assert old.action is action
    assert old.reason == 'Its node declares "B" instead, which cannot be written, so this one is not deleted.'
    assert old.fix == 'See "B".'


def test_an_adopted_replacement_comes_first() -> None:
    """An object that is taken over in the old one's place is ours only once it is written."""
    live = [source("A", "a", kind=EVENT), source("B", kind=EVENT)]
    plan = planned([wanted("B", "a", kind=EVENT)], live, kind=EVENT, prune=True, adopt=frozenset({"B"}))
    assert by_name(plan.changes)["A"].requires == ("B",)


@pytest.mark.parametrize("prune", [True, False])
def test_a_change_of_case_where_the_kind_cannot_be_renamed(*, prune: bool) -> None:
    """The new spelling is refused as a twin of our own object, which stays."""
    plan = planned([wanted("orders", "a", kind=EVENT)], [source("Orders", "a", kind=EVENT)], kind=EVENT, prune=prune)
    old, new = plan.changes
    assert (new.name, new.action) == ("orders", Action.BLOCKED)
    assert new.reason == (
        'Statsig has "Orders", which differs only in upper and lower case. '
        "A qualifying event cannot be renamed, and Statsig cannot have both."
    )
    assert (old.name, old.action) == ("Orders", Action.BLOCKED if prune else Action.ORPHAN)


def test_a_rename_waits_for_the_holder_of_its_name() -> None:
    """A rename or a creation onto a name that another rename frees requires that one."""
    plan = planned(
        [wanted("B", "a"), wanted("C", "b"), wanted("A", "new")], [source("A", "a"), source("B", "b")], prune=True
    )
    assert {change.name: (change.action, change.requires) for change in plan.changes} == {
        "A": (Action.CREATE, ("B",)),
        "B": (Action.RENAME, ("C",)),
        "C": (Action.RENAME, ()),
    }


def test_united() -> None:
    """What requires a change that is not written is blocked, along the whole chain; another kind counts for nothing."""
    chain = [
        Change(action=Action.DELETE, kind=METRIC, name="A", requires=("B",)),
        Change(action=Action.CREATE, kind=METRIC, name="B", requires=("C",)),
        Change(action=Action.RENAME, kind=METRIC, name="C"),
        Change(action=Action.RENAME, kind=EVENT, name="C"),
    ]
    assert united(chain) == tuple(chain)
    chain[2] = structs.replace(chain[2], action=Action.BLOCKED)
    found = united(chain)
    assert [change.action for change in found] == [Action.BLOCKED] * 3 + [Action.RENAME]
    assert (found[0].reason, found[0].fix) == ('"B", which must be written first, is not written.', 'See "B".')


def test_disabled_in_this_target() -> None:
    """A block that is disabled in this target keeps its object: no change, no orphan, no rename of it."""
    disabled = structs.replace(wanted("A", "a", kind=EVENT), disabled=True)
    live = [source("A", "a", kind=EVENT), source("Old", "a", kind=EVENT), source("X", "x", kind=EVENT)]
    plan = planned([disabled, wanted("B", "a", kind=EVENT)], live, kind=EVENT, prune=True)
    assert shown(plan) == [("create", "B"), ("delete", "X")]
    assert [(change.name, change.reason) for change in plan.disabled] == [
        ("A", "Disabled in this target."),
        ("Old", "Disabled in this target."),
    ]


def test_a_disabled_one_is_not_renamed() -> None:
    """An object whose block has another name but is disabled in this target keeps its old name."""
    disabled = structs.replace(wanted("B", "a"), disabled=True)
    plan = build_plan(
        [disabled], {Kind.ASSIGNMENT_SOURCE: Live(items=(source("A", "a"), source("F")))}, Scope(project="shop")
    )
    assert (plan.changes, [change.name for change in plan.disabled]) == ((), ["A"])


def test_a_name_that_another_model_has_in_this_target() -> None:
    """Where a disabled block and an enabled one have the same name, the enabled one counts."""
    disabled = structs.replace(wanted("A", "a"), disabled=True)
    plan = planned([disabled, wanted("A", "b")], [source("A", "a")], prune=True)
    assert (shown(plan), plan.disabled) == ([("update", "A")], ())
