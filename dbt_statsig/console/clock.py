"""Time as the client sees it: a monotonic clock for limits, so that no jump of the wall clock moves them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from threading import Event


class Clock(Protocol):
    """What the client asks of time; tests put their own in place."""

    def now(self) -> float:
        """Seconds on a clock that never jumps."""

    def wall(self) -> float:
        """Seconds since 1970, for dates that a server sends."""

    def sleep(self, seconds: float, until: Event) -> None:
        """Wait so long, or until the event is set."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970 on the wall clock."""
        return time.time()

    def sleep(self, seconds: float, until: Event) -> None:
        """Wait so long, or until the event is set."""
        until.wait(seconds)
