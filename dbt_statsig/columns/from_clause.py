"""The tables of one FROM clause, as the SELECT list sees them, and what PIVOT and UNPIVOT make of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlglot import exp

from dbt_statsig.columns.items import AliasColumns, Anonymous, Drop, Items, Name, Opaque, group, together
from dbt_statsig.columns.operations import drop, place
from dbt_statsig.columns.sql import ROWS_OF_FUNCTION, Node, arg, pivot_fields, stored

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.adapters import Adapter


class Source(Struct, frozen=True, kw_only=True):
    """One entry of FROM: the name that qualifies its columns (empty: none), and what it gives.

    `visible` is False for the right side of a SEMI or ANTI join.
    """

    alias: str
    items: Items
    visible: bool = True


class Scope(Struct, frozen=True, kw_only=True):
    """All entries of FROM; `everything` is what `*` gives.

    `plain`: that is the entries' columns, one after the other, but for those of `using` (keys).
    """

    sources: tuple[Source, ...]
    everything: Items
    plain: bool = True
    using: frozenset[str] = frozenset()

    def named(self, alias: str) -> Source | Opaque | None:
        """The entry that is called so, or None where there is none."""
        wanted = alias.casefold()
        found = [source for source in self.sources if source.alias.casefold() == wanted]
        if len(found) > 1:
            return Opaque(f"two tables are called {alias}")
        return found[0] if found else None


NOTHING = Scope(sources=(), everything=(Opaque("a star without a table"),))


def combine(adapter: Adapter, left: Items, right: Items, *, using: tuple[str, ...], natural: bool) -> Items:
    """What `*` gives after one more join; `using` holds stored names."""
    if natural:
        return (group("natural", left, right),)
    if not using:
        return together(left, right)
    op = Drop(frozenset(adapter.key(name) for name in using))
    if adapter.using_in_place:
        return together(left, drop(adapter, right, op))
    merged: Items = tuple(Name(name) for name in using)
    return together(merged, drop(adapter, left, op), drop(adapter, right, op))


_ONE_COLUMN = (
    getattr(exp, "GenerateSeries", exp.Unnest),
    getattr(exp, "ExplodingGenerateSeries", exp.Unnest),
)


def is_function(node: Node) -> bool:
    """Whether an entry of FROM is a function and no table or query."""
    if isinstance(node, exp.Table):
        return isinstance(node.this, exp.Func)
    if isinstance(node, exp.Lateral):
        return not isinstance(node.this, exp.Subquery)
    return isinstance(node, exp.Unnest) or (ROWS_OF_FUNCTION is not None and isinstance(node, ROWS_OF_FUNCTION))


def values_items(adapter: Adapter, node: Node) -> Items:
    """The columns of `VALUES (…)`, its alias's list applied."""
    first = node.expressions[0] if node.expressions else None
    width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
    items: Items = tuple(Anonymous("a column of VALUES") for _ in range(width))
    if adapter.values_names is not None:
        prefix, start = adapter.values_names
        items = tuple(Name(f"{prefix}{number}") for number in range(start, start + width))
    return place(items, AliasColumns(_alias_columns(adapter, node)))


def function_items(adapter: Adapter, node: Node) -> Items:
    """The columns of a function in FROM, as far as its alias or its kind tells them."""
    names = _alias_columns(adapter, node)
    function = node.this
    if isinstance(node, exp.Unnest):
        return _unnest(adapter, node, names)
    if isinstance(node, exp.Lateral) and node.args.get("view"):
        return tuple(Name(name) for name in names) if names else (Opaque("LATERAL VIEW without a list of columns"),)
    if adapter.flatten and _is_flatten(function):
        return place(tuple(Name(name) for name in adapter.flatten), AliasColumns(names))
    alias = arg(node, "alias")
    typed = isinstance(alias, exp.TableAlias) and any(
        isinstance(column, exp.ColumnDef) for column in alias.args.get("columns") or ()
    )
    if names and (typed or isinstance(function, _ONE_COLUMN)):
        return tuple(Name(name) for name in names)
    return (*(Name(name) for name in names), Opaque("a function in FROM"))


def _unnest(adapter: Adapter, node: Node, names: tuple[str, ...]) -> Items:
    known = adapter.unnest_as_listed and names and not isinstance(node.args.get("offset"), exp.Expression)
    if known:
        return tuple(Name(name) for name in names)
    return (Opaque("UNNEST of what may be a struct"),)


def _is_flatten(function: Node) -> bool:
    if isinstance(function, (exp.Explode, getattr(exp, "Inline", exp.Explode))):
        return True
    return isinstance(function, exp.Anonymous) and function.name.upper() == "FLATTEN"


def _alias_columns(adapter: Adapter, node: Node) -> tuple[str, ...]:
    alias = arg(node, "alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    return tuple(stored(adapter, column) for column in columns or ())


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
    if not columns or len(fields) != 1 or not all(_is_written(adapter, value) for value in fields[0].expressions):
        return _UNKNOWN
    aliased = any(isinstance(aggregate, exp.Alias) for aggregate in pivot.expressions)
    if (aliased or len(pivot.expressions) > 1) and not adapter.pivot_aliases:
        return _UNKNOWN
    used = [column for part in (*pivot.expressions, fields[0].this) for column in part.find_all(exp.Column)]
    names = tuple(Name(stored(adapter, column)) for column in columns)
    return _without(adapter, items, used) + names


def _is_written(adapter: Adapter, value: Node) -> bool:
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
