"""Hand-made queries: which are one plain SELECT over one table, and what is a filter by Statsig's date macros."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_statsig.columns.live_query import read_query
from dbt_statsig.payloads.select import hand_written
from dbt_statsig.vocabulary.adapters import adapter_for
from tests.unit.columns.projects import get, model, prover

if TYPE_CHECKING:
    from collections.abc import Iterator

BETWEEN = "BETWEEN {statsig_start_date} AND {statsig_end_date}"


@pytest.mark.parametrize(
    ("adapter", "where", "rest", "column", "kind"),
    [
        ("duckdb", f"d {BETWEEN}", "", "d", "date"),
        ("duckdb", f"a = 1 AND d::date {BETWEEN} AND b = 2", "a = 1 AND b = 2", "d", "timestamp"),
        ("duckdb", f"(d::date {BETWEEN}) AND (b = 2 OR c)", "b = 2 OR c", "d", "timestamp"),
        ("duckdb", f"a BETWEEN 1 AND 2 AND d {BETWEEN}", "a BETWEEN 1 AND 2", "d", "date"),
        ("snowflake", f'"Day" {BETWEEN}', "", "Day", "date"),
        ("snowflake", f"t.day {BETWEEN} AND t.x > 0", "x > 0", "DAY", "date"),
        ("snowflake", f"TO_DATE(ts) {BETWEEN}", "", "TS", "timestamp"),
        ("bigquery", f"DATE(`ts`) {BETWEEN}", "", "ts", "timestamp"),
        ("bigquery", "d >= DATE({statsig_start_date}) AND d <= DATE({statsig_end_date})", "", "d", "date"),
        ("redshift", "{statsig_start_date} <= d AND {statsig_end_date} >= d", "", "d", "date"),
        ("duckdb", "k BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}", "", "k", "integer"),
        ("clickhouse", f"toDate(ts) {BETWEEN}", "", "ts", "timestamp"),
    ],
)
def test_date_filters(adapter: str, where: str, rest: str, column: str, kind: str) -> None:
    """A filter by the date macros is found in every form that keeps the same days, and cut out of its predicate."""
    found = read_query(adapter_for(adapter), f"SELECT a FROM s.t t WHERE {where}").plain
    assert found is not None
    assert found.predicate.date_filter is not None
    assert (found.predicate.rest, found.predicate.date_filter.column, found.predicate.date_filter.kind) == (
        rest,
        column,
        kind,
    )


@pytest.mark.parametrize(
    "where",
    [
        "d >= {statsig_start_date}",
        "d >= {statsig_start_date} AND d < {statsig_end_date}",
        "d > {statsig_start_date} AND d <= {statsig_end_date}",
        "d >= {statsig_start_date} AND e <= {statsig_end_date}",
        f"d {BETWEEN} OR a",
        f"NOT d {BETWEEN}",
        f"d {BETWEEN} AND e {BETWEEN}",
        "d BETWEEN {statsig_end_date} AND {statsig_start_date}",
        "d BETWEEN {statsig_start_date} AND {statsig_end_date_int}",
        "d BETWEEN '{statsig_start_date}' AND '{statsig_end_date}'",
        f"d + 1 {BETWEEN}",
        f"TRY_CAST(d AS DATE) {BETWEEN}",
        f"CASE WHEN a THEN d {BETWEEN} END",
        f"a || d {BETWEEN}",
    ],
)
def test_what_is_no_date_filter(where: str) -> None:
    """A comparison that keeps other days, or is no part of a plain AND, stays in the predicate as written."""
    found = read_query(adapter_for("duckdb"), f"SELECT a FROM s.t WHERE {where};").plain
    assert found is not None
    assert (found.predicate.where, found.predicate.rest, found.predicate.date_filter) == (where, where, None)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT DISTINCT a FROM s.t", "it has DISTINCT"),
        ("SELECT a, b + 1 FROM s.t", "its column 2 is computed"),
        ("SELECT a.b.c FROM s.t", "its column 1 is a field"),
        ("SELECT a AS b FROM s.t", "it gives a another name"),
        ("SELECT a, A FROM s.t", "it lists a column twice"),
        ("SELECT *, a FROM s.t", "it lists * beside other columns, or changes it"),
        ("SELECT a FROM s.t WHERE a IN (SELECT 1)", "its WHERE has a query of its own"),
        ("SELECT a FROM s.t WHERE s.t.a = 1", "its WHERE names columns with the table's schema"),
        ("SELECT a FROM s.t AS t (x)", "its table has a list of columns"),
        ("SELECT a FROM range(5)", "it reads no table by its name"),
        ("SELECT a FROM s.t UNION SELECT 1", "it is not a single SELECT"),
        ("WITH c AS (SELECT 1) SELECT a FROM s.t", "it has a CTE"),
    ],
)
def test_what_is_no_plain_select(sql: str, reason: str) -> None:
    """What a block cannot say by its keys is reported with the reason."""
    assert read_query(adapter_for("duckdb"), sql).not_plain == reason


@pytest.mark.parametrize(
    ("adapter", "sql", "tables"),
    [
        ("duckdb", "WITH c AS (SELECT * FROM s.a) SELECT * FROM c JOIN s.b USING (x)", {("s", "a"), ("s", "b")}),
        ("bigquery", "SELECT * FROM `p.d.a` t, t.items", {("p", "d", "a")}),
        ("snowflake", 'SELECT * FROM db.s.a JOIN "s"."B"', {("DB", "S", "A"), ("s", "B")}),
        ("duckdb", "SELECT * FROM range(5)", set()),
    ],
)
def test_tables(adapter: str, sql: str, tables: set[tuple[str, ...]]) -> None:
    """The tables of the warehouse that a query reads, with their place in its text."""
    found = read_query(adapter_for(adapter), sql).tables
    assert {table.parts for table in found} == tables
    for table in found:
        assert re.fullmatch(r"[\w.`\"]+", sql[table.start : table.end])


@pytest.mark.parametrize(
    ("adapter", "sql", "fault"),
    [
        ("duckdb", "SELECT {{ x }}", "It contains {{, which dbt did not render. (line 1)"),
        ("duckdb", "SELECT 1; SELECT 2", "It contains more than one statement. (line 1)"),
        ("duckdb", "DELETE FROM t", "It is not one SELECT."),
        ("duckdb", "SELECT (", '"(" is not closed. (line 1)'),
        ("duckdb", "FROM a |> SELECT b", "pipe syntax is not read"),
        ("duckdb", "SELECT a FROM s.t WHERE d >= {statsig_day}", "There is no macro {statsig_day}. (line 1)"),
        (
            "unknown",
            "SELECT 1",
            "dbt-statsig does not know the adapter 'unknown': columns are taken only from the catalog.",
        ),
    ],
)
def test_what_cannot_be_read(adapter: str, sql: str, fault: str) -> None:
    """Text that is no query, or of no known warehouse, is refused with one reason."""
    assert read_query(adapter_for(adapter), sql).fault == fault


PARTS = (
    "a = 1",
    "(a = 1 OR b > 2)",
    "b BETWEEN 1 AND 3",
    "NOT a = 2",
    "t.b IS NOT NULL",
    "CASE WHEN a = 1 THEN b > 0 END",
)
FILTERS = {
    f"d {BETWEEN}": "date",
    "t.d >= {statsig_start_date} AND t.d <= {statsig_end_date}": "date",
    f"CAST(ts AS DATE) {BETWEEN}": "timestamp",
    f"(ts::DATE {BETWEEN})": "timestamp",
    "{statsig_start_date} <= DATE(ts) AND DATE(ts) <= {statsig_end_date}": "timestamp",
    "k BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}": "integer",
    "ts >= {statsig_start_date}": "",
    "": "",
}


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A table with rows inside and outside of three days, NULLs among them."""
    with duckdb.connect() as connection:
        connection.execute(
            "create schema main_; create table t as select a, b, ts, ts::date as d, "
            "strftime(ts, '%Y%m%d')::int as k from (values (1), (2), (null)) x(a), "
            "(values (0), (2), (4), (null)) y(b), "
            "(values (timestamp '2024-01-01 23:59:59'), ('2024-01-02 00:00:00'), ('2024-01-03 12:00:00'), "
            "('2024-01-04 00:00:00'), ('2024-01-04 10:00:00'), ('2024-01-05 00:00:00'), (null)) z(ts)"
        )
        yield connection


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PARTS), max_size=3), st.sampled_from(list(FILTERS)), st.integers(0, 3))
def test_forms_give_the_same_rows(
    database: duckdb.DuckDBPyConnection, parts: list[str], filtered: str, place: int
) -> None:
    """Every form of a hand-made query gives the rows that the query itself gives."""
    proof = prover(model("t", "select 1 as a"))
    parts.insert(place, filtered)
    where = " AND ".join(part for part in parts if part)
    sql = f"select a, t.b, ts from main.t t{' where ' if where else ''}{where}"
    forms = hand_written(proof, get(proof, "model.shop.t"))(sql)
    days = {"start_date_int": "20240102", "end_date_int": "20240104", "start_date": "'2024-01-02'"}
    days["end_date"] = "'2024-01-04'"

    def rows(text: str) -> list[str]:
        for name, value in days.items():
            text = text.replace(f"{{statsig_{name}}}", value)
        return sorted(map(repr, database.execute(text.replace('"shop"."main".', "").replace("main.", "")).fetchall()))

    assert forms
    assert {tuple(rows(form)) for form in forms} == {tuple(rows(sql))}
    assert ("BETWEEN {statsig" in forms[1]) is bool(FILTERS[filtered])
