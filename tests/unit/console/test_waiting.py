"""Tests of waiting, of its budget, of the Retry-After header, and of turns."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.console.pace import Rates
from dbt_statsig.console.waiting import SystemClock, Turns, WaitBudget, duration, seconds_asked
from dbt_statsig.errors import Stopped
from tests.unit.console.service import FakeClock, wait_budget

if TYPE_CHECKING:
    from dbt_statsig.console.waiting import Waiting

NOW = 1_800_000_000.0


def new_waits() -> list[Waiting]:
    """Nothing reported yet."""
    return []


def test_a_pause_is_reported_paid_and_slept() -> None:
    """A pause is announced with its reason before it begins, and comes off the budget."""
    clock, waits = FakeClock(), new_waits()
    waiting = wait_budget(clock, waits=waits)
    assert waiting.pause(30, "because", stoppable=True)
    assert clock.slept == [30]
    assert [(wait.seconds, wait.reason, wait.spent, wait.budget) for wait in waits] == [(30, "because", 30, 100)]
    assert (waiting.spent, waiting.budget) == (30, 100)


def test_a_pause_over_the_budget_is_not_begun() -> None:
    """What would not fit is refused at once, and costs nothing."""
    clock = FakeClock()
    waiting = wait_budget(clock)
    assert waiting.pause(60, "a", stoppable=True)
    assert not waiting.pause(60, "b", stoppable=True)
    assert not waiting.close_gate(60, "c")
    assert (clock.slept, waiting.spent) == ([60], 60)


def test_pauses_at_the_same_time_are_paid_once() -> None:
    """Several threads that wait out the same minute use up one minute."""
    clock, waits = FakeClock(), new_waits()
    waiting = wait_budget(clock, waits=waits)
    for seconds in (60, 60, 60, 70):
        assert waiting.close_gate(seconds, "429")
    assert waiting.spent == 70
    assert [wait.seconds for wait in waits] == [60, 70]
    waiting.pass_gate(stoppable=True)
    waiting.pass_gate(stoppable=True)
    assert clock.slept == [70]


def test_our_own_pace_costs_nothing() -> None:
    """Waiting for our own pace is no trouble: it is announced where there is a reason to, and not paid."""
    clock, waits = FakeClock(), new_waits()
    waiting = wait_budget(clock, waits=waits)
    waiting.queue(0.5, "")
    waiting.queue(500, "limit")
    assert (clock.slept, [wait.seconds for wait in waits], waiting.spent) == ([0.5, 500], [500], 0)


def test_backoff_doubles_within_bounds() -> None:
    """Each pause is twice the one before, up to half a minute, and half of it is left to chance."""
    clock = FakeClock()
    assert [wait_budget(clock).backoff(attempt) for attempt in (1, 2, 3, 50)] == [0.375, 0.75, 1.5, 22.5]
    drawn = {WaitBudget(budget=1, clock=clock, on_wait=None).backoff(3) for _ in range(50)}
    assert len(drawn) > 1
    assert all(1 <= seconds <= 2 for seconds in drawn)


def test_stop_ends_stoppable_waits_only() -> None:
    """After a stop no write waits any more, while what is settled already under way may still wait."""
    clock = FakeClock()
    waiting = wait_budget(clock)
    waiting.stop()
    with pytest.raises(Stopped, match="Not sent"):
        waiting.pause(5, "a", stoppable=True)
    with pytest.raises(Stopped):
        waiting.queue(5, "a")
    with pytest.raises(Stopped):
        waiting.pass_gate(stoppable=True)
    waiting.pass_gate(stoppable=False)
    assert waiting.pause(5, "a", stoppable=False)
    assert clock.slept == [5]


def test_a_stop_wakes_a_sleeping_thread() -> None:
    """On the machine's clock, a stop from another thread ends a long wait at once."""
    waiting = WaitBudget(budget=1000, clock=SystemClock(), on_wait=None)
    raised: list[bool] = []

    def wait() -> None:
        with pytest.raises(Stopped):
            waiting.pause(600, "a", stoppable=True)
        raised.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.stop()
    thread.join(timeout=10)
    assert raised == [True]


def test_closing_ends_every_wait() -> None:
    """After closing, what never stops for the end of a run stops too: reads do not begin, nor wait on."""
    waiting = WaitBudget(budget=1000, clock=SystemClock(), on_wait=None)
    raised: list[bool] = []

    def wait() -> None:
        with pytest.raises(Stopped):
            waiting.pause(600, "a", stoppable=False)
        raised.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.stop()
    waiting.pass_gate(stoppable=False)
    waiting.close()
    thread.join(timeout=10)
    assert raised == [True]
    for stoppable in (False, True):
        with pytest.raises(Stopped):
            waiting.pass_gate(stoppable=stoppable)


def test_the_system_clock_runs() -> None:
    """The machine's clocks move forward, and a sleep lasts."""
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01, threading.Event())
    assert clock.now() >= before + 0.009
    assert clock.wall() > 1_700_000_000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 12 ", 12.0),
        ("1.5", 1.5),
        (formatdate(NOW + 40, usegmt=True), 40.0),
        (formatdate(NOW + 40), 40.0),
        (formatdate(NOW - 40, usegmt=True), None),
        ("-5", None),
        ("+5", None),
        ("soon", None),
        ("", None),
        ("1e3", None),
        ("\u0663", None),
        ("Thu, 99 Foo 2026 99:99:99 GMT", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
        ("9" * 5000, float("inf")),
    ],
)
def test_9_both_forms_are_read_and_garbage_is_none(value: str, seconds: float | None) -> None:
    """Fault 9: seconds and dates are read; negative, past and garbled values are no answer."""
    assert seconds_asked({"retry-after": value}, wall=NOW) == seconds


def test_a_missing_header_is_no_answer() -> None:
    """Without the header nothing was asked."""
    assert seconds_asked({}, wall=NOW) is None


def test_a_date_counts_from_the_servers_own_clock() -> None:
    """A date is counted from the answer's Date header, so that a wrong local clock does not stretch the wait."""
    headers = {"retry-after": formatdate(NOW + 40, usegmt=True), "date": formatdate(NOW + 30, usegmt=True)}
    assert seconds_asked(headers, wall=0.0) == 10.0


@given(st.text())
def test_no_header_breaks_it(value: str) -> None:
    """Any text gives a number that is not negative, or None."""
    seconds = seconds_asked({"retry-after": value, "date": value}, wall=NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (45, "45 s"),
        (599, "599 s"),
        (900, "15 min"),
        (86_400, "1440 min"),
        (float("inf"), "more than a day"),
    ],
)
def test_durations_are_shown_in_a_fitting_unit(seconds: float, text: str) -> None:
    """Seconds up to ten minutes, then minutes, and nothing that is no time."""
    assert duration(seconds) == text


def test_a_long_wait_for_a_turn_is_announced_once_and_can_be_stopped() -> None:
    """Writes that have to wait for a full window say so once, cost no budget, and end with the run."""
    clock, waits = FakeClock(), new_waits()
    waiting = WaitBudget(budget=1, clock=clock, on_wait=waits.append)
    turns = Turns(waiting, Rates(quota=5))
    for _ in range(7):
        turns.taken(turns.begin())
    assert [(round(wait.seconds), wait.reason, wait.spent) for wait in waits] == [(900, "Statsig's limit on writes", 0)]
    assert clock.now() == pytest.approx(1900, abs=2)
    waiting.stop()
    with pytest.raises(Stopped):
        turns.begin()


def test_threads_share_one_pace() -> None:
    """Eight threads together get no more turns than one alone, on the machine's own clock."""
    turns = Turns(WaitBudget(budget=10, clock=SystemClock(), on_wait=None), Rates(first=200, most=200))
    begun: list[float] = []

    def work() -> None:
        for _ in range(2):
            turn = turns.begin()
            begun.append(time.monotonic())
            turns.taken(turn)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(begun) - min(begun) >= (16 - 4) * 0.05 * 0.95


def test_45_a_jump_of_the_wall_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 45: with the wall clock thrown a year ahead and back, the pace is the same."""
    turns = Turns(WaitBudget(budget=10, clock=SystemClock(), on_wait=None), Rates(first=100, most=100))
    start = time.monotonic()
    for jump in (0, 31_536_000, -31_536_000, 0, 0, 0):
        monkeypatch.setattr(time, "time", lambda jump=jump: 1_800_000_000.0 + jump)
        turns.taken(turns.begin())
    assert time.monotonic() - start >= 0.19
