"""What a plan must not do unless told twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.changes import Action, Change, Plan
from dbt_statsig.planning.safety import TOUCHES, Limits, guarded
from dbt_statsig.sources import Kind

METRIC, EVENT = Kind.METRIC_SOURCE, Kind.QUALIFYING_EVENT
LIMITS = Limits(percent=30, objects=10)


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


@pytest.mark.parametrize("action", sorted(TOUCHES))
@pytest.mark.parametrize(("count", "held"), [(3, False), (4, True)])
def test_the_share(action: Action, count: int, *, held: bool) -> None:
    """Three of ten may change or go, four may not."""
    result = guarded(plan_of(action, count), {METRIC: 10}, LIMITS, declares=True, force=False)
    assert actions(result) == {Action.BLOCKED if held else action}


def test_the_reason() -> None:
    """It says how many of how many, the limit, and both next steps."""
    (change, *_) = guarded(plan_of(Action.DELETE, 4), {METRIC: 10}, LIMITS, declares=True, force=False).changes
    assert change.reason == "4 of this project's 10 metric sources would change or go at once, more than 30 %."
    assert change.fix == "See what it would do with `plan --force`; if that is meant, run again with --force."


def test_few_objects_have_no_share() -> None:
    """Of nine, all may go."""
    result = guarded(plan_of(Action.DELETE, 9), {METRIC: 9}, LIMITS, declares=True, force=False)
    assert actions(result) == {Action.DELETE}


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
    assert result.changes[0].reason == (
        "The manifest marks no node for Statsig at all, which is no ground to delete everything."
    )
    assert result.changes[0].fix == (
        "Look at the manifest; delete the last objects in Statsig's console if that is meant."
    )


def test_nothing_declared_blocks_deletions_only() -> None:
    """Other changes are no deletions (they can only come from a caller's own declarations)."""
    plan = plan_of(Action.CREATE, 1)
    assert guarded(plan, {}, LIMITS, declares=False, force=False) == plan


@given(
    touched=st.integers(0, 60),
    more=st.integers(0, 60),
    percent=st.floats(0, 100),
    objects=st.integers(0, 60),
    action=st.sampled_from(sorted(TOUCHES)),
)
def test_never_more_than_the_share(touched: int, more: int, percent: float, objects: int, action: Action) -> None:
    """What goes through is within the share, or too few objects for one; else all of it is blocked."""
    ours = touched + more
    limits = Limits(percent=percent, objects=objects)
    result = guarded(plan_of(action, touched), {METRIC: ours}, limits, declares=True, force=False)
    left = sum(change.action is action for change in result.changes)
    assert left in {0, touched}
    assert left == 0 or ours < objects or left * 100 <= percent * ours
