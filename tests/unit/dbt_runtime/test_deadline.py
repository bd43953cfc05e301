"""Work that has a time limit."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.support.threads import TimedOut, within

if TYPE_CHECKING:
    from dbt_statsig.support.threads import StopSignal


def test_in_time() -> None:
    """Work that ends in time gives its value."""
    assert within(5, lambda _: 7) == (7, False)


def test_stopped_in_time() -> None:
    """Work that ends at its stop signal gives its value, and that it was late."""

    def work(signal: StopSignal) -> str:
        stopped = threading.Event()
        signal.on_stop(stopped.set)
        return "stopped" if stopped.wait(5) else "never stopped"

    assert within(0.05, work) == ("stopped", True)


def test_never_ends() -> None:
    """Work that does not even stop is given up after the grace, and the error says what is not known."""
    ended = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimedOut, match="may or may not have happened"):
        within(0.05, lambda _: ended.wait(10), grace=0.05)
    assert time.monotonic() - started < 5
    ended.set()


def test_errors_come_through() -> None:
    """What the work raises is raised where it is waited for."""

    def work(_: StopSignal) -> int:
        raise DbtStatsigError("no")

    with pytest.raises(DbtStatsigError, match="no"):
        within(5, work)


def test_an_interrupt_stops_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while waiting sends the stop signal, and is passed on."""
    stopped = threading.Event()

    def work(signal: StopSignal) -> None:
        signal.on_stop(stopped.set)
        stopped.wait(5)

    def interrupted(_futures: object, _seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dbt_statsig.support.threads.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        within(5, work)
    assert stopped.wait(5)
