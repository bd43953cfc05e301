"""Shapes with the tables' columns put in the place of their stars. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.items import (
    MAX_ITEMS,
    Anonymous,
    Distinct,
    Group,
    Item,
    Items,
    Name,
    Opaque,
    Star,
    TooWide,
    all_named,
)
from dbt_statsig.columns.operations import apply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dbt_statsig.columns.adapters import Adapter
    from dbt_statsig.columns.items import Op


class Known(Struct, frozen=True, kw_only=True):
    """The stored names of a table's columns, in order.

    `reasons` is empty exactly when there are no others. `dated` says that the list rests on a catalog that is older
    than the manifest, so that it shows what there is but proves nothing absent.
    """

    names: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    dated: bool = False

    @property
    def closed(self) -> bool:
        """Whether there are no other columns."""
        return not self.reasons


def tables_of(items: Items) -> Iterator[tuple[str, ...]]:
    """The tables whose columns the items need."""
    waiting, seen = [items], set()
    while waiting:
        for item in waiting.pop():
            if isinstance(item, Star):
                yield item.table
            elif isinstance(item, Group) and id(item) not in seen:
                seen.add(id(item))
                waiting.extend(item.parts)


def expand(adapter: Adapter, items: Items, tables: Callable[[tuple[str, ...]], Known]) -> Known:
    """The columns that the items mean, `tables` giving those of each table. Raises TooWide."""
    expansion = _Expansion(adapter, tables)
    flat = expansion.flat(items)
    reasons = [item.reason for item in flat if isinstance(item, (Opaque, Anonymous))]
    if adapter.dialect == "duckdb":
        flat = expansion.operate(flat, (Distinct(),))
    names = [item.name for item in flat if isinstance(item, Name)]
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(adapter.key(name), name)
    if len(first) < len(names):
        reasons.append("one name is given to several columns")
    return Known(names=tuple(first.values()), reasons=tuple(dict.fromkeys(reasons)), dated=expansion.dated)


class _Expansion:
    """One run of `expand`; remembers groups that stand in several places."""

    def __init__(self, adapter: Adapter, tables: Callable[[tuple[str, ...]], Known]) -> None:
        self._adapter = adapter
        self._tables = tables
        self._groups: dict[int, Items] = {}
        self.dated = False

    def flat(self, items: Items) -> Items:
        """Names, anonymous and opaque items only."""
        out: list[Item] = []
        for item in items:
            if isinstance(item, Star):
                out.extend(self.operate(self._star(item), item.ops))
            elif isinstance(item, Group):
                out.extend(self._group(item))
            else:
                out.append(item)
            if len(out) > MAX_ITEMS:
                raise TooWide
        return tuple(out)

    def _star(self, star: Star) -> Items:
        known = self._tables(star.table)
        self.dated = self.dated or known.dated
        return (*(Name(name) for name in known.names), *(Opaque(reason) for reason in known.reasons))

    def _group(self, group: Group) -> Items:
        if id(group) not in self._groups:
            parts = [self.flat(part) for part in group.parts]
            self._groups[id(group)] = self.operate(self._put_together(group.mode, parts), group.ops)
        return self._groups[id(group)]

    def _put_together(self, mode: str, parts: list[Items]) -> Items:
        if mode == "concat":
            return tuple(item for part in parts for item in part)
        left, right = parts
        has_left, has_right = self._keys(left), self._keys(right)
        if mode == "by_name":
            return left + tuple(item for item in right if not self._is_in(item, has_left))
        told = all(isinstance(item, Name) for item in (*left, *right))
        if not told:
            return (*left, Opaque("a join or union by the names of columns that are not all known"))
        if mode == "common":
            return tuple(item for item in left if self._is_in(item, has_right))
        return left + tuple(item for item in right if not self._is_in(item, has_left))

    def _keys(self, items: Items) -> set[str]:
        return {self._adapter.key(item.name) for item in items if isinstance(item, Name)}

    def _is_in(self, item: Item, keys: set[str]) -> bool:
        return isinstance(item, Name) and self._adapter.key(item.name) in keys

    def operate(self, items: Items, ops: tuple[Op, ...]) -> Items:
        """The flat items after the operations."""
        for op in ops:
            if isinstance(op, Distinct) and not all_named(items):
                items = self._distinct_open(items)
            else:
                items = apply(self._adapter, items, op)
        return items

    def _distinct_open(self, items: Items) -> Items:
        """Numbered as far as the names go; which names the unknown columns take is not known."""
        open_from = next(place for place, item in enumerate(items) if isinstance(item, Opaque))
        told = apply(self._adapter, items[:open_from], Distinct())
        seen = self._keys(told)
        rest: list[Item] = []
        for item in items[open_from:]:
            if not self._is_in(item, seen):
                rest.append(item)
                seen |= self._keys((item,))
        return told + tuple(rest)
