"""The tables of one FROM clause, as the SELECT list sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlglot import exp

from dbt_statsig.columns.items import Anonymous, Drop, Items, Name, Opaque, Place, group, together
from dbt_statsig.columns.operations import drop, place
from dbt_statsig.columns.sql import ROWS_OF_FUNCTION, Node, arg, stored

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
    return place(items, Place(_alias_columns(adapter, node)))


def function_items(adapter: Adapter, node: Node) -> Items:
    """The columns of a function in FROM, as far as its alias or its kind tells them."""
    names = _alias_columns(adapter, node)
    function = node.this
    if isinstance(node, exp.Unnest):
        return _unnest(adapter, node, names)
    if isinstance(node, exp.Lateral) and node.args.get("view"):
        return tuple(Name(name) for name in names) if names else (Opaque("LATERAL VIEW without a list of columns"),)
    if adapter.flatten and _is_flatten(function):
        return place(tuple(Name(name) for name in adapter.flatten), Place(names))
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
