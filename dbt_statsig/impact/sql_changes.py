"""Whose SQL a change touches: a source's own node, and all above it. Same columns may then hold other values. Pure.

SQL is compared as it was written, with the macros that it calls: compiled SQL differs by target. Where one side does
not hold it as written, compiled SQL is compared, without databases and schemas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.project.artifacts import Manifest, Node

_CHANGING = frozenset({"model", "snapshot", "seed"})
# What comes with dbt and its adapters changes with their version.
_DBTS_OWN = ("macro.dbt.", "macro.dbt_")


class SqlChanges:
    """The nodes whose SQL (or seed file) differs between two manifests."""

    def __init__(self, here: Manifest, there: Manifest) -> None:
        self._here = here
        self._there = there
        self._known: dict[str, bool] = {}

    def behind(self, unique_id: str) -> list[str]:
        """The names of the nodes whose SQL changed: the node itself first, then those above it, nearest first."""
        found: list[str] = []
        seen: set[str] = set()
        todo = [unique_id]
        while todo:
            current = todo.pop(0)
            node = None if current in seen else self._here.node(current)
            seen.add(current)
            if node is None or node.resource_type not in _CHANGING:
                continue
            if self._is_changed(node):
                found.append(node.name)
            todo += node.depends_on
        return found

    def _is_changed(self, now: Node) -> bool:
        if now.unique_id not in self._known:
            was = self._there.node(now.unique_id)
            self._known[now.unique_id] = was is not None and self._differs(was, now)
        return self._known[now.unique_id]

    def _differs(self, was: Node, now: Node) -> bool:
        if now.resource_type == "seed":
            return bool(was.file_hash and now.file_hash) and was.file_hash != now.file_hash
        if was.raw_code and now.raw_code:
            return was.raw_code.split() != now.raw_code.split() or self._calls_other(was, now)
        before, after = _compiled(was, self._there), _compiled(now, self._here)
        return bool(before and after) and before != after

    def _calls_other(self, was: Node, now: Node) -> bool:
        before, after = _macros(was.macros, self._there), _macros(now.macros, self._here)
        return any(before[name] != after[name] for name in before.keys() & after.keys())


def _macros(names: Iterable[str], manifest: Manifest) -> dict[str, list[str]]:
    """The words of each macro of the project and its packages that is reached from these."""
    found: dict[str, list[str]] = {}
    todo = [*names]
    while todo:
        name = todo.pop()
        macro = None if name in found or name.startswith(_DBTS_OWN) else manifest.macro(name)
        if macro is not None:
            found[name] = (macro.macro_sql or "").split()
            todo += macro.depends_on.called if macro.depends_on else ()
    return found


def _compiled(node: Node, manifest: Manifest) -> list[str]:
    """The words of a node's compiled SQL, with the relation of each parent by its ID."""
    code = node.compiled_code or ""
    for unique_id in node.depends_on:
        parent = manifest.node(unique_id)
        if parent is not None and parent.relation_name:
            code = code.replace(parent.relation_name, unique_id)
    return code.split()
