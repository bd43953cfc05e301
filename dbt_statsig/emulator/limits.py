"""The service's limits on mutations: at most so many requests in each sliding window."""

from __future__ import annotations

import math
import time
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["RateLimit"]


class RateLimit:
    """Counts requests in every window; refused ones too, unless told otherwise."""

    def __init__(
        self,
        windows: Sequence[tuple[int, float]],
        clock: Callable[[], float] = time.monotonic,
        *,
        count_refused: bool = True,
    ) -> None:
        """Take `windows` as (requests, seconds) and a clock that never goes back."""
        self._windows = tuple(windows)
        self._count_refused = count_refused
        self._clock = clock
        self._taken: deque[float] = deque()
        self._lock = Lock()

    def take(self) -> int:
        """0 when the request may pass; else the whole seconds after which one would."""
        with self._lock:
            now = self._clock()
            longest = max((seconds for _, seconds in self._windows), default=0.0)
            while self._taken and self._taken[0] <= now - longest:
                self._taken.popleft()
            is_refused = bool(self._waits(now))
            if self._count_refused or not is_refused:
                self._taken.append(now)
            return max(1, math.ceil(max(self._waits(now)))) if is_refused else 0

    def _waits(self, now: float) -> list[float]:
        """For each full window, the seconds until one more has room in it."""
        waits: list[float] = []
        for most, seconds in self._windows:
            inside = [at for at in self._taken if at > now - seconds]
            if len(inside) >= most:
                waits.append(inside[-most] + seconds - now)
        return waits

    def reset(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self._taken.clear()
