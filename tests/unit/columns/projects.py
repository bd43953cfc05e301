"""Small projects for the tests of proving: a manifest and a catalog in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.columns.prover import Prover
from dbt_statsig.project.artifacts import Catalog, Manifest
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.project.artifacts.nodes import Node

STALE = {"invocation_id": "inv-0", "generated_at": "2026-01-01T00:00:00Z"}


def model(name: str, sql: str | None, *parents: str, kind: str = "model", **fields: Any) -> dict[str, Any]:
    """A compiled model (or snapshot) `shop.main.<name>` that reads `parents` (unique_ids)."""
    config = {"enabled": True, "materialized": "table", **fields.pop("config", {})}
    return node(
        f"{kind}.shop.{name}",
        relation_name=f'"shop"."main"."{name}"',
        compiled_code=sql,
        language="sql",
        depends_on={"macros": [], "nodes": list(parents)},
        config=config,
        **fields,
    )


def source(name: str, **fields: Any) -> dict[str, Any]:
    """A source table `shop.raw.<name>`."""
    return node(f"source.shop.raw.{name}", relation_name=f'"shop"."raw"."{name}"', **fields)


def prover(
    *nodes: dict[str, Any],
    catalog: Mapping[str, tuple[str, ...]] | None = None,
    adapter: str = "duckdb",
    stale: bool = False,
    **options: Any,
) -> Prover:
    """A prover over the nodes; `catalog` holds each node's columns, all of type INTEGER."""
    manifest = Manifest.from_bytes(manifest_bytes(*nodes, metadata={"adapter_type": adapter}))
    found = None
    if catalog is not None:
        tables = {
            key: {name: {"name": name, "type": "INTEGER", "index": place} for place, name in enumerate(names, start=1)}
            for key, names in catalog.items()
        }
        found = Catalog.from_bytes(catalog_bytes(tables, metadata=STALE if stale else None))
    return Prover(manifest, found, **options)


def get(proof: Prover, unique_id: str) -> Node:
    """The node of the prover's manifest."""
    found = proof._manifest.node(unique_id)
    assert found is not None
    return found


def names(proof: Prover, unique_id: str) -> tuple[str, ...]:
    """The names of a node's columns."""
    return tuple(column.name for column in proof.columns(get(proof, unique_id)).columns)
