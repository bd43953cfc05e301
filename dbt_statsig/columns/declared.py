"""The manifest's tables by their relation, for SQL that names a table which is no declared parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.columns.relations import find, node_parts, parts_of

if TYPE_CHECKING:
    from dbt_statsig.artifacts import Manifest
    from dbt_statsig.artifacts.nodes import Node

_TABLES = frozenset({"model", "seed", "snapshot", "source"})
NOT_BUILT_BY_QUERIES = frozenset({"seed", "source"})


class Declared:
    """An index of relations; the manifest's heads are read when it is first asked."""

    def __init__(self, manifest: Manifest) -> None:
        """Nothing is read yet."""
        self._manifest = manifest
        self._by_name: dict[str, list[str]] | None = None
        self._seeds: dict[tuple[str, ...], Node] | None = None

    def named(self, table: tuple[str, ...], *, kinds: frozenset[str] = _TABLES) -> Node | None:
        """The node of one of the kinds that a table in SQL names; None where none or several could be meant."""
        return find(table, self._candidates(table, kinds))

    def same_relation(self, node: Node) -> list[Node]:
        """Other seeds and sources that stand for the very same table in the warehouse."""
        parts = node_parts(node)
        others = self._candidates(parts, NOT_BUILT_BY_QUERIES)
        return [other for other in others if other.unique_id != node.unique_id and node_parts(other) == parts]

    def seed_of(self, node: Node) -> Node | None:
        """The seed that makes the very table that a source stands for."""
        if self._seeds is None:
            seeds = (self._manifest.node(one) for one in self._manifest.unique_ids if one.startswith("seed."))
            self._seeds = {node_parts(seed): seed for seed in seeds if seed is not None}
        return self._seeds.get(node_parts(node))

    def _candidates(self, table: tuple[str, ...], kinds: frozenset[str]) -> list[Node]:
        found = (self._manifest.node(unique_id) for unique_id in self._index().get(table[-1].casefold(), ()))
        return [node for node in found if node is not None and node.resource_type in kinds]

    def _index(self) -> dict[str, list[str]]:
        if self._by_name is None:
            self._by_name = {}
            for unique_id, head in self._manifest.heads().items():
                if head.resource_type in _TABLES:
                    name = parts_of(head.relation_name)[-1] if head.relation_name else head.name
                    self._by_name.setdefault(name.casefold(), []).append(unique_id)
        return self._by_name
