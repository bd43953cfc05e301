"""EXCEPT, RENAME and the like on shapes: applied at once to names, kept for later on stars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.columns.items import (
    AliasColumns,
    Anonymous,
    Distinct,
    Drop,
    Group,
    Item,
    Items,
    Name,
    Once,
    Opaque,
    Rename,
    Star,
    all_named,
    group,
)

if TYPE_CHECKING:
    from dbt_statsig.columns.items import Op
    from dbt_statsig.vocabulary.adapters import Adapter


def apply(adapter: Adapter, items: Items, op: Op) -> Items:
    """The items after `op`."""
    if isinstance(op, Drop):
        return drop(adapter, items, op)
    if isinstance(op, Once):
        return once(adapter, items, op)
    if isinstance(op, Rename):
        return rename(adapter, items, op)
    if isinstance(op, AliasColumns):
        return place(items, op)
    return distinct(adapter, items)


def later(item: Star | Group, op: Op) -> Star | Group:
    """The star or group with one more operation to come."""
    if isinstance(item, Star):
        return Star(item.table, (*item.ops, op))
    return Group(item.mode, item.parts, item.size, (*item.ops, op), item.alias)


def drop(adapter: Adapter, items: Items, op: Drop) -> Items:
    """Without the named columns."""
    if not op.keys:
        return items
    kept: list[Item] = []
    if adapter.qualifies_joined and len(items) > 1:
        if any(isinstance(item, (Star, Group)) for item in items):
            return (group("concat", items, ops=(op,)),)
        keys = [adapter.key(item.name) for item in items if isinstance(item, Name)]
        if any(keys.count(key) > 1 for key in op.keys):
            # An alias that repeats a column's name: ClickHouse puts the table's name before the column.
            kept.append(Opaque("a star without a name that several columns have"))
    for item in items:
        if isinstance(item, (Star, Group)):
            kept.append(later(item, op))
        elif (
            not isinstance(item, Name) or (item.name.casefold() if op.loose else adapter.key(item.name)) not in op.keys
        ):
            kept.append(item)
    return tuple(kept)


def once(adapter: Adapter, items: Items, op: Once) -> Items:
    """Without later columns of the same names; for later where tables are to come."""
    if any(isinstance(item, (Star, Group)) for item in items):
        alone = len(items) == 1 and isinstance(items[0], Star)
        return items if alone else (group("concat", items, ops=(op,)),)
    seen: set[str] = set()
    kept: list[Item] = []
    for item in items:
        key = adapter.key(item.name) if isinstance(item, Name) else ""
        if key in op.keys and key in seen:
            continue
        seen.add(key)
        kept.append(item)
    return tuple(kept)


def rename(adapter: Adapter, items: Items, op: Rename) -> Items:
    """With the pairs' new names, in place."""
    new = dict(op.pairs)
    out: list[Item] = []
    for item in items:
        if isinstance(item, (Star, Group)):
            out.append(later(item, op))
        elif isinstance(item, Name) and adapter.key(item.name) in new:
            out.append(Name(new[adapter.key(item.name)], item.unsure))
        else:
            out.append(item)
    return tuple(out)


def place(items: Items, op: AliasColumns) -> Items:
    """With the first columns renamed, as far as their places are known."""
    names: Items = tuple(Name(name) for name in op.names)
    if op.exact:
        return names
    if all_named(items) or (all_named(items[: len(names)]) and len(items) >= len(names)):
        return names[: len(items)] + items[len(names) :]
    if any(isinstance(item, Opaque) for item in items):
        certain = sum(isinstance(item, (Name, Anonymous)) for item in items)
        return (*names[:certain], Opaque("a list of alias columns over columns that are not known"))
    return (group("concat", items, ops=(op,)),)


def distinct(adapter: Adapter, items: Items) -> Items:
    """With repeated names numbered."""
    if len(items) == 1 and isinstance(items[0], Star) and not items[0].ops:
        return items
    if not all_named(items):
        first, rest = items[0], items[1:]
        if isinstance(first, Group) and first.mode == "concat" and first.ops == (Distinct(),):
            # Numbering goes from left to right, so numbering a numbered prefix again changes nothing: long chains
            # of CTEs stay flat.
            return (group("concat", *first.parts, rest, ops=first.ops),)
        return (group("concat", items, ops=(Distinct(),)),)
    if len({adapter.key(item.name) for item in items if isinstance(item, Name)}) == len(items):
        return items
    named = numbered(adapter, [item.name if isinstance(item, Name) else None for item in items])
    return tuple(
        Anonymous("an unnamed column") if name is None else Name(name, isinstance(item, Name) and item.unsure)
        for name, item in zip(named, items, strict=True)
    )


def numbered(adapter: Adapter, names: list[str | None]) -> list[str | None]:
    """Repeated names with `_1`, `_2` … behind them; None is a column without a known name."""
    seen: set[str] = set()
    counts: dict[str, int] = {}
    out: list[str | None] = []
    for name in names:
        if name is None:
            out.append(None)
            continue
        unique, base = name, adapter.key(name)
        while adapter.key(unique) in seen:
            counts[base] = counts.get(base, 0) + 1
            unique = f"{name}_{counts[base]}"
        seen.add(adapter.key(unique))
        out.append(unique)
    return out
