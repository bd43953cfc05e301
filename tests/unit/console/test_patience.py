"""Tests of waiting and of its budget."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.console.clock import SystemClock
from dbt_statsig.console.patience import Patience
from dbt_statsig.errors import Stopped
from tests.unit.console.service import FakeClock, patience

if TYPE_CHECKING:
    from dbt_statsig.console.patience import Waiting


def new_waits() -> list[Waiting]:
    """Nothing told yet."""
    return []


def test_a_pause_is_told_paid_and_slept() -> None:
    """A pause is announced with its reason before it begins, and comes off the budget."""
    clock, waits = FakeClock(), new_waits()
    waiting = patience(clock, waits=waits)
    assert waiting.pause(30, "because", stoppable=True)
    assert clock.slept == [30]
    assert [(wait.seconds, wait.reason, wait.spent, wait.budget) for wait in waits] == [(30, "because", 30, 100)]
    assert (waiting.spent, waiting.budget) == (30, 100)


def test_a_pause_over_the_budget_is_not_begun() -> None:
    """What would not fit is refused at once, and costs nothing."""
    clock = FakeClock()
    waiting = patience(clock)
    assert waiting.pause(60, "a", stoppable=True)
    assert not waiting.pause(60, "b", stoppable=True)
    assert not waiting.close_gate(60, "c")
    assert (clock.slept, waiting.spent) == ([60], 60)


def test_pauses_at_the_same_time_are_paid_once() -> None:
    """Several threads that wait out the same minute use up one minute."""
    clock, waits = FakeClock(), new_waits()
    waiting = patience(clock, waits=waits)
    for seconds in (60, 60, 60, 70):
        assert waiting.close_gate(seconds, "429")
    assert waiting.spent == 70
    assert [wait.seconds for wait in waits] == [60, 70]
    waiting.pass_gate(stoppable=True)
    waiting.pass_gate(stoppable=True)
    assert clock.slept == [70]


def test_our_own_limit_costs_nothing() -> None:
    """Waiting for the rate windows is no trouble: it is told when it is long, and not paid."""
    clock, waits = FakeClock(), new_waits()
    waiting = patience(clock, waits=waits)
    waiting.queue(0.5, "limit")
    waiting.queue(500, "limit")
    assert (clock.slept, [wait.seconds for wait in waits], waiting.spent) == ([0.5, 500], [500], 0)


def test_backoff_doubles_within_bounds() -> None:
    """Each pause is twice the one before, up to half a minute, and half of it is left to chance."""
    clock = FakeClock()
    assert [patience(clock).backoff(attempt) for attempt in (1, 2, 3, 50)] == [0.375, 0.75, 1.5, 22.5]
    drawn = {Patience(budget=1, clock=clock, on_wait=None).backoff(3) for _ in range(50)}
    assert len(drawn) > 1
    assert all(1 <= seconds <= 2 for seconds in drawn)


def test_stop_ends_stoppable_waits_only() -> None:
    """After a stop no write waits any more, while what is settled already under way may still wait."""
    clock = FakeClock()
    waiting = patience(clock)
    waiting.stop()
    with pytest.raises(Stopped, match="not sent"):
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
    waiting = Patience(budget=1000, clock=SystemClock(), on_wait=None)
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
    waiting = Patience(budget=1000, clock=SystemClock(), on_wait=None)
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
