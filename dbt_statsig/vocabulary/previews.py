"""What `preview` finds: rows of a source from the user's own warehouse, and what is counted of them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from dbt_statsig.errors import EXIT_DONE, EXIT_FINDINGS
from dbt_statsig.vocabulary.sources import Kind


class PreviewColumn(Struct, frozen=True, kw_only=True):
    """A column of the rows, with the roles that it has in the source."""

    name: str
    roles: tuple[str, ...] = ()


class UnitCount(Struct, frozen=True, kw_only=True):
    """Of one unit ID: how many units there are, and how many rows have none."""

    unit_id: str
    units: int
    empty_rows: int


class Estimate(Struct, frozen=True, kw_only=True):
    """What the warehouse expects a source's SQL to read, in rows or bytes.

    `could_filter` says that it reads all days, where Statsig would only need some.
    """

    rows: int | None = None
    bytes: int | None = None
    could_filter: bool = False


class Preview(Struct, frozen=True, kw_only=True):
    """One source: its rows, mapped columns first. `error` is the warehouse's message where the query failed.

    `rows_read`, `newest` and `units` are counted over all rows of these days, `groups` are rows of experiment, group,
    day and units; all of them only where that was asked for. With an `estimate` no row was read.
    """

    kind: Kind
    name: str
    unique_id: str
    sql: str
    columns: tuple[PreviewColumn, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    rows_read: int | None = None
    newest: Any = None
    units: tuple[UnitCount, ...] = ()
    groups: tuple[tuple[Any, ...], ...] = ()
    estimate: Estimate | None = None


class Previewed(Struct, frozen=True, kw_only=True):
    """All previews of a run, and the days that they cover."""

    sources: tuple[Preview, ...]
    first_day: str
    last_day: str
    unmatched: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where a query failed."""
        return EXIT_FINDINGS if any(one.error for one in self.sources) else EXIT_DONE
