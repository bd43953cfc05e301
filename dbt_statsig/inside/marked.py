"""Which of dbt's live nodes concern us. Imports nothing slow: it runs at every parse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

META_KEY = "statsig"
TABLES = frozenset({"model", "snapshot", "seed", "source"})
OTHER_SECTIONS = ("exposures", "metrics", "semantic_models", "saved_queries", "functions", "unit_tests", "macros")


def is_marked(node: Any) -> bool:
    """Whether the meta of one of dbt's node objects, or that of one of its columns, has our key."""
    return _speaks(node) or any(_speaks(column) for column in (getattr(node, "columns", None) or {}).values())


def marked_nodes(manifest: Any) -> Iterator[Any]:
    """All marked objects of dbt's live manifest, of any type, disabled ones too."""
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
    """An attribute, or, where that version of dbt has none of the name, what its YAML said besides."""
    if isinstance(holder, dict):
        return holder.get(key)
    found = getattr(holder, key, None)
    return found or (getattr(holder, "_extra", None) or {}).get(key)
