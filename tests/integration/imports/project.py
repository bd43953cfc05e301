"""A dbt project without blocks, as each warehouse names and types things, and a console of hand-made objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dbt_statsig.commands.importing import Chosen, import_objects
from dbt_statsig.commands.plan import plan
from dbt_statsig.project.request import Request
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbt_statsig.emulator import Running
    from dbt_statsig.vocabulary.imports import Imported
    from dbt_statsig.vocabulary.results import Planned

CORPUS = Path(__file__).parent / "corpus"
PATTERNS = {
    "snowflake": "ANALYTICS.{}.{}",
    "bigquery": "`acme-prod`.`{}`.`{}`",
    "databricks": "`main`.`{}`.`{}`",
    "athena": '"awsdatacatalog"."{}"."{}"',
    **dict.fromkeys(("redshift", "duckdb", "postgres"), '"prod"."{}"."{}"'),
}
"""How dbt renders a relation's name, by adapter."""
DATABASES = {"snowflake": "ANALYTICS", "bigquery": "acme-prod", "databricks": "main", "athena": "awsdatacatalog"}
TYPES = {
    "snowflake": {"text": "TEXT", "timestamp": "TIMESTAMP_NTZ", "date": "DATE", "integer": "NUMBER"},
    "bigquery": {"text": "STRING", "timestamp": "TIMESTAMP", "date": "DATE", "integer": "INT64"},
    "databricks": {"text": "string", "timestamp": "timestamp", "date": "date", "integer": "int"},
    "athena": {"text": "varchar", "timestamp": "timestamp(3)", "date": "date", "integer": "integer"},
}
USUAL = {"text": "VARCHAR", "timestamp": "TIMESTAMP", "date": "DATE", "integer": "INTEGER"}
TABLES = {
    "model.shop.fct_exposures": "user_id:text device_id:text experiment_id:text group_id:text group_name:text "
    "platform:text exposed_at:timestamp exposed_on:date",
    "model.shop.fct_orders": "order_id:text user_id:text email:text status:text amount:integer ordered_at:timestamp "
    "ordered_on:date day_key:integer ds:text",
    "model.shop.fct_events": "event_id:text user_id:text device_id:text event_name:text event_ts:timestamp "
    "event_date:date",
    "model.shop.dim_users": "user_id:text country:text plan:text updated_at:timestamp",
    "source.shop.raw.payments": "order_id:text user_id:text cents:integer paid_at:timestamp",
    "source.shop.raw.twin": "user_id:text ordered_at:timestamp",
    "source.shop.other.twin": "user_id:text ordered_at:timestamp",
    "model.tracking.pkg_events": "user_id:text event_ts:timestamp",
}
MODELS = """\
version: 2

models:
  # Who saw what.
  - name: fct_exposures
    description: "Exposures, one row each."
    config:
      tags: ['marts']
  - name: dim_users
    description: One row per customer.
    columns:
      - name: user_id   # never null
        data_tests: [not_null, unique]


  - name: fct_orders
    columns:
      - {name: order_id}
"""
SOURCES = """\
sources:
  - name: raw
    tables:
      - name: payments
      - name: twin
  - name: other
    schema: raw
    tables:
      - name: twin
"""
KINDS = {
    "assignment": "assignment_sources",
    "metric": "metric_sources",
    "event": "qualifying_events",
    "entity": "entity_property_sources",
}
FIELDS: dict[str, dict[str, Any]] = {
    "assignment": {
        "timestampColumn": "exposed_at",
        "experimentIDColumn": "experiment_id",
        "groupIDColumn": "group_id",
    },
    "metric": {"timestampColumn": "ordered_at"},
    "event": {"timestampColumn": "event_ts"},
    "entity": {},
}


def write_project(folder: Path, adapter: str, **metadata: Any) -> Path:
    """A dbt project of that adapter with its artifacts, without a block."""
    for name, text in {
        "dbt_project.yml": "name: shop\n",
        "models/schema.yml": MODELS,
        "models/sources.yml": SOURCES,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for unique_id in TABLES:
        if unique_id.startswith("model.shop."):
            (folder / "models" / f"{unique_id.split('.')[2]}.sql").write_text("select 1\n", encoding="utf-8")
    (folder / "target").mkdir()
    types = TYPES.get(adapter, USUAL)
    upper = adapter == "snowflake"
    tables = {}
    for unique_id, columns in TABLES.items():
        entries = (entry.split(":") for entry in columns.split())
        named = [(name.upper() if upper else name, types[kind]) for name, kind in entries]
        tables[unique_id] = {
            name: {"name": name, "type": kind, "index": place} for place, (name, kind) in enumerate(named, start=1)
        }
    (folder / "target" / "catalog.json").write_bytes(catalog_bytes(tables))
    parse(folder, adapter)
    return folder


def parse(folder: Path, adapter: str) -> None:
    """Write the manifest, with the meta that the property files have: what `dbt parse` does."""
    described = described_in(folder)
    nodes = [_node(adapter, unique_id, described.get(unique_id, {})) for unique_id in TABLES]
    content = manifest_bytes(*nodes, metadata={"adapter_type": adapter})
    (folder / "target" / "manifest.json").write_bytes(content)


def described_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The entries of all property files, by node."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((folder / "models").glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for entry in content.get("models") or ():
            found[f"model.shop.{entry['name']}"] = {"patch_path": f"shop://models/{path.name}", **entry}
        for source in content.get("sources") or ():
            for table in source["tables"]:
                found[f"source.shop.{source['name']}.{table['name']}"] = table
    return found


def _node(adapter: str, unique_id: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    kind, package, *names = unique_id.split(".")
    schema = {"source": "raw", "model": "marts"}[kind] if package == "shop" else package
    meta = (entry.get("config") or {}).get("meta") or entry.get("meta") or {}
    fields: dict[str, Any] = {
        "relation_name": PATTERNS[adapter].format(schema, names[-1]),
        "database": DATABASES.get(adapter, "prod"),
        "schema": schema,
        "description": entry.get("description", ""),
        "patch_path": entry.get("patch_path"),
        "meta": meta,
        "columns": {one["name"]: one for one in entry.get("columns") or ()},
        "config": {"enabled": True, "materialized": "table", "meta": meta, "tags": []},
        "compiled_code": "select 1 as x",
        "language": "sql",
    }
    if kind == "source":
        fields |= {"source_name": names[0], "identifier": names[-1]}
    return node(unique_id, **fields)


def corpus(adapter: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Each object of a warehouse's file: its kind, its name, what is expected, and the object as the API gives it."""
    text = (CORPUS / f"{adapter}.sql").read_text(encoding="utf-8")
    fold = str.upper if adapter == "snowflake" else str
    for part in text.split("--! ")[1:]:
        head, _, sql = part.partition("\n")
        name, kind, expected, *more = (word.strip() for word in head.split(" | "))
        fields = {key: fold(value) for key, value in FIELDS[kind].items()}
        live = {
            "name": name,
            "sql": sql.rstrip("\n"),
            "idTypeMapping": [{"statsigUnitID": "userID", "column": fold("user_id")}],
            "tags": [],
            **fields,
            **(json.loads(more[0]) if more else {}),
        }
        if live.get("sourceType") == "table":
            live["timestampColumn"] = live.get("timestampColumn", fold("event_ts"))
        yield KINDS[kind], name, expected, live


def seed_of(adapter: str) -> dict[str, list[dict[str, Any]]]:
    """A console with all objects of a warehouse's file."""
    seed: dict[str, list[dict[str, Any]]] = {collection: [] for collection in KINDS.values()}
    for collection, _, _, live in corpus(adapter):
        seed[collection].append(live)
    return seed


def request_of(folder: Path, server: Running, **more: Any) -> Request:
    """A request about a project and a console."""
    environ = {"STATSIG_CONSOLE_API_KEY": server.key}
    return Request(project_dir=folder, environ=environ, flags={"base_url": server.url, "cache": False}, **more)


def imported(folder: Path, server: Running, *, kinds: Any = frozenset(), **chosen: Any) -> Imported:
    """An import into a project."""
    return import_objects(request_of(folder, server, kinds=kinds), Chosen(**chosen))


def adopting(folder: Path, server: Running) -> Planned:
    """The plan of taking over all that is declared."""
    return plan(request_of(folder, server, adopt_all=True))


UNITS = [{"statsigUnitID": "userID", "column": "user_id"}]


def metric(name: str, sql: str = "SELECT user_id, ordered_at FROM marts.fct_orders", **more: Any) -> dict[str, Any]:
    """A metric source on the orders."""
    return {"name": name, "sql": sql, "timestampColumn": "ordered_at", "idTypeMapping": UNITS, "tags": [], **more}


SEED: dict[str, list[dict[str, Any]]] = {
    "metric_sources": [
        metric("Shop orders"),
        metric("Shop payments", "SELECT user_id, paid_at FROM raw.payments", timestampColumn="paid_at"),
        metric("Joined", "SELECT o.user_id, o.ordered_at FROM marts.fct_orders o JOIN crm.leads l ON l.id = o.user_id"),
        metric("Misspelled", timestampColumn="orderd_at"),
        metric("Ours", description="Managed by dbt: shop/model.shop.fct_orders"),
        metric("Theirs", description="Sales.\n\nManaged by dbt: sales/model.sales.orders"),
        metric("Elsewhere", "SELECT user_id, ordered_at FROM crm.orders"),
    ],
}
