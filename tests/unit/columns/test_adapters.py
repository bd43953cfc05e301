"""Tests of how adapters spell, quote and compare names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.vocabulary.adapters import ADAPTERS, adapter_for

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


@pytest.mark.parametrize(
    ("open_", "name"), [("`a``b`", "databricks"), ("`a\\`b`", "bigquery"), ("[a`b]", "fabric"), ('"a`b"', "duckdb")]
)
def test_only_the_closing_character_is_doubled(open_: str, name: str) -> None:
    """Other quote characters inside a name stay single."""
    assert adapter_for(name).quote("a`b") == open_


def test_postgres_cuts_long_names() -> None:
    """PostgreSQL stores the first 63 bytes of a name, whole characters only."""
    postgres = adapter_for("postgres")
    assert postgres.stored("x" * 70, quoted=True) == "x" * 63
    assert postgres.stored("x" + "é" * 40, quoted=True) == "x" + "é" * 31


@pytest.mark.parametrize(
    ("name", "snowflake", "postgres"),
    [
        ("user_id", "USER_ID", "user_id"),
        ("UserID", "USERID", "userid"),
        ("metadata$action", "METADATA$ACTION", "metadata$action"),
        ("order", "ORDER", "order"),
        ("User Id", "User Id", "User Id"),
        ("1x", "1x", "1x"),
        ("X-y", "X-y", "X-y"),
        ("x\n", "x\n", "x\n"),
    ],
)
def test_the_spelling_that_is_assumed(name: str, snowflake: str, postgres: str) -> None:
    """An unproven plain name is folded as SQL without quotes would be; what is no identifier can only be as written."""
    assert adapter_for("snowflake").assumed(name) == snowflake
    assert adapter_for("postgres").assumed(name) == postgres
    assert adapter_for("bigquery").assumed(name) == name


@pytest.mark.parametrize(
    ("name", "unquoted", "one"),
    [
        ("postgres", "grÖße", False),
        ("redshift", "grÖße", False),
        ("duckdb", "GrÖßE", False),
        ("bigquery", "GrÖßE", False),
        ("spark", "GrÖßE", True),
        ("trino", "größe", True),
    ],
)
def test_letters_beyond_ascii(name: str, unquoted: str, *, one: bool) -> None:
    """Only some warehouses fold and compare other letters than A to Z without case; none takes `ss` for `ß`."""
    adapter = adapter_for(name)
    assert adapter.stored("GrÖßE", quoted=False) == adapter.assumed("GrÖßE") == unquoted
    assert adapter.same("Ä", "ä") is one
    assert not adapter.same("straße", "strasse")


def test_backslashes_in_names() -> None:
    """Where a backslash escapes inside of quotes, one in a name is doubled."""
    assert adapter_for("clickhouse").quote("a\\b") == "`a\\\\b`"
    assert adapter_for("duckdb").quote("a\\b") == '"a\\b"'


@given(st.sampled_from(sorted(ADAPTERS)), st.text(alphabet=st.sampled_from("\\`\"[]'a "), max_size=20))
def test_a_quoted_name_never_ends_early(name: str, text: str) -> None:
    """Whatever a name holds, read as its warehouse reads quotes it is that name, and ends where the text does."""
    adapter = adapter_for(name)
    escapes = {"\\": 1} if adapter.backslash else {}
    escapes |= {} if adapter.backslash else {adapter.close_quote: 1}
    inner, read, place = adapter.quote(text)[1:-1], "", 0
    while place < len(inner):
        place += escapes.get(inner[place], 0)
        assert place < len(inner), "it ends early"
        read += inner[place]
        place += 1
    assert read == text


PACKAGE = Path(__file__).resolve().parents[3] / "dbt_statsig"
TABLE = PACKAGE / "vocabulary" / "adapters.py"
# A Python module that is called like an adapter.
LIBRARIES = {("catalog.py", "duckdb")}


def warehouses_in(text: str) -> set[str]:
    """The adapters and dialects that a module's text has as values: in comparisons, in sets, as keys."""
    names = {*ADAPTERS, *(adapter.dialect for adapter in ADAPTERS.values())}
    return {str(node.value) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)} & names


def test_what_a_warehouse_does_is_in_its_entry() -> None:
    """No other file of the package names an adapter or a dialect; the emulator has its own warehouse."""
    files = [file for file in PACKAGE.rglob("*.py") if file != TABLE and "emulator" not in file.parts]
    found = {(file.name, name) for file in files for name in warehouses_in(file.read_text(encoding="utf-8"))}
    assert found - LIBRARIES == set()


@pytest.mark.parametrize("text", ['x.dialect == "snowflake"', 'A = frozenset({"trino", "y"})', 'B = {"tsql": 1}'])
def test_a_warehouse_in_another_file_is_found(text: str) -> None:
    """A comparison, a set and a table of warehouses are each found."""
    assert len(warehouses_in(text)) == 1
