"""dbt's live manifest as ours: by way of the JSON that manifest.json has, so that every command reads the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.artifacts.manifest import SEMANTIC_SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def live_manifest(
    dbt_manifest: Any,
    *,
    compiled: Mapping[str, str] | None = None,
    only_marked: bool = False,
    all_metrics: bool = False,
) -> Manifest:
    """The models, snapshots, seeds, source tables and tests of dbt's manifest object, and whatever else is marked.

    `compiled` is SQL by unique_id that was compiled on the side; `only_marked` leaves all unmarked nodes out.
    `all_metrics`: the settings take all metrics of dbt's semantic layer, marked or not.
    """
    semantic = {node.unique_id for node in semantic_nodes(dbt_manifest, all_metrics=all_metrics)}
    parts: dict[str, Any] = {"metadata": dbt_manifest.metadata.to_dict(omit_none=False)}
    for section in ("nodes", "sources"):
        parts[section] = {
            unique_id: as_dict(node)
            for unique_id, node in getattr(dbt_manifest, section).items()
            if unique_id in semantic
            or is_marked(node)
            or (not only_marked and resource_type(node) in {*TABLES, "test"})
        }
    for unique_id, sql in (compiled or {}).items():
        parts["nodes"][unique_id]["compiled_code"] = sql
    for section in OTHER_SECTIONS:
        held = getattr(dbt_manifest, section, None) or {}
        whole = section in SEMANTIC_SECTIONS and semantic
        parts[section] = {unique_id: as_dict(node) for unique_id, node in held.items() if whole or is_marked(node)}
    if not only_marked:
        # What a macro asks of the warehouse decides whether a model's compiled SQL can be trusted.
        called = {unique_id: _macro(macro) for unique_id, macro in dbt_manifest.macros.items()}
        parts["macros"] = {**called, **parts["macros"]}
    parts["disabled"] = {
        unique_id: [as_dict(node) for node in nodes]
        for unique_id, nodes in (dbt_manifest.disabled or {}).items()
        if not only_marked or any(map(is_marked, nodes))
    }
    return Manifest.from_bytes(msgspec.json.encode(parts, enc_hook=str))


def _macro(macro: Any) -> dict[str, Any]:
    return {"macro_sql": macro.macro_sql, "depends_on": {"macros": list(macro.depends_on.macros)}}


META_KEY = "statsig"
TABLES = frozenset({"model", "snapshot", "seed", "source"})
OTHER_SECTIONS = ("exposures", "metrics", "semantic_models", "saved_queries", "functions", "unit_tests", "macros")


def is_marked(node: Any) -> bool:
    """Whether the meta of one of dbt's node objects, or that of one of its columns, has our key."""
    return _speaks(node) or any(_speaks(column) for column in (getattr(node, "columns", None) or {}).values())


def semantic_nodes(manifest: Any, *, all_metrics: bool) -> Iterator[Any]:
    """The models of all semantic models, where a metric or semantic model is marked, or all are taken."""
    models = (getattr(manifest, "semantic_models", None) or {}).values()
    metrics = (getattr(manifest, "metrics", None) or {}).values()
    if all_metrics or any(map(_speaks, (*models, *metrics))):
        names = {unique_id for model in models for unique_id in model.depends_on.nodes}
        yield from (manifest.nodes[unique_id] for unique_id in sorted(names & manifest.nodes.keys()))


def marked_nodes(manifest: Any, *, all_metrics: bool = False) -> Iterator[Any]:
    """All marked objects of dbt's live manifest, of any type, disabled ones too, and the models of semantic models."""
    yield from semantic_nodes(manifest, all_metrics=all_metrics)
    for section in ("nodes", "sources", *OTHER_SECTIONS):
        for node in (getattr(manifest, section, None) or {}).values():
            if is_marked(node):
                yield node
    for disabled in (manifest.disabled or {}).values():
        yield from filter(is_marked, disabled)


def resource_type(node: Any) -> str:
    """The node's type as manifest.json names it."""
    kind = getattr(node, "resource_type", "")
    return str(getattr(kind, "value", kind))


def as_dict(node: Any) -> dict[str, Any]:
    """One of dbt's node objects as manifest.json holds it."""
    result: dict[str, Any] = node.to_resource().to_dict(omit_none=False)
    return result


def _speaks(holder: Any) -> bool:
    return any(META_KEY in (_part(one, "meta") or ()) for one in (holder, _part(holder, "config")))


def _part(holder: Any, key: str) -> Any:
    """An attribute, or, where that version of dbt has none of the name, what its YAML has besides."""
    if isinstance(holder, dict):
        return holder.get(key)
    found = getattr(holder, key, None)
    return found or (getattr(holder, "_extra", None) or {}).get(key)
