"""Metrics that get new names, go or come back beside others, over a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.test_metrics import SUM, Shop, actions, calls, held, server, shop

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running

__all__ = ["server", "shop"]


def test_a_new_name(shop: Shop, server: Running) -> None:
    """A metric with a new name is renamed, with its history."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics({**SUM, "name": "Net revenue", "cap": 3})
    assert actions(shop.plan()) == {"Net revenue": "rename"}
    assert shop.sync().exit_code == 0
    assert list(held(server)) == ["Net revenue"]
    assert actions(shop.plan()) == {"Net revenue": "unchanged"}


def test_a_new_name_beside_a_metric_that_goes(shop: Shop, server: Running) -> None:
    """A metric is renamed although another one of its node goes; where two are alike, the block's `adopt` decides."""
    count, mean = {"name": "Orders", "aggregation": "count"}, {**SUM, "name": "Average", "aggregation": "mean"}
    shop.metrics(SUM, count, mean)
    shop.sync()
    shop.metrics({**SUM, "name": "Net revenue"}, {**count, "name": "All orders"})
    assert actions(shop.plan()) == {"All orders": "rename", "Average": "orphan", "Net revenue": "rename"}
    shop.metrics({**SUM, "name": "Net revenue"}, {**SUM, "name": "Revenue 2"})
    unclear = shop.plan()
    assert actions(unclear) == {
        "Average": "orphan",
        "Net revenue": "create",
        "Orders": "orphan",
        "Revenue": "orphan",
        "Revenue 2": "create",
    }
    shop.metrics({**SUM, "name": "Net revenue"}, {**SUM, "name": "Revenue 2", "adopt": "Revenue"})
    assert shop.sync(prune=True, force=True).exit_code == 0
    assert set(held(server)) == {"Average", "Orders", "Net revenue", "Revenue 2"}
    assert actions(shop.plan()) == {"Net revenue": "unchanged", "Revenue 2": "unchanged"}
    shop.metrics({**SUM, "name": "Net revenue"}, {**mean, "name": "Mean revenue", "adopt": "Average"})
    assert actions(shop.plan())["Mean revenue"] == "rename"
    assert shop.sync().exit_code == 0
    assert "(archived)" not in held(server)["Mean revenue"]["description"]
    assert set(server.state.archived) == {"Orders::user_warehouse"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"aggregation": "percentile", "percentile": 0.5}, {"percentile": 0.9}),
        ({"rollup_time_window": "custom", "custom_roll_up_end": 7}, {"custom_roll_up_end": 14}),
    ],
)
def test_a_new_name_with_other_numbers(shop: Shop, before: dict[str, Any], after: dict[str, Any]) -> None:
    """An experiment on the old name must not get other numbers: the plan asks, and `adopt` decides."""
    shop.metrics({**SUM, **before})
    assert shop.sync().exit_code == 0
    shop.metrics({**SUM, **before, **after, "name": "Other"})
    planned = shop.plan()
    assert actions(planned) == {"Other": "create", "Revenue": "orphan"}
    (created,) = [one for one in planned.plan.changes if one.action is Action.CREATE]
    assert created.reason == 'It may be "Revenue" under a new name, which is not certain.'
    shop.metrics({**SUM, **before, **after, "name": "Other", "adopt": "Revenue"})
    assert actions(shop.plan()) == {"Other": "rename"}


def test_two_blocks_that_take_one_metric(shop: Shop) -> None:
    """Neither gets it: which one goes on with its history is not for us to guess."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics({**SUM, "name": "Net A", "adopt": "Revenue"}, {**SUM, "name": "Net B", "adopt": "Revenue"})
    planned = shop.plan()
    assert actions(planned) == {"Net A": "blocked", "Net B": "blocked"}
    assert {one.reason for one in planned.plan.changes if one.action is Action.BLOCKED} == {
        '"Revenue" cannot become all of "Net A", "Net B".'
    }
    shop.metrics({**SUM, "name": "Net A", "adopt": "Revenue"}, {**SUM, "name": "Net B"})
    assert actions(shop.plan()) == {"Net A": "rename", "Net B": "create"}


def test_no_rename_beside_a_block_that_cannot_be_read(shop: Shop, server: Running) -> None:
    """A metric whose name cannot be read any more keeps its history: no other one is made of it."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics({**SUM, "name": ["Revenue"]}, {**SUM, "name": "Net revenue"})
    assert actions(shop.plan()) == {"Net revenue": "blocked"}
    assert shop.sync().exit_code == 1
    assert list(held(server)) == ["Revenue"]


def test_a_metric_that_goes_beside_one_that_stays_as_it_is(shop: Shop, server: Running) -> None:
    """Beside a metric that is disabled or has errors, one that is no longer declared is reported and archived."""
    count = {"name": "Orders", "aggregation": "count"}
    largest = {**SUM, "name": "Largest", "aggregation": "max"}
    shop.metrics(SUM, count, largest)
    shop.sync()
    shop.metrics({**SUM, "enabled": False}, largest)
    planned = shop.plan()
    assert actions(planned) == {"Largest": "unchanged", "Orders": "orphan"}
    assert [one.name for one in planned.skipped] == ["Revenue"]
    shop.metrics({**SUM, "name": "Net", "enabled": False}, largest)
    assert actions(shop.plan()) == {"Largest": "unchanged"}
    shop.metrics({**SUM, "value_column": "nothing"}, largest)
    assert actions(shop.plan()) == {"Largest": "unchanged", "Orders": "orphan", "Revenue": "blocked"}
    shop.metrics({**SUM, "enabled": False}, largest)
    done = shop.sync(prune=True, force=True)
    assert done.planned is not None
    assert actions(done.planned) == {"Largest": "unchanged", "Orders": "archive"}
    assert "(archived)" in held(server)["Orders"]["description"]


def test_a_metric_that_comes_back(shop: Shop) -> None:
    """The plan says that a metric comes back from the archive, and the sync after it has nothing to do."""
    count = {"name": "Orders", "aggregation": "count"}
    shop.metrics(SUM, count)
    shop.sync()
    shop.metrics(count)
    shop.sync(prune=True, force=True)
    shop.metrics(SUM, count)
    (back,) = [one for one in shop.plan().plan.changes if one.name == "Revenue"]
    assert (back.action, back.reason) == (Action.UPDATE, "It comes back from the archive.")
    shop.sync()
    assert actions(shop.plan()) == {"Orders": "unchanged", "Revenue": "unchanged"}


def test_a_source_that_metrics_of_others_read(shop: Shop, server: Running) -> None:
    """A metric source is not deleted while a metric that this project does not own reads it, without --force."""
    shop.metrics(SUM)
    shop.sync()
    part = {"aggregation": "count", "metricSources": [{"metricSourceName": "visits", "criteria": []}]}
    theirs = {"id": "Theirs::user_warehouse", "type": "user_warehouse", "name": "Theirs", "warehouseNative": part}
    server.state.lists["metrics"].append({**theirs, "description": "By hand."})
    shop.declare("visits", name="sessions")

    def old(**options: bool) -> tuple[Action, str]:
        plan = shop.plan(prune=True, **options).plan
        (change,) = [one for one in plan.changes if one.kind is Kind.METRIC_SOURCE and one.name == "visits"]
        return change.action, change.reason

    assert old() == (Action.BLOCKED, 'The metric "Theirs", which this project does not own, reads it.')
    assert old(force=True)[0] is Action.DELETE
    server.state.lists["metrics"].pop()
    assert old()[0] is Action.DELETE


def test_the_requests_of_many_metrics(shop: Shop, server: Running) -> None:
    """A plan of many metrics without a change reads the pages of the list, and no metric by itself."""
    shop.metrics({"name": "Orders", "aggregation": "count"})
    shop.sync()
    (one,) = server.state.lists["metrics"]
    names = [f"Orders {number}" for number in range(240)]
    server.state.lists["metrics"] = [{**one, "name": name, "id": f"{name}::user_warehouse"} for name in names]
    shop.metrics(*({"name": name, "aggregation": "count"} for name in names))
    before = len(server.requests)
    assert set(actions(shop.plan()).values()) == {"unchanged"}
    made = [call for call in calls(server, before) if "metrics" in call]
    assert set(made) == {"GET metrics/list", "GET metrics/metric_source/list"}
    assert made.count("GET metrics/list") == 3
