"""New names of metrics whose node has several: a rename where that is certain, a note where it is not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET, structs

from dbt_statsig.planning.asked import Desired, Live, Scope
from dbt_statsig.planning.matching import build_plan
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.kinds import Metric
from dbt_statsig.vocabulary.kinds.metric import MetricPart
from dbt_statsig.vocabulary.ownership import Ownership, archived, claim
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.planning.test_matching import ASSIGNMENT, planned, shown, source, wanted

NODE = "model.shop.orders"


def metric(name: str, column: str = "amount", *, node: str = NODE, **more: Any) -> Metric:
    """A sum, as Statsig has it."""
    part = MetricPart(metric_source_name="Orders", value_column=column)
    line = claim("", Ownership("shop", node))
    return Metric(name=name, description=line, **{"aggregation": "sum", "metric_sources": (part,), **more})


def declared(one: Metric, node: str = NODE, **more: Any) -> Desired:
    """A declaration of this metric."""
    return Desired(kind=Kind.METRIC, name=one.name, unique_id=node, **{"payload": one, **more})


def plan_of(desired: list[Metric | Desired], live: list[Metric], **scope: Any) -> Plan:
    """The plan for metrics."""
    items = [declared(one) if isinstance(one, Metric) else one for one in desired]
    return build_plan(items, {Kind.METRIC: Live(items=tuple(live))}, Scope(project="shop", **scope))


def moves(plan: Plan) -> list[tuple[str, str, str]]:
    """Action, name and the live name of each change."""
    return [(one.action.value, one.name, one.live_name) for one in plan.changes]


def named(plan: Plan, name: str) -> Change:
    """The change of one object."""
    return next(one for one in plan.changes if one.name == name)


def test_a_rename_beside_a_metric_that_goes() -> None:
    """Of several old metrics, the one that computes the very same is renamed, and the other one is retired."""
    plan = plan_of([metric("Net")], [metric("Gross"), metric("Tax", "tax")], prune=True)
    assert moves(plan) == [("rename", "Net", "Gross"), ("archive", "Tax", "Tax")]
    assert [one.field for one in named(plan, "Net").fields] == ["name"]


def test_two_renames_of_one_node() -> None:
    """Two new names and two old ones are two renames, also where a third metric is new."""
    live = [metric("Gross"), metric("Tax", "tax")]
    plan = plan_of([metric("Levy", "tax", tags=("dbt",)), metric("Net"), metric("More", "more")], live)
    assert moves(plan) == [("rename", "Levy", "Tax"), ("create", "More", ""), ("rename", "Net", "Gross")]
    assert named(plan, "More").reason == ""


def test_uncertain_names_are_in_natural_order() -> None:
    """Which one of several may be renamed is said in the same words, whatever order the lists have."""
    live = [metric("Gross 10"), metric("Gross 2")]
    new: list[Metric | Desired] = [metric("Net 10"), metric("Net 2")]
    plan = plan_of(new, live)
    assert '"Gross 2", "Gross 10"' in named(plan, "Net 2").reason
    assert plan == plan_of(new[::-1], live[::-1])


def test_two_percentiles_are_not_exchanged() -> None:
    """Metrics of one column that differ only in a number are two metrics."""
    p50, p90 = (metric(f"p{n}", aggregation="percentile", percentile=n / 100) for n in (50, 90))
    plan = plan_of([structs.replace(p90, name="high"), structs.replace(p50, name="half")], [p50, p90])
    assert moves(plan) == [("rename", "half", "p50"), ("rename", "high", "p90")]


@pytest.mark.parametrize(
    "live",
    [
        [metric("Gross"), metric("Gross 2")],
        [metric("Gross", cap=5), metric("Gross 2", winsorization_high=0.9)],
    ],
)
def test_what_is_not_certain_is_said(live: list[Metric]) -> None:
    """Where two old metrics may be meant, or each has more keys, nothing is renamed, and the plan says so."""
    plan = plan_of([metric("Net")], live)
    assert moves(plan) == [("orphan", "Gross", "Gross"), ("orphan", "Gross 2", "Gross 2"), ("create", "Net", "")]
    assert named(plan, "Net").reason == ('It may be one of "Gross", "Gross 2" under a new name, which is not certain.')
    assert named(plan, "Net").fix == (
        'To rename it and keep its history, write `adopt: Gross` in its block, or run with --adopt "Gross=Net".'
    )
    assert named(plan, "Gross").reason == 'It is no longer declared, or "Net" is its new name: see there.'


def test_two_new_ones_for_one() -> None:
    """Where two new metrics compute what an old one did, or one of them cannot be built, neither takes its history."""
    plan = plan_of([metric("Net"), metric("Net 2")], [metric("Gross")])
    assert moves(plan) == [("orphan", "Gross", "Gross"), ("create", "Net", ""), ("create", "Net 2", "")]
    other = declared(metric("Net 2"), payload=None, blocked="It has errors.")
    plan = plan_of([metric("Net"), other], [metric("Gross")])
    assert named(plan, "Net").action is Action.CREATE


def test_a_documented_default_is_no_difference() -> None:
    """The loading window that Statsig gives every metric does not make it another one."""
    live = [metric("Gross", loading_window=90), metric("Tax", "tax", loading_window=90)]
    assert named(plan_of([metric("Net")], live), "Net").action is Action.RENAME
    assert named(plan_of([metric("Net", loading_window=UNSET)], [live[1], metric("Gross", cap=1)]), "Net").reason


@pytest.mark.parametrize("how", [{"renamed": frozenset({(Kind.METRIC, "Gross 2", "Net")})}, {"adopt": {"Gross 2=Net"}}])
def test_the_user_names_it(how: dict[str, Any]) -> None:
    """`adopt` in the block, or --adopt OLD=NEW, says which old metric it is; the other one is retired."""
    scope = {key: frozenset(value) for key, value in how.items()}
    plan = plan_of([metric("Net")], [metric("Gross"), metric("Gross 2")], **scope)
    assert moves(plan) == [("orphan", "Gross", "Gross"), ("rename", "Net", "Gross 2")]
    assert not named(plan, "Net").adopted
    again = plan_of([metric("Net")], [metric("Net")], **scope)
    assert moves(again) == [("unchanged", "Net", "Net")]


def test_what_is_named_leaves_the_others_certain() -> None:
    """One pair that is named settles the other one of the node."""
    renamed = frozenset({(Kind.METRIC, "Gross", "Net 2")})
    plan = plan_of([metric("Net"), metric("Net 2")], [metric("Gross"), metric("Gross 2")], renamed=renamed)
    assert moves(plan) == [("rename", "Net", "Gross 2"), ("rename", "Net 2", "Gross")]


def test_a_metric_of_another_node_or_an_archived_one_is_named() -> None:
    """A metric that moved to another model, or was archived, is found again by its name only."""
    moved = metric("Gross", node="model.shop.old")
    away = structs.replace(metric("Gross"), description=archived(claim("", Ownership("shop", NODE))))
    for live in (moved, away):
        assert named(plan_of([metric("Net")], [live]), "Net").action is Action.CREATE
        plan = plan_of([metric("Net")], [live], renamed=frozenset({(Kind.METRIC, "Gross", "Net")}))
        assert moves(plan) == [("rename", "Net", "Gross")]
        assert [one.field for one in named(plan, "Net").fields] == ["name", "description"]


@pytest.mark.parametrize(
    "scope",
    [
        {"selected_ids": frozenset({NODE})},
        {"unread": frozenset({(Kind.METRIC, "model.shop.old", "Gross")})},
        {"prefixes": {"Gro": "dev"}},
    ],
)
def test_what_may_be_declared_elsewhere_is_not_renamed(scope: dict[str, Any]) -> None:
    """An object of a node that is not selected, of a block that cannot be read or of another target keeps its name."""
    renamed = frozenset({(Kind.METRIC, "Gross", "Net")})
    plan = plan_of([metric("Net")], [metric("Gross", node="model.shop.old")], renamed=renamed, **scope)
    assert named(plan, "Net").action is Action.CREATE
    assert all(one.live_name != "Gross" or not one.action.writes for one in plan.changes)


def test_a_named_metric_that_is_blocked_keeps_the_old_one() -> None:
    """While the new one cannot be written, the old one is not retired."""
    renamed = frozenset({(Kind.METRIC, "Gross", "Net")})
    other = declared(metric("Net"), blocked="It has errors.")
    live = metric("Gross", node="model.shop.old")
    assert moves(plan_of([other], [live], renamed=renamed, prune=True)) == [("blocked", "Net", "")]


def test_a_block_that_cannot_be_read_may_be_the_old_one() -> None:
    """Nothing is renamed while a block of its node has no name that can be read: the old name may be its own."""
    unread = frozenset({(Kind.METRIC, NODE, "")})
    protected = frozenset({(Kind.METRIC, NODE)})
    plan = plan_of([metric("Net")], [metric("Gross")], unread=unread, protected=protected)
    assert moves(plan) == [("blocked", "Net", "")]
    assert named(plan, "Net").reason == 'It may be "Gross" under a new name, which is not certain.'
    forced = plan_of([metric("Net")], [metric("Gross")], unread=unread, protected=protected, force=True)
    assert moves(forced) == [("create", "Net", "")]
    known = frozenset({(Kind.METRIC, NODE, "Gross")})
    plan = plan_of([metric("Net")], [metric("Gross")], unread=known, protected=protected)
    assert (moves(plan), named(plan, "Net").reason) == ([("create", "Net", "")], "")


def test_a_name_that_another_node_declares() -> None:
    """An old metric that another model declares now is no candidate, and is not named."""
    live = [metric("Gross"), metric("Gross 2")]
    plan = plan_of([metric("Net"), declared(metric("Gross", node="model.shop.new"), "model.shop.new")], live)
    assert '"Gross"' not in named(plan, "Net").reason


def test_the_prefix_of_a_target() -> None:
    """The block's key has the name without the prefix, which it gets in every target; the option has the whole name."""
    plan = plan_of([metric("dev_Net")], [metric("dev_Gross"), metric("dev_Gross 2")], prefix="dev_")
    assert named(plan, "dev_Net").fix == (
        'To rename it and keep its history, write `adopt: Gross` in its block, or run with --adopt "dev_Gross=dev_Net".'
    )


def test_sources_say_it_too() -> None:
    """What sources compute cannot be compared: several of one node are never paired, and the plan says so."""
    plan = planned([wanted("B", "a"), wanted("C", "a")], [source("A", "a")])
    assert shown(plan) == [("orphan", "A"), ("create", "B"), ("create", "C")]
    assert plan.changes[1].reason == 'It may be "A" under a new name, which is not certain.'
    renamed = frozenset({(ASSIGNMENT, "A", "B")})
    plan = planned([wanted("B", "a"), wanted("C", "a")], [source("A", "a")], renamed=renamed)
    assert shown(plan) == [("rename", "B"), ("create", "C")]
    events = planned(
        [wanted(name, "a", kind=Kind.QUALIFYING_EVENT) for name in "BC"],
        [source("A", "a", kind=Kind.QUALIFYING_EVENT)],
        kind=Kind.QUALIFYING_EVENT,
    )
    assert [one.reason for one in events.changes[1:]] == ["", ""]


def test_what_cannot_be_built_takes_the_only_old_name() -> None:
    """The one metric of a node, under a new name and with an error, keeps its object: it is not retired meanwhile."""
    broken = declared(metric("Net"), payload=None, blocked="It has errors.")
    assert moves(plan_of([broken], [metric("Revenue")])) == [("blocked", "Net", "")]


def test_another_percentile_is_no_rename() -> None:
    """Beside the name the numbers change, so the plan asks."""
    live, new = metric("p50", aggregation="percentile", percentile=0.5), metric("p90", aggregation="percentile")
    plan = plan_of([structs.replace(new, percentile=0.9)], [live])
    assert moves(plan) == [("orphan", "p50", "p50"), ("create", "p90", "")]
    assert named(plan, "p90").reason == 'It may be "p50" under a new name, which is not certain.'
