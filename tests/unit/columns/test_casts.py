"""Types that a query's own casts give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlglot import exp

from dbt_statsig.columns.casts import cast_of
from dbt_statsig.columns.memory import Memory
from dbt_statsig.vocabulary.adapters import adapter_for
from tests.unit.columns.projects import get, model, prover

if TYPE_CHECKING:
    from pathlib import Path

# What older versions of sqlglot read as a function that they do not know has no type.
SAFE_DATE = "date" if hasattr(exp, "SafeFunc") else ""
CASES = [
    ("duckdb", "select x::date as d from r", "date"),
    ("duckdb", "select (try_cast(x as timestamp)) as d from r", "timestamp"),
    ("duckdb", "select a.d, b.x from (select x::date as d from r) as a join b using (x)", "date"),
    ("duckdb", "(select x::int as d from r)", "integer"),
    ("duckdb", "with a as (select x::date as d from r), b as (select * from a) select b.*, 1 as z from b, c", "date"),
    ("duckdb", "select x::date as d from r union all select y::date as d from q", "date"),
    ("snowflake", "select to_date(x) as d from r", "date"),
    ("snowflake", "select x::number(38, 0) as d from r", "integer"),
    ("snowflake", "select current_timestamp() as d from r", "timestamp"),
    ("bigquery", "select date(x) as d from r", "date"),
    ("bigquery", "select cast(x as int64) as d from r", "integer"),
    ("bigquery", "select parse_date('%Y%m%d', x) as d from r", "date"),
    ("bigquery", "select safe.parse_date('%Y%m%d', x) as d from r", SAFE_DATE),
    ("bigquery", "select timestamp_micros(x) as d from r", "timestamp"),
    ("bigquery", "select timestamp_trunc(x, day) as d from r", "timestamp"),
    ("duckdb", "select date_trunc('day', x) as d from r", "timestamp"),
    ("postgres", "select to_date(x, 'YYYYMMDD') as d from r", "date"),
    ("mysql", "select str_to_date(x, '%Y%m%d') as d from r", "timestamp"),
    ("clickhouse", "select toUInt32(x) as d from r", "integer"),
    ("clickhouse", "select toDate(x) as d from r", "date"),
    ("clickhouse", "select cast(x as LowCardinality(Nullable(DateTime))) as d from r", "timestamp"),
]
UNKNOWN = [
    "select d from r",
    "select x as d from r",
    "select x::varchar as d from r",
    "select x::decimal(18, 2) as d from r",
    "select lower(x) as d from r",
    "select x::date as d, y::int as D from r",
    "select x::date as d from r union all select y as d from q",
    "select * from r",
    "select * from a, b",
    "select a.* exclude (d), 1 as x from (select x::date as d from r) as a",
    "with a as (select x::date as d from r) select *, 1 as z from a join b using (x)",
    "with recursive a as (select 1 as n union all select n + 1 from a) select n as d from a",
    "pivot r on y using sum(x)",
    "select * from (select x::date as d from r) pivot (sum(x) for y in ('a'))",
    "values (1)",
    "drop table r",
    "select 'a",
    "",
]


@pytest.mark.parametrize(("adapter", "sql", "expected"), CASES)
def test_cast(adapter: str, sql: str, expected: str) -> None:
    """A cast is found through CTEs, nested queries and all branches of a union."""
    assert cast_of(adapter_for(adapter), sql, "D" if adapter == "snowflake" else "d") == expected


@pytest.mark.parametrize("sql", UNKNOWN)
def test_no_cast(sql: str) -> None:
    """Where no cast, or none for certain, makes the column, nothing is reported."""
    assert cast_of(adapter_for("duckdb"), sql, "d") == ""


def test_a_long_chain_is_read_once() -> None:
    """A chain of unions, each reading the one before twice, takes no exponential time."""
    ctes = ["c0 as (select x::date as d from r)"]
    ctes += [f"c{n} as (select d from c{n - 1} union all select d from c{n - 1})" for n in range(1, 40)]
    assert cast_of(adapter_for("duckdb"), f"with {', '.join(ctes)} select * from c39", "d") == "date"


def test_casts_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later run takes the answer from the memory; a node without SQL, or of an unknown adapter, has no cast."""
    memory = Memory(tmp_path / "memory")
    nodes = [model("m", "select x::date as d from r"), model("bare", None)]
    first = prover(*nodes, memory=memory)
    assert first.cast(get(first, "model.shop.m"), "d") == "date"
    assert first.cast(get(first, "model.shop.bare"), "d") == ""
    memory.save()
    monkeypatch.setattr("dbt_statsig.columns.casts.cast_of", lambda *_: pytest.fail("it is read again"))
    later = prover(*nodes, memory=Memory(tmp_path / "memory"))
    assert later.cast(get(later, "model.shop.m"), "d") == "date"
    unknown = prover(*nodes, adapter="sqlite")
    assert unknown.cast(get(unknown, "model.shop.m"), "d") == ""
