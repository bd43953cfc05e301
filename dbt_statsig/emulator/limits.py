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
    """Counts requests in every window; a refused request is not counted."""

    def __init__(self, windows: Sequence[tuple[int, float]], clock: Callable[[], float] = time.monotonic) -> None:
        """Take `windows` as (requests, seconds) and a clock that never goes back."""
        self._windows = tuple(windows)
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
            waits: list[float] = []
            for most, seconds in self._windows:
                inside = [at for at in self._taken if at > now - seconds]
                if len(inside) >= most:
                    waits.append(inside[-most] + seconds - now)
            if waits:
                return max(1, math.ceil(max(waits)))
            self._taken.append(now)
            return 0

    def reset(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self._taken.clear()
