"""The SQL of sources as the user's own warehouse takes it, and the dbt that asks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.errors import UsageError
from dbt_statsig.payloads.select import select_statement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from dbt_statsig.project.dbt_command import DbtCommand
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.sources import Source


def dbt_of(request: Request) -> DbtCommand:
    """The user's dbt. Raises UsageError where there is none to ask."""
    dbt = request.dbt
    if dbt is None or not dbt.is_there:
        raise UsageError(
            "There is no dbt on the PATH to ask the warehouse.",
            fix="Activate the environment of your dbt, and run this in the dbt project.",
        )
    return dbt


def macros(first: date, last: date) -> dict[str, str]:
    """Statsig's macros over these days."""
    days = {"start": first.isoformat(), "end": last.isoformat()}
    whole = {f"{{statsig_{name}_date_int}}": day.replace("-", "") for name, day in days.items()}
    casts = {f"{{statsig_{name}_date}}": f"CAST('{day}' AS DATE)" for name, day in days.items()}
    start = {"{statsig_experiment_start_timestamp}": f"CAST('{days['start']} 00:00:00' AS TIMESTAMP)"}
    return whole | casts | start


def runnable(payload: Source | None, macros: Mapping[str, str]) -> str:
    """The SQL that Statsig would get, with its macros as values; empty where there is none."""
    table = getattr(payload, "table_name", None)
    sql = select_statement((), table, ()) if isinstance(table, str) and table else getattr(payload, "sql", "")
    return with_macros(sql, macros) if isinstance(sql, str) else ""


def with_macros(sql: str, macros: Mapping[str, str]) -> str:
    """SQL of the user's with Statsig's macros as values."""
    for macro, value in macros.items():
        sql = sql.replace(macro, value)
    return sql


def within(sql: str) -> str:
    """A query as a table."""
    return f"(\n{sql}\n) statsig_source"
