"""Small files as dbt writes them, for the tests of their readers."""

from __future__ import annotations

import json
from typing import Any

MARK = {"statsig": {"metric_source": {"name": "Orders"}}}


def schema(kind: str, version: int) -> str:
    """The URL with which a file of dbt's says what it is."""
    return f"https://schemas.getdbt.com/dbt/{kind}/v{version}.json"


def manifest_bytes(
    *nodes: dict[str, Any], version: int = 12, metadata: dict[str, Any] | None = None, **sections: Any
) -> bytes:
    """A manifest of these nodes; sources go where they belong by their unique_id."""
    content = {
        "metadata": {
            "dbt_schema_version": schema("manifest", version),
            "dbt_version": "1.11.16",
            "generated_at": "2026-01-02T03:04:05.678901Z",
            "invocation_id": "inv-1",
            "adapter_type": "duckdb",
            "project_name": "shop",
            **(metadata or {}),
        },
        "nodes": {node["unique_id"]: node for node in nodes if not node["unique_id"].startswith("source.")},
        "sources": {node["unique_id"]: node for node in nodes if node["unique_id"].startswith("source.")},
        **sections,
    }
    return json.dumps(content).encode()


def node(unique_id: str, **fields: Any) -> dict[str, Any]:
    """A node as dbt 1.11 writes it, as far as we read it."""
    kind, package, *names = unique_id.split(".")
    defaults: dict[str, Any] = {
        "unique_id": unique_id,
        "name": names[0],
        "resource_type": kind,
        "package_name": package,
        "fqn": [package, *names],
        "original_file_path": f"models/{names[0]}.sql",
        "config": {"enabled": True, "materialized": "table", "meta": {}, "tags": []},
        "tags": [],
        "meta": {},
        "columns": {},
        "depends_on": {"macros": [], "nodes": []},
    }
    if kind == "source":
        defaults |= {"source_name": names[0], "name": names[-1], "original_file_path": "models/sources.yml"}
    return {**defaults, **fields}


def catalog_bytes(tables: dict[str, dict[str, Any]], metadata: dict[str, Any] | None = None) -> bytes:
    """A catalog of these tables: the columns of each by name."""
    content = {
        "metadata": {
            "dbt_schema_version": schema("catalog", 1),
            "generated_at": "2026-01-02T03:05:00Z",
            "invocation_id": "inv-1",
            **(metadata or {}),
        },
        "nodes": {key: {"columns": columns} for key, columns in tables.items() if not key.startswith("source.")},
        "sources": {key: {"columns": columns} for key, columns in tables.items() if key.startswith("source.")},
    }
    return json.dumps(content).encode()
