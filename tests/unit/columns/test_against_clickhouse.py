"""ClickHouse as an oracle: what it says of a query's columns against what is inferred from the text."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from dbt_statsig.columns.expand import Known, expand
from dbt_statsig.columns.walk import shape_of
from dbt_statsig.vocabulary.adapters import adapter_for
from tests.clickhouse import session
from tests.unit.columns.clickhouse_queries import CREATE, TABLES, queries

pytest.importorskip("chdb", reason="chdb, ClickHouse as a library, has no wheel for this platform")

CLICKHOUSE = adapter_for("clickhouse")
NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))


@functools.cache
def oracle() -> Any:
    """A database with the tables."""
    opened = session()
    for statement in ("create database if not exists oracle", "use oracle", *CREATE):
        opened.query(statement)
    return opened


def describe(sql: str) -> list[str] | None:
    """The columns of the query; None where ClickHouse refuses it."""
    try:
        answer = oracle().query(f"describe table ({sql})", "JSONCompact").bytes()
    except RuntimeError:
        return None
    return [row[0] for row in json.loads(answer)["data"]]


def tables(parts: tuple[str, ...]) -> Known:
    """The columns of the oracle's tables."""
    known = TABLES.get(parts[-1])
    return Known(names=known) if known else Known(reasons=("no such table",))


@pytest.mark.timeout(7200 if NIGHTLY else 300)
@settings(max_examples=10_000 if NIGHTLY else 80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_wrong_name_and_no_false_absence(data: st.DataObject) -> None:
    """Every inferred name exists, and a list called complete is complete and in order."""
    sql = data.draw(queries())
    truth = describe(sql)
    assume(truth is not None)
    assert truth is not None
    known = expand(CLICKHOUSE, shape_of(CLICKHOUSE, sql).items, tables)
    event("closed" if known.closed else "open")
    if known.closed:
        assert list(known.names) == truth, sql
    else:
        assert set(known.names) <= set(truth), (sql, known, truth)
