"""Proves columns: the entry point of this package.

sqlglot is imported when the first compiled query or the first SQL of a user is read, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from dbt_statsig.columns.evidence import PROVE, PROVE_TABLE, QUERY, Facts, decide, decide_in, nested_path, tables_own
from dbt_statsig.columns.expand import Known
from dbt_statsig.columns.graph import Graph, has_sql, no_sql
from dbt_statsig.columns.materializations import Introspection, as_built, history_of, why_more, with_old_catalog
from dbt_statsig.columns.reader import Reader
from dbt_statsig.columns.relations import NOT_BUILT_BY_QUERIES, RelationIndex, node_parts
from dbt_statsig.project.artifacts.catalog import CatalogColumn
from dbt_statsig.vocabulary.adapters import ADAPTERS, adapter_for
from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn, SqlCheck, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.columns.items import LiveQuery, Shape
    from dbt_statsig.columns.materializations import History
    from dbt_statsig.columns.memory import Memory
    from dbt_statsig.project.artifacts import Catalog, Manifest
    from dbt_statsig.project.artifacts.catalog import SeedHeaders
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.vocabulary.adapters import Adapter


STALE = "the catalog is older than the manifest"


class Live(Struct, frozen=True, kw_only=True):
    """The columns that the warehouse itself gave in this run: of nodes by unique ID, and of users' queries by text."""

    tables: Mapping[str, tuple[CatalogColumn, ...]] = {}
    queries: Mapping[str, tuple[CatalogColumn, ...]] = {}


class Prover:
    """All that a manifest and a catalog prove about columns, memoised.

    Without `use_catalog_of_models` the catalog speaks for sources and seeds only. What reading SQL gives is taken
    from the `memory`, and kept in it.
    """

    def __init__(
        self,
        manifest: Manifest,
        catalog: Catalog | None = None,
        *,
        use_catalog_of_models: bool = True,
        memory: Memory | None = None,
        seeds: SeedHeaders | None = None,
        live: Live | None = None,
    ) -> None:
        """Nothing is read before it is asked for."""
        self.adapter = adapter_for(manifest.adapter_type)
        self._manifest = manifest
        self._catalog = catalog
        self._live = live or Live()
        self._fresh = catalog is not None and catalog.is_fresh_for(manifest)
        self._seeds = seeds
        self._use_catalog_of_models = use_catalog_of_models
        self._declared = RelationIndex(manifest)
        self._reader = Reader(self.adapter, memory)
        self._introspection = Introspection(manifest)
        self._overridden: frozenset[str] | None = None
        self._graph = Graph(
            self.adapter,
            node_of=manifest.node,
            shape=self._shape,
            own=self._own,
            elsewhere=self._elsewhere,
            built=self._built,
            aged=lambda node, known, own: self._aged(node, known, own.names),
        )
        self._shapes: dict[str, Shape] = {}
        self._facts: dict[str, Facts] = {}
        self._queries: dict[tuple[str, frozenset[str]], SqlCheck] = {}
        self._tagged: dict[str, dict[str, tuple[str, ...]]] = {}

    def columns(self, node: Node) -> ColumnSet:
        """The node's columns in order, by the strongest evidence that there is."""
        facts = self.facts(node)
        if facts.contract is not None:
            return ColumnSet(columns=facts.contract, closed=not facts.others, complete=True, reasons=facts.others)
        if facts.catalog is not None and facts.fresh:
            return ColumnSet(columns=facts.catalog, closed=True)
        if not facts.inferred_reasons and has_sql(node):
            return self._inferred_columns(node, facts)
        if facts.catalog is None:
            closed = not facts.inferred_reasons and not facts.others
            return ColumnSet(columns=facts.inferred, closed=closed, reasons=facts.inferred_reasons + facts.others)
        have = {self.adapter.key(column.name) for column in facts.catalog}
        more = tuple(column for column in facts.inferred if self.adapter.key(column.name) not in have)
        closed = node.resource_type in NOT_BUILT_BY_QUERIES
        return ColumnSet(
            columns=facts.catalog + more, closed=closed, reasons=() if closed else (STALE, *facts.inferred_reasons)
        )

    def _inferred_columns(self, node: Node, facts: Facts) -> ColumnSet:
        """The columns where the SQL gives a complete list and no catalog is fresh."""
        known = self._graph.inferred(node)
        own = {self.adapter.key(column.name): column for column in facts.catalog or ()}
        if facts.catalog is not None:
            known = self._aged(node, known, tuple(column.name for column in facts.catalog))
        columns = {self.adapter.key(column.name): column for column in facts.inferred} | own
        return ColumnSet(
            columns=tuple(
                replace(columns[key], evidence=Evidence.POSSIBLE) if name in known.unsure else columns[key]
                for name, key in ((name, self.adapter.key(name)) for name in known.names)
            ),
            closed=known.closed and (not known.dated or facts.catalog is None),
            complete=True,
            reasons=known.others or ((STALE,) if known.dated and facts.catalog is not None else ()),
        )

    def prepare(self, nodes: Iterable[Node], *, jobs: int) -> None:
        """Read the SQL of many nodes at once, with up to so many processes; the answers are the same without."""
        texts = [node.compiled_code or "" for node in nodes if has_sql(node) and not node.contract_enforced]
        self._reader.prepare(texts, jobs=jobs)

    def verdict(self, node: Node, name: str) -> Verdict:
        """Whether the node has the column that the user wrote as `name`, and how the warehouse spells it."""
        return decide(self.adapter, name, self.facts(node))

    def verdict_in(self, columns: ColumnSet, name: str, label: str = QUERY) -> Verdict:
        """The same about the columns that a user's own query gives, or whatever the label calls it."""
        return decide_in(self.adapter, name, columns, label)

    def live_query(self, sql: str) -> LiveQuery:
        """What a query of the console reads and gives."""
        return self._reader.live_query(sql)

    def meant(self, table: tuple[str, ...]) -> tuple[Node, ...]:
        """The nodes whose relation a table's stored name means; it, or the relation, may lack parts in front."""
        return self._declared.meant(self.adapter, table)

    def cast(self, node: Node, stored: str) -> str:
        """What the node's own SQL casts a column to: `date`, `timestamp`, `integer`, or empty where it has no cast."""
        if self.adapter.dialect is None or not has_sql(node):
            return ""
        return self._reader.cast(node.compiled_code or "", stored)

    def check_predicate(
        self,
        node: Node,
        sql: str,
        *,
        macros: frozenset[str],
        columns: ColumnSet | None = None,
        of_row: bool = False,
    ) -> SqlCheck:
        """The faults of a predicate or formula over the node, or over a query's `columns` where they are given.

        `macros` are those that it may use; one `of_row` says something of a single row.
        """
        if self.adapter.dialect is None:
            return SqlCheck()
        tables = frozenset(part.casefold() for part in node_parts(node))
        if columns is None or columns == self.columns(node):
            return self._reader.predicate(sql, macros=macros, tables=tables, known=self.facts(node), of_row=of_row)
        return self._reader.predicate(sql, macros=macros, tables=tables, known=columns, of_row=of_row)

    def check_query(self, node: Node, sql: str, *, macros: frozenset[str]) -> SqlCheck:
        """The faults of a user's own query, and the columns that it gives."""
        if self.adapter.dialect is None:
            return SqlCheck(columns=ColumnSet(columns=(), closed=False, reasons=(self.adapter.note,)))
        check = self._queries.get((sql, macros))
        if check is None:
            check = self._queries[sql, macros] = self._reader.query(sql, macros=macros, tables=self._relation)
        if sql in self._live.queries:
            listed = self._listed(node, self._live.queries[sql], Evidence.WAREHOUSE)
            return replace(check, columns=ColumnSet(columns=listed, closed=True))
        tagged = tuple(replace(column, tags=self._tags(node, column.name)) for column in check.columns.columns)
        return replace(check, columns=replace(check.columns, columns=tagged))

    def _relation(self, table: tuple[str, ...]) -> Known:
        """What is known of a table that a user's query names, whichever node it is."""
        node = self._declared.named(table)
        if node is None:
            return Known(reasons=(f"the manifest declares no table {'.'.join(table)}",))
        found, facts = self.columns(node), self.facts(node)
        reasons = () if found.closed else found.reasons or ("",)
        return Known(
            names=tuple(column.name for column in found.columns),
            reasons=() if found.is_complete else reasons,
            others=reasons if found.is_complete else (),
            unsure=frozenset(column.name for column in found.columns if not column.is_certain),
            dated=found.closed and facts.contract is None and (facts.dated or not (facts.fresh or has_sql(node))),
            fields=tuple(f"{column.name}.{field}" for column in found.columns for field in column.fields),
        )

    def facts(self, node: Node) -> Facts:
        """All evidence about the node."""
        if node.unique_id not in self._facts:
            self._facts[node.unique_id] = self._seen(node, self._gather(node))
        return self._facts[node.unique_id]

    def _seen(self, node: Node, facts: Facts) -> Facts:
        """The facts with what the warehouse gave, if it was asked; a contract then is what the next build gives."""
        if node.unique_id not in self._live.tables:
            return facts
        if facts.contract is not None:
            facts = replace(
                facts, contract=None, inferred=facts.contract, inferred_reasons=(), inferred_from="enforced contract"
            )
        listed = self._listed(node, self._live.tables[node.unique_id], Evidence.WAREHOUSE)
        return replace(facts, catalog=listed, fresh=True, live=True)

    def _gather(self, node: Node) -> Facts:
        label = f"T{node.label[1:]}"
        contract, cataloged = self._contract(node), self._cataloged(node)
        history = self._history(node)
        if contract is not None:
            others = why_more(node, history)
            return Facts(
                label=label, contract=contract, catalog=cataloged if others else None, others=others, history=history
            )
        inferred = self._graph.inferred(node) if has_sql(node) else self._without_sql(node, cataloged)
        return Facts(
            label=label,
            catalog=cataloged,
            fresh=self._fresh,
            inferred=tuple(
                KnownColumn(
                    name=name,
                    evidence=Evidence.POSSIBLE if name in inferred.unsure else Evidence.INFERRED,
                    tags=self._tags(node, name),
                )
                for name in inferred.names
            ),
            inferred_reasons=inferred.reasons,
            others=inferred.others,
            history=history,
            dated=inferred.dated,
            documented=tuple(column.name for column in node.columns.values()),
            inferred_from="file's first row" if node.resource_type in NOT_BUILT_BY_QUERIES else "compiled SQL",
            prove=PROVE_TABLE if node.resource_type == "source" else PROVE,
        )

    def _without_sql(self, node: Node, cataloged: tuple[KnownColumn, ...] | None) -> Known:
        """What is known of a table that no query builds: the header of its seed's file, unless the catalog knows it."""
        if cataloged is None and self._seeds is not None and node.resource_type in NOT_BUILT_BY_QUERIES:
            seed = node if node.resource_type == "seed" else self._declared.seed_of(node)
            if seed is not None:
                return seed_columns(self.adapter, seed, self._seeds.names(seed))
        return Known(reasons=(no_sql(node),))

    def _contract(self, node: Node) -> tuple[KnownColumn, ...] | None:
        if not node.contract_enforced or not node.columns:
            return None
        listed = (
            KnownColumn(
                name=self.adapter.stored(column.name, quoted=column.quote),
                evidence=Evidence.CONTRACT,
                data_type=column.data_type,
                spelling_proven=self.adapter.dialect is not None,
                tags=column.tags,
            )
            for column in node.columns.values()
        )
        return tables_own(self.adapter, listed)

    def _cataloged(self, node: Node) -> tuple[KnownColumn, ...] | None:
        if self._catalog is None:
            return None
        if not self._use_catalog_of_models and node.resource_type not in NOT_BUILT_BY_QUERIES:
            return None
        columns = self._catalog.columns(node.unique_id)
        if columns is None and node.resource_type in NOT_BUILT_BY_QUERIES:
            entries = (self._catalog.columns(other.unique_id) for other in self._declared.same_relation(node))
            columns = next((entry for entry in entries if entry is not None), None)
        if columns is None:
            return None
        return self._listed(node, columns, Evidence.CATALOG)

    def _listed(self, node: Node, columns: Iterable[CatalogColumn], evidence: Evidence) -> tuple[KnownColumn, ...]:
        """The columns that a warehouse listed."""
        listed = (
            KnownColumn(
                name=column.name,
                evidence=evidence,
                data_type=column.type or None,
                tags=self._tags(node, column.name),
            )
            for column in columns
        )
        return tables_own(self.adapter, listed)

    def _own(self, node: Node) -> Known | None:
        """A contract or the catalog, for children that read all columns of the node."""
        contract = self._contract(node)
        if contract is not None:
            others = why_more(node, self._history(node))
            return Known(names=tuple(column.name for column in contract), others=others)
        columns = self._cataloged(node)
        if columns is None:
            return self._without_sql(node, columns) if node.resource_type in NOT_BUILT_BY_QUERIES else None
        names = tuple(column.name for column in columns)
        unsure = not self._fresh and node.resource_type not in NOT_BUILT_BY_QUERIES
        return Known(names=names, reasons=(f"{node.name}: {STALE}",) if unsure else (), dated=not self._fresh)

    def _history(self, node: Node) -> History:
        """How the node's table follows its SQL."""
        if self._overridden is None:
            self._overridden = _overridden(self._manifest)
        return history_of(node, overridden=self._overridden)

    def _built(self, node: Node, known: Known) -> Known:
        return as_built(
            self.adapter, node, known, self._history(node), asks=self._introspection.reason(node) if known.names else ""
        )

    def _aged(self, node: Node, known: Known, cataloged: tuple[str, ...]) -> Known:
        return with_old_catalog(known, cataloged, self._history(node), self.adapter.key)

    def _elsewhere(self, table: tuple[str, ...]) -> Known | None:
        """What the catalog says of a table that is no declared parent, but a seed or source of the project."""
        node = self._declared.named(table, kinds=NOT_BUILT_BY_QUERIES)
        return None if node is None else self._own(node)

    def _tags(self, node: Node, name: str) -> tuple[str, ...]:
        """The tags that the project's YAML gives a column, its name compared as the warehouse compares."""
        tagged = self._tagged.get(node.unique_id)
        if tagged is None:
            tagged = self._tagged[node.unique_id] = {}
            for column in node.columns.values():
                if column.tags:
                    path = nested_path(self.adapter, column.name)
                    folded = (path[0] if path else column.name).casefold()
                    tagged[folded] = tuple(dict.fromkeys((*tagged.get(folded, ()), *column.tags)))
        return tagged.get(name.casefold(), ()) if tagged else ()

    def _shape(self, node: Node) -> Shape:
        if node.unique_id not in self._shapes:
            self._shapes[node.unique_id] = self._reader.shape(node.compiled_code or "")
        return self._shapes[node.unique_id]


def _overridden(manifest: Manifest) -> frozenset[str]:
    """The materializations that neither dbt nor an adapter defines, those of dbt's own names too."""
    own = {"dbt", *(f"dbt_{name}" for name in ADAPTERS)}
    found = set()
    for unique_id in manifest.macros:
        package, _, name = unique_id.removeprefix("macro.").partition(".")
        if name.startswith("materialization_") and package not in own:
            made, _, adapter = name.removeprefix("materialization_").rpartition("_")
            if adapter in {"default", manifest.adapter_type}:
                found.add(made)
    return frozenset(found)


def seed_columns(adapter: Adapter, node: Node, names: tuple[str, ...] | str) -> Known:
    """The columns of a seed with these names in its file; nothing where there is a reason instead."""
    if isinstance(names, str):
        return Known(reasons=(f"{node.name}: a seed {names}",))
    declared = node.config.get("quote_columns")
    quoting = declared if isinstance(declared, bool) else adapter.seeds_quoted
    choices = (True, False) if quoting is None else (quoting,)
    stored = {tuple(adapter.stored(name, quoted=quoted) for name in names) for quoted in choices}
    if len(stored) > 1:
        return Known(reasons=(f"{node.name}: a seed whose `quote_columns` is not set",))
    return Known(names=stored.pop())
