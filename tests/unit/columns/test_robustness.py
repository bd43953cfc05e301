"""Tests of SQL that is huge, deep or broken: unknown with its reason, never a crash, never slow."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_statsig.columns.expand import Known, expand
from dbt_statsig.columns.walk import shape_of
from dbt_statsig.vocabulary.adapters import ADAPTERS, adapter_for

if TYPE_CHECKING:
    import pytest

DUCKDB = adapter_for("duckdb")


def columns(sql: str, adapter: str = "duckdb") -> Known:
    """What a query gives where each table has the columns a and b."""
    rules = adapter_for(adapter)
    return expand(rules, shape_of(rules, sql).items, lambda _table: Known(names=("a", "b")))


def test_five_hundred_ctes() -> None:
    """A chain of 500 CTEs, each a star over the last, is followed to its end."""
    for adapter in ("duckdb", "postgres"):
        chain = ["c0 as (select * from t)"] + [f"c{n} as (select *, {n} as n{n} from c{n - 1})" for n in range(1, 500)]
        known = columns(f"with {', '.join(chain)} select * from c499", adapter)
        assert known.closed
        assert len(known.names) == 501


def test_deep_nesting() -> None:
    """Queries nested 2,000 deep are unknown with the reason."""
    known = columns("select * from (" * 2000 + "select 1 as a" + ")" * 2000)
    assert not known.closed
    assert "nested too deeply" in known.reasons[0] or "does not parse" in known.reasons[0]


def test_ten_thousand_columns() -> None:
    """A model of 10,000 columns, excluded and renamed, takes no more than linear time."""
    listed = ", ".join(f"{n} as c{n}" for n in range(10_000))
    started = time.perf_counter()
    known = columns(f"with w as (select {listed}) select * exclude (c1) rename (c2 as z) from w")
    assert len(known.names) == 9_999
    assert time.perf_counter() - started < 20


def test_doubling_is_stopped() -> None:
    """A query that doubles its width at each step ends, and is unknown."""
    chain = ["c0 as (select 1 as a, 2 as b)"] + [
        f"c{n} as (select x.*, y.* from c{n - 1} x, c{n - 1} y)" for n in range(1, 40)
    ]
    for adapter in ("duckdb", "postgres"):
        known = columns(f"with {', '.join(chain)} select * from c39", adapter)
        assert known.reasons == ("the query has more columns than any warehouse allows",)


def test_a_megabyte_of_sql() -> None:
    """A query of a megabyte is read."""
    known = columns("select '" + "x" * 1_000_000 + "' as a")
    assert known.names == ("a",)


def test_sqlglot_stays_silent(caplog: pytest.LogCaptureFixture) -> None:
    """What sqlglot would log about text that it does not understand is not shown; others' use of it still is."""
    with caplog.at_level(logging.DEBUG, logger="sqlglot"):
        assert not columns("show tables from x y z", "snowflake").closed
        assert caplog.records == []
        logging.getLogger("sqlglot").warning("of another's")
        assert len(caplog.records) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(ADAPTERS)), st.text(alphabet="selct*from ()'\"`[];,-/{}.\x00\nwh ithunoby1a", max_size=60)
)
def test_any_text_has_a_shape(adapter: str, text: str) -> None:
    """No text whatever makes reading a query fail."""
    assert shape_of(adapter_for(adapter), "select " + text).items is not None


WORDS = ["select", "from", "(", ")", "*", "a", "b.c", ",", "as", "with", "union all", "by name", "join", "using (a)"]
MORE = ["pivot (", "for a in (1)", "unpivot", "lateral", "exclude (a)", "values", "'x'", "where", "1", ";", "unnest(x)"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(ADAPTERS)), st.lists(st.sampled_from(WORDS + MORE), max_size=14))
def test_any_words_have_columns(adapter: str, words: list[str]) -> None:
    """Words of SQL in any order give columns or a reason, never an exception."""
    known = columns(" ".join(["select", *words]), adapter)
    assert known.names or known.reasons or known.closed
