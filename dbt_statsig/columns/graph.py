"""Columns inferred from compiled SQL, through as many parents as a node's stars need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.columns.expand import Known, expand
from dbt_statsig.columns.items import TooWide, tables_of
from dbt_statsig.columns.relations import find, matches, node_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dbt_statsig.columns.items import Shape
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.vocabulary.adapters import Adapter


_DEFERRED = frozenset({"model", "snapshot", "seed"})


class Graph:
    """Inference over a manifest, memoised.

    `node_of` gives a node by its unique_id, `shape` a compiled query's shape, `own` what is known of a node without
    inference (a contract, a catalog), `elsewhere` what is known of a table that is no declared parent, `built` what
    the node's table has where its SQL gives so much, `aged` the same with an old catalog of it.
    """

    def __init__(
        self,
        adapter: Adapter,
        *,
        node_of: Callable[[str], Node | None],
        shape: Callable[[Node], Shape],
        own: Callable[[Node], Known | None],
        elsewhere: Callable[[tuple[str, ...]], Known | None],
        built: Callable[[Node, Known], Known],
        aged: Callable[[Node, Known, Known], Known],
    ) -> None:
        """Infer by the rules of `adapter`."""
        self._adapter = adapter
        self._node_of = node_of
        self._shape = shape
        self._own = own
        self._elsewhere = elsewhere
        self._built = built
        self._aged = aged
        self._inferred: dict[str, Known] = {}
        self._candidates: dict[str, dict[str, list[Node]]] = {}

    def inferred(self, node: Node) -> Known:
        """What the SQL of a node that has some says, its parents' columns put in. Never raises."""
        path: dict[str, tuple[Node, Iterator[Node]]] = {node.unique_id: (node, self.parents(node))}
        while path:
            current, parents = next(reversed(path.values()))
            parent = next((each for each in parents if each.unique_id not in self._inferred), None)
            if parent is None:
                self._inferred.setdefault(current.unique_id, self._expanded(current))
            elif parent.unique_id not in path:
                path[parent.unique_id] = (parent, self.parents(parent))
                continue
            else:
                self._inferred[current.unique_id] = Known(reasons=(f"it depends on itself through {parent.name}",))
            del path[current.unique_id]
        return self._inferred[node.unique_id]

    def parents(self, node: Node) -> Iterator[Node]:
        """The parents that the node's stars read and that have to be inferred themselves."""
        for table in dict.fromkeys(tables_of(self._shape(node).items)):
            parent = self._parent(node, table)
            if parent is not None and has_sql(parent) and not parent.contract_enforced:
                yield parent

    def _expanded(self, node: Node) -> Known:
        try:
            known = expand(self._adapter, self._shape(node).items, lambda table: self._table(node, table))
        except TooWide:
            return Known(reasons=("the query has more columns than any warehouse allows",))
        except RecursionError:
            return Known(reasons=("the query is nested too deeply",))
        return self._built(node, known)

    def _table(self, node: Node, table: tuple[str, ...]) -> Known:
        """The columns of a table that the node's SQL reads all columns of."""
        parent = self._parent(node, table)
        if parent is not None:
            return self.best(parent)
        known = None if matches(table, node_parts(node)) else self._elsewhere(table)
        return known if known is not None else Known(reasons=(self._undeclared(node, table),))

    def best(self, node: Node) -> Known:
        """What is known of a parent: inference where it is complete, else a contract or catalog, else what there is."""
        own = self._own(node)
        if not has_sql(node):
            return own if own is not None else Known(reasons=(f"{node.name}: {no_sql(node)}",))
        inferred = self._inferred.get(node.unique_id)
        if own is None:
            return inferred if inferred is not None else Known(reasons=(f"{node.name}: not inferred",))
        if inferred is None or (own.closed and not inferred.closed):
            return own
        return self._aged(node, inferred, own) if own.dated and not inferred.reasons else inferred

    def _parent(self, node: Node, table: tuple[str, ...]) -> Node | None:
        named = self._reads(node).get(table[-1].casefold(), [])
        found = find(table, named)
        if found is None and len(named) == 1 and self._elsewhere(table) is None and is_deferred(node, named[0], table):
            return named[0]
        return found

    def _reads(self, node: Node) -> dict[str, list[Node]]:
        """What the node may read, by the last part of its relation: its parents, and those of ephemeral ones."""
        if node.unique_id not in self._candidates:
            found: dict[str, Node] = {}
            waiting = list(node.depends_on)
            while waiting:
                unique_id = waiting.pop()
                parent = self._node_of(unique_id) if unique_id not in found else None
                if parent is None or unique_id == node.unique_id:
                    continue
                found[unique_id] = parent
                if parent.materialized == "ephemeral":
                    waiting.extend(parent.depends_on)
            by_name: dict[str, list[Node]] = {}
            for parent in found.values():
                for part in node_parts(parent)[-1:]:
                    by_name.setdefault(part.casefold(), []).append(parent)
            self._candidates[node.unique_id] = by_name
        return self._candidates[node.unique_id]

    def _undeclared(self, node: Node, table: tuple[str, ...]) -> str:
        name = ".".join(table)
        if matches(table, node_parts(node)):
            return f"it selects all columns of itself ({name})"
        return f"it selects all columns of {name}, which is not a declared parent"


def is_deferred(node: Node, parent: Node, table: tuple[str, ...]) -> bool:
    """Whether `table`, which has the parent's name, is what `dbt --defer` put in the place of the parent's relation.

    dbt leaves the deferred relation out of manifest.json. But then the compiled SQL reads the parent's own relation
    nowhere, and the other relation's schema is nowhere in the SQL as written.
    """
    own, schema = node_parts(parent)[-2:], table[-2:-1]
    compiled, written = (node.compiled_code or "").casefold(), node.raw_code.casefold()
    return (
        parent.resource_type in _DEFERRED
        and bool(schema and written and parent.relation_name)
        and schema[0].casefold() != own[0].casefold()
        and (parent.relation_name or "").casefold() not in compiled
        and schema[0].casefold() not in written
        and not matches(table, node_parts(node))
    )


def has_sql(node: Node) -> bool:
    """Whether there is compiled SQL to infer from."""
    return bool(node.compiled_code) and node.language == "sql"


def no_sql(node: Node) -> str:
    """Why there is none."""
    if node.language != "sql":
        return f"it is written in {node.language.capitalize()}"
    if node.resource_type in {"source", "seed"}:
        return f"a {'seed' if node.resource_type == 'seed' else 'source table'} without an entry in the catalog"
    return "the manifest has no compiled SQL for it"
