"""What a plan must not do unless asked twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.planning.asked import to_prune
from dbt_statsig.planning.safety import Limits, doubt, guarded, not_replaced_elsewhere
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.sources import Kind

METRIC, EVENT = Kind.METRIC_SOURCE, Kind.QUALIFYING_EVENT
LIMITS = Limits(percent=30, objects=10)
TOUCHES = [action for action in Action if action.touches]


def plan_of(action: Action, count: int, kind: Kind = METRIC, *, adopted: bool = False) -> Plan:
    """A plan of so many changes of one sort."""
    changes = [Change(action=action, kind=kind, name=f"{kind.value}{n}", adopted=adopted) for n in range(count)]
    return Plan(project="shop", changes=tuple(changes))


def both(*plans: Plan) -> Plan:
    """Their changes in one plan."""
    return Plan(project="shop", changes=tuple(change for plan in plans for change in plan.changes))


def actions(plan: Plan) -> set[Action]:
    """The actions that are left."""
    return {change.action for change in plan.changes}


@pytest.mark.parametrize("action", TOUCHES)
@pytest.mark.parametrize(("count", "held"), [(3, False), (4, True)])
def test_the_share(action: Action, count: int, *, held: bool) -> None:
    """Three of ten may change or go, four may not."""
    result = guarded(plan_of(action, count), {METRIC: 10}, LIMITS, declares=True, force=False)
    assert actions(result) == {Action.BLOCKED if held else action}


def test_the_reason() -> None:
    """It says how many of how many, the limit, and both next steps."""
    (change, *_) = guarded(plan_of(Action.DELETE, 4), {METRIC: 10}, LIMITS, declares=True, force=False).changes
    assert change.reason == "4 of this project's 10 metric sources would be deleted at once, more than 30 %."
    assert change.fix == "Check it with `plan --prune --force`. If it is intended, run again with --force."
    assert change.held is Action.DELETE


@pytest.mark.parametrize(("count", "held"), [(1, False), (2, False), (3, True), (8, True)])
def test_a_share_of_deletions_counts_sooner(count: int, *, held: bool) -> None:
    """Where deletions have a limit of their own, their share counts from fewer objects on than that of all changes."""
    limits = Limits(percent=30, objects=3, changes=10)
    result = guarded(plan_of(Action.DELETE, count), {METRIC: 9}, limits, declares=True, force=False)
    assert actions(result) == {Action.BLOCKED if held else Action.DELETE}
    updates = plan_of(Action.UPDATE, count)
    assert guarded(updates, {METRIC: 9}, limits, declares=True, force=False) == updates
    if held:
        words = f"{count} of this project's 9 metric sources would be deleted at once, more than 30 %."
        assert result.changes[0].reason == words


@pytest.mark.parametrize("count", [1, 2, 9])
def test_everything_of_a_kind(count: int) -> None:
    """Deleting all objects of a kind, however few, needs force; so does no other change of all."""
    limits = Limits(percent=100, objects=100)
    result = guarded(plan_of(Action.DELETE, count), {METRIC: count}, limits, declares=True, force=False)
    assert actions(result) == {Action.BLOCKED}
    assert result.changes[0].reason == f"All of this project's metric sources ({count}) would be deleted at once."
    assert guarded(plan_of(Action.DELETE, count), {METRIC: count}, limits, declares=True, force=True) == plan_of(
        Action.DELETE, count
    )
    updates = plan_of(Action.UPDATE, count)
    assert guarded(updates, {METRIC: count}, limits, declares=True, force=False) == updates


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ((Action.UPDATE, Action.RENAME), "would change"),
        ((Action.ARCHIVE,), "would be archived"),
        ((Action.UPDATE, Action.ARCHIVE), "would change or be archived"),
        ((Action.UPDATE, Action.ARCHIVE, Action.DELETE), "would change or be archived or deleted"),
    ],
)
def test_the_words_for_what_is_held_back(actions: tuple[Action, ...], words: str) -> None:
    """The limit names what would happen: an archive is no deletion."""
    plan = both(*(plan_of(action, 4, Kind.METRIC) for action in actions))
    result = guarded(plan, {Kind.METRIC: 10}, LIMITS, declares=True, force=False)
    assert {f" {words} at once, more than 30 %." in change.reason for change in result.changes} == {True}


def test_the_words_for_archives() -> None:
    """Where metrics are archived, no reason and no next step speaks of deleting them."""
    metrics = plan_of(Action.ARCHIVE, 1, Kind.METRIC)
    (held,) = guarded(metrics, {Kind.METRIC: 1}, LIMITS, declares=True, force=False).changes
    assert held.reason == "All of this project's metrics (1) would be archived at once."
    (held,) = guarded(metrics, {Kind.METRIC: 1}, LIMITS, declares=False, force=True).changes
    assert held.reason == "The manifest declares no source, so nothing is archived."
    assert to_prune(Kind.METRIC) == "To archive it, run `sync --prune`."


def test_a_replacement_is_no_loss() -> None:
    """The only object of a kind may go where another takes its place, and stays where that one is blocked."""
    old = Change(action=Action.DELETE, kind=METRIC, name="A", requires=("B",))
    new = Change(action=Action.CREATE, kind=METRIC, name="B")
    plan = Plan(project="shop", changes=(old, new))
    assert guarded(plan, {METRIC: 1}, LIMITS, declares=True, force=False) == plan


def test_a_deletion_whose_node_is_missing() -> None:
    """What belongs to a node that the manifest does not have is deleted with force only; the others go."""
    deletions = [Change(action=Action.DELETE, kind=METRIC, name=name, unique_id=f"model.shop.{name}") for name in "ab"]
    plan = Plan(project="shop", changes=tuple(deletions))
    absent = {"model.shop.a": 1}
    result = guarded(plan, {METRIC: 20}, LIMITS, declares=True, force=False, absent=absent)
    assert [change.action for change in result.changes] == [Action.BLOCKED, Action.DELETE]
    assert result.changes[0].reason == (
        "The manifest has no node model.shop.a: that was removed, or the manifest is partial."
    )
    assert guarded(plan, {METRIC: 20}, LIMITS, declares=True, force=True, absent=absent) == plan


@pytest.mark.parametrize(("missing", "ours", "held"), [(2, 2, False), (3, 7, False), (3, 6, True), (9, 10, True)])
@pytest.mark.parametrize("action", TOUCHES)
def test_a_manifest_that_lacks_most_nodes(action: Action, missing: int, ours: int, *, held: bool) -> None:
    """Where half of what is owned belongs to missing nodes, nothing of it is changed without force."""
    absent = {f"model.shop.m{number}": 1 for number in range(missing)}
    limits = Limits(percent=100, objects=100)
    plan = both(plan_of(action, 1), plan_of(Action.CREATE, 1, EVENT))
    result = guarded(plan, {METRIC: ours}, limits, declares=True, force=False, absent=absent)
    assert [change.action for change in result.changes] == [Action.BLOCKED if held else action, Action.CREATE]
    assert bool(doubt({METRIC: ours}, absent)) == held
    if held:
        assert result.changes[0].reason == doubt({METRIC: ours}, absent)
        assert f"{missing} of the {ours} objects" in result.changes[0].reason


def test_all_kinds_together() -> None:
    """Two kinds that are small for themselves are not together."""
    plan = both(plan_of(Action.DELETE, 4), plan_of(Action.DELETE, 4, EVENT))
    result = guarded(plan, {METRIC: 9, EVENT: 9}, LIMITS, declares=True, force=False)
    assert actions(result) == {Action.BLOCKED}
    assert result.changes[0].reason.startswith("8 of this project's 18 objects")


def test_one_kind_does_not_hold_back_another() -> None:
    """A kind that loses too much is blocked; few changes of another, large one go on."""
    plan = both(plan_of(Action.DELETE, 5), plan_of(Action.UPDATE, 1, EVENT))
    result = guarded(plan, {METRIC: 10, EVENT: 90}, LIMITS, declares=True, force=False)
    assert [change.action for change in result.changes] == [Action.BLOCKED] * 5 + [Action.UPDATE]


def test_creations_and_adoptions_do_not_count() -> None:
    """What is new or taken over changes nothing that is ours."""
    plan = both(plan_of(Action.CREATE, 50), plan_of(Action.UPDATE, 50, EVENT, adopted=True))
    assert guarded(plan, {METRIC: 10, EVENT: 10}, LIMITS, declares=True, force=False) == plan


def test_force() -> None:
    """Force lifts the limits."""
    plan = plan_of(Action.DELETE, 10)
    assert guarded(plan, {METRIC: 10}, LIMITS, declares=True, force=True) == plan


@pytest.mark.parametrize("force", [False, True])
def test_nothing_declared(*, force: bool) -> None:
    """A manifest that marks nothing deletes nothing, whatever is asked for."""
    result = guarded(plan_of(Action.DELETE, 1), {METRIC: 1}, LIMITS, declares=False, force=force)
    assert actions(result) == {Action.BLOCKED}
    assert result.changes[0].reason == ("The manifest declares no source, so nothing is deleted.")
    assert result.changes[0].fix == ("Check the manifest. If it is intended, delete the last objects in Statsig.")


def test_nothing_declared_blocks_deletions_only() -> None:
    """Other changes are no deletions (they can only come from a caller's own declarations)."""
    plan = plan_of(Action.CREATE, 1)
    assert guarded(plan, {}, LIMITS, declares=False, force=False) == plan


@given(
    touched=st.integers(0, 60),
    more=st.integers(0, 60),
    percent=st.floats(0, 100),
    objects=st.integers(0, 60),
    action=st.sampled_from(TOUCHES),
)
def test_never_more_than_the_share(touched: int, more: int, percent: float, objects: int, action: Action) -> None:
    """What goes through is within the share, or too few objects for one; else all of it is blocked."""
    ours = touched + more
    limits = Limits(percent=percent, objects=objects)
    result = guarded(plan_of(action, touched), {METRIC: ours}, limits, declares=True, force=False)
    left = sum(change.action is action for change in result.changes)
    assert left in {0, touched}
    assert left == 0 or ours < objects or left * 100 <= percent * ours
    assert left < ours or left == 0 or action is not Action.DELETE


def test_an_orphan_of_an_absent_node() -> None:
    """Deleting an object whose node the manifest lacks takes --prune and --force: the hint names both."""

    def hint(*, absent: bool, force: bool, fix: str = to_prune(METRIC)) -> str:
        orphan = Change(action=Action.ORPHAN, kind=METRIC, name="A", unique_id="model.shop.a", fix=fix)
        plan = Plan(project="shop", changes=(orphan,))
        gone = {"model.shop.a": 1} if absent else {}
        return guarded(plan, {METRIC: 5}, LIMITS, declares=True, force=force, absent=gone).changes[0].fix

    both = "To delete it, run `sync --prune --force`: the manifest has no such node."
    assert hint(absent=True, force=False) == both
    assert hint(absent=False, force=False) == hint(absent=True, force=True) == to_prune(METRIC)
    assert hint(absent=True, force=False, fix="See Statsig.") == "See Statsig."


def test_a_replacement_of_another_kind_that_is_left_out() -> None:
    """With --kind, what a node may have replaced by a source of another kind is not deleted."""
    changes = tuple(
        Change(action=Action.DELETE, kind=METRIC, name=name, unique_id=f"model.shop.{name}") for name in ("a", "b")
    )
    result = not_replaced_elsewhere(Plan(project="shop", changes=changes), {"model.shop.a": 'qualifying event "E"'})
    assert [one.action for one in result.changes] == [Action.BLOCKED, Action.DELETE]
    assert result.changes[0].reason == (
        'Its node declares the qualifying event "E", which --kind excludes, so this one is not deleted.'
    )
