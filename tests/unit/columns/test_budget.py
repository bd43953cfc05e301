"""Tests of how much SQL is read: what would take for ever or all memory counts as not read."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from dbt_statsig.columns import budget
from dbt_statsig.columns.adapters import adapter_for
from dbt_statsig.columns.budget import Overtime, Unparsable, check_size, limited
from dbt_statsig.columns.items import Opaque, Star
from dbt_statsig.columns.shape import shape_of

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


# Where the interrupt falls into the garbage collector's callback of hypothesis, Python drops and reports it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_reading_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Joins without conditions take sqlglot exponential time: the reading ends, and the next text is read."""
    monkeypatch.setattr(budget, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(budget, "MAX_OPEN_JOINS", 100)
    assert "to read" in reason("select * from a" + " join b" * 60)
    assert shape_of(SNOWFLAKE, "select * from a").items == (Star(("a",)),)


def test_what_a_callback_swallows_is_raised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the interrupt falls into code whose exceptions are dropped, the reading ends all the same."""
    monkeypatch.setattr(budget, "MAX_SECONDS", 0.2)

    def swallowing() -> None:
        with contextlib.suppress(Overtime):
            _busy_for(60)
        _busy_for(60)

    with pytest.raises(Overtime), limited():
        swallowing()


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


def test_readings_within_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a reading stands still while another one runs inside of it, in overtime or not."""
    monkeypatch.setattr(budget, "MAX_SECONDS", 1.0)
    with limited():
        with pytest.raises(Overtime), limited():
            _busy_for(60)
        _busy_for(0.1)

    def outer() -> None:
        with limited():
            with limited():
                _busy_for(0.1)
            _busy_for(60)

    with pytest.raises(Unparsable, match="longer than 1 s"):
        outer()


def test_each_thread_has_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the thread that takes too long is interrupted, and none before a fork is left to watch."""
    monkeypatch.setattr(budget, "MAX_SECONDS", 0.2)
    ended: list[str] = []

    def read() -> None:
        try:
            with limited():
                _busy_for(5)
        except Overtime as error:
            ended.append(error.message)

    other = threading.Thread(target=read)
    other.start()
    other.join()
    assert ended == ["it takes longer than 0 s to read"]
    budget.before_fork()
    budget.before_fork()
    assert not any(thread.name == "sql-budget" for thread in threading.enumerate())


def _busy_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
