"""Metrics of the console become entries of their metric sources, which change nothing but the ownership line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dbt_statsig.commands.sync import sync
from dbt_statsig.commands.validate import validate
from dbt_statsig.emulator import running
from dbt_statsig.vocabulary.comparison import differences
from dbt_statsig.vocabulary.imports import Exactness
from dbt_statsig.vocabulary.ownership import text_above
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.imports.project import MODELS, adopting, imported, metric, parse, request_of, write_project
from tests.integration.test_metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running
    from dbt_statsig.vocabulary.imports import Imported

SOURCE: dict[str, Any] = {"timestamp_column": "ordered_at", "id_type_mapping": {"userID": "user_id"}}
EVERY = [
    {"name": f"The {aggregation}", "aggregation": aggregation, **keys}
    for aggregation, keys in json.loads(json.dumps(METRICS).replace("variant", "status")).items()
]
COUNT = {"name": "Order count", "aggregation": "count"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """An empty console, which the environment names."""
    with running() as one:
        monkeypatch.setenv("STATSIG_CONSOLE_API_KEY", one.key)
        monkeypatch.setenv("DBT_STATSIG_BASE_URL", one.url)
        yield one


def declare(folder: Path, adapter: str, blocks: Any) -> None:
    """Let the orders have these metric sources."""
    content = yaml.safe_load(MODELS)
    entry = next(one for one in content["models"] if one["name"] == "fct_orders")
    entry["config"] = {"meta": {"statsig": {"metric_source": blocks}}}
    (folder / "models" / "schema.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    parse(folder, adapter)


def by_hand(server: Running) -> None:
    """Take the ownership line off every object."""
    for one in (*server.state.sources["metric_sources"].values(), *server.state.lists["metrics"]):
        one["description"] = text_above(one["description"])


def live_metric(name: str, source: str, **native: Any) -> dict[str, Any]:
    """A metric as the API gives it."""
    rows = [{"metricSourceName": source, "criteria": []}]
    return {
        "id": f"{name}::user_warehouse",
        "name": name,
        "type": "user_warehouse",
        "description": "",
        "warehouseNative": {"aggregation": "count", "metricSources": rows, **native},
    }


def became(result: Imported) -> dict[str, tuple[Exactness, str]]:
    """What became of each metric, and why."""
    return {one.name: (one.exactness, one.reason) for one in result.objects if one.kind is Kind.METRIC}


@pytest.mark.parametrize("adapter", ["duckdb", "snowflake"])
def test_every_aggregation_comes_back(tmp_path: Path, server: Running, adapter: str) -> None:
    """All aggregations, pushed and imported with their sources: the payloads are equal, and only owners change."""
    folder = write_project(tmp_path, adapter)
    declare(folder, adapter, [{"name": "orders", **SOURCE, "metrics": EVERY}, {"name": "visits", **SOURCE}])
    request = request_of(folder, server)
    pushed = {one.name: one.payload for one in validate(request).sources if one.kind is Kind.METRIC}
    assert len(pushed) == 14
    assert sync(request).exit_code == 0
    by_hand(server)
    (folder / "models" / "schema.yml").write_text(MODELS, encoding="utf-8")
    parse(folder, adapter)
    result = imported(folder, server, write=True)
    assert [(one.name, one.reason, one.differences) for one in result.objects if not one.is_written] == []
    assert {one.within for one in result.objects if one.kind is Kind.METRIC} <= {"orders", "visits"}
    parse(folder, adapter)
    again = {one.name: one.payload for one in validate(request).sources if one.kind is Kind.METRIC}
    assert again.keys() == pushed.keys()
    assert [name for name, payload in pushed.items() if payload and differences(again[name] or payload, payload)] == []
    assert None not in {*again.values(), *pushed.values()}
    changes = adopting(folder, server).plan.changes
    assert {tuple(field.field for field in change.fields) for change in changes} == {("description",)}


@pytest.mark.parametrize("more", [[], [COUNT]], ids=["no metrics yet", "beside metrics"])
@pytest.mark.parametrize("listed", [True, False])
def test_metrics_of_declared_sources(folder: Path, server: Running, more: Any, *, listed: bool) -> None:
    """Metrics are added below a block that the project has, and all other lines of the file stay."""
    block = {"name": "orders", **SOURCE, **({"metrics": more} if more else {})}
    declare(folder, "duckdb", [block, {"name": "visits", **SOURCE}] if listed else block)
    assert sync(request_of(folder, server)).exit_code == 0
    server.state.lists["metrics"].append(live_metric("Paid orders", "orders"))
    before = (folder / "models" / "schema.yml").read_text(encoding="utf-8").splitlines()
    result = imported(folder, server, kinds=frozenset({Kind.METRIC}), write=True)
    assert became(result)["Paid orders"] == (Exactness.EXACT, "")
    after = (folder / "models" / "schema.yml").read_text(encoding="utf-8").splitlines()
    assert [line for line in before if line not in after] == []
    parse(folder, "duckdb")
    (change,) = (one for one in adopting(folder, server).plan.changes if one.name == "Paid orders")
    assert [field.field for field in change.fields] == ["description"]


def test_what_is_not_imported(folder: Path, server: Running) -> None:
    """A metric over a source without a block is listed with the reason, and one that is archived is not looked at."""
    server.state.sources["metric_sources"] |= {
        one["name"]: one
        for one in (metric("orders"), metric("Elsewhere", "SELECT user_id, ordered_at FROM crm.orders"))
    }
    server.state.lists["metrics"] += [
        live_metric("Paid orders", "orders"),
        live_metric("Leads", "Elsewhere"),
        live_metric("Nothing here", "orders", metricSources=[]),
        live_metric("Their metric", "orders") | {"description": "Managed by dbt: sales/model.sales.orders"},
        live_metric("Rendered", "orders", metricSources=[{"metricSourceName": "orders", "criteria": [
            {"type": "metadata", "condition": "sql_filter", "values": ["status = '{{ var }}'"]}]}]),
        live_metric("Misspelled", "orders", aggregation="sum", metricSources=[
            {"metricSourceName": "orders", "criteria": [], "valueColumn": "amuont"}]),
        live_metric("Archived", "orders"),
    ]  # fmt: skip
    server.state.archived["Archived::user_warehouse"] = "archived"
    found = became(imported(folder, server))
    assert found.keys() == {"Paid orders", "Leads", "Nothing here", "Their metric", "Rendered", "Misspelled"}
    assert found["Paid orders"] == (Exactness.EXACT, "")
    missing = 'Its metric source "Elsewhere" has no block in this project, and none that is imported.'
    assert found["Leads"] == (Exactness.NOT_IMPORTED, missing)
    assert found["Nothing here"] == (Exactness.NOT_IMPORTED, "It reads no metric source.")
    assert found["Their metric"] == (Exactness.FOREIGN, 'It belongs to the dbt project "sales".')
    assert found["Rendered"][0] is Exactness.NOT_IMPORTED
    assert "dbt would render it" in found["Rendered"][1]
    assert found["Misspelled"][0] is Exactness.CHANGES
    assert '"amuont"' in found["Misspelled"][1]


def test_a_block_in_sql_takes_no_metrics(folder: Path, server: Running) -> None:
    """Where the source's block is not in the file, the metric is not imported, and the reason names the file."""
    declare(folder, "duckdb", {"name": "orders", **SOURCE})
    assert sync(request_of(folder, server)).exit_code == 0
    server.state.lists["metrics"].append(live_metric("Paid orders", "orders"))
    (folder / "models" / "schema.yml").write_text(MODELS, encoding="utf-8")
    exactness, reason = became(imported(folder, server, write=True))["Paid orders"]
    assert exactness is Exactness.NOT_IMPORTED
    assert reason.startswith("models/schema.yml does not have the `statsig` block that dbt read for `fct_orders`")
