"""What a star gives: of all entries of FROM or of one, with EXCEPT, RENAME and REPLACE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dbt_statsig.columns.items import Drop, Items, Once, Opaque, Rename, group, tables_of, together
from dbt_statsig.columns.operations import drop, once, rename
from dbt_statsig.columns.sql import Node, arg, stored

if TYPE_CHECKING:
    from dbt_statsig.columns.from_clause import Scope, Source
    from dbt_statsig.vocabulary.adapters import Adapter

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
