"""What is known of a hand-made query, free of any SQL library."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

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
