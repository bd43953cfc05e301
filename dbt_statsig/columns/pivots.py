"""What PIVOT and UNPIVOT make of a table's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dbt_statsig.columns.items import Drop, Items, Name, Opaque
from dbt_statsig.columns.operations import drop
from dbt_statsig.columns.sql import Node, arg, pivot_fields, stored

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.adapters import Adapter

_UNKNOWN: Items = (Opaque("a PIVOT whose columns come from data"),)


def pivoted(adapter: Adapter, items: Items, pivot: Node) -> Items:
    """The items after one PIVOT or UNPIVOT clause of a table."""
    if not pivot_fields(pivot):
        return _UNKNOWN
    return _unpivot(adapter, items, pivot) if pivot.args.get("unpivot") else _pivot(adapter, items, pivot)


def simple_pivot(adapter: Adapter, items: Items, pivot: Node) -> Items:
    """DuckDB's `UNPIVOT t ON a, b`; its `PIVOT t ON a` has columns that come from data."""
    gone = pivot.expressions
    if not pivot.args.get("unpivot") or not all(isinstance(column, exp.Column) for column in gone):
        return _UNKNOWN
    if any(isinstance(column.this, exp.Star) for column in gone):
        return _UNKNOWN
    into = pivot.args.get("into")
    added = ["name", "value"] if into is None else [stored(adapter, name) for name in (into.this, *into.expressions)]
    return _without(adapter, items, gone) + tuple(Name(name) for name in added)


def _pivot(adapter: Adapter, items: Items, pivot: Node) -> Items:
    columns = pivot.args.get("columns")
    fields = pivot_fields(pivot)
    if not columns or len(fields) != 1 or not all(_told(adapter, value) for value in fields[0].expressions):
        return _UNKNOWN
    aliased = any(isinstance(aggregate, exp.Alias) for aggregate in pivot.expressions)
    if (aliased or len(pivot.expressions) > 1) and not adapter.pivot_aliases:
        return _UNKNOWN
    used = [column for part in (*pivot.expressions, fields[0].this) for column in part.find_all(exp.Column)]
    names = tuple(Name(stored(adapter, column)) for column in columns)
    return _without(adapter, items, used) + names


def _told(adapter: Adapter, value: Node) -> bool:
    """Whether the column that an IN value makes can be read from the text."""
    if isinstance(value, exp.Literal):
        return bool(value.is_string) or adapter.pivot_numbers
    if isinstance(value, (exp.PivotAlias, exp.Alias)):
        return True
    return isinstance(value, (exp.Column, exp.Identifier)) and value.name.upper() != "ANY"


def _unpivot(adapter: Adapter, items: Items, pivot: Node) -> Items:
    fields = pivot_fields(pivot)
    gone = [column for value in fields[0].expressions for column in _columns(value)]
    if len(fields) != 1 or any(column is None for column in gone):
        return _UNKNOWN
    values = [name for value in pivot.expressions for name in (value.expressions or [value])]
    order = (*values, fields[0].this) if adapter.unpivot_values_first else (fields[0].this, *values)
    added = [stored(adapter, name) for name in order]
    return _without(adapter, items, gone) + tuple(Name(name) for name in added)


def _columns(value: Node) -> list[Node | None]:
    """The columns in one entry of UNPIVOT's IN; None for what is none."""
    inner = value.this if isinstance(value, (exp.PivotAlias, exp.Alias)) else value
    entries = inner.expressions if isinstance(inner, exp.Tuple) else [inner]
    return [entry if isinstance(entry, (exp.Column, exp.Identifier)) else None for entry in entries]


def _without(adapter: Adapter, items: Items, columns: list[Node]) -> Items:
    # Engines match these names without case, whatever their rule for other identifiers is.
    gone = frozenset(stored(adapter, column).casefold() for column in columns)
    return drop(adapter, items, Drop(gone, loose=True))


def alias_of(pivot: Node) -> Node | None:
    """The TableAlias of a PIVOT clause."""
    alias: Node | None = arg(pivot, "alias")
    return alias
