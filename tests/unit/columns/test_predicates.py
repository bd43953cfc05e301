"""Tests of predicates and formulas: what is refused, where, and which columns are read."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from dbt_statsig.vocabulary.adapters import ADAPTERS, adapter_for
from dbt_statsig.vocabulary.verdicts import MACROS, ColumnSet, Evidence, KnownColumn, SqlCheck
from tests.unit.columns.projects import get, model, prover

DATES = frozenset({"statsig_start_date", "statsig_end_date"})
LIST = "select 1 as user_id, 2 as amount, 3 as at, 4 as info, 5 as day, 6 as l, 7 as date"


def check(
    sql: str, adapter: str = "duckdb", *, query: str = LIST, macros: frozenset[str] = MACROS, of_row: bool = False
) -> SqlCheck:
    """The check of a predicate over a model with the columns of `query`."""
    proof = prover(model("m", query), adapter=adapter)
    return proof.check_predicate(get(proof, "model.shop.m"), sql, macros=macros, of_row=of_row)


def faults(check: SqlCheck) -> list[tuple[str, int, int]]:
    """Code, line and column of each problem."""
    return [(problem.code, problem.line, problem.column) for problem in check.problems]


GOOD = [
    ("duckdb", "user_id = 'x' and amount > 1"),
    ("duckdb", "m.user_id is not null or main.m.amount > 1 or shop.main.m.amount > 2"),
    ("duckdb", "info.nested.field = 1"),
    ("duckdb", "list_filter(l, v -> v > 1) is not null"),
    ("duckdb", "amount /* why; -- not */ > 1"),
    ("duckdb", "user_id = 'it''s; -- fine /* ) '"),
    ("duckdb", "at between date {statsig_start_date} and cast({statsig_end_date} as date)"),
    ("duckdb", "user_id <> '{statsig_start_date}'"),
    ("duckdb", "user_id like '{anything}'"),
    ("duckdb", "{'a': amount}.a = 1"),
    ("duckdb", "user_id in (select whatever from elsewhere)"),
    ("duckdb", "case when amount > 1 then current_date else today() end > at"),
    ("duckdb", "struct_pack(a := amount) is not null"),
    ("snowflake", "datediff(hour, at, sysdate()) > 1 and info:a.b::int = 2 and metadata$filename is null"),
    ("snowflake", 'date_trunc(week, at) = last_day(at, month) and USER_ID = 1 and "USER_ID" = 1'),
    ("bigquery", "date_diff(at, current_date(), week(monday)) > 1 and _PARTITIONTIME > at and r'\\d' = user_id"),
    ("bigquery", "info.a[safe_offset(0)].b = 1 and timestamp_trunc(at, day) > at"),
    ("redshift", "dateadd(day, 1, at) > getdate()"),
    ("sqlserver", "[user_id] = 1 and datepart(weekday, at) = 2 and convert(date, at) > '2020-01-01'"),
    ("databricks", "exists(l, x -> x > 1) and info.a.b = 2 and `user_id` = 1"),
    ("clickhouse", "toDate(at) > today() and arrayExists(x -> x > 1, l)"),
    ("postgres", "at at time zone 'utc' > now() and (info->>'a')::int = 1 and extract(dow from at) = 1"),
    ("trino", "any_match(l, x -> x > 1) and date_diff('day', at, now()) > 1"),
    ("duckdb", "sum(amount) > 1"),
    ("duckdb", "count(*) > 1"),
]


@pytest.mark.parametrize(("adapter", "sql"), GOOD)
def test_good_predicates(adapter: str, sql: str) -> None:
    """Date parts, fields, lambdas, strings, aliases and nested queries raise no alarm."""
    assert check(sql, adapter).problems == ()


@pytest.mark.parametrize(("adapter", "sql"), GOOD[:-2])
def test_good_conditions(adapter: str, sql: str) -> None:
    """What is about one row stays without alarm in a `where`."""
    assert check(sql, adapter, of_row=True).problems == ()


@pytest.mark.parametrize(
    "sql",
    [
        "user_id in (select max(x) from t)",
        "user_id = (select count(*) over () from t limit 1)",
        "greatest(amount, 1) > 1",
        "list_sum(l) > 1",
        "list_max(l) > 1 and amount = any(l)",
    ],
)
def test_functions_of_one_row(sql: str) -> None:
    """Aggregates of a nested query, and functions of lists, are about one row."""
    assert check(sql, of_row=True).problems == ()


@pytest.mark.parametrize(
    ("adapter", "sql", "name", "place"),
    [
        ("duckdb", "amount > 1 and Sum(amount) > 1", "Sum", 16),
        ("duckdb", "count(*) > 1", "count", 1),
        ("duckdb", "row_number() over (partition by user_id order by at) = 1", "row_number", 1),
        ("duckdb", "1 = my_udf(amount) over ()", "my_udf", 5),
        ("duckdb", "max(amount) filter (where amount > 1) = 2", "max", 1),
        ("snowflake", "listagg(info, ',') within group (order by at) = 'x'", "listagg", 1),
        ("bigquery", "countif(amount > 1) > 1", "countif", 1),
        ("sqlserver", "string_agg(info, ',') = 'x'", "string_agg", 1),
        ("clickhouse", "sumIf(amount, user_id = 1) > 1", "sumIf", 1),
        ("clickhouse", "quantiles(0.5)(amount) is not null", "quantiles", 1),
        ("postgres", "bool_or(amount > 1)", "bool_or", 1),
        ("snowflake", "amount > 1 or variance_samp(amount) > 1", "VARIANCE", 1),
    ],
)
def test_a_condition_about_several_rows(adapter: str, sql: str, name: str, place: int) -> None:
    """An aggregate or window function in a `where` is refused by every warehouse, so it is an error at its place."""
    found = check(sql, adapter, of_row=True)
    assert faults(found) == [("bad-sql", 1, place)]
    assert f" {name} is an aggregate" in found.problems[0].message
    assert check(sql, adapter).problems == ()


BAD = [
    ("1=1) OR (1=1", [("bad-sql", 1, 4)]),
    ("(user_id = 1", [("bad-sql", 1, 1)]),
    ("l[1 = 2)", [("bad-sql", 1, 8)]),
    ("user_id = 1 -- more", [("bad-sql", 1, 13)]),
    ("user_id = 1 --", [("bad-sql", 1, 13)]),
    ("user_id = 1 /* open", [("bad-sql", 0, 0)]),
    ("user_id = 1 /* /* */", [("bad-sql", 0, 0)]),
    ("user_id = 'open", [("bad-sql", 0, 0)]),
    ("user_id = 1; drop table x", [("bad-sql", 1, 12)]),
    ("user_id = 1;", [("bad-sql", 1, 12)]),
    ("user_id as x", [("bad-sql", 1, 9)]),
    ("user_id, amount", [("bad-sql", 1, 8)]),
    ("select 1", [("bad-sql", 1, 1)]),
    ("*", [("bad-sql", 1, 1)]),
    ("m.*", [("bad-sql", 1, 1)]),
    ("user_id = 1\norder by 1", [("bad-sql", 2, 1)]),
    ("user_id = 1 union select 2", [("bad-sql", 1, 13)]),
    ("", [("bad-sql", 0, 0)]),
    ("  \n", [("bad-sql", 0, 0)]),
    ("user_id = \x00 1", [("bad-sql", 1, 11)]),
    ("at > {{ var('x') }}", [("unrendered-jinja", 1, 6)]),
    ("at > 1 {% if x %}", [("unrendered-jinja", 1, 8)]),
    ("at > {# x #} 1", [("unrendered-jinja", 1, 6)]),
    ("at > {statsig_begin}", [("unknown-macro", 1, 6)]),
    ("at > '{statsig_begin}'", [("unknown-macro", 1, 7)]),
    ("at > { statsig_start_date }", [("unknown-macro", 1, 6)]),
    ("at > {STATSIG_START_DATE}", [("unknown-macro", 1, 6)]),
    ("at > 1 and\n  at < {end}", [("unknown-macro", 2, 8)]),
    ("{a} > ;", [("unknown-macro", 1, 1), ("bad-sql", 1, 7)]),
    ("usr_id = 1", [("column-absent", 1, 1)]),
    ("amount > 1 and\n  usr_id = 1 or other", [("column-absent", 2, 3), ("column-absent", 2, 17)]),
    ("m.usr_id = 1", [("column-absent", 1, 3)]),
    ("shop.main.m.usr_id = 1", [("column-absent", 1, 13)]),
    ("other.user_id = 1", [("column-absent", 1, 1)]),
]


@pytest.mark.parametrize(("sql", "expected"), BAD)
def test_bad_predicates(sql: str, expected: list[tuple[str, int, int]]) -> None:
    """What could break out of its place, or names what is not there, is refused at its place."""
    found = check(sql)
    assert faults(found) == expected
    assert all(problem.message for problem in found.problems)


@pytest.mark.parametrize(
    ("adapter", "sql"), [("bigquery", "a = 1 # x"), ("snowflake", "a = 1 // x"), ("mysql", "a = 1 # x")]
)
def test_comments_of_other_engines(adapter: str, sql: str) -> None:
    """Each dialect's own line comments are refused."""
    assert faults(check(sql, adapter)) == [("bad-sql", 1, 7)]


@pytest.mark.parametrize(
    "sql", ["-- big ones\namount > 1", "amount -- in cents /*\n > -- or\n 1", "amount > 1 -- x\n/* y */"]
)
def test_a_line_comment_before_the_last_line(sql: str) -> None:
    """A line comment that a further line follows swallows nothing."""
    assert faults(check(sql)) == []


@pytest.mark.parametrize(
    "sql", ["amount > 1 -- x", "amount > 1 -- x\n ", "amount -- x\n > 1 -- y\n-- z", "amount --x\n > 1"]
)
def test_a_line_comment_at_the_end(sql: str) -> None:
    """One that ends the text would swallow what follows; without a blank behind it, it is none to every engine."""
    assert [code for code, _, _ in faults(check(sql))] == ["bad-sql"]


def test_a_hidden_command_of_mysql() -> None:
    """MySQL runs what is in `/*! … */`: it is no comment."""
    assert faults(check("amount = 1 /*! or 1 = 1 */", "mysql")) == [("bad-sql", 1, 12)]


@pytest.mark.parametrize(("adapter", "quoted"), [("duckdb", '"{x}"'), ("spark", "`{x}`"), ("sqlserver", "[{x}]")])
def test_braces_in_a_quoted_name(adapter: str, quoted: str) -> None:
    """What looks like a macro inside of a quoted name belongs to the name."""
    query = f"select 1 as {quoted}, 2 as y"
    assert check(f"{quoted} = y", adapter, query=query).problems == ()
    assert faults(check(f"y = {quoted.replace('x', 'z')}", adapter, query=query)) == [("column-absent", 1, 5)]


def test_a_macro_of_other_kinds() -> None:
    """A macro that exists but is not allowed here is distinguished from one that does not exist."""
    (problem,) = check("at > {statsig_experiment_start_timestamp}", macros=DATES).problems
    assert "not allowed" in problem.message
    assert "{statsig_start_date}" in problem.fix
    (unknown,) = check("at > {statsig_start_dat}", macros=DATES).problems
    assert unknown.fix == 'Did you mean "statsig_start_date"?'
    (none,) = check("at > {statsig_start_date}", macros=frozenset()).problems
    assert "no macro." in none.fix


def test_the_nearest_column_is_suggested() -> None:
    """The message has the name as it is in the text, the fix the nearest one."""
    (problem,) = check("Usr_Id = 1", "snowflake").problems
    assert '"Usr_Id"' in problem.message
    assert problem.fix == 'Did you mean "USER_ID"?'


def test_case_counts_in_sql() -> None:
    """Where the warehouse tells spellings apart, a quoted name in another case is another column."""
    (problem,) = check('"user_id" = 1', "snowflake").problems
    assert (problem.code, problem.fix) == ("column-absent", 'Write "USER_ID".')
    (other,) = check("Made = 1", "snowflake", query='select 1 as "made"').problems
    assert other.fix == 'Write "made".'


def test_columns_that_are_read() -> None:
    """The columns of the table that the text reads come out once each, in stored spelling; strings do not."""
    found = check("Amount > 1 and m.user_id = 'at' and amount < 5 and date > today() and info.x = 1")
    assert [verdict.stored for verdict in found.used] == ["amount", "user_id", "date", "info"]


def test_an_open_list_gives_warnings_only() -> None:
    """Where not all columns are known, a name that is not among them is unknown, and a date part stays a word."""
    found = check("other = 1 and datetrunc(week, at) > 1 and x.y.z = 2", query="select 1 as a, * from elsewhere")
    assert [problem.code for problem in found.problems] == ["column-unknown", "column-unknown"]
    assert [verdict.stored for verdict in found.used] == ["other", "at", "x"]


def test_a_formula_over_a_query() -> None:
    """With the columns of a user's query these are what a formula may read."""
    proof = prover(model("m", LIST))
    columns = ColumnSet(columns=(KnownColumn(name="total", evidence=Evidence.INFERRED),), closed=True)
    node = get(proof, "model.shop.m")
    assert proof.check_predicate(node, "total / 2", macros=MACROS, columns=columns).problems == ()
    assert faults(proof.check_predicate(node, "amount", macros=MACROS, columns=columns)) == [("column-absent", 1, 1)]
    same = proof.check_predicate(node, "amuont", macros=MACROS, columns=proof.columns(node))
    assert "model m" in same.problems[0].message


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(ADAPTERS)), st.text(alphabet="a1=()'\"`[]{};,-/*#.| \n$\\ORandstig_", max_size=25))
def test_what_passes_stays_in_its_place(adapter: str, sql: str) -> None:
    """No text makes the check fail, and one that passes is one bracket of the query that it is placed in."""
    if check(sql, adapter).problems:
        return
    wrapped = f"select a from t where ({sql.strip()}) and b = 7 order by c"
    statements = sqlglot.parse(wrapped, read=adapter_for(adapter).dialect)
    assert len(statements) == 1
    assert isinstance(statements[0], exp.Select)
    condition = statements[0].args["where"].this
    assert isinstance(condition, exp.And)
    assert isinstance(condition.this, exp.Paren)
    assert statements[0].args["order"] is not None
