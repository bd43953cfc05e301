"""Experiment data with planted faults, made by DuckDB: exact shares, the same on every run."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

UNITS = 20_000
# Chi-square of one degree of freedom at p = 0.02, 0.005 and 0.0005.
CHI = {"0.02": 5.4119, "0.005": 7.8794, "0.0005": 12.1157}
SHARES = {"0.05": 0.0005, "0.5": 0.005, "2": 0.02, "12": 0.12}


class Experiment(NamedTuple):
    """Units in the first of two groups, in the second, and how many of all are in both."""

    first: int
    second: int
    both: int = 0


def of_ratio(chi: float, units: int = UNITS) -> Experiment:
    """An experiment whose groups differ just so much."""
    apart = math.ceil(math.sqrt(chi * units) / 2)
    return Experiment(units // 2 + apart, units // 2 - apart)


EXPERIMENTS = {
    "clean": Experiment(UNITS // 2, UNITS // 2),
    **{f"crossed {percent}": Experiment(UNITS // 2, UNITS // 2, round(UNITS * s)) for percent, s in SHARES.items()},
    **{f"ratio {p}": of_ratio(chi) for p, chi in CHI.items()},
    "alone": Experiment(UNITS, 0),
    "tiny": Experiment(30, 3),
}


def exposures(experiments: dict[str, Experiment], *, at: str = "timestamp 'NOW'") -> str:
    """A query of exposures; the units of the first experiment are those of the others too."""
    parts = []
    for name, (first, second, both) in experiments.items():
        ago = f"{at} - (i % 20000) * interval 1 minute"
        row = (
            f"select '{name}' as experiment_id, {{}} as group_id, {{}} as group_name, 'u' || i as user_id, {ago} as ts"
        )
        parts += [
            f"{row.format(repr('control'), repr('Control'))} from range({first}) r(i)",
            f"{row.format(repr('test'), repr('Test'))} from range({first}, {first + second}) r(i)",
        ]
        if both:
            # Half of them come from either side, so that the groups stay as large as each other.
            parts += [
                f"{row.format(repr('test'), repr('Test'))} from range({both // 2}) r(i)",
                f"{row.format(repr('control'), repr('Control'))} from range({first}, {first + both - both // 2}) r(i)",
            ]
    return " union all ".join(parts)


CLEAN = {"clean": EXPERIMENTS["clean"]}
TABLES = {
    "exposures": exposures(EXPERIMENTS),
    "ahead": exposures(CLEAN, at="(timestamp 'NOW' + interval 2 hour)"),
    "renamed": f"select * replace (case when user_id = 'u7' then 'Treatment' when user_id = 'u19999' then 'B' "
    f"else group_name end as group_name) from ({exposures(CLEAN)})",
    "unweighted": exposures({"split": Experiment(18_000, 2_000)}),
    "unmarked": exposures({"split": Experiment(18_000, 2_000)}),
    "devices": "select 'e' as experiment_id, case when i % 2 = 0 then 'control' else 'test' end as group_id, "
    "'d' || i as device_id, 'u' || (i // 3) as user_id, timestamp 'NOW' - interval 1 hour as ts from range(9000) r(i)",
    "orders": "select 'u' || i as user_id, timestamp 'NOW' - (i % 900) * interval 1 minute as ts from range(9000) r(i)",
    "hashed": "select md5('u' || i) as user_id, timestamp 'NOW' - (i % 900) * interval 1 minute as ts "
    "from range(9000) r(i)",
    "empty_ids": "select case when i < 40 then null when i < 100 then '' else 'u' || i end as user_id, "
    "case when i < 3 then timestamp '1970-01-01' when i < 5 then null else "
    "timestamp 'NOW' - (i % 900) * interval 1 minute end as ts from range(9000) r(i)",
    "days": "select 'u' || i as user_id, current_date - (i % 9)::integer as ts from range(9000) r(i)",
    "nothing": "select 'u' as user_id, timestamp 'NOW' as ts where false",
    "traits": "select 'u' || i as user_id, 'c' || (i // 4) as company_id, i as age from range(4000) r(i)",
    "doubled": "select 'u' || (i % 3990) as user_id, i as age from range(4000) r(i)",
    "mapped": "select 'u' || i as user_id, 'd' || (case when i < 60 then 0 else i end) as device_id "
    "from range(2000) r(i)",
}


def make(database: Path, *names: str) -> None:
    """These tables (none: all) in a DuckDB file; times end now, in UTC."""
    import duckdb  # the engine sessions install it with dbt

    # dbt 2's driver may be older than this DuckDB, and reads no newer files.
    with duckdb.connect(str(database), config={"storage_compatibility_version": "v1.0.0"}) as warehouse:
        found = warehouse.execute("select (now() at time zone 'UTC')::varchar").fetchone()
        assert found is not None
        for name in names or TABLES:
            warehouse.execute(f"create or replace table main.{name} as {TABLES[name].replace('NOW', found[0])}")


def copy_to(database: Path, connection: Any) -> None:
    """The same tables in PostgreSQL's schema `main`, over a connection of psycopg2's."""
    import duckdb  # the engine sessions install it with dbt

    csv = database.with_suffix(".csv")
    with duckdb.connect(str(database), read_only=True) as warehouse, connection, connection.cursor() as cursor:
        cursor.execute("create schema main")
        for name in TABLES:
            columns = warehouse.execute(f"describe main.{name}").fetchall()
            listed = ", ".join(f"{column} {kind}" for column, kind, *_ in columns)
            cursor.execute(f"create table main.{name} ({listed})")
            warehouse.execute(f"copy main.{name} to '{csv}' (header false, nullstr '\\N')")
            copy = f"copy main.{name} from stdin with (format csv, null '\\N')"
            cursor.copy_expert(copy, io.StringIO(csv.read_text(encoding="utf-8")))
