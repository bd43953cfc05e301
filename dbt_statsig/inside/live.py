"""dbt's live manifest as ours: by way of the JSON that manifest.json has, so that every door reads the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig.artifacts import Manifest
from dbt_statsig.inside.marked import OTHER_SECTIONS, TABLES, as_dict, is_marked, resource_type

if TYPE_CHECKING:
    from collections.abc import Mapping


def live_manifest(
    dbt_manifest: Any, *, compiled: Mapping[str, str] | None = None, only_marked: bool = False
) -> Manifest:
    """The models, snapshots, seeds, source tables and tests of dbt's manifest object, and whatever else is marked.

    `compiled` is SQL by unique_id that was compiled on the side; `only_marked` leaves all unmarked nodes out.
    """
    parts: dict[str, Any] = {"metadata": dbt_manifest.metadata.to_dict(omit_none=False)}
    for section in ("nodes", "sources"):
        parts[section] = {
            unique_id: as_dict(node)
            for unique_id, node in getattr(dbt_manifest, section).items()
            if is_marked(node) or (not only_marked and resource_type(node) in {*TABLES, "test"})
        }
    for unique_id, sql in (compiled or {}).items():
        parts["nodes"][unique_id]["compiled_code"] = sql
    for section in OTHER_SECTIONS:
        held = getattr(dbt_manifest, section, None) or {}
        parts[section] = {unique_id: as_dict(node) for unique_id, node in held.items() if is_marked(node)}
    if not only_marked:
        # What a macro asks of the warehouse decides whether a model's compiled SQL can be trusted.
        called = {unique_id: _macro(macro) for unique_id, macro in dbt_manifest.macros.items()}
        parts["macros"] = {**called, **parts["macros"]}
    parts["groups"] = {unique_id: as_dict(group) for unique_id, group in (dbt_manifest.groups or {}).items()}
    parts["disabled"] = {
        unique_id: [as_dict(node) for node in nodes]
        for unique_id, nodes in (dbt_manifest.disabled or {}).items()
        if not only_marked or any(map(is_marked, nodes))
    }
    return Manifest.from_bytes(msgspec.json.encode(parts, enc_hook=str))


def _macro(macro: Any) -> dict[str, Any]:
    return {"macro_sql": macro.macro_sql, "depends_on": {"macros": list(macro.depends_on.macros)}}
