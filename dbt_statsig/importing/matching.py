"""The dbt node that an object of the console belongs to, and by what it was found. Nothing is guessed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.items import LiveQuery, PlainQuery, TableRead
from dbt_statsig.columns.relations import stored_parts
from dbt_statsig.project.artifacts.nodes import BUILT, Node
from dbt_statsig.vocabulary.findings import listed
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.vocabulary.sources import Kind, Source


class Match(Struct, frozen=True, kw_only=True):
    """The node of an object (None: there is none, and `why` says why), with `why` it is this one.

    `plain` is the query where it is one plain SELECT over the node, `not_plain` why it is not. `undeclared` are the
    tables that it reads and that no node is, `tables` all that it reads.
    """

    node: Node | None
    why: str
    is_table: bool = False
    plain: PlainQuery | None = None
    not_plain: str = ""
    undeclared: tuple[tuple[str, ...], ...] = ()
    tables: tuple[TableRead, ...] = ()


class Matcher:
    """Finds nodes for the objects of one console."""

    def __init__(self, prover: Prover, project: str) -> None:
        """`project` is the package whose YAML can be written."""
        self._prover = prover
        self._project = project

    def match(self, kind: Kind, live: Source) -> Match:
        """The node of one object."""
        if getattr(live, "source_type", None) == "table":
            return self._table(getattr(live, "table_name", "") or "")
        sql = live.sql if isinstance(live.sql, str) else ""
        query = self._prover.live_query(sql)
        if query.fault:
            return Match(node=None, why=f"Its SQL cannot be read: {query.fault}")
        if query.plain is not None:
            node, why = self._named(query.plain.table)
            undeclared = () if node is not None or why else (query.plain.table,)
            why = why or f"No dbt node is the table {_dotted(query.plain.table)}."
            return Match(node=node, why=why, plain=query.plain, undeclared=undeclared, tables=query.tables)
        return self._most_direct(kind, live, query)

    def _table(self, name: str) -> Match:
        parts = stored_parts(self._prover.adapter, name)
        if not parts:
            return Match(node=None, why=f'"{name}" does not name a table.', is_table=True)
        node, why = self._named(parts)
        undeclared = () if node is not None or why else (parts,)
        return Match(node=node, why=why or f"No dbt node is the table {name}.", is_table=True, undeclared=undeclared)

    def _named(self, table: tuple[str, ...]) -> tuple[Node | None, str]:
        """The node that a table is, and why; an empty text where no node is."""
        nodes = self._prover.meant(table)
        if not nodes:
            return None, ""
        relations = {stored_parts(self._prover.adapter, node.relation_name or "") for node in nodes}
        names = listed(sorted(node.unique_id for node in nodes))
        if len(relations) > 1:
            return None, f"The table {_dotted(table)} may be several nodes: {names}."
        built = [node for node in nodes if node.resource_type in BUILT]
        chosen = built or list(nodes)
        if len(chosen) > 1:
            return None, f"Several nodes are the table {_dotted(table)}: {names}."
        node = chosen[0]
        refused = self._unusable(node)
        return (None, refused) if refused else (node, f"{_dotted(table)} is its relation")

    def _unusable(self, node: Node) -> str:
        """Why a node's YAML cannot take a block."""
        if node.package_name != self._project:
            return f"{node.unique_id} belongs to the package {node.package_name}, not to this project."
        if not node.is_latest:
            return f"{node.unique_id} is not the latest version of {node.name}."
        return ""

    def _most_direct(self, kind: Kind, live: Source, query: LiveQuery) -> Match:
        """The only node that a query reads, else the one that gives the mapped columns."""
        tables = tuple(dict.fromkeys(table.parts for table in query.tables))
        found = {table: self._named(table) for table in tables}
        nodes = {node.unique_id: node for node, _ in found.values() if node is not None}
        undeclared = tuple(table for table, (node, why) in found.items() if node is None and not why)

        def match(node: Node | None, why: str) -> Match:
            return Match(node=node, why=why, not_plain=query.not_plain, undeclared=undeclared, tables=query.tables)

        if len(nodes) == 1:
            return match(next(iter(nodes.values())), "it is the only dbt node that the query reads")
        if not nodes:
            reasons = [why for _, why in found.values() if why]
            names = listed(list(map(_dotted, undeclared)))
            why = reasons[0] if reasons else f"It reads no dbt node ({names})." if names else "It reads no table."
            return match(None, why)
        mapped = _mapped(kind, live)
        given: Counter[str] = Counter()
        for table in query.tables:
            node = found[table.parts][0]
            if node is not None:
                given[node.unique_id] += len(self._keys(table.gives) & self._keys(mapped))
        chosen = _first(given) or _first(Counter({one: self._has(node, mapped) for one, node in nodes.items()}))
        if chosen is None:
            names = listed(sorted(nodes))
            return match(None, f"It reads several dbt nodes, none more directly: {names}.")
        return match(nodes[chosen], "of the nodes that the query reads it gives the mapped columns")

    def _has(self, node: Node, mapped: Iterable[str]) -> int:
        """How many of the mapped columns a node has."""
        return len(self._keys(column.name for column in self._prover.columns(node).columns) & self._keys(mapped))

    def _keys(self, names: Iterable[str]) -> set[str]:
        return {self._prover.adapter.key(name) for name in names}


def _first(counts: Counter[str]) -> str | None:
    """The one with the highest count, where that is no tie."""
    most = counts.most_common(2)
    if not most or not most[0][1] or (len(most) > 1 and most[0][1] == most[1][1]):
        return None
    return most[0][0]


def _mapped(kind: Kind, live: Source) -> list[str]:
    """The columns that an object maps."""
    columns = [getattr(live, field, None) for field in SPECS[kind].fields(Role.COLUMN)]
    columns += [entry.column for entry in live.id_type_mapping or ()]
    return [one for one in columns if isinstance(one, str) and one]


def _dotted(parts: tuple[str, ...]) -> str:
    return ".".join(parts)
