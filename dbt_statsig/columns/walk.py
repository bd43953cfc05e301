"""The walk over a parsed query: projections and FROM only, CTEs resolved on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlglot import exp

from dbt_statsig.columns.budget import MAX_JOINS, Unparsable
from dbt_statsig.columns.from_clause import (
    NOTHING,
    Scope,
    Source,
    alias_of,
    combine,
    function_items,
    is_function,
    pivoted,
    simple_pivot,
    values_items,
)
from dbt_statsig.columns.items import AliasColumns, Drop, Items, Name, Opaque, Shape, Star, TooWide, group, together
from dbt_statsig.columns.operations import distinct, drop, place
from dbt_statsig.columns.projections import project
from dbt_statsig.columns.sql import FINAL, SET_OPERATIONS, Node, arg, is_query, parse_statements, quiet, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dbt_statsig.vocabulary.adapters import Adapter

_JOIN_WORDS = ("kind", "side", "method", "on", "using", "pivots")
_PIVOTED = Scope(sources=(), everything=(Opaque("a PIVOT behind a join"),), plain=False)
_CHANGES = ("METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID")


class Walker:
    """Walks queries of one adapter. `seen`, if given, gets each SELECT with its scope and the CTEs in force."""

    def __init__(
        self, adapter: Adapter, *, seen: Callable[[Node, Scope, Mapping[str, Items]], None] | None = None
    ) -> None:
        """Walk by the rules of `adapter`, which has a dialect."""
        self.adapter = adapter
        self._seen = seen

    def query(self, node: Node, ctes: Mapping[str, Items]) -> Items:
        """The items that a query gives, `ctes` being in force. Raises TooWide."""
        current: Node = node
        operations: list[tuple[Node, Mapping[str, Items]]] = []
        while True:
            ctes = self._with(current, ctes)
            if isinstance(current, SET_OPERATIONS):
                operations.append((current, ctes))
                current = current.this
            elif isinstance(current, exp.Paren) or (
                isinstance(current, exp.Subquery) and is_query(current.this) and not _decorated(current)
            ):
                current = current.this
            else:
                break
        items = self._simple(current, ctes)
        for operation, in_force in reversed(operations):
            if self._seen is not None:
                self.query(operation.expression, in_force)
            items = self._set_operation(operation, items, in_force)
        return items

    def _simple(self, node: Node, ctes: Mapping[str, Items]) -> Items:
        if isinstance(node, exp.Select):
            return self._select(node, ctes)
        if isinstance(node, (exp.Subquery, exp.Table)):
            return self._joined(node, ctes).everything
        if isinstance(node, exp.Values):
            return values_items(self.adapter, node)
        if isinstance(node, exp.Pivot) and node.this is not None:
            return simple_pivot(self.adapter, self._derived(self._joined(node.this, ctes).everything), node)
        kind = type(node).__name__.upper()  # pragma: no cover - a kind of query that no version so far has
        return (Opaque(f"a query of the kind {kind}"),)  # pragma: no cover - the same

    def _with(self, node: Node, ctes: Mapping[str, Items]) -> Mapping[str, Items]:
        clause = arg(node, "with")
        if clause is None:
            return ctes
        extended = dict(ctes)
        own: set[str] = set()
        for cte in clause.expressions:
            if cte.args.get("scalar") or not cte.alias:
                continue
            name = cte.alias.casefold()
            body = cte.this
            items = self.query(body, extended) if is_query(body) else (Opaque("a CTE that is not a query"),)
            twice = name in own
            own.add(name)
            extended[name] = (
                (Opaque(f"two CTEs are called {cte.alias}"),) if twice else self._derived(self._placed(items, cte))
            )
        return extended

    def _set_operation(self, node: Node, left: Items, ctes: Mapping[str, Items]) -> Items:
        if not node.args.get("by_name"):
            return left
        side, kind = str(node.args.get("side") or "").upper(), str(node.args.get("kind") or "").upper()
        if node.args.get("on"):
            return (Opaque("BY NAME ON (…)"),)
        if self.adapter.by_name_keeps_left and side != "FULL":
            if kind != "INNER":
                return left
            return (group("common", left, self.query(node.expression, ctes)),)
        return (group("by_name", left, self.query(node.expression, ctes)),)

    def _select(self, node: Node, ctes: Mapping[str, Items]) -> Items:
        if arg(node, "match") or str(node.args.get("kind") or "").upper() == "VALUE":
            return (Opaque("MATCH_RECOGNIZE or SELECT AS VALUE"),)
        scope = self._from(node, ctes) if not node.args.get("pivots") else _PIVOTED
        if self._seen is not None:
            self._seen(node, scope, ctes)
        items = together(*(project(self.adapter, entry, scope) for entry in node.expressions))
        exclude = node.args.get("exclude")
        if exclude:
            gone = frozenset(self.adapter.key(stored(self.adapter, entry)) for entry in exclude)
            items = drop(self.adapter, items, Drop(gone))
        return items

    def _from(self, node: Node, ctes: Mapping[str, Items]) -> Scope:
        clause = arg(node, "from")
        if clause is None:
            return NOTHING
        return self._joins(clause.this, [*(node.args.get("joins") or ()), *(node.args.get("laterals") or ())], ctes)

    def _joined(self, node: Node, ctes: Mapping[str, Items]) -> Scope:
        """One entry of FROM with the joins that stand inside its own brackets."""
        return self._joins(node, [], ctes)

    def _joins(
        self, first: Node, joins: list[Node], ctes: Mapping[str, Items], before: tuple[Source, ...] = ()
    ) -> Scope:
        """A FROM clause; `before` are the entries that stand to the left of it."""
        done = Scope(sources=(), everything=())
        scope = self._sources(first, ctes, before)
        following = [*(first.args.get("joins") or ()), *(first.args.get("laterals") or ()), *joins]
        if len(following) > MAX_JOINS:
            raise Unparsable(f"it has more than {MAX_JOINS:,} joins")
        for join in following:
            if _is_comma(join):
                # A comma binds weaker than JOIN: what follows joins the entry behind it only.
                done = _beside(done, scope)
                scope = self._joins(join.this, [], ctes, before + done.sources)
            else:
                scope = self._join(scope, join, ctes, before + done.sources)
        return _beside(done, scope)

    def _join(self, left: Scope, join: Node, ctes: Mapping[str, Items], before: tuple[Source, ...]) -> Scope:
        before = before + left.sources
        if not isinstance(join, exp.Join):
            return _beside(left, self._sources(join, ctes, before))
        if join.args.get("pivots") or (join.this.args.get("pivots") and _is_bare(join)):
            return _PIVOTED
        right = self._joins(join.this, [], ctes, before)
        kind = str(join.args.get("kind") or "").upper()
        if kind in {"SEMI", "ANTI"}:
            if self.adapter.semi_shows_both or str(join.args.get("side") or "").upper() == "RIGHT":
                everything: Items = (Opaque(f"a {kind} join"),)
                return Scope(sources=left.sources + right.sources, everything=everything, plain=False)
            sources = (*left.sources, *(_hidden(source) for source in right.sources))
            return replace(left, sources=sources)
        if kind == "ARRAY":
            return replace(left, everything=(*left.everything, Opaque("ARRAY JOIN")), plain=False)
        using = tuple(stored(self.adapter, column) for column in join.args.get("using") or ())
        natural = str(join.args.get("method") or "").upper() == "NATURAL"
        everything = combine(self.adapter, left.everything, right.everything, using=using, natural=natural)
        sources = left.sources + right.sources
        keys = frozenset(map(self.adapter.key, using))
        if self.adapter.using_leaves and using:
            sources = tuple(replace(one, items=drop(self.adapter, one.items, Drop(keys))) for one in sources)
        return Scope(
            sources=sources,
            everything=everything,
            plain=left.plain and right.plain and not natural,
            using=left.using | right.using | keys,
        )

    def _sources(self, node: Node, ctes: Mapping[str, Items], before: tuple[Source, ...]) -> Scope:
        """One entry of FROM without the joins that follow it."""
        if FINAL is not None and type(node) is FINAL:
            return self._sources(node.this, ctes, before)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not _alias(node):
            inner = self._joined(node.this, ctes)
            return inner if not node.args.get("pivots") else self._entry(node, inner.everything)
        return self._entry(node, self._items(node, ctes, before))

    def _entry(self, node: Node, items: Items) -> Scope:
        """One entry of FROM as a scope: its PIVOTs, alias and alias columns applied."""
        alias = _alias(node) or (node.name if isinstance(node, exp.Table) else "")
        if not (isinstance(node, (exp.Values, exp.Lateral, exp.Unnest)) or is_function(node)):
            items = self._derived(self._placed(items, node))
        for pivot in node.args.get("pivots") or ():
            items = pivoted(self.adapter, self._derived(items), pivot)
            named = alias_of(pivot)
            if named is not None:
                alias = named.name or alias
                items = self._columns_named(items, named.args.get("columns") or ())
        return Scope(sources=(Source(alias=alias, items=items),), everything=items)

    def _items(  # noqa: PLR0911 - one for each kind of entry
        self, node: Node, ctes: Mapping[str, Items], before: tuple[Source, ...]
    ) -> Items:
        if is_function(node):
            return function_items(self.adapter, node)
        if isinstance(node, exp.Table):
            return self._table(node, ctes, before)
        if isinstance(node, exp.Subquery):
            inner = self._with(node, ctes)
            if is_query(node.this):
                return self.query(node.this, inner)
            return self._joined(node.this, inner).everything
        if isinstance(node, exp.Values):
            return values_items(self.adapter, node)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            return self._placed(self._items(node.this, ctes, before), node)
        if is_query(node):
            return self.query(node, ctes)
        return (Opaque(f"{type(node).__name__.upper()} in FROM"),)

    def _table(self, node: Node, ctes: Mapping[str, Items], before: tuple[Source, ...]) -> Items:
        parts = tuple(part.name for part in (arg(node, "catalog"), arg(node, "db"), node.this) if part is not None)
        if not isinstance(node.this, exp.Identifier) or not all(parts):
            return (Opaque("a table that is not given by its name"),)
        if len(parts) == 1 and parts[0].casefold() in ctes:
            return ctes[parts[0].casefold()]
        if (
            self.adapter.correlated_tables
            and any(source.alias and source.alias.casefold() == parts[0].casefold() for source in before)
            and len(parts) > 1
        ):
            return (Opaque(f"the array {'.'.join(parts)}"),)
        added = _CHANGES if node.args.get("changes") else ()
        return (Star(parts), *(Name(name) for name in added))

    def _placed(self, items: Items, node: Node) -> Items:
        alias = arg(node, "alias")
        columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
        return self._columns_named(items, columns or ())

    def _columns_named(self, items: Items, columns: list[Node] | tuple[Node, ...]) -> Items:
        if not columns:
            return items
        names = tuple(stored(self.adapter, column) for column in columns)
        return place(items, AliasColumns(names, exact=not self.adapter.short_lists))

    def _derived(self, items: Items) -> Items:
        """The items as a table in FROM gives them on."""
        return distinct(self.adapter, items) if self.adapter.numbers_repeats else items


def _alias(node: Node) -> str:
    alias = arg(node, "alias")
    return str(alias.name) if isinstance(alias, exp.Expression) else ""


def _decorated(node: Node) -> bool:
    """Whether a query in brackets has an alias or a PIVOT of its own."""
    return bool(node.args.get("alias") or node.args.get("pivots") or node.args.get("joins"))


def _beside(left: Scope, right: Scope) -> Scope:
    """Both, one after the other."""
    return Scope(
        sources=left.sources + right.sources,
        everything=together(left.everything, right.everything),
        plain=left.plain and right.plain,
        using=left.using | right.using,
    )


def _is_comma(join: Node) -> bool:
    """Whether entries of FROM are only listed."""
    return isinstance(join, exp.Join) and not any(join.args.get(name) for name in _JOIN_WORDS)


def _is_bare(join: Node) -> bool:
    """Whether a join has neither ON nor USING nor a comma: a PIVOT behind it may be one of the whole join."""
    conditions = join.args.get("on") or join.args.get("using")
    return not conditions and bool(join.args.get("kind") or join.args.get("method"))


def _hidden(source: Source) -> Source:
    return replace(source, visible=False)


_NOT_READ = {"|>": "pipe syntax is not read", "\0": "the SQL contains a NUL character"}


def shape_of(adapter: Adapter, sql: str) -> Shape:
    """The shape of the last query in `sql`; one opaque item with the reason where it is not known. Never raises."""
    if adapter.dialect is None:
        return _unknown_shape(adapter.note)
    for sign, reason in _NOT_READ.items():
        if sign in sql:
            return _unknown_shape(reason)
    try:
        return Shape(items=_items(adapter, sql.lstrip("\ufeff"), adapter.dialect))
    except Unparsable as error:
        place = f" at line {error.line}" if error.line else ""
        return _unknown_shape(f"the SQL does not parse{place}: {error.message}")
    except TooWide:
        return _unknown_shape("the query has more columns than any warehouse allows")


def _items(adapter: Adapter, sql: str, dialect: str) -> Items:
    queries = [node for node in parse_statements(sql, dialect) if is_query(node)]
    if not queries:
        return (Opaque("the SQL contains no query"),)
    with quiet():
        return Walker(adapter).query(queries[-1], {})


def _unknown_shape(reason: str) -> Shape:
    return Shape(items=(Opaque(reason),))
