"""The two databases that can stand for a warehouse: what a query's columns are, or why it fails."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, Protocol

from dbt_statsig.emulator.replies import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import duckdb
    import psycopg

    Columns = Callable[[str], list[str]]

__all__ = ["Columns", "Database", "DuckDB", "Failed", "PostgreSQL"]

_PAUSE = 0.05
_MOST_SECONDS = 30
# No files, no other databases, no extensions, no network; and no SQL may change that.
_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}


class Failed(Exception):
    """A query failed; the text is the database's own message."""


class Database(Protocol):
    """A place where SQL can be tried."""

    def session(self) -> AbstractContextManager[Columns]:
        """A function from a query to its columns (raising `Failed`), usable inside the context.

        Raises `Refusal` (503) when the database cannot be reached.
        """

    def value(self, sql: str) -> Any:
        """The first value of a query's result. Raises as a session does."""

    def folded(self, column: str) -> str:
        """The form in which two names of one column are equal."""


class DuckDB:
    """A DuckDB file, opened read-only for each check, since dbt must be able to write to it between two."""

    def __init__(self, path: str, lock_wait: float) -> None:
        """Take the file, and the seconds to wait while another process holds it."""
        self._path = Path(path)
        self._lock_wait = lock_wait

    @contextmanager
    def session(self) -> Iterator[Columns]:
        """See `Database.session`."""
        import duckdb  # only needed with such a warehouse

        connection = self._connect()
        try:

            def columns(sql: str) -> list[str]:
                try:
                    # DuckDB runs all statements of a text: a second one would run outside the wrapping.
                    if len(connection.extract_statements(sql)) != 1:
                        raise Failed("Parser Error: one statement is expected")
                    with _interrupted(connection):
                        return [column[0] for column in connection.execute(sql).description]
                except duckdb.Error as fault:
                    raise Failed(str(fault)) from fault

            yield columns
        finally:
            connection.close()

    def value(self, sql: str) -> Any:
        """See `Database.value`."""
        import duckdb  # only needed with such a warehouse

        connection = self._connect()
        try:
            if len(connection.extract_statements(sql)) != 1:
                raise Failed("Parser Error: one statement is expected")
            with _interrupted(connection):
                row = connection.execute(sql).fetchone()
        except duckdb.Error as fault:
            raise Failed(str(fault)) from fault
        finally:
            connection.close()
        return row[0] if row else None

    def folded(self, column: str) -> str:
        """See `Database.folded`; DuckDB never tells names apart by case."""
        return column.casefold()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        import duckdb  # only needed with such a warehouse

        if not self._path.is_file():
            raise refuse(503, f"The warehouse is not there: no DuckDB file {self._path}.")
        until = time.monotonic() + self._lock_wait
        while True:
            try:
                return duckdb.connect(str(self._path), read_only=True, config=_LOCKED)
            except duckdb.Error as fault:  # noqa: PERF203  the loop is the retry
                if time.monotonic() >= until:
                    raise refuse(503, f"The warehouse cannot be opened: {fault}") from fault
                time.sleep(_PAUSE)


@contextmanager
def _interrupted(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupt a query that takes too long."""
    timer = Timer(_MOST_SECONDS, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class PostgreSQL:
    """A PostgreSQL database, by URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def _connected(self) -> psycopg.Connection:
        import psycopg  # only needed with such a warehouse

        try:
            connection = psycopg.connect(self._url, connect_timeout=5)
        except psycopg.Error as fault:
            raise refuse(503, f"The warehouse cannot be reached: {fault}") from fault
        connection.execute(f"SET statement_timeout = '{_MOST_SECONDS}s'".encode())
        connection.commit()
        connection.read_only = True
        return connection

    @contextmanager
    def session(self) -> Iterator[Columns]:
        """See `Database.session`."""
        import psycopg  # only needed with such a warehouse

        connection = self._connected()

        def columns(sql: str) -> list[str]:
            try:
                # Preparing makes the server refuse more than one statement, which would run outside the wrapping.
                cursor = connection.execute(sql.encode(), prepare=True)
                return [column.name for column in cursor.description or []]
            except psycopg.Error as fault:
                raise Failed(str(fault)) from fault
            finally:
                connection.rollback()

        with connection:
            yield columns

    def value(self, sql: str) -> Any:
        """See `Database.value`."""
        import psycopg  # only needed with such a warehouse

        with self._connected() as connection:
            try:
                row = connection.execute(sql.encode(), prepare=True).fetchone()
            except psycopg.Error as fault:
                raise Failed(str(fault)) from fault
        return row[0] if row else None

    def folded(self, column: str) -> str:
        """See `Database.folded`; a result's names are exact in PostgreSQL."""
        return column
