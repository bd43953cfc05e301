"""What the service does with a write: runs the SQL on the customer's warehouse, and looks for the mapped columns.

Nothing is read and nothing is written there: every query is wrapped so that no row comes back, and the connection is
read-only.
"""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.databases import DuckDB, Failed, PostgreSQL
from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.metrics import Failure
from dbt_statsig.emulator.replies import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from dbt_statsig.emulator.databases import Columns, Database
    from dbt_statsig.emulator.kinds import Kind

__all__ = ["checker", "database_of", "refused_macros", "resolved", "runner", "source_faults"]

# Statsig's SQL macros, as its documentation gives them: dates, dates as whole numbers, a timestamp.
_MACRO = re.compile(r"\{(statsig_\w+)\}")
_VALUES = {
    "statsig_start_date": "DATE '2024-01-01'",
    "statsig_end_date": "DATE '2024-01-31'",
    "statsig_start_date_int": "20240101",
    "statsig_end_date_int": "20240131",
    "statsig_experiment_start_timestamp": "TIMESTAMP '2024-01-01 00:00:00'",
}
_POINTER = re.compile(r"LINE \d+:")
_COLUMN_FIELDS = ("timestampColumn", "experimentIDColumn", "groupIDColumn", "groupNameColumn", "datePartitionColumn")


def database_of(warehouse: str | None, lock_wait: float) -> Database | None:
    """The warehouse, if there is one. Raises `CannotStart` where its driver is not installed."""
    if warehouse is None:
        return None
    postgres = warehouse.startswith(("postgresql://", "postgres://"))
    driver = "psycopg" if postgres else "duckdb"
    try:
        import_module(driver)
    except ImportError as fault:
        raise CannotStart(f"The warehouse needs the Python package {driver}: pip install {driver}") from fault
    return PostgreSQL(warehouse) if postgres else DuckDB(warehouse, lock_wait)


def checker(database: Database | None) -> Callable[[Kind, Mapping[str, Any]], list[Fault]]:
    """The check that writes must pass; one that passes all where there is no warehouse."""
    return _pass if database is None else partial(source_faults, database)


def runner(database: Database | None) -> Callable[[str], Any] | None:
    """What gives the first value of a query's result, or a `Failure`; None where there is no warehouse."""

    def run(sql: str) -> Any:
        try:
            return database.value(resolved(sql)) if database is not None else None
        except Failed as fault:
            return Failure(_one_line(str(fault)))

    return run if database is not None else None


def source_faults(database: Database, kind: Kind, source: Mapping[str, Any]) -> list[Fault]:
    """What keeps `source` from working on `database`.

    Raises `Refusal` (503) when the database cannot be reached.
    """
    table = source.get("sourceType") == "table"
    sql, place = (_whole(source["tableName"]), "tableName") if table else (source["sql"], "sql")
    formulas = [
        (f"customFieldMapping[{index}].formula", item["formula"])
        for index, item in enumerate(source.get("customFieldMapping") or [])
    ]
    faults = [
        Fault(where, f"unknown macro {{{name}}}, or not one for this kind of source")
        for where, text in [(place, sql), *formulas]
        for name in refused_macros(text, kind.macros)
    ]
    if faults:
        return faults
    with database.session() as columns_of:
        columns = _tried(columns_of, place, _wrapped("*", sql))
        if isinstance(columns, Fault):
            return [columns]
        tried = [_tried(columns_of, where, _wrapped(f"(\n{formula}\n)", sql)) for where, formula in formulas]
    known = {database.folded(column) for column in columns}
    return [fault for fault in tried if isinstance(fault, Fault)] + [
        Fault(where, f"column {column!r} is not in the result, which has: {', '.join(columns)}")
        for where, column in _mapped(source)
        if database.folded(column) not in known
    ]


def _whole(table: str) -> str:
    return f"SELECT * FROM {table}"  # noqa: S608  running what clients send is the purpose; the connection is read-only


def _wrapped(selected: str, sql: str) -> str:
    """A query for no rows; line breaks keep a trailing comment from swallowing the bracket."""
    return resolved(f"SELECT {selected} FROM (\n{sql}\n) AS statsig_source LIMIT 0")  # noqa: S608  as above


def _tried(columns_of: Columns, place: str, sql: str) -> list[str] | Fault:
    try:
        return columns_of(sql)
    except Failed as fault:
        return Fault(place, _one_line(str(fault)))


def _one_line(message: str) -> str:
    """A database's message without the query's text, of which it points at a line that is not the user's."""
    lines = list(takewhile(lambda line: not _POINTER.match(line), message.splitlines()))
    return " ".join(line.strip() for line in lines if line.strip())


def _mapped(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    named = [(field, source[field]) for field in _COLUMN_FIELDS if source.get(field)]
    units = enumerate(source.get("idTypeMapping") or [])
    return named + [(f"idTypeMapping[{index}].column", item["column"]) for index, item in units]


def _pass(_kind: Kind, _source: Mapping[str, Any]) -> list[Fault]:
    return []


def refused_macros(sql: str, allowed: AbstractSet[str]) -> list[str]:
    """The macros of `sql` that do not exist, or not in such a source, in order of appearance."""
    return [name for name in dict.fromkeys(_MACRO.findall(sql)) if name not in allowed]


def resolved(sql: str) -> str:
    """`sql` with a value for every known macro."""
    return _MACRO.sub(lambda macro: _VALUES.get(macro[1], macro[0]), sql)
