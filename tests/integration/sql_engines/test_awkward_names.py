"""The SQL of every kind, run as Statsig runs it, on real engines, over columns with awkward names.

Each engine makes the table from the model's own SQL, so that names are proven once by what the engine lists and once
by that SQL alone. `nox -s sql_engines` brings the engines that are skipped here.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator.warehouse import resolved
from dbt_statsig.vocabulary.kinds import MetricSource, QualifyingEvent
from tests.integration.sql_engines import engines
from tests.integration.sql_engines.names import DAY, NUMBER, ONLY_SELECTED, TIME, Engine, payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.payloads.building import Built

STARTS = {
    "duckdb": engines.on_duckdb,
    "postgres": engines.on_postgres,
    "clickhouse": engines.on_clickhouse,
    "snowflake": engines.on_snowflake,
    "spark": engines.on_spark,
    "bigquery": engines.on_bigquery,
}
# The rows of the days that are asked for, and all rows.
ASKED, ALL = [0, 1], [0, 1, 2, 3, 4]


# Starting Spark, or BigQuery's analyzer, takes minutes where the machine has other things to do.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module", params=STARTS)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The engine with the table."""
    with ExitStack() as stack:
        started = stack.enter_context(STARTS[request.param]())
        started.run(started.create.format(relation=started.relation, query=started.model()))
        yield started


@pytest.fixture(scope="module", params=[True, False], ids=["catalog", "compiled SQL"])
def built(engine: Engine, request: pytest.FixtureRequest) -> dict[str, Built]:
    """What each block becomes, with what the engine lists as dbt's catalog, and without any catalog."""
    return payloads(engine, with_catalog=request.param)


def listed(engine: Engine) -> list[str]:
    """The names of the table's columns, as the engine stores them."""
    return [name for name, _ in engine.listed()]


def test_the_table_has_the_names(engine: Engine) -> None:
    """The engine stores every name as it is meant, which the program's own quoting has no part in."""
    number, *quoted = listed(engine)[: -len(engine.plain)]
    assert number.lower() == "nr"
    assert quoted == [TIME, DAY, NUMBER, *engine.quoted]


def query(one: Built) -> str:
    """The source's query as Statsig runs it."""
    assert one.payload is not None
    sql = one.payload.sql
    if not sql:
        assert isinstance(one.payload, (MetricSource, QualifyingEvent))
        sql = f"SELECT * FROM {one.payload.table_name}"
    return resolved(f"(\n{sql}\n) AS statsig_source")


@pytest.mark.parametrize("name", ["A", "Q", "E", "M", "T"])
def test_the_rows(engine: Engine, built: dict[str, Built], name: str) -> None:
    """Every mapped and selected column is in the answer, with its own value, and the rows are those of the days."""
    one, stored = built[name], listed(engine)
    assert [found.message for found in one.findings] == []
    assert one.payload is not None
    answer = engine.run(f"SELECT * FROM {query(one)}")
    left_out = {"Q": {DAY, NUMBER, *ONLY_SELECTED}, "E": {DAY, NUMBER}}.get(name, set())
    assert answer.names == [column for column in stored if column not in left_out]
    assert {use.verdict.stored for use in one.uses} - left_out <= set(answer.names)
    assert sorted(row[0] for row in answer.rows) == (ASKED if name in "AQM" else ALL)
    values = {column: {row[at] for row in answer.rows} for at, column in enumerate(answer.names)}
    plain = stored[-len(engine.plain) :]
    expected = {column: {f"v{at}"} for at, column in enumerate(engine.quoted) if column not in left_out}
    expected |= {column: {f"p{at}"} for at, column in enumerate(plain)}
    assert {column: values[column] for column in expected} == expected


def test_formulas(engine: Engine, built: dict[str, Built]) -> None:
    """A formula may name any of the columns, in the warehouse's own quotes."""
    payload = built["M"].payload
    assert isinstance(payload, MetricSource)
    formulas = [f"(\n{field.formula}\n) AS {field.key}" for field in payload.custom_field_mapping or ()]
    answer = engine.run(f"SELECT {', '.join(formulas)} FROM {query(built['M'])}")
    assert [set(column) for column in zip(*answer.rows, strict=True)] == [{f"v{at}!"} for at in range(len(formulas))]
