"""The shape of a query: the ordered list of what it gives, before the tables that it reads are known.

A shape is a tuple of items. Stars over tables stay as they are, with the operations (EXCEPT, RENAME, a list of
alias columns) that apply to them once the table's columns are known. Plain values: no SQL library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

# Far above the widest table of any warehouse; it only stops queries that double their width at each step.
MAX_ITEMS = 100_000


class TooWide(Exception):
    """A query that gives more columns than any warehouse allows."""


class Drop(Struct, frozen=True, tag=True, array_like=True):
    """Columns go: EXCEPT, EXCLUDE, the right-hand twins of USING. `loose` compares without case."""

    keys: frozenset[str]
    loose: bool = False


class Once(Struct, frozen=True, tag=True, array_like=True):
    """Of each of these columns only the first stays: what DuckDB's REPLACE does to a name that occurs twice."""

    keys: frozenset[str]


class Rename(Struct, frozen=True, tag=True, array_like=True):
    """Columns get other names: pairs of key and new stored name."""

    pairs: tuple[tuple[str, str], ...]


class AliasColumns(Struct, frozen=True, tag=True, array_like=True):
    """The first columns get these names: `AS t(a, b)`. With `exact` there are no others."""

    names: tuple[str, ...]
    exact: bool = False


class Distinct(Struct, frozen=True, tag=True, array_like=True):
    """A repeated name gets a number, as DuckDB does in a subquery."""


Op: TypeAlias = Drop | Once | Rename | AliasColumns | Distinct


class Name(Struct, frozen=True, tag=True, array_like=True):
    """One column with its stored name; `unsure` where the table that it comes from may lack it."""

    name: str
    unsure: bool = False


class Anonymous(Struct, frozen=True, tag=True, array_like=True):
    """Exactly one column, whose name the warehouse makes up."""

    reason: str


class Opaque(Struct, frozen=True, tag=True, array_like=True):
    """Any number of columns that the text does not tell.

    `beyond`: the SQL gives all that is named beside it, but the table may have more.
    """

    reason: str
    beyond: bool = False


class Star(Struct, frozen=True, tag=True, array_like=True):
    """All columns of a table: its name's parts as written, and what happens to them."""

    table: tuple[str, ...]
    ops: tuple[Op, ...] = ()


class Group(Struct, frozen=True, tag=True, array_like=True):
    """Items that can only be put together when their tables are known.

    `mode` is `concat`, `by_name` (left, then what only right has), `common` (what both have, for BY NAME INNER) or
    `natural` (the join), or `joined`: the first part's columns, with `alias` before names that the others have too
    (`leading`: without it).
    `size` counts the items inside.
    """

    mode: str
    parts: tuple[tuple[Item, ...], ...]
    size: int
    ops: tuple[Op, ...] = ()
    alias: str = ""


Item: TypeAlias = Name | Anonymous | Opaque | Star | Group
Items: TypeAlias = tuple[Item, ...]


class Shape(Struct, frozen=True, kw_only=True):
    """What a query gives, in order."""

    items: Items


def group(mode: str, *parts: Items, ops: tuple[Op, ...] = (), alias: str = "") -> Group:
    """A group of the parts. Raises TooWide."""
    size = sum(weight(part) for part in parts)
    if size > MAX_ITEMS:
        raise TooWide
    return Group(mode, parts, size, ops, alias)


def weight(items: Items) -> int:
    """How many items there are, those of groups counted too."""
    return sum(item.size if isinstance(item, Group) else 1 for item in items)


def together(*parts: Items) -> Items:
    """The parts one after another. Raises TooWide."""
    whole = tuple(item for part in parts for item in part)
    if weight(whole) > MAX_ITEMS:
        raise TooWide
    return whole


def all_named(items: Items) -> bool:
    """Whether every column is known by name or at least by number."""
    return all(isinstance(item, (Name, Anonymous)) for item in items)


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


DateKind: TypeAlias = Literal["date", "timestamp", "integer"]


class DateFilter(Struct, frozen=True, kw_only=True):
    """A filter that keeps the days from Statsig's first to its last, both included, and no others.

    `column` is its stored name; `kind` how it is compared: as it is, as a day (after a cast), or as an integer.
    """

    column: str
    kind: DateKind


class Predicate(Struct, frozen=True, kw_only=True):
    """A WHERE as written (empty: there is none); with one date filter, also that and the predicate without it."""

    where: str = ""
    rest: str = ""
    date_filter: DateFilter | None = None


class TableRead(Struct, frozen=True, kw_only=True):
    """A table that a query names: the stored parts of its name, and where that name stands in the text.

    `gives` are the columns of the outermost SELECT that are taken from it by its name. `start` is -1 where this version
    of sqlglot does not say.
    """

    parts: tuple[str, ...]
    start: int = -1
    end: int = -1
    gives: tuple[str, ...] = ()


class PlainQuery(Struct, frozen=True, kw_only=True):
    """The parts of a plain SELECT.

    `table` is the stored name, `columns` the stored names of what is listed (empty: every column).
    """

    table: tuple[str, ...]
    columns: tuple[str, ...] = ()
    predicate: Predicate = Predicate()


class LiveQuery(Struct, frozen=True, kw_only=True):
    """A query as far as it can be read. `fault` says why it cannot be, `not_plain` why it is no plain SELECT."""

    fault: str = ""
    plain: PlainQuery | None = None
    not_plain: str = ""
    tables: tuple[TableRead, ...] = ()
