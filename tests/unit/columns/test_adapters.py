"""Tests of how adapters spell, quote and compare names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.columns.adapters import ADAPTERS, adapter_for

# adapter, dialect, `Ab` unquoted, `Ab` quoted, whether `ab` and `AB` are one stored column, an identifier in quotes
RULES = [
    ("snowflake", "snowflake", "AB", "Ab", False, '"a""b"'),
    ("oracle", "oracle", "AB", "Ab", False, '"a""b"'),
    ("postgres", "postgres", "ab", "Ab", False, '"a""b"'),
    ("materialize", "materialize", "ab", "Ab", False, '"a""b"'),
    ("risingwave", "risingwave", "ab", "Ab", False, '"a""b"'),
    ("greenplum", "postgres", "ab", "Ab", False, '"a""b"'),
    ("vertica", "postgres", "Ab", "Ab", True, '"a""b"'),
    ("redshift", "redshift", "ab", "ab", True, '"a""b"'),
    ("trino", "trino", "ab", "ab", True, '"a""b"'),
    ("starburst", "trino", "ab", "ab", True, '"a""b"'),
    ("athena", "athena", "ab", "ab", True, '"a""b"'),
    ("hive", "hive", "ab", "ab", True, '`a"b`'),
    ("bigquery", "bigquery", "Ab", "Ab", True, '`a"b`'),
    ("duckdb", "duckdb", "Ab", "Ab", True, '"a""b"'),
    ("motherduck", "duckdb", "Ab", "Ab", True, '"a""b"'),
    ("databricks", "databricks", "Ab", "Ab", True, '`a"b`'),
    ("spark", "spark", "Ab", "Ab", True, '`a"b`'),
    ("glue", "spark", "Ab", "Ab", True, '`a"b`'),
    ("fabricspark", "spark", "Ab", "Ab", True, '`a"b`'),
    ("sqlserver", "tsql", "Ab", "Ab", True, '[a"b]'),
    ("synapse", "tsql", "Ab", "Ab", True, '[a"b]'),
    ("fabric", "fabric", "Ab", "Ab", False, '[a"b]'),
    ("clickhouse", "clickhouse", "Ab", "Ab", False, '`a"b`'),
    ("mysql", "mysql", "Ab", "Ab", True, '`a"b`'),
    ("starrocks", "starrocks", "Ab", "Ab", True, '`a"b`'),
]


@pytest.mark.parametrize(("name", "dialect", "unquoted", "quoted", "one", "in_quotes"), RULES)
def test_rules_of_an_adapter(name: str, dialect: str, unquoted: str, quoted: str, *, one: bool, in_quotes: str) -> None:
    """Folding, matching and quoting are those that the adapter's warehouse has."""
    adapter = adapter_for(name)
    assert adapter.dialect == dialect
    assert adapter.stored("Ab", quoted=False) == unquoted
    assert adapter.stored("Ab", quoted=True) == quoted
    assert adapter.same("ab", "AB") is one
    assert adapter.quote('a"b') == in_quotes


def test_the_table_is_tested_whole() -> None:
    """No adapter is without a row above."""
    assert {row[0] for row in RULES} == set(ADAPTERS)


@pytest.mark.parametrize("name", ["greenplum", "vertica"])
def test_a_borrowed_dialect_is_noted(name: str) -> None:
    """An adapter that is read with another's dialect says so."""
    assert "PostgreSQL" in adapter_for(name).note


@pytest.mark.parametrize(("name", "part"), [("sqlite", "'sqlite'"), ("", "does not name an adapter")])
def test_an_unknown_adapter_is_not_guessed(name: str, part: str) -> None:
    """An adapter that is not in the table has no dialect and says why."""
    adapter = adapter_for(name)
    assert adapter.dialect is None
    assert part in adapter.note


@pytest.mark.parametrize(("open_", "name"), [("`a``b`", "bigquery"), ("[a`b]", "fabric"), ('"a`b"', "duckdb")])
def test_only_the_closing_character_is_doubled(open_: str, name: str) -> None:
    """Other quote characters inside a name stay single."""
    assert adapter_for(name).quote("a`b") == open_


def test_postgres_cuts_long_names() -> None:
    """PostgreSQL stores the first 63 bytes of a name, whole characters only."""
    postgres = adapter_for("postgres")
    assert postgres.stored("x" * 70, quoted=True) == "x" * 63
    assert postgres.stored("x" + "é" * 40, quoted=True) == "x" + "é" * 31


@pytest.mark.parametrize(
    ("name", "plain"),
    [("user_id", True), ("_x1", True), ("1x", False), ("a b", False), ("", False), ("order", False), ("x\n", False)],
)
def test_plain_names(name: str, *, plain: bool) -> None:
    """Only an ASCII identifier that no warehouse reserves may stand without quotes."""
    assert adapter_for("snowflake").is_plain(name) is plain


@given(st.sampled_from(sorted(ADAPTERS)), st.text(max_size=20))
def test_a_quoted_name_never_ends_early(name: str, text: str) -> None:
    """Inside a quoted name every closing character is doubled, whatever the name holds."""
    adapter = adapter_for(name)
    inner = adapter.quote(text)[1:-1]
    assert adapter.close_quote not in inner.replace(adapter.close_quote * 2, "")
    assert inner.replace(adapter.close_quote * 2, adapter.close_quote) == text
