"""Attacks on metrics: what is renamed, retired and brought back, and sources that metrics still read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind
from tests import semantic
from tests.integration.test_metrics import METRICS, SUM, Shop, actions, held

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

ORDERS: dict[str, Any] = {"name": "Orders", "aggregation": "count"}
RATE: dict[str, Any] = {"name": "Rate", "aggregation": "ratio", **METRICS["ratio"]}


@pytest.fixture
def shop(tmp_path: Path, server: Running) -> Shop:
    """A project with two metric sources."""
    project = Shop(tmp_path, server.url, key=server.key)
    project.declare("visits")
    return project


def test_another_metric_in_its_place(shop: Shop) -> None:
    """A metric of another name that computes something else is a new one: experiments keep watching the old one."""
    shop.metrics(SUM)
    shop.sync()
    for other in ({**SUM, "where": "amount > 5"}, ORDERS, RATE):
        shop.metrics({**other, "name": "Another"})
        assert actions(shop.plan()) == {"Another": "create", "Revenue": "orphan"}


def test_an_archived_metric_is_not_renamed(shop: Shop) -> None:
    """A new metric of a node does not get the history of one that was archived."""
    other = ORDERS
    shop.metrics(SUM, other)
    shop.sync()
    shop.metrics(other)
    shop.sync(prune=True)
    shop.metrics(other, {**SUM, "name": "Income"})
    assert actions(shop.plan(prune=True)) == {"Income": "create", "Orders": "unchanged"}


@pytest.mark.parametrize("options", [{"kinds": frozenset({Kind.METRIC_SOURCE})}, {"select": ("visits",)}])
def test_a_source_that_is_read_by_what_the_run_leaves_out(shop: Shop, options: dict[str, Any]) -> None:
    """It is not pruned either where `--kind` or `--select` leave out the metrics that read it."""
    shop.metrics(RATE)
    shop.sync()
    shop.unmark("visits")
    (source,) = [one for one in shop.plan(prune=True, force=True, **options).plan.changes if one.name == "visits"]
    assert (source.action, source.reason) == (Action.BLOCKED, 'The metric "Rate" reads it, so it is not deleted.')


def test_a_source_that_goes_with_the_last_metric(shop: Shop, server: Running) -> None:
    """A source that is to be deleted has the metrics read, also where none is declared any more."""
    shop.metrics(SUM)
    shop.sync()
    shop.unmark("orders")
    assert shop.sync(prune=True, force=True).exit_code == 1
    assert (list(held(server)), "orders" in server.state.sources["metric_sources"]) == (["Revenue"], True)
    shop.sync(prune=True, force=True, kinds=frozenset({Kind.METRIC}))
    assert shop.sync(prune=True, force=True).exit_code == 0
    assert "orders" not in server.state.sources["metric_sources"]


def test_a_source_that_goes_where_metrics_cannot_be_read(shop: Shop, server: Running) -> None:
    """A key that may not list metrics still prunes the sources of a project without metrics, with a warning."""
    shop.declare("orders")
    shop.sync()
    shop.unmark("orders")
    server.emulator.faults.replace([{"action": "status", "status": 403, "match": {"path": "metrics/list"}}])
    done = shop.sync(prune=True, force=True)
    assert [one.ending for one in done.outcome.objects] == ["deleted"]
    assert any("whether metrics read" in one for one in done.planned.warnings)


def test_the_last_metric_of_a_selected_node(shop: Shop) -> None:
    """With `--select` and `--prune` a metric that its node no longer declares is archived."""
    shop.metrics(SUM)
    shop.metrics({"name": "Visits", "aggregation": "count"}, source="visits")
    shop.sync()
    shop.declare("visits")
    assert actions(shop.plan(select=("visits",), prune=True)) == {"Visits": "archive"}


def test_brought_back_by_somebody_else(shop: Shop, server: Running) -> None:
    """A metric with the mark that is not archived any more is updated like another, with a note of Statsig's words."""
    shop.metrics(SUM, ORDERS)
    shop.sync()
    shop.metrics(ORDERS)
    shop.sync(prune=True)
    server.state.archived.clear()
    shop.metrics(SUM, ORDERS)
    done = shop.sync()
    assert (done.exit_code, [one.ending for one in done.outcome.objects]) == (0, ["updated"])
    assert [note for note in done.outcome.notes if "not archived" in note]
    assert actions(shop.plan()) == {"Orders": "unchanged", "Revenue": "unchanged"}


@pytest.mark.parametrize("first", ["archived", "new"])
def test_the_second_of_two_requests(shop: Shop, server: Running, first: str) -> None:
    """Where only the first of two requests for a metric was taken, the outcome says so; the next sync ends it."""
    shop.metrics(SUM, ORDERS)
    shop.sync()
    if first == "archived":
        shop.metrics(ORDERS)
        shop.sync(prune=True)
    shop.metrics(SUM, ORDERS, *([] if first == "archived" else [{**SUM, "name": "Income", "scheduled_reload_hour": 3}]))
    fault = {"action": "status", "status": 403, "match": {"method": "POST", "path": "user_warehouse"}}
    server.emulator.faults.replace([fault])
    (entry,) = shop.sync().outcome.objects
    assert entry.status is Status.UNKNOWN
    words = "It was brought back from the archive, but" if first == "archived" else "It was created, but without"
    assert entry.message.startswith(words)
    server.emulator.faults.replace([])
    assert shop.sync().exit_code == 0
    assert set(actions(shop.plan()).values()) == {"unchanged"}


@pytest.mark.parametrize("when", ["echo_differs", "keeps_otherwise"])
def test_a_schedule_that_is_kept_otherwise(shop: Shop, server: Running, when: str) -> None:
    """Where Statsig keeps another hour than a new metric was sent, its line notes that, and no sync writes again."""
    shop.metrics({**SUM, "scheduled_reload_hour": 3})
    fault = {
        "action": when,
        "fields": {"scheduledReloadHour": 4},
        "match": {"method": "POST", "path": "user_warehouse"},
    }
    server.emulator.faults.replace([fault])
    assert shop.sync().exit_code == 0
    planned = shop.plan()
    assert actions(planned) == {"Revenue": "unchanged"}
    (metric,) = [one for one in planned.plan.changes if one.kind is Kind.METRIC]
    assert [one.field for one in metric.not_kept] == ([] if when == "echo_differs" else ["scheduled_reload_hour"])


def test_a_source_that_goes_beside_a_short_list_of_metrics(shop: Shop, server: Running) -> None:
    """Where the list of metrics lacks some, no metric source is deleted: one of them may read it."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics(SUM, {**RATE, "name": "Sessions"})
    shop.sync()
    shop.forget("visits")
    shop.metrics(SUM)
    server.emulator.faults.replace([{"action": "short_list", "match": {"path": "metrics/list"}}])
    (source,) = [one for one in shop.plan(prune=True, force=True).plan.changes if one.name == "visits"]
    assert (source.action, source.fix) == (Action.BLOCKED, "Run it again.")


def test_the_semantic_layer_switched_off(shop: Shop, server: Running) -> None:
    """Of a project that has only dbt's metrics one is archived as always, many with --force; all can come back."""
    (shop.folder / "dbt_project.yml").write_text("name: tea_stall\n", encoding="utf-8")
    (shop.folder / "target" / "manifest.json").write_bytes(semantic.MANIFESTS[0].read_bytes())
    units = dict(semantic.ALL.unit_ids)
    shop.settings(semantic_layer={"metrics": "all"}, unit_ids=units)
    assert shop.sync(force=True).exit_code == 0
    shop.settings(
        semantic_layer={"metrics": "all", "exclude": ["revenue_week", *semantic.expected()["refused"]]}, unit_ids=units
    )
    changed = {name: action for name, action in actions(shop.plan(prune=True)).items() if action != "unchanged"}
    assert changed == {"revenue_week": "archive"}
    shop.settings(unit_ids=units)
    since = len(server.requests)
    shop.sync(prune=True)
    assert [one for one in list(server.requests)[since:] if one.method != "GET"] == []
    assert shop.sync(prune=True, force=True).exit_code == 0
    assert set(actions(shop.plan(prune=True)).values()) == {"unchanged"}
    shop.settings(semantic_layer={"metrics": "all"}, unit_ids=units)
    assert shop.sync(force=True).exit_code == 0
    assert server.state.archived == {}
    assert set(actions(shop.plan()).values()) == {"unchanged"}
