"""A small project on BigQuery over an export shaped like Google Analytics 4: structs, repeated records, partitions."""

from __future__ import annotations

from typing import Any

from dbt_statsig.project.artifacts import Catalog, Manifest
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

# A text is a type, a mapping a struct, a list with one entry an array of it.
PARAMETER = {"key": "STRING", "value": {"string_value": "STRING", "int_value": "INT64", "double_value": "FLOAT64"}}
EXPORT: dict[str, Any] = {
    "event_date": "STRING",
    "event_timestamp": "INT64",
    "event_name": "STRING",
    "event_params": [PARAMETER],
    "user_id": "STRING",
    "user_pseudo_id": "STRING",
    "user_properties": [PARAMETER],
    "device": {"category": "STRING", "language": "STRING", "web_info": {"browser": "STRING", "hostname": "STRING"}},
    "geo": {"country": "STRING", "city": "STRING"},
    "ecommerce": {"purchase_revenue": "FLOAT64", "total_item_quantity": "INT64"},
    "items": [{"item_id": "STRING", "price": "FLOAT64", "quantity": "INT64", "item_params": [PARAMETER]}],
}
TIMES = {"occurred_at": "TIMESTAMP", "occurred_on": "DATE"}
EVENTS, BASE, INGESTED, PASSED_ON, SESSIONS = (
    "source.ga.analytics.events",
    *(f"model.ga.{name}" for name in ("base_events", "ingested", "passed_on", "sessions")),
)
RELATIONS = {
    EVENTS: "`acme`.`analytics_1`.`events_*`",
    **{one: f"`acme`.`marts`.`{one.rpartition('.')[2]}`" for one in (BASE, INGESTED, PASSED_ON, SESSIONS)},
}
SQL = {
    BASE: "select *, timestamp_micros(event_timestamp) as occurred_at, parse_date('%Y%m%d', event_date) as occurred_on "
    f"from {RELATIONS[EVENTS]} where _table_suffix >= '20240101'",
    INGESTED: f"select * except (items, event_params), timestamp_trunc(occurred_at, day) as day from {RELATIONS[BASE]}",
    PASSED_ON: f"with b as (select * replace (lower(user_id) as user_id) from {RELATIONS[BASE]}) select * from b",
    SESSIONS: "select user_pseudo_id, (select value.int_value from unnest(event_params) where key = 's') as session, "
    "p.key, device.category, b.geo.country, device, occurred_at, item.item_id, "
    f"item.price * item.quantity as worth from {RELATIONS[BASE]} as b, unnest(event_params) as p "
    "left join unnest(items) as item",
}
COLUMNS: dict[str, dict[str, Any]] = {
    EVENTS: EXPORT,
    BASE: EXPORT | TIMES,
    INGESTED: {name: kind for name, kind in (EXPORT | TIMES).items() if name not in {"items", "event_params"}},
    PASSED_ON: EXPORT | TIMES,
    SESSIONS: {
        "user_pseudo_id": "STRING",
        "session": "INT64",
        "key": "STRING",
        "category": "STRING",
        "country": "STRING",
        "device": EXPORT["device"],
        "occurred_at": "TIMESTAMP",
        "item_id": "STRING",
        "worth": "FLOAT64",
    },
}
PSEUDO = {
    EVENTS: {"_TABLE_SUFFIX": "STRING"},
    INGESTED: {"_PARTITIONTIME": "TIMESTAMP", "_PARTITIONDATE": "DATE"},
}
UNITS = {"timestamp_column": "occurred_at", "id_type_mapping": {"userID": "user_pseudo_id"}}
FORMULAS = {
    "session": "(select value.int_value from unnest(event_params) where key = 'ga_session_id')",
    "revenue": "ecommerce.purchase_revenue * 100",
    "basket": "(select sum(i.price * i.quantity) from unnest(items) as i)",
}
SUFFIX = (
    "_TABLE_SUFFIX between format_date('%Y%m%d', {statsig_start_date}) and format_date('%Y%m%d', {statsig_end_date})"
)
BLOCKS: dict[str, dict[str, Any]] = {
    EVENTS: {
        "metric_source": {
            "name": "Raw",
            "sql": "select timestamp_micros(event_timestamp) as ts, user_pseudo_id, device.category, "
            f"p.value.string_value as page from {RELATIONS[EVENTS]}, unnest(event_params) as p "
            f"where p.key = 'page' and {SUFFIX}",
            "timestamp_column": "ts",
            "id_type_mapping": {"stableID": "user_pseudo_id", "category": "category", "page": "page"},
        },
        "entity_property_source": {"name": "Users", "where": SUFFIX, "id_type_mapping": {"userID": "user_id"}},
    },
    BASE: {
        "metric_source": {
            **UNITS,
            "name": "Base",
            "partition_column": "occurred_on",
            "custom_field_mapping": FORMULAS,
            "where": "device.web_info.hostname <> 'test' and exists (select 1 from unnest(items) where price > 0)",
        },
        "qualifying_event": {
            **UNITS,
            "name": "Named",
            "columns": ["device", "items"],
            "where": "geo.country is not null",
            "partition_column": "occurred_at",
        },
    },
    INGESTED: {
        "metric_source": [
            {**UNITS, "name": "By time", "partition_column": "_PARTITIONTIME"},
            {**UNITS, "name": "By day", "partition_column": "_PARTITIONDATE", "exclude_columns": ["geo"]},
        ]
    },
    PASSED_ON: {
        "metric_source": {**UNITS, "name": "Passed", "where": "device.category = 'mobile' and geo.city is not null"}
    },
    SESSIONS: {"metric_source": {**UNITS, "name": "Sessions", "custom_field_mapping": {"c": "device.category"}}},
}


def written(kind: Any) -> str:
    """A type as BigQuery writes it."""
    if isinstance(kind, str):
        return kind
    if isinstance(kind, list):
        return f"ARRAY<{written(kind[0])}>"
    return f"STRUCT<{', '.join(f'{name} {written(below)}' for name, below in kind.items())}>"


def paths(columns: dict[str, Any], above: str = "") -> dict[str, str]:
    """Every column and every field below it with its type, as dbt-bigquery's catalog lists them."""
    found = {}
    for name, kind in columns.items():
        found[above + name] = written(kind)
        below = kind[0] if isinstance(kind, list) else kind
        found |= paths(below, f"{above}{name}.") if isinstance(below, dict) else {}
    return found


def manifest() -> Manifest:
    """The project as dbt compiled it."""
    nodes = []
    for unique_id in COLUMNS:
        parents = [other for other, relation in RELATIONS.items() if relation in SQL.get(unique_id, "")]
        partition = {"field": "day", "data_type": "timestamp", "time_ingestion_partitioning": True}
        config: dict[str, Any] = {"enabled": True, "materialized": "view" if unique_id == PASSED_ON else "table"}
        config |= {"meta": {"statsig": BLOCKS[unique_id]}}
        if unique_id == INGESTED:
            config |= {"materialized": "incremental", "on_schema_change": "sync_all_columns", "partition_by": partition}
        nodes.append(
            node(
                unique_id,
                relation_name=RELATIONS[unique_id],
                compiled_code=SQL.get(unique_id),
                config=config,
                depends_on={"macros": [], "nodes": parents},
            )
        )
    return Manifest.from_bytes(manifest_bytes(*nodes, metadata={"adapter_type": "bigquery", "project_name": "ga"}))


def catalog(*left_out: str) -> Catalog:
    """Dbt's catalog of all nodes but these."""
    listed = {
        unique_id: {
            name: {"name": name, "type": kind, "index": at} for at, (name, kind) in enumerate(paths(columns).items(), 1)
        }
        for unique_id, columns in COLUMNS.items()
        if unique_id not in left_out
    }
    return Catalog.from_bytes(catalog_bytes(listed))
