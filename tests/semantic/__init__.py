"""One project in both forms of dbt's semantic layer, and what each version of dbt writes of it.

`project/yaml/older.yml` is the form with measures, `newer.yml` that of dbt 1.12 and 2. `manifests/` holds the parts of
manifest.json that are read, without null values, of both dbt models; `expected.json` what both forms must give.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.settings import SemanticLayerSettings, Settings
from dbt_statsig.semantic_layer import semantic_layer

HERE = Path(__file__).parent
PROJECT = HERE / "project"
MANIFESTS = sorted((HERE / "manifests").glob("*.json"))
ALL = Settings(semantic_layer=SemanticLayerSettings(metrics="all"), unit_ids={"user": "userID", "stall": "stallID"})

ENTITIES = [
    {"name": "order", "type": "primary", "expr": "order_id"},
    {"name": "user", "type": "foreign", "expr": "user_id"},
]


def form(version: str) -> str:
    """The YAML that a version of dbt reads."""
    return "older.yml" if version.startswith(("1.8", "1.9", "1.10", "1.11")) else "newer.yml"


def taken(manifest: Manifest, settings: Settings = ALL) -> dict[str, Any]:
    """The metric sources that the semantic layer gives, by node, and the message about each metric that is refused."""
    found = semantic_layer(manifest, settings)
    sources = {block.node.unique_id: block.meta["statsig"]["metric_source"] for block in found.blocks}
    refused = {name: fault.message for fault in found.faults for name in fault.names or ("",)}
    return {"sources": sources, "refused": refused}


def expected() -> dict[str, Any]:
    """What both forms of the project give."""
    content: dict[str, Any] = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    return content


def made(
    metrics: list[dict[str, Any]],
    *,
    entities: list[dict[str, Any]] | None = None,
    node: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    adapter: str = "duckdb",
) -> Manifest:
    """A manifest with one semantic model, `orders`, as dbt 1.12 writes it, and some metrics."""
    unique_id = "model.shop.fct_orders"
    common = {"package_name": "shop", "original_file_path": "models/shop.yml"}
    orders = {
        "name": "orders",
        "depends_on": {"nodes": [unique_id]},
        "defaults": {"agg_time_dimension": "ordered_at"},
        "entities": ENTITIES if entities is None else entities,
        "dimensions": [
            {"name": "ordered_at", "type": "time", "type_params": {"time_granularity": "day"}},
            {"name": "paid_at", "type": "time", "type_params": {"time_granularity": "hour"}},
            {"name": "is_gift", "type": "categorical"},
            {"name": "region", "type": "categorical", "expr": "upper(country)"},
        ],
        "measures": [],
        **common,
        **(model or {}),
    }
    nodes = {
        unique_id: {
            "name": "fct_orders",
            "resource_type": "model",
            "relation_name": '"db"."main"."fct_orders"',
            "patch_path": "shop://models/shop.yml",
            **common,
            **(node or {}),
        }
    }
    content = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "dbt_version": "1.12.6",
            "project_name": "shop",
            "adapter_type": adapter,
        },
        "nodes": nodes,
        "semantic_models": {"semantic_model.shop.orders": orders},
        "metrics": {f"metric.shop.{one['name']}": {**common, **one} for one in metrics},
    }
    return Manifest.from_bytes(msgspec.json.encode(content))


def simple(name: str, agg: str = "sum", expr: str = "amount", **more: Any) -> dict[str, Any]:
    """A simple metric over `orders`; `params` go to what is aggregated, `filter` is a template."""
    params = {"semantic_model": "orders", "agg": agg, "expr": expr, **more.pop("params", {})}
    return {"name": name, "type": "simple", "type_params": {"metric_aggregation_params": params}, **more}


def derived(name: str, expr: str, *inputs: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    """A derived metric."""
    listed = [{"name": one} if isinstance(one, str) else one for one in inputs]
    return {"name": name, "type": "derived", "type_params": {"expr": expr, "metrics": listed}, **more}
