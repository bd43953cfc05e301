"""DuckDB as an oracle: what it says of a query's columns against what is inferred from the text."""

from __future__ import annotations

import os

import duckdb
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from dbt_statsig.columns.expand import Known, expand
from dbt_statsig.columns.walk import shape_of
from dbt_statsig.vocabulary.adapters import adapter_for
from tests.unit.columns.duckdb_queries import TABLES, connect, queries

DUCKDB = adapter_for("duckdb")
CONNECTION = connect()
NESTED = ("id", "s", "l")
NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))


def tables(parts: tuple[str, ...]) -> Known:
    """The columns of the oracle's tables."""
    known = {**TABLES, "nested": NESTED}.get(parts[-1].lower())
    return Known(names=known) if known else Known(reasons=("no such table",))


def infer(sql: str) -> Known:
    """What we say."""
    return expand(DUCKDB, shape_of(DUCKDB, sql).items, tables)


def describe(sql: str) -> list[str] | None:
    """What DuckDB says a table made of the query has; None where it refuses the query."""
    try:
        return [row[0] for row in CONNECTION.execute(f"describe select * from ({sql})").fetchall()]
    except duckdb.Error:
        return None


@pytest.mark.timeout(3600 if NIGHTLY else 300)
@settings(max_examples=10_000 if NIGHTLY else 120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_wrong_name_and_no_false_absence(data: st.DataObject) -> None:
    """Every inferred name exists, and a list called complete is complete and in order."""
    sql = data.draw(queries(CONNECTION))
    truth = describe(sql)
    assume(truth is not None)
    assert truth is not None
    known = infer(sql)
    event("closed" if known.closed else "open")
    folded = [name.casefold() for name in truth]
    if known.closed:
        assert [name.casefold() for name in known.names] == folded, sql
    else:
        assert {name.casefold() for name in known.names} <= set(folded), sql
