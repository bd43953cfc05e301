"""Tests of the two rate windows."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_statsig.console.clock import SystemClock
from dbt_statsig.console.patience import Patience
from dbt_statsig.console.windows import WINDOWS, RateWindows
from dbt_statsig.errors import SettingsError, Stopped
from tests.unit.console.service import FakeClock, patience

if TYPE_CHECKING:
    from collections.abc import Sequence


def most_in_any(times: Sequence[float], seconds: float) -> int:
    """The largest number of entries in any span of so many seconds."""
    return max(sum(1 for other in times if start <= other < start + seconds) for start in times)


def test_46_no_window_is_ever_full() -> None:
    """Fault 46: of two thousand writes, no 10.5 s hold more than 100 and no 15 min more than 850: others have room."""
    clock = FakeClock()
    windows = RateWindows(patience(clock), clock)
    times = []
    for _ in range(2000):
        windows.enter()
        times.append(clock.now())
    assert most_in_any(times, 10.5) == 100
    assert most_in_any(times, 900) == 850
    assert clock.now() - 1000 < 2 * 900 + 10 * 5


def test_45_a_jump_of_the_wall_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 45: with the wall clock thrown a year ahead and back, a full window still makes the next write wait."""
    windows = RateWindows(Patience(budget=10, clock=SystemClock(), on_wait=None), SystemClock(), [(3, 0.3)])
    start = time.monotonic()
    for jump in (0, 31_536_000, -31_536_000, 0):
        monkeypatch.setattr(time, "time", lambda jump=jump: 1_800_000_000.0 + jump)
        windows.enter()
    assert time.monotonic() - start >= 0.29


def test_threads_share_the_windows() -> None:
    """Many threads together get no more than one alone."""
    windows = RateWindows(Patience(budget=10, clock=SystemClock(), on_wait=None), SystemClock(), [(5, 0.2)])
    times: list[float] = []
    lock = threading.Lock()

    def work(_: int) -> None:
        windows.enter()
        with lock:
            times.append(time.monotonic())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(20)))
    assert max(times) - min(times) >= 0.55


def test_waiting_is_told_and_can_be_stopped() -> None:
    """A long wait for the window says why, costs no budget, and ends with the run."""
    clock = FakeClock()
    waits: list[object] = []
    waiting = Patience(budget=1, clock=clock, on_wait=waits.append)
    windows = RateWindows(waiting, clock, [(1, 10.0)])
    windows.enter()
    windows.enter()
    assert len(waits) == 1
    assert waiting.spent == 0
    waiting.stop()
    with pytest.raises(Stopped):
        windows.enter()


@pytest.mark.parametrize(
    "wrong",
    [[], [(0, 1.0)], [(5, 0.0)], [(11, 1.0), (51, 4.0)], [(10, 1.0), (10, 2.0)], [(10, 1.0), (11, 1.0)]],
)
def test_windows_that_contradict_each_other_are_refused(wrong: list[tuple[int, float]]) -> None:
    """A set of windows that cannot be kept is a settings error at the start, not a surprise at the first write."""
    clock = FakeClock()
    with pytest.raises(SettingsError, match="contradict"):
        RateWindows(patience(clock), clock, wrong)


def test_the_windows_leave_room_below_what_is_documented() -> None:
    """Both windows stay under Statsig's documented 100 in 10 s and 900 in 15 min."""
    rates = [requests / seconds for requests, seconds in WINDOWS]
    assert [rate / limit for rate, limit in zip(rates, (100 / 10, 900 / 900), strict=True)] == pytest.approx(
        [0.952, 0.944], abs=0.001
    )


@settings(deadline=None)
@given(ways=st.lists(st.floats(0, 0.5), min_size=1, max_size=40))
def test_46_a_late_arrival_never_fills_the_server_window(ways: list[float]) -> None:
    """Fault 46: Statsig counts arrivals; with ways that differ by up to half a second no 10 s see more than 100."""
    clock = FakeClock()
    windows = RateWindows(patience(clock), clock)
    arrivals = []
    for _, way in zip(range(350), itertools.cycle(ways), strict=False):
        windows.enter()
        arrivals.append(clock.now() + way)
    assert most_in_any(arrivals, 10) <= 100
