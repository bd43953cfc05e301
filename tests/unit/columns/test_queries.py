"""Tests of users' own queries: one SELECT, its columns, and the columns that it reads."""

from __future__ import annotations

import pytest

from dbt_statsig.vocabulary.verdicts import MACROS, SqlCheck
from tests.unit.columns.projects import get, model, prover, source

RAW = "source.shop.raw.events"
EVENTS = '"shop"."raw"."events"'


def check(sql: str, adapter: str = "duckdb", *, stale: bool = False) -> SqlCheck:
    """The check of a query in a project with `raw.events` (id, at, info) and the model `m` (a, b)."""
    proof = prover(
        source("events"),
        model("m", "select 1 as a, 2 as b", columns={"a": {"name": "a", "tags": ["pii"], "config": {"tags": ["pii"]}}}),
        model("open", "select 1 as a, * from elsewhere"),
        catalog={RAW: ("id", "at", "info")},
        adapter=adapter,
        stale=stale,
        use_catalog_of_models=False,
    )
    return proof.check_query(get(proof, "model.shop.m"), sql, macros=MACROS)


GOOD = [
    (f"select * from {EVENTS}", ("id", "at", "info"), True),
    ("select a, b as c from shop.main.m;", ("a", "c"), True),
    (
        "select e.id, m.a from raw.events e join main.m on e.id = m.a where e.info.x = 1 and info.y = 2",
        ("id", "a"),
        True,
    ),
    ("with x as (select a from main.m) select *, a + 1 as z from x where z > 1 order by z", ("a", "z"), True),
    ("select a from main.m union all select id from raw.events", ("a",), True),
    ("select a from main.m where exists (select 1 from raw.events e where e.id = m.a and b = 2)", ("a",), True),
    ("select a, whatever from main.open where anything > 1", ("a", "whatever"), True),
    ("select * from main.open", ("a",), False),
    ("select * from nowhere", (), False),
    ("select a, u.k from main.m, unnest([a]) as u(k) where k > 1", ("a", "k"), True),
    ("select a, l.z from main.m, lateral (select a + 1 as z) l", ("a", "z"), True),
    ("select a from main.m where b > {statsig_start_date} and b < '{statsig_end_date}'", ("a",), True),
    ("select a from main.m -- a comment is fine here", ("a",), True),
    ("select m from main.m", ("m",), True),
    ("select date_trunc('day', at) as d, count(*) as n from raw.events group by d having n > 1", ("d", "n"), True),
    ("select id from raw.events qualify row_number() over (partition by id order by at) = 1", ("id",), True),
    ("select * from raw.events semi join main.m on events.id = m.a", ("id", "at", "info"), True),
    ("values (1, 2)", ("col0", "col1"), True),
]


@pytest.mark.parametrize(("sql", "columns", "closed"), GOOD)
def test_good_queries(sql: str, columns: tuple[str, ...], *, closed: bool) -> None:
    """A query gives its columns and raises no alarm about what it reads."""
    found = check(sql)
    assert found.problems == ()
    assert tuple(column.name for column in found.columns.columns) == columns
    assert found.columns.closed is closed
    assert bool(found.columns.reasons) is not closed


BAD = [
    ("select a, c from main.m", [("column-absent", 1, 11)]),
    ("select m.a,\n  m.c from main.m", [("column-absent", 2, 5)]),
    ("select a from main.m where nope = 1 group by also_nope", [("column-absent", 1, 28), ("column-absent", 1, 46)]),
    ("select a from main.m join raw.events e on e.nope = a", [("column-absent", 1, 45)]),
    ("select a from main.m where nope.x = 1", [("column-absent", 1, 28)]),
    ("select a from main.m union all select nope from main.m", [("column-absent", 1, 39)]),
    ("select (select max(e.nope) from raw.events e) as x from main.m", [("column-absent", 1, 22)]),
    ("with x as (select nope from main.m) select 1 as one from x", [("column-absent", 1, 19)]),
    ("select 1; select 2", [("bad-sql", 1, 9)]),
    ("delete from main.m", [("bad-sql", 1, 1)]),
    ("with x as (delete from main.m returning *) select a from main.m", [("bad-sql", 1, 1)]),
    ("select a into copied from main.m", [("bad-sql", 1, 1)]),
    ("select", [("bad-sql", 1, 1)]),
    ("select a from main.m where (b = 1", [("bad-sql", 1, 28)]),
    ("select a from main.m where", [("bad-sql", 1, 22)]),
    ("", [("bad-sql", 0, 0)]),
    ("select {{ x }}", [("unrendered-jinja", 1, 8)]),
    ("select {nope} as x", [("unknown-macro", 1, 8)]),
]


@pytest.mark.parametrize(("sql", "expected"), BAD)
def test_bad_queries(sql: str, expected: list[tuple[str, int, int]]) -> None:
    """What is no single query, or reads columns that are proven absent, is refused at its place."""
    found = check(sql)
    assert [(problem.code, problem.line, problem.column) for problem in found.problems] == expected


def test_tags_go_through_a_query() -> None:
    """A column of the query that is called like a documented one has its tags."""
    assert [column.tags for column in check("select a, 1 as z from main.m").columns.columns] == [("pii",), ()]


def test_old_sources_prove_nothing_absent_in_queries() -> None:
    """Columns of a source with an old catalog are shown, but the list stays open and nothing is called absent."""
    found = check("select *, new_column as n from raw.events where another = 1", stale=True)
    assert found.problems == ()
    assert not found.columns.closed


def test_pipe_syntax_is_not_judged() -> None:
    """BigQuery's pipes are let through unread."""
    found = check("from raw.events |> where id > 1", "bigquery")
    assert (found.problems, found.columns.closed) == ((), False)


def test_a_query_that_is_too_wide() -> None:
    """A query that doubles its width at each step is unknown, not endless."""
    chain = ["c0 as (select 1 as a, 2 as b)"] + [
        f"c{n} as (select x.*, y.* from c{n - 1} x, c{n - 1} y)" for n in range(1, 40)
    ]
    assert not check(f"with {', '.join(chain)} select 1 as a from c39", "postgres").columns.closed
