"""The example project: built by real dbt, every source proven, every query giving rows."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.integration.shop import EXAMPLE, METRICS, command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.dbt

MACROS = {
    "{statsig_start_date}": "date '2026-03-01'",
    "{statsig_end_date}": "date '2026-04-30'",
    "{statsig_start_date_int}": "20260301",
    "{statsig_end_date_int}": "20260430",
}


@pytest.fixture(scope="module")
def validation(shop: Path) -> dict[str, Any]:
    """What `dbt-statsig validate` says of the built example; a warning would fail it."""
    answer = json.loads(command("dbt-statsig", "validate", "--strict", "--output", "json", cwd=shop))
    validation: dict[str, Any] = answer["validation"]
    return validation


def payloads(validation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The payloads by the sources' names."""
    return {source["name"]: source["payload"] for source in validation["sources"]}


def test_every_kind_is_shown(validation: dict[str, Any]) -> None:
    """The example declares sources of all four kinds, and metrics."""
    assert Counter(source["kind"] for source in validation["sources"]) == {
        "assignment_source": 1,
        "qualifying_event": 2,
        "entity_property_source": 2,
        "metric_source": 4,
        "metric": METRICS,
    }


def test_every_column_is_proven(validation: dict[str, Any]) -> None:
    """Every column that the example names is proven to be there, and nothing else is found than notes."""
    columns = [column for source in validation["sources"] for column in source["columns"]]
    assert columns
    assert {column["presence"] for column in columns} == {"present"}
    assert {found["severity"] for found in validation["findings"]} <= {"note"}


def test_every_query_gives_rows(shop: Path, validation: dict[str, Any]) -> None:
    """Each source, asked for March and April 2026, gives rows that hold its timestamp and its unit IDs."""
    with duckdb.connect(str(shop / "tea_shop.duckdb"), read_only=True) as warehouse:
        for name, payload in payloads(validation).items():
            if "warehouseNative" in payload:
                continue
            query = payload.get("sql") or f"from {payload['tableName']}"
            for macro, value in MACROS.items():
                query = query.replace(macro, value)
            mapped = [unit["column"] for unit in payload["idTypeMapping"]]
            mapped += [payload["timestampColumn"]] if payload.get("timestampColumn") else []
            fields = [field["formula"] for field in payload.get("customFieldMapping", ())]
            chosen = ", ".join(
                [*(f'count("{column}")' for column in mapped), *(f"sum({formula})" for formula in fields)]
            )
            counts = warehouse.sql(f"select {chosen} from ({query}) as source").fetchone()
            assert counts is not None, name
            assert all(counts), name


def test_metrics_of_the_semantic_layer(shop: Path, tmp_path: Path) -> None:
    """On demand its metrics join the source of the model's block; a formula that this has is used again."""
    shop = shutil.copytree(shop, tmp_path / "shop")
    shutil.copytree(EXAMPLE / "semantic_layer", shop / "models" / "shop", dirs_exist_ok=True)
    command("dbt", "compile", "--quiet", cwd=shop)
    taking = {"DBT_STATSIG_SEMANTIC_LAYER": '{"metrics": "all", "exclude": ["orders_paid"]}'}
    output = command("dbt-statsig", "validate", "--strict", "--output", "json", cwd=shop, environment=taking)
    metrics = {
        one["name"]: one["payload"]["warehouseNative"]
        for one in json.loads(output)["validation"]["sources"]
        if one["kind"] == "metric" and one["unique_id"] == "model.tea_shop.fct_orders"
    }
    revenue = {"metricSourceName": "Orders", "criteria": [], "valueColumn": "net_amount"}
    assert metrics.keys() >= {"large_orders", "net_revenue", "net_revenue_per_order", "voucher_amount"}
    assert "orders_paid" not in metrics
    assert metrics["net_revenue"]["metricSources"] == [revenue]
    assert metrics["net_revenue_per_order"]["metricSources"] == [revenue]
    assert metrics["net_revenue_per_order"]["denominatorAggregation"] == "count"
    assert metrics["large_orders"]["metricSources"][0]["criteria"][0]["values"] == ["items >= 2"]


def test_personal_data_stays_out(validation: dict[str, Any]) -> None:
    """No query selects a column that is tagged `pii`."""
    profile = payloads(validation)["Customer profile"]["sql"]
    assert "country" in profile
    assert [text for text in map(str, payloads(validation).values()) if re.search(r"e-?mail|full_name", text)] == []


def test_only_the_latest_version_is_a_source(validation: dict[str, Any]) -> None:
    """Of a versioned model, the latest version alone becomes a source."""
    (reviews,) = (source for source in validation["sources"] if source["name"] == "Reviews")
    assert reviews["unique_id"] == "model.tea_shop.fct_reviews.v2"


def test_two_events_of_one_table_differ_by_their_filter(validation: dict[str, Any]) -> None:
    """Both qualifying events read the same table, each with its own predicate, and map the marked columns."""
    viewed, opened = (payloads(validation)[name] for name in ("Product viewed", "Checkout opened"))
    assert "'product_viewed'" in viewed["sql"]
    assert "'checkout_opened'" in opened["sql"]
    assert viewed["idTypeMapping"] == opened["idTypeMapping"]


def test_defaults_reach_the_payloads(validation: dict[str, Any]) -> None:
    """Tags come from the folder's `+meta`, and `is_read_only` from dbt_statsig.yml."""
    assert all("tea-shop" in payload["tags"] for payload in payloads(validation).values())
    assert all(payload["isReadOnly"] is True for payload in payloads(validation).values())


def test_every_marked_column_is_described(shop: Path, validation: dict[str, Any]) -> None:
    """Every column that a source maps has a description in the project's YAML."""
    manifest = json.loads((shop / "target" / "manifest.json").read_text(encoding="utf-8"))
    nodes = {**manifest["nodes"], **manifest["sources"]}
    missing = [
        (source["name"], column["name"])
        for source in validation["sources"]
        for column in source["columns"]
        if not nodes[source["unique_id"]]["columns"].get(column["name"], {}).get("description")
    ]
    assert missing == []
