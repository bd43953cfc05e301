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
    from collections.abc import Callable
    from typing import TypeGuard

    from dbt_statsig.columns.items import Op
    from dbt_statsig.vocabulary.adapters import Adapter


class Known(Struct, frozen=True, kw_only=True):
    """The stored names of a table's columns, in order.

    `reasons` is empty exactly when all that the SQL gives is named, `others` exactly when the table has no more than
    that. The table may lack `unsure` names. `dated` says that the list rests on a catalog that is older than the
    manifest, so that it shows what there is but proves nothing absent. `fields` are paths below the columns (BigQuery).
    """

    names: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    unsure: frozenset[str] = frozenset()
    dated: bool = False
    fields: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether there are no other columns."""
        return not self.reasons and not self.others


def expand(adapter: Adapter, items: Items, tables: Callable[[tuple[str, ...]], Known]) -> Known:
    """The columns that the items mean, `tables` giving those of each table. Raises TooWide."""
    expansion = _Expansion(adapter, tables)
    flat = expansion.flat(items)
    reasons = [item.reason for item in flat if isinstance(item, Anonymous) or _is_open(item)]
    if adapter.numbers_repeats:
        flat = expansion.operate(flat, (Distinct(),))
        reasons += [item.reason for item in flat if _is_open(item)]
    others = [item.reason for item in flat if isinstance(item, Opaque) and item.beyond]
    named = [item for item in flat if isinstance(item, Name)]
    first: dict[str, Name] = {}
    for item in named:
        first.setdefault(adapter.key(item.name), item)
    if len(first) < len(named):
        reasons.append("several columns have the same name")
    return Known(
        names=tuple(item.name for item in first.values()),
        reasons=tuple(dict.fromkeys(reasons)),
        others=tuple(dict.fromkeys(others)),
        unsure=frozenset(item.name for item in first.values() if item.unsure),
        dated=expansion.dated,
        fields=_fields(items, tables),
    )


def _fields(items: Items, tables: Callable[[tuple[str, ...]], Known]) -> tuple[str, ...]:
    """The paths below the columns of a table that is taken as it is."""
    only = items[0] if len(items) == 1 else None
    return tables(only.table).fields if isinstance(only, Star) and not only.ops else ()


def _is_open(item: Item) -> TypeGuard[Opaque]:
    return isinstance(item, Opaque) and not item.beyond


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
        return (
            *(Name(name, name in known.unsure) for name in known.names),
            *(Opaque(reason) for reason in known.reasons),
            *(Opaque(reason, beyond=True) for reason in known.others),
        )

    def _group(self, group: Group) -> Items:
        if id(group) not in self._groups:
            parts = [self.flat(part) for part in group.parts]
            self._groups[id(group)] = self.operate(self._put_together(group, parts), group.ops)
        return self._groups[id(group)]

    def _put_together(self, group: Group, parts: list[Items]) -> Items:
        mode = group.mode
        if mode == "concat":
            return tuple(item for part in parts for item in part)
        if mode in {"joined", "leading"}:
            return self._joined(group.alias, parts, leading=mode == "leading")
        left, right = parts
        has_left, has_right = self._keys(left), self._keys(right)
        if mode == "by_name":
            return left + tuple(item for item in right if not self._is_in(item, has_left))
        resolved = all(isinstance(item, Name) for item in (*left, *right))
        if not resolved:
            return (*left, Opaque("a join or union by the names of columns that are not all known"))
        if mode == "common":
            return tuple(item for item in left if self._is_in(item, has_right))
        return left + tuple(item for item in right if not self._is_in(item, has_left))

    def _joined(self, alias: str, parts: list[Items], *, leading: bool) -> Items:
        """The first part's columns as a ClickHouse join names them."""
        theirs: set[str] = set().union(*map(self._keys, parts[1:]))
        others = [item for part in parts[1:] for item in part]
        known = all(isinstance(item, Name) and "." not in item.name for item in others)
        # Where another table has a column of this table's name, or a path below one, the database is put before it too.
        alone = all(isinstance(item, Name) and item.name.partition(".")[0] != alias for item in others)
        unsure = Anonymous("a column that may keep its table's name before it")
        out: list[Item] = []
        for item in parts[0]:
            if not isinstance(item, Name):
                out.append(item)
            elif "." in item.name:
                out.append(unsure)
            elif leading:
                out.append(item)
            elif self._adapter.key(item.name) in theirs:
                out.append(Name(f"{alias}.{item.name}", item.unsure) if alias and alone else unsure)
            else:
                out.append(item if known else unsure)
        return tuple(out)

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
        open_from = next(index for index, item in enumerate(items) if isinstance(item, Opaque))
        resolved = apply(self._adapter, items[:open_from], Distinct())
        seen = self._keys(resolved)
        rest: list[Item] = []
        for item in items[open_from:]:
            if not self._is_in(item, seen):
                rest.append(item)
                seen |= self._keys((item,))
            elif not any(map(_is_open, items)):
                rest.append(Opaque("a repeated name behind columns that are not all known"))
        return resolved + tuple(rest)
