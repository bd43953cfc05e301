"""What one entry of a SELECT list gives; a star with its EXCEPT, RENAME and REPLACE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dbt_statsig.columns.from_clause import Source
from dbt_statsig.columns.items import Anonymous, Drop, Items, Name, Once, Opaque, Rename, group, tables_of, together
from dbt_statsig.columns.operations import drop, once, rename
from dbt_statsig.columns.sql import EXPANDED_COLUMNS, Node, arg, stored

if TYPE_CHECKING:
    from dbt_statsig.columns.from_clause import Scope
    from dbt_statsig.vocabulary.adapters import Adapter

_FUNCTIONS = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Max: "max",
    exp.Min: "min",
    exp.Avg: "avg",
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.RowNumber: "row_number",
}


def project(adapter: Adapter, node: Node, scope: Scope) -> Items:
    """The items that the SELECT-list entry `node` gives."""
    if isinstance(node, exp.Column):
        return _column(adapter, node, scope)
    if isinstance(node, exp.Alias):
        return _alias(adapter, node)
    if isinstance(node, exp.Star):
        return star(adapter, node, scope)
    if isinstance(node, exp.Aliases):
        return tuple(Name(stored(adapter, alias)) for alias in node.expressions)
    return _unnamed(adapter, node)


def _column(adapter: Adapter, node: Node, scope: Scope) -> Items:
    if adapter.qualifies_joined and node.table and not isinstance(node.this, exp.Star):
        return _qualified_column(adapter, node, scope)
    if not isinstance(node.this, exp.Star):
        return (_field(adapter, node.this),)
    found = scope.named(node.table) if not node.args.get("catalog") else None
    if found is None:
        return (Opaque(f"{node.table}.*: fields of a struct, or of a table that is not in FROM"),)
    return star(adapter, node.this, scope, found) if isinstance(found, Source) else (found,)


def _qualified_column(adapter: Adapter, node: Node, scope: Scope) -> Items:
    """A qualified column: a path below a column keeps the path, a column of a join may keep its table's name."""
    parts = [part for name in ("catalog", "db", "table", "this") if (part := arg(node, name)) is not None]
    names = [part.name for part in parts]
    place = next((at for at in range(len(names) - 1) if scope.named(names[at]) is not None), None)
    if place is not None and place + 1 < len(names) - 1 and scope.named(names[place + 1]) is not None:
        place += 1
    source = None if place is None else scope.named(names[place])
    own = names if place is None else names[place + 1 :]
    if isinstance(source, Opaque) or (place is None and len(parts) > 2):  # noqa: PLR2004 - a table that is not in FROM
        return (Opaque("a table that is not in FROM"),)
    path: Items = (_field(adapter, parts[-1]),) if len(own) == 1 else (Name(".".join(own)),)
    if len(scope.sources) == 1:
        return path
    if source is None or len(own) > 1 or (scope.using and len(scope.sources) > 2):  # noqa: PLR2004 - a join of two
        return (Anonymous("a column that may keep its table's name before it"),)
    return joined_names(scope, source, path)


def _field(adapter: Adapter, identifier: Node) -> Name | Anonymous:
    name = identifier.name
    if not name or name.startswith("$") or not isinstance(identifier, exp.Identifier):
        return Anonymous("a column given by its position")
    return Name(stored(adapter, identifier))


def _alias(adapter: Adapter, node: Node) -> Items:
    value = node.this
    if adapter.generators and _expands(value):
        return (Opaque("COLUMNS(…)"),)
    if adapter.unnest_spreads and (isinstance(value, (exp.Explode, exp.Unnest)) or _calls(value, "unnest")):
        return (Opaque("UNNEST of what may be a struct"),)
    return (Name(stored(adapter, node.args["alias"])),)


def _calls(node: Node, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def _expands(node: Node) -> bool:
    """Whether COLUMNS(…) is in the expression, outside of queries in it."""
    return any(
        (EXPANDED_COLUMNS is not None and isinstance(part, EXPANDED_COLUMNS)) or _calls(part, "columns")
        for part in node.walk(prune=lambda part: isinstance(part, exp.Query))
    )


def _unnamed(adapter: Adapter, node: Node) -> Items:
    """An expression without an alias: a name only where the warehouse is known to keep the column's."""
    if isinstance(node, exp.Dot):
        return _last_field(adapter, node)
    inner = node
    while (isinstance(inner, exp.Paren) and adapter.parentheses_keep_name) or (
        isinstance(inner, (exp.Cast, exp.TryCast)) and adapter.cast_keeps_name
    ):
        inner = inner.this
    if isinstance(inner, exp.Column) and not isinstance(inner.this, exp.Star):
        return (_field(adapter, inner.this),)
    named = _function_name(inner) if adapter.function_names else None
    if named is not None:
        return (Name(named),)
    if adapter.generators and (_expands(inner) or inner.find(exp.Func, exp.Star, exp.Unnest)):
        return (Opaque("an unnamed expression that may give several columns"),)
    return (Anonymous("an unnamed expression"),)


def _last_field(adapter: Adapter, node: Node) -> Items:
    if isinstance(node.expression, exp.Star):
        return (Opaque("all fields of a struct"),)
    if isinstance(node.expression, exp.Identifier) and not adapter.dot_loses_name:
        return (_field(adapter, node.expression),)
    return (Anonymous("an unnamed expression"),)


def _function_name(node: Node) -> str | None:
    """The name of the function that an expression is a call of, where sqlglot keeps it apart from its synonyms."""
    while isinstance(node, (exp.Window, exp.Filter)):
        node = node.this
    return _FUNCTIONS.get(type(node))


_STAR_FILTERS = ("ilike", "like")
_MERGED: Items = (Opaque("a star over a join that merges columns"),)


def star(adapter: Adapter, node: Node, scope: Scope, only: Source | None = None) -> Items:  # noqa: PLR0911 - one for each kind of star
    """`*` over everything in the scope, or over one entry of it."""
    if any(node.args.get(name) for name in _STAR_FILTERS):
        return (Opaque("a star that is filtered by a pattern"),)
    excepted, renamed = _listed(arg(node, "except")), _aliases(arg(node, "rename"))
    replaced = _aliases(node.args.get("replace"))
    if any(not isinstance(entry, (exp.Identifier, exp.Column)) for entry in excepted):
        return (Opaque("a star with an EXCEPT that is computed"),)
    qualified = [entry for entry in excepted if _qualifier(entry)]
    qualified += [entry for entry in renamed if _qualifier(entry.this)]
    known = [_qualifier(entry.this if isinstance(entry, exp.Alias) else entry) for entry in qualified]
    if any(scope.named(name) is None for name in known):
        if not adapter.except_fields or any(isinstance(entry, exp.Alias) for entry in qualified):
            return (Opaque("a star with a qualified name that no table in FROM has"),)
        excepted = [entry for entry in excepted if not _qualifier(entry) or scope.named(_qualifier(entry)) is not None]
        qualified = [entry for entry in excepted if _qualifier(entry)]
    operations = _Operations(adapter, excepted, renamed, replaced)
    joined = adapter.qualifies_joined and len(scope.sources) > 1
    if not qualified and not joined:
        return operations.apply(scope.everything if only is None else only.items)
    if not scope.plain or (scope.using and (qualified or len(scope.sources) > 2)) or (joined and replaced):  # noqa: PLR2004 - a join of two
        return _MERGED
    sources = [source for source in scope.sources if source.visible] if only is None else [only]
    parts = [operations.apply_to(source) for source in sources]
    if joined:
        if scope.using and only is None:
            parts = [parts[0], *(drop(adapter, part, Drop(scope.using)) for part in parts[1:])]
        parts = [joined_names(scope, source, part) for source, part in zip(sources, parts, strict=True)]
        return together(*parts)
    return operations.apply(together(*parts))


def joined_names(scope: Scope, source: Source, items: Items) -> Items:
    """Columns of one entry of a ClickHouse join: a name that another entry has too keeps the entry's name before it.

    Of two entries the left one's columns keep their own names. Executed with 26.9.
    """
    others = [other for other in scope.sources if other is not source]
    if not others:
        return items
    read = {table[-1] for other in others for table in tables_of(other.items)}
    # The same table twice: ClickHouse tells them apart by the database.
    twice = source.alias in read or any(table[-1] in read for table in tables_of(source.items))
    leading = len(others) == 1 and source is scope.sources[0] and not twice
    parts = [other.items for other in others]
    return (group("leading" if leading else "joined", items, *parts, alias="" if twice else source.alias),)


class _Operations:
    """EXCEPT, RENAME and REPLACE of one star."""

    def __init__(self, adapter: Adapter, excepted: list[Node], renamed: list[Node], replaced: list[Node]) -> None:
        self._adapter = adapter
        self._excepted = excepted
        self._renamed = renamed
        self._replaced = replaced

    def apply(self, items: Items) -> Items:
        """With the names that no table qualifies."""
        keys = self._keys([entry for entry in self._excepted if not _qualifier(entry)])
        items = drop(self._adapter, items, Drop(keys)) if keys else items
        replaced = self._keys([entry.args["alias"] for entry in self._replaced])
        items = once(self._adapter, items, Once(replaced)) if replaced and self._adapter.numbers_repeats else items
        pairs = self._pairs([entry for entry in self._renamed if not _qualifier(entry.this)])
        return rename(self._adapter, items, Rename(pairs)) if pairs else items

    def apply_to(self, source: Source) -> Items:
        """One table's columns, with the names that it qualifies; in ClickHouse with the others too."""
        alias = source.alias.casefold()
        own = [entry for entry in self._excepted if _qualifier(entry).casefold() == alias]
        if self._adapter.qualifies_joined:
            own = [entry for entry in self._excepted if _qualifier(entry).casefold() in ("", alias)]
        keys = self._keys(own)
        items = drop(self._adapter, source.items, Drop(keys)) if keys else source.items
        pairs = self._pairs([entry for entry in self._renamed if _qualifier(entry.this).casefold() == alias])
        return rename(self._adapter, items, Rename(pairs)) if pairs else items

    def _keys(self, entries: list[Node]) -> frozenset[str]:
        return frozenset(self._adapter.key(stored(self._adapter, entry)) for entry in entries)

    def _pairs(self, entries: list[Node]) -> tuple[tuple[str, str], ...]:
        return tuple(
            (self._adapter.key(stored(self._adapter, entry.this)), stored(self._adapter, entry.args["alias"]))
            for entry in entries
        )


def _qualifier(entry: Node) -> str:
    return str(entry.table) if isinstance(entry, exp.Column) else ""


def _aliases(value: object) -> list[Node]:
    return [entry for entry in _listed(value) if isinstance(entry, exp.Alias)]


def _listed(value: object) -> list[Node]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
