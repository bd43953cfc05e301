"""Plan and apply against a console in memory: whatever the two sides hold, a rerun settles it."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig.planning.matching import Action, Desired, Live, Plan, Scope, build_plan
from dbt_statsig.vocabulary.comparison import differences, fill_undeclared_from
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.ownership import claim, owner_of
from dbt_statsig.vocabulary.sources import Kind, Source
from tests.unit.planning.test_matching import source, wanted

NAMES = ["A", "B", "C", "D"]
NODES = ["a", "b", "c"]


@st.composite
def declared(draw: st.DrawFn, kind: Kind) -> list[Desired]:
    """Declarations with distinct names."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return [
        wanted(name, draw(st.sampled_from(NODES)), kind=kind, sql=draw(st.sampled_from(["SELECT 1", "SELECT 2"])))
        for name in names
    ]


@st.composite
def consoles(draw: st.DrawFn, kind: Kind) -> list[Source]:
    """Live objects with distinct names: ours, another project's and nobody's."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    owners = st.sampled_from(["", *NODES])
    return [
        source(name, draw(owners), kind=kind, project=draw(st.sampled_from(["shop", "shop", "other"])))
        for name in names
    ]


def apply(plan: Plan, live: list[Source]) -> list[Source]:
    """What the console holds after the plan's writes; a name that is taken fails the test."""
    held = {item.name: item for item in live}
    renames = [change for change in plan.changes if change.action is Action.RENAME]
    moved = {
        change.name: fill_undeclared_from(structs.replace(change.desired, name=change.name), held[change.live_name])
        for change in renames
        if change.desired is not None
    }
    for change in renames:
        del held[change.live_name]
    assert not set(moved) & set(held)
    held |= moved
    for change in plan.changes:
        if change.action is Action.CREATE and change.desired is not None:
            assert change.name not in held
            held[change.name] = change.desired
        elif change.action is Action.UPDATE and change.desired is not None and change.live is not None:
            held[change.name] = fill_undeclared_from(change.desired, change.live)
        elif change.action is Action.DELETE:
            del held[change.live_name]
    return list(held.values())


@given(data=st.data(), kind=st.sampled_from(list(BLOCK_KINDS)), prune=st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_second_plan_writes_nothing(data: st.DataObject, kind: Kind, prune: bool) -> None:  # noqa: FBT001 - drawn
    """After a plan was applied, planning again writes nothing, and nothing that is not ours was touched."""
    desired, live = data.draw(declared(kind)), data.draw(consoles(kind))
    scope = Scope(project="shop", prune=prune)
    first = build_plan(desired, {kind: Live(items=tuple(live))}, scope)
    after = apply(first, live)

    foreign = [item for item in live if (owner := owner_of(item.description)) is None or owner.project != "shop"]
    assert all(item in after for item in foreign)

    blocked = any(change.action is Action.BLOCKED for change in first.changes)
    assume(not blocked)
    second = build_plan(desired, {kind: Live(items=tuple(after))}, scope)
    assert [change for change in second.changes if change.action.writes] == []

    held = {item.name: item for item in after}
    refused = {change.name for change in second.changes if change.action in {Action.FOREIGN, Action.BLOCKED}}
    for item in desired:
        if item.name not in refused and item.payload is not None:
            assert differences(item.payload, held[item.name]) == ()


@given(data=st.data(), kind=st.sampled_from(list(BLOCK_KINDS)))
@settings(max_examples=200, deadline=None)
def test_the_order_of_either_side_does_not_matter(data: st.DataObject, kind: Kind) -> None:
    """Two lists in another order give the same plan."""
    desired, live = data.draw(declared(kind)), data.draw(consoles(kind))
    shuffled = data.draw(st.permutations(desired)), data.draw(st.permutations(live))
    one = build_plan(desired, {kind: Live(items=tuple(live))}, Scope(project="shop"))
    other = build_plan(shuffled[0], {kind: Live(items=tuple(shuffled[1]))}, Scope(project="shop"))
    assert one == other


@given(st.permutations(["A", "B", "C", "D", "E", "F", "free", "new"]))
@settings(max_examples=300, deadline=None)
def test_only_circles_are_blocked(onward: list[str]) -> None:
    """Where names move on, those in a circle of any length are blocked, and those in a chain with a free end move."""
    live = ["A", "B", "C", "D", "E", "F"]
    moves = dict(zip(live, onward, strict=False))

    def returns(name: str) -> bool:
        at = moves[name]
        while at in moves and at != name:
            at = moves[at]
        return at == name

    shown = {
        new: Action.UNCHANGED if new == old else Action.BLOCKED if returns(old) else Action.RENAME
        for old, new in moves.items()
    }
    desired = [wanted(new, old) for old, new in moves.items()]
    plan = build_plan(
        desired, {Kind.ASSIGNMENT_SOURCE: Live(items=tuple(source(n, n) for n in live))}, Scope(project="shop")
    )
    assert {change.name: change.action for change in plan.changes} == shown


@given(data=st.data(), kind=st.sampled_from(list(BLOCK_KINDS)), namespace=st.sampled_from(["", "dev"]))
@settings(max_examples=200, deadline=None)
def test_no_change_concerns_another_owners_object(data: st.DataObject, kind: Kind, namespace: str) -> None:
    """Only own objects and those named for adoption are written; what goes requires every new source of its node."""
    desired, live = data.draw(declared(kind)), data.draw(consoles(kind))
    namespaces = st.sampled_from(["", "dev", "eu"])
    held = [
        structs.replace(item, description=claim("", structs.replace(line, namespace=data.draw(namespaces))))
        if (line := owner_of(item.description))
        else item
        for item in live
    ]
    adopt = data.draw(st.frozensets(st.sampled_from(NAMES), max_size=1))
    scope = Scope(project="shop", namespace=namespace, prune=True, adopt=adopt)
    plan = build_plan(desired, {kind: Live(items=tuple(held))}, scope)
    for change in plan.changes:
        if not change.action.writes or change.live is None:
            continue
        line = owner_of(change.live.description)
        assert change.live_name in adopt or (line is not None and line.owner == scope.owner)
        assert change.adopted == (line is None or line.owner != scope.owner)
    new = {(change.unique_id, change.name) for change in plan.changes if change.action is Action.CREATE}
    for change in plan.changes:
        if change.action is Action.DELETE:
            assert {name for unique_id, name in new if unique_id == change.unique_id} <= set(change.requires)
