"""Metrics from a block to the console, over a real socket: every aggregation, renames, archives, order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from dbt_statsig.commands.plan import plan
from dbt_statsig.commands.sync import sync
from dbt_statsig.commands.validate import validate
from dbt_statsig.emulator import running
from dbt_statsig.planning.saved_plan import save
from dbt_statsig.project.request import Request
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running
    from dbt_statsig.vocabulary.results import Planned, Synced, Validation

SUM: dict[str, Any] = {"name": "Revenue", "aggregation": "sum", "value_column": "amount"}
EVERYTHING: dict[str, Any] = {
    "description": "What it is.",
    "tags": ["core"],
    "directionality": "decrease",
    "unit_types": ["userID"],
    "is_permanent": True,
    "is_verified": True,
    "is_read_only": True,
    "team": "Growth",
    "scheduled_reload_hour": 3,
    "scheduled_reload_days": [1, 5],
    "rollup_time_window": "custom",
    "custom_roll_up_start": 0,
    "custom_roll_up_end": 14,
    "metric_bake_days": 2,
    "winsorization_high": 0.99,
    "cap": 500,
    "cuped_attribution_window": None,
    "metric_dimension_columns": ["variant"],
    "metric_dimension_limits": {"variant": 5},
    "criteria": [{"column": "variant", "condition": "in", "values": ["a", "b"]}],
    "where": "amount > 1",
}
METRICS: dict[str, dict[str, Any]] = {
    "count": {"where": "amount > 1"},
    "sum": {"value_column": "AMOUNT", **EVERYTHING},
    "mean": {"value_column": "amount", "criteria": [{"condition": "sql_filter", "values": ["amount > 2"]}]},
    "daily_participation": {"rollup_time_window": "max"},
    "ratio": {
        "numerator": {"aggregation": "sum", "value_column": "amount", "where": "amount > 1"},
        "denominator": {"metric_source_name": "visits", "aggregation": "count", "rollup_time_window": "daily"},
        "allow_null_ratio_denominator": True,
    },
    "funnel": {
        "steps": [
            {"name": "Visit", "metric_source_name": "visits", "session_identifier_field": "variant"},
            {"where": "amount > 0"},
        ],
        "funnel_count_distinct": "sessions",
        "funnel_calculation_window": 7,
    },
    "count_distinct": {"value_column": "variant"},
    "percentile": {"value_column": "amount", "percentile": 0.9},
    "first_value": {"value_column": "amount"},
    "latest_value": {"value_column": "amount"},
    "retention": {
        "retention_end": 14,
        "retention_length": 7,
        "use_secondary_retention_event": True,
        "denominator": {"metric_source_name": "visits", "criteria": [{"column": "variant", "condition": "non_null"}]},
    },
    "max": {"metric_sources": [{"value_column": "amount"}, {"metric_source_name": "visits", "value_column": "amount"}]},
    "min": {"value_column": "amount"},
    "composite": {
        "components": [
            {"aggregation": "sum", "value_column": "amount", "name": "paid"},
            {"operator": "-", "aggregation": "count", "metric_source_name": "visits"},
        ]
    },
}


class Shop(Project):
    """A project whose commands run in this process."""

    def request(self, **options: Any) -> Request:
        """What a command is asked for."""
        return Request(project_dir=self.folder, environ=self.environ, **options)

    def metrics(self, *metrics: dict[str, Any], source: str = "orders", **keys: Any) -> None:
        """Let the model of a metric source have these metrics."""
        self.declare(source, metrics=list(metrics), **keys)

    def plan(self, **options: Any) -> Planned:  # type: ignore[override]
        """What a sync would change."""
        return plan(self.request(**options))

    def sync(self, **options: Any) -> Synced:  # type: ignore[override]
        """Plan and apply."""
        return sync(self.request(**options))

    def validate(self, **options: Any) -> Validation:
        """What the project declares."""
        return validate(self.request(**options))


@pytest.fixture(params=[{}, {"full_update_resets": True, "normalise": True}], ids=["keeps", "resets"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A console, under both readings of what an update leaves out."""
    with running(**request.param) as one:
        yield one


@pytest.fixture
def shop(tmp_path: Path, server: Running) -> Shop:
    """A project with two metric sources."""
    project = Shop(tmp_path, server.url, key=server.key)
    project.declare("visits")
    return project


def actions(planned: Planned) -> dict[str, str]:
    """Each metric's action, by name."""
    return {one.name: one.action.value for one in planned.plan.changes if one.kind is Kind.METRIC}


def held(server: Running) -> dict[str, dict[str, Any]]:
    """The console's metrics by name."""
    return {one["name"]: one for one in server.state.lists["metrics"]}


def shown(validation: Validation) -> list[tuple[str, str]]:
    """Code and key of each finding."""
    return [(one.code, one.key.removeprefix("statsig.metric_source.")) for one in validation.findings]


def calls(server: Running, since: int) -> list[str]:
    """The requests from that one on, without their queries."""
    return [f"{one.method} {one.path.removeprefix('/console/v1/')}" for one in list(server.requests)[since:]]


def test_every_aggregation(shop: Shop, server: Running) -> None:
    """All 14 aggregations pass the strict contract as dry run, creation and update; the second plan is empty."""
    shop.metrics(*({"name": f"a {one}", "aggregation": one, **keys} for one, keys in METRICS.items()))
    assert shop.sync().exit_code == 0
    assert set(actions(shop.plan()).values()) == {"unchanged"}
    metric = held(server)["a sum"]
    assert (metric["scheduledReloadHour"], metric["unitTypes"]) == (3, ["userID"])
    assert metric["warehouseNative"]["metricSources"] == [
        {
            "metricSourceName": "orders",
            "valueColumn": "amount",
            "criteria": [
                {"type": "metadata", "condition": "sql_filter", "values": ["amount > 1"]},
                {"type": "metadata", "column": "variant", "condition": "in", "values": ["a", "b"]},
            ],
        }
    ]
    shop.metrics(
        *(
            {"name": f"a {one}", "aggregation": one, **keys, "is_permanent": one != "sum"}
            for one, keys in METRICS.items()
        )
    )
    checked = shop.plan(server_check=True, force=True)
    assert (set(actions(checked).values()), checked.exit_code) == ({"update"}, 0)
    assert shop.sync(force=True).exit_code == 0
    before = len(server.requests)
    assert set(actions(shop.plan()).values()) == {"unchanged"}
    assert sorted(calls(server, before))[-2:] == ["GET metrics/list", "GET metrics/metric_source/list"]
    assert len(calls(server, before)) == len(Kind)


def test_no_metric_no_request(shop: Shop, server: Running) -> None:
    """A project without metrics reads no metrics, not even to prune, unless it asks for them by name."""
    before = len(server.requests)
    shop.sync(prune=True)
    shop.plan()
    assert "GET metrics/list" not in calls(server, before)
    assert shop.plan(kinds=frozenset({Kind.METRIC})).plan.changes == ()
    assert calls(server, before)[-1] == "GET metrics/list"


def test_the_order_of_writes(shop: Shop, server: Running) -> None:
    """Sources come before their metrics; what goes, goes the other way round."""
    shop.metrics(SUM)
    shop.sync()
    assert [one for one in calls(server, 0) if not one.startswith("GET")] == [
        "POST metrics/metric_source",
        "POST metrics/metric_source",
        "POST metrics",
    ]
    shop.forget("orders")
    shop.metrics({**SUM, "name": "Visits"}, source="visits")
    shop.sync(prune=True, force=True)
    before = len(server.requests)
    assert shop.sync(prune=True, force=True).exit_code == 0
    assert [one for one in calls(server, 0) if not one.startswith("GET")][3:] == [
        "POST metrics",
        "POST metrics/Revenue%3A%3Auser_warehouse",
        "PUT metrics/Revenue%3A%3Auser_warehouse/schedule_archive",
        "DELETE metrics/metric_source/orders",
    ]
    assert [one for one in calls(server, before) if not one.startswith("GET")] == []


@pytest.mark.parametrize("at_once", [False, True])
def test_archived_and_back(tmp_path: Path, at_once: bool) -> None:  # noqa: FBT001
    """A metric that nothing declares is archived once; declared again, it comes back with all that it had."""
    with running(archives_at_once=at_once) as server:
        shop = Shop(tmp_path, server.url, key=server.key)
        other = {"name": "Orders", "aggregation": "count"}
        shop.metrics(SUM, other)
        shop.sync()
        shop.metrics(other)
        assert actions(shop.plan()) == {"Orders": "unchanged", "Revenue": "orphan"}
        assert actions(shop.plan(prune=True)) == {"Orders": "unchanged", "Revenue": "archive"}
        (entry,) = shop.sync(prune=True).outcome.objects
        assert (entry.status, entry.ending) == (Status.DONE, "archived")
        assert held(server)["Revenue"]["description"] == "Managed by dbt: shop/model.shop.orders (archived)"
        assert actions(shop.plan(prune=True)) == {"Orders": "unchanged"}
        shop.metrics(SUM, other)
        assert actions(shop.plan()) == {"Orders": "unchanged", "Revenue": "update"}
        assert shop.sync().exit_code == 0
        assert server.state.archived == {}
        assert actions(shop.plan()) == {"Orders": "unchanged", "Revenue": "unchanged"}
        shop.metrics(other)
        shop.sync(prune=True)
        assert actions(shop.plan(prune=True, delete_metrics=True)) == {"Orders": "unchanged", "Revenue": "delete"}
        shop.sync(prune=True, delete_metrics=True, force=True)
        assert list(held(server)) == ["Orders"]


def test_a_metric_of_somebody_else(shop: Shop, server: Running) -> None:
    """A metric of the console's own is not touched unless named; then it keeps its text, also from the flat form.

    Metrics of other types are no objects of ours, whatever their names.
    """
    flat = {"aggregation": "sum", "metricSourceName": "orders", "criteria": [], "valueColumn": "amount", "cap": 9}
    mine = {"id": "Revenue::user_warehouse", "type": "user_warehouse", "name": "Revenue", "description": "By hand."}
    server.state.lists["metrics"] += [
        {**mine, "warehouseNative": flat, "owner": {"name": "Ann"}, "lineage": {"events": [], "metrics": []}},
        {"id": "Revenue::sum", "name": "Revenue", "type": "sum"},
        {"id": "Purchases::event_count", "name": "Purchases", "type": "event_count"},
    ]
    shop.metrics(SUM)
    assert actions(shop.plan()) == {"Revenue": "foreign"}
    done = shop.sync(adopt=frozenset({"Revenue"}))
    assert [one.ending for one in done.outcome.objects if one.change.kind is Kind.METRIC] == ["adopted"]
    (change,) = [one for one in done.planned.plan.changes if one.kind is Kind.METRIC]
    assert [one.field for one in change.fields] == ["description"]
    (metric,) = [one for one in server.state.lists["metrics"] if one["id"] == "Revenue::user_warehouse"]
    assert metric["description"].startswith("By hand.")
    assert metric["warehouseNative"]["cap"] == 9
    assert actions(shop.plan()) == {"Revenue": "unchanged"}


def test_another_aggregation_keeps_nothing_of_the_old_one(shop: Shop, server: Running) -> None:
    """Where the aggregation changes, what only the old one had is not sent again."""
    shop.metrics({"name": "Rate", "aggregation": "ratio", **METRICS["ratio"]})
    shop.sync()
    shop.metrics({**SUM, "name": "Rate"})
    assert shop.sync().exit_code == 0
    sent = [one.body for one in server.requests if one.method == "POST"][-1]
    assert "denominatorAggregation" not in sent["warehouseNative"]
    assert actions(shop.plan()) == {"Rate": "unchanged"}


def test_a_source_that_fails(shop: Shop, server: Running) -> None:
    """A metric whose source was not written is not sent, and says so; the others are written."""
    shop.metrics(SUM)
    match = {"method": "POST", "path": "metric_source"}
    server.emulator.faults.replace([{"action": "status", "status": 400, "match": match}])
    shop.forget("visits")
    done = shop.sync()
    (metric,) = [one for one in done.outcome.objects if one.change.kind is Kind.METRIC]
    assert metric.status is Status.REFUSED
    assert metric.message == 'Metric source "orders" must be written first, but was not. Nothing was sent.'
    assert held(server) == {}


def test_a_source_that_is_blocked_or_gone(shop: Shop) -> None:
    """A metric is blocked with its source, and one of a source that is nowhere is blocked with the reason."""
    gone = {"name": "Gone", "aggregation": "count", "metric_sources": [{"metric_source_name": "no such"}]}
    shop.metrics(SUM, gone, where="no_such > 1")
    planned = shop.plan()
    reasons = {one.name: one.reason for one in planned.plan.changes if one.kind is Kind.METRIC}
    assert reasons == {
        "Revenue": 'Its metric source "orders" is blocked.',
        "Gone": 'Statsig has no metric source "no such", and this run does not write it.',
    }
    assert ("metric-source-undeclared", "metrics[1].metric_sources.0.metric_source_name") in shown(planned.validation)


def test_a_live_source_that_nobody_declares(shop: Shop, server: Running) -> None:
    """A metric may read a source that only Statsig has: its columns are not checked, which is a warning."""
    source = {"name": "events", "sql": "select 1", "timestampColumn": "ts", "idTypeMapping": []}
    server.state.sources["metric_sources"]["events"] = source
    metric = {"name": "Events", "aggregation": "count", "metric_sources": [{"metric_source_name": "events"}]}
    shop.metrics(metric)
    done = shop.sync()
    assert (done.exit_code, [one.code for one in done.planned.validation.findings]) == (0, ["metric-source-undeclared"])


def test_a_source_that_is_still_read_stays(shop: Shop, server: Running) -> None:
    """A metric source is not pruned while a metric of this project reads it."""
    shop.metrics({"name": "Rate", "aggregation": "ratio", **METRICS["ratio"]})
    shop.sync()
    shop.forget("visits")
    planned = shop.plan(prune=True, force=True)
    (source,) = [one for one in planned.plan.changes if one.name == "visits"]
    assert (source.action, source.reason) == (Action.BLOCKED, 'The metric "Rate" reads it, so it is not deleted.')


def test_a_saved_plan(shop: Shop, server: Running, tmp_path: Path) -> None:
    """A saved plan with metrics is applied as it was made; one with an edited metric is refused for that metric."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics({**SUM, "cap": 3}, {"name": "Orders", "aggregation": "count"})
    request = shop.request()
    save(plan(request), request, tmp_path / "plan.json")
    held(server)["Revenue"]["warehouseNative"]["cap"] = 4
    done = sync(structs.replace(request, saved_plan=tmp_path / "plan.json"))
    assert {one.change.name: one.status for one in done.outcome.objects} == {
        "Orders": Status.DONE,
        "Revenue": Status.REFUSED,
    }


def test_drift(shop: Shop, server: Running) -> None:
    """An edit in the console shows as drift only where the block declares the field."""
    shop.metrics(SUM)
    shop.sync()
    held(server)["Revenue"]["warehouseNative"] |= {"metricBakeDays": 3}
    assert actions(shop.plan()) == {"Revenue": "unchanged"}
    held(server)["Revenue"]["warehouseNative"]["metricSources"][0]["valueColumn"] = "other"
    (change,) = [one for one in shop.plan().plan.changes if one.kind is Kind.METRIC]
    assert [one.field for one in change.fields] == ["metric_sources"]
    shop.sync()
    assert held(server)["Revenue"]["warehouseNative"]["metricBakeDays"] == 3


def test_prefixes(shop: Shop, server: Running) -> None:
    """With a prefix for the target, metrics and their sources have it, also where a metric names its source."""
    shop.settings(name_prefix={"default": "dev "})
    shop.metrics({"name": "Rate", "aggregation": "ratio", **METRICS["ratio"]})
    assert shop.sync(target="default").exit_code == 0
    native = held(server)["dev Rate"]["warehouseNative"]
    assert (native["metricSources"][0]["metricSourceName"], native["denominatorMetricSourceName"]) == (
        "dev orders",
        "dev visits",
    )


def test_a_selection(shop: Shop) -> None:
    """A metric whose other source is not selected waits for that source; once it is there, it is written."""
    shop.metrics({"name": "Rate", "aggregation": "ratio", **METRICS["ratio"]})
    chosen = {"select": ("orders",)}
    (metric,) = [one for one in shop.plan(**chosen).plan.changes if one.kind is Kind.METRIC]
    assert metric.reason == 'Statsig has no metric source "visits", and this run does not write it.'
    shop.sync(select=("visits",))
    assert shop.sync(**chosen).exit_code == 0
    assert actions(shop.plan()) == {"Rate": "unchanged"}


def test_namespaces(shop: Shop, server: Running) -> None:
    """What another namespace owns is not touched, and its metrics are not archived."""
    shop.metrics(SUM)
    shop.sync()
    shop.settings(namespace={"ci": "ci"}, name_prefix={"ci": "CI "})
    shop.metrics({**SUM, "cap": 3})
    assert shop.sync(target="ci", prune=True).exit_code == 0
    assert [(name, one["warehouseNative"].get("cap")) for name, one in held(server).items()] == [
        ("Revenue", None),
        ("CI Revenue", 3),
    ]
    assert server.state.archived == {}
