"""Tests of how much SQL is read: what would take for ever or all memory counts as not read."""

from __future__ import annotations

import time
from types import FunctionType

import pytest
from sqlglot.parser import Parser

from dbt_statsig.columns import budget
from dbt_statsig.columns.budget import Unparsable, check_size
from dbt_statsig.columns.items import Opaque, Star
from dbt_statsig.columns.walk import shape_of
from dbt_statsig.vocabulary.adapters import adapter_for

SNOWFLAKE = adapter_for("snowflake")


def reason(sql: str) -> str:
    """Why the shape of a query is not known."""
    (item,) = shape_of(SNOWFLAKE, sql).items
    assert isinstance(item, Opaque)
    return item.reason


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select " + "(" * 5_000_000, "it is longer than 2,000,000 characters"),
        ("select " + "a." * 900_000, "it has more than 200,000 words and signs"),
        ("select " + "1e" * 500_000, "it has a number of more than 1,000 digits"),
    ],
)
def test_too_much_is_not_read(sql: str, words: str) -> None:
    """A text of too many characters, words or digits is unknown with the reason, at once."""
    started = time.process_time()
    assert words in reason(sql)
    assert time.process_time() - started < 5


def test_much_is_read() -> None:
    """A long literal and long words are no reason not to read a query."""
    check_size("select '" + "x" * 1_900_000 + "'")
    check_size("select a, b from t\n" * 33_000)


@pytest.mark.skipif(not isinstance(Parser._advance, FunctionType), reason="a compiled sqlglot's steps are not counted")
def test_a_reading_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Joins without conditions take sqlglot exponential time: the reading ends, and the next text is read."""
    monkeypatch.setattr(budget, "MAX_OPEN_JOINS", 100)
    assert "too many steps to read" in reason("select * from a" + " join b" * 60)
    assert shape_of(SNOWFLAKE, "select * from a").items == (Star(("a",)),)


def test_a_long_from_clause_is_not_followed() -> None:
    """More than 1,000 joins are unknown with the reason; 1,000 are followed."""
    joins = " cross join b"
    assert "more than 1,000 joins" in reason("select * from a" + joins * 1_001)
    assert len(shape_of(SNOWFLAKE, "select * from a" + joins * 1_000).items) == 1_001


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select * from a" + " join b" * 13, "more than 12 joins without a condition"),
        ("select * from a" + " join (select 1 as b) b" * 13, "more than 12 joins without a condition"),
        ("select " + "(" * 201 + "1" + ")" * 201, "nested too deeply"),
        ("select " + "f([" * 101 + "1" + "])" * 101, "nested too deeply"),
    ],
)
def test_what_no_clock_could_interrupt(sql: str, words: str) -> None:
    """Nesting and open joins are counted before anything is parsed: a compiled sqlglot cannot be interrupted."""
    with pytest.raises(Unparsable, match=words):
        check_size(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from a" + " join b on a.x = b.x" * 50 + " join c using (x)" * 50,
        "select * from a" + " cross join b" * 50 + " natural join c" * 50 + " left join unnest(d)" * 50,
        "select '" + "(" * 500 + "', \"" + "[" * 500 + '" -- ' + " join" * 50,
        "select " + "(1) + " * 500 + "1",
    ],
)
def test_many_joins_and_brackets_are_read(sql: str) -> None:
    """Joins with a condition, or without need of one, and brackets in quotes or beside each other, are no reason."""
    check_size(sql)
