"""The two rate windows that Statsig documents for mutations, kept with head-room for other clients of the project."""

from __future__ import annotations

import itertools
import math
import threading
from typing import TYPE_CHECKING, cast

from dbt_statsig.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyrate_limiter import InMemoryBucket

    from dbt_statsig.console.clock import Clock
    from dbt_statsig.console.patience import Patience

WINDOWS = ((100, 10.5), (850, 900.0))
"""Requests and seconds; Statsig documents 100 in 10 s and 900 in 15 min for each project.

Statsig counts a request when it arrives, we when we let it in. Half a second more in the short window makes up for
ways to Statsig that differ by so much, connecting included, however many writes are under way. Both windows leave
about a twentieth of what is allowed to other clients of the project.
"""


def _fits(short: tuple[int, float], long: tuple[int, float]) -> bool:
    return short[0] < long[0] and short[1] < long[1] and short[0] / short[1] >= long[0] / long[1]


class RateWindows:
    """Lets mutations pass at a rate that all windows allow; one instance serves all threads.

    pyrate-limiter's bucket keeps the record; its Limiter is left out, since that sleeps where nothing can end it and
    keeps a background thread with an event loop for as long as the process lives.
    """

    def __init__(self, patience: Patience, clock: Clock, windows: Sequence[tuple[int, float]] = WINDOWS) -> None:
        """Start with empty windows.

        Raises SettingsError for windows of which one could never be the narrower: the longer must allow more requests,
        at no higher rate.
        """
        ordered = sorted(windows, key=lambda window: window[1])
        pairs = itertools.pairwise(ordered)
        if not ordered or ordered[0][0] < 1 or ordered[0][1] <= 0 or any(not _fits(*pair) for pair in pairs):
            raise SettingsError(
                f"The rate windows {list(windows)} contradict each other.",
                fix="Give (requests, seconds) so that the longer window allows more requests, at no higher rate.",
            )
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._windows = windows
        self._bucket: InMemoryBucket | None = None

    def enter(self) -> None:
        """Return when one more mutation may be sent. Raises Stopped where the run ends before."""
        while (milliseconds := self._try()) is not None:
            self._patience.queue(max(milliseconds, 1) / 1000, "Statsig's limit of changes per project")

    def _try(self) -> int | None:
        """None when let in, else the milliseconds after which to ask again."""
        from pyrate_limiter import InMemoryBucket, Rate, RateItem  # noqa: PLC0415  # 0.1 s that only writing needs

        with self._lock:
            if self._bucket is None:
                rates = [Rate(limit, math.ceil(seconds * 1000)) for limit, seconds in self._windows]
                self._bucket = InMemoryBucket(rates)
            now = math.floor(self._clock.now() * 1000)
            self._bucket.leak(now)
            item = RateItem("mutation", now)
            return None if self._bucket.put(item) else cast("int", self._bucket.waiting(item))
