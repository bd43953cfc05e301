"""One exposures model on each warehouse: how dbt names the relation and how the catalog spells columns and types."""

from __future__ import annotations

from typing import Any, NamedTuple

from dbt_statsig.project.artifacts import Catalog, Manifest
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

MODEL = "model.shop.fct_exposures"


class Warehouse(NamedTuple):
    """An adapter, its relation name, and its names for the types timestamp, text, date, integer and decimal."""

    relation: str
    timestamp: str
    text: str
    date: str
    integer: str
    decimal: str
    upper: bool = False


WAREHOUSES = {
    "snowflake": Warehouse(
        "ANALYTICS.MARTS.fct_exposures", "TIMESTAMP_NTZ", "TEXT", "DATE", "NUMBER(38,0)", "FLOAT", upper=True
    ),
    "bigquery": Warehouse("`acme`.`marts`.`fct_exposures`", "TIMESTAMP", "STRING", "DATE", "INT64", "NUMERIC"),
    "databricks": Warehouse("`main`.`marts`.`fct_exposures`", "timestamp", "string", "date", "int", "decimal(18,2)"),
    "redshift": Warehouse(
        '"dev"."marts"."fct_exposures"',
        "timestamp without time zone",
        "character varying(256)",
        "date",
        "integer",
        "numeric(18,2)",
    ),
    "athena": Warehouse('"awsdatacatalog"."marts"."fct_exposures"', "timestamp", "varchar", "date", "int", "double"),
    "trino": Warehouse('"hive"."marts"."fct_exposures"', "timestamp(6)", "varchar", "date", "integer", "double"),
    "postgres": Warehouse(
        '"shop"."marts"."fct_exposures"', "timestamp with time zone", "text", "date", "integer", "numeric"
    ),
    "duckdb": Warehouse('"shop"."marts"."fct_exposures"', "TIMESTAMP", "VARCHAR", "DATE", "INTEGER", "DOUBLE"),
    "clickhouse": Warehouse(
        "`marts`.`fct_exposures`", "DateTime", "LowCardinality(String)", "Date", "UInt32", "Float64"
    ),
    "fabric": Warehouse('"wh"."marts"."fct_exposures"', "datetime2", "varchar", "date", "int", "float"),
}

COLUMNS = {
    "user_id": "text",
    "device_id": "text",
    "experiment_key": "text",
    "variant": "text",
    "variant_name": "text",
    "exposed_at": "timestamp",
    "exposed_on": "date",
    "exposed_day": "integer",
    "amount": "decimal",
    "email": "text",
}

MAPPING = {"userID": "user_id", "stableID": "device_id"}

META: dict[str, Any] = {
    "assignment_source": {
        "name": "Exposures",
        "timestamp_column": "exposed_at",
        "experiment_id_column": "experiment_key",
        "group_id_column": "variant",
        "group_name_column": "variant_name",
        "id_type_mapping": MAPPING,
        "where": "variant <> 'holdout'",
        "partition_column": "exposed_on",
        "scheduled_reload_hour": 6,
        "tags": ["dbt"],
    },
    "qualifying_event": [
        {
            "name": "Exposed, by day",
            "timestamp_column": "exposed_on",
            "timestamp_as_day": True,
            "id_type_mapping": {"userID": "user_id"},
            "columns": ["variant"],
            "partition_column": "exposed_day",
        },
        {
            "name": "Exposed, own query",
            "sql": "select user_id, exposed_at from exposures where exposed_at >= {statsig_start_date}",
            "timestamp_column": "exposed_at",
            "id_type_mapping": {"userID": "user_id"},
        },
    ],
    "entity_property_source": {
        "name": "Last variant",
        "id_type_mapping": {"userID": "user_id"},
        "exclude_columns": ["amount", "exposed_day"],
    },
    "metric_source": [
        {
            "name": "Amounts",
            "timestamp_column": "exposed_at",
            "id_type_mapping": MAPPING,
            "columns": ["amount"],
            "partition_column": "exposed_at",
            "custom_field_mapping": {"cents": "amount * 100"},
            "skip_validation": True,
            "is_read_only": False,
        },
        {
            "name": "Amounts, table",
            "source_type": "table",
            "timestamp_column": "exposed_at",
            "date_partition_column": "exposed_on",
            "id_type_mapping": MAPPING,
        },
    ],
}


def project(adapter: str, *, meta: dict[str, Any] = META, catalog: bool = True) -> tuple[Manifest, Catalog | None]:
    """The manifest of one marked model on that adapter, and its catalog."""
    house = WAREHOUSES[adapter]
    spelled = {name.upper() if house.upper else name: getattr(house, kind) for name, kind in COLUMNS.items()}
    model = node(
        MODEL,
        relation_name=house.relation,
        description="Exposures.",
        compiled_code=f"select {', '.join(COLUMNS)} from exposures",
        columns={"email": {"name": "email", "config": {"tags": ["pii"]}, "tags": ["pii"]}},
        config={"materialized": "table", "enabled": True, "meta": {"statsig": meta}},
    )
    manifest = Manifest.from_bytes(manifest_bytes(model, metadata={"adapter_type": adapter}))
    columns = {
        name: {"name": name, "type": kind, "index": place} for place, (name, kind) in enumerate(spelled.items(), 1)
    }
    return manifest, Catalog.from_bytes(catalog_bytes({MODEL: columns})) if catalog else None
