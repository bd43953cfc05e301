"""How long the client waits, for what, and when it gives up.

stamina is not used here: its sleep cannot be ended from another thread, so that Ctrl-C would hang for a whole
Retry-After; its switches and hooks belong to the host process, not to us; and its default hook logs each retry, where
structlog is installed to standard output, which is for data.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.console.clock import Clock

_LONGEST_BACKOFF = 30.0
_FIRST_BACKOFF = 0.5


class Waiting(Struct, frozen=True, kw_only=True):
    """One pause, told before it begins: how long and why, and how much of the budget is spent with it."""

    seconds: float
    reason: str
    spent: float
    budget: float


class Patience:
    """The waiting of all threads of one client: one budget, one gate that a 429 closes for everybody.

    Pauses of several threads at the same time are paid once.
    """

    def __init__(
        self,
        *,
        budget: float,
        clock: Clock,
        on_wait: Callable[[Waiting], None] | None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`on_wait` is called from the thread that waits."""
        self._budget = budget
        self._clock = clock
        self._on_wait = on_wait
        self._jitter = jitter
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._closed = threading.Event()
        self._spent = 0.0
        self._paid_until = clock.now()
        self._not_before = clock.now()

    def stop(self) -> None:
        """Let no further write start; those that still wait for their turn give up."""
        self._stop.set()

    def close(self) -> None:
        """Let nothing more start at all: every wait ends, as does any that would begin."""
        self._stop.set()
        self._closed.set()

    @property
    def spent(self) -> float:
        """Seconds of the budget that are used up."""
        return self._spent

    @property
    def budget(self) -> float:
        """Seconds that may be spent in all."""
        return self._budget

    def backoff(self, attempt: int) -> float:
        """A pause that doubles with each attempt, half of it by chance."""
        longest = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(attempt - 1, 10))
        return longest * (0.5 + self._jitter() / 2)

    def pause(self, seconds: float, reason: str, *, stoppable: bool) -> bool:
        """Wait, if the budget allows it; False, at once, if not.

        Raises Stopped after `close`, and where a stoppable wait is ended by `stop`; so do all that wait here.
        """
        spent = self._pay(seconds)
        if spent is None:
            return False
        self._tell(seconds, reason, spent)
        self._sleep(seconds, stoppable=stoppable)
        return True

    def close_gate(self, seconds: float, reason: str) -> bool:
        """Hold back every request for so long, if the budget allows it; False if not."""
        spent = self._pay(seconds)
        if spent is None:
            return False
        until = self._clock.now() + seconds
        with self._lock:
            is_longer = until > self._not_before + 0.05
            self._not_before = max(self._not_before, until)
        if is_longer:
            self._tell(seconds, reason, spent)
        return True

    def pass_gate(self, *, stoppable: bool) -> None:
        """Return when the gate is open. Raises Stopped."""
        while (seconds := self._not_before - self._clock.now()) > 0:
            self._sleep(seconds, stoppable=stoppable)
        self._raise_if_stopped(stoppable=stoppable)

    def queue(self, seconds: float, reason: str) -> None:
        """Wait for our own limit's sake, which costs no budget. Raises Stopped where the wait is ended."""
        if seconds >= 1:
            self._tell(seconds, reason, self._spent)
        self._sleep(seconds, stoppable=True)

    def _pay(self, seconds: float) -> float | None:
        with self._lock:
            now = self._clock.now()
            end = now + seconds
            spent = self._spent + max(0.0, end - max(now, self._paid_until))
            if spent > self._budget:
                return None
            self._spent = spent
            self._paid_until = max(self._paid_until, end)
            return spent

    def _tell(self, seconds: float, reason: str, spent: float) -> None:
        if self._on_wait is not None:
            self._on_wait(Waiting(seconds=seconds, reason=reason, spent=spent, budget=self._budget))

    def _sleep(self, seconds: float, *, stoppable: bool) -> None:
        self._raise_if_stopped(stoppable=stoppable)
        self._clock.sleep(seconds, self._stop if stoppable else self._closed)
        self._raise_if_stopped(stoppable=stoppable)

    def _raise_if_stopped(self, *, stoppable: bool) -> None:
        if (self._stop if stoppable else self._closed).is_set():
            raise Stopped("The run is ending: this was not sent.", fix="Run it again.")
