"""Waiting: the clock, the budget and the gate that all threads of a client share, and whose turn it is to write.

stamina is not used here: its sleep cannot be ended from another thread, so that Ctrl-C would hang for a whole
Retry-After; its switches and hooks belong to the host process, not to us; and its default hook logs each retry, where
structlog is installed to standard output, which is for data.
"""

from __future__ import annotations

import random
import re
import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from dbt_statsig.console.pace import Pace, Rates, Turn
from dbt_statsig.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

_LONGEST_BACKOFF = 30.0
_FIRST_BACKOFF = 0.5
_SHORTEST_PAUSE = 0.25
_WORTH_A_WORD = 3.0
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_MINUTE, _DAY = 60.0, 86_400.0
_IN_SECONDS = 600.0


class Clock(Protocol):
    """What the client asks of time; tests put their own in place."""

    def now(self) -> float:
        """Seconds on a clock that never jumps."""

    def wall(self) -> float:
        """Seconds since 1970, for dates that a server sends."""

    def sleep(self, seconds: float, until: Event) -> None:
        """Wait so long, or until the event is set."""


class SystemClock:
    """The machine's own clocks: a monotonic one for limits, so that no jump of the wall clock moves them."""

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970 on the wall clock."""
        return time.time()

    def sleep(self, seconds: float, until: Event) -> None:
        """Wait so long, or until the event is set."""
        until.wait(seconds)


class Waiting(Struct, frozen=True, kw_only=True):
    """One pause, announced before it begins: how long and why, and how much of the budget is spent with it."""

    seconds: float
    reason: str
    spent: float
    budget: float


class WaitBudget:
    """The waiting of all threads of one client: one budget, and one gate that a 429 closes for everybody.

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
    def clock(self) -> Clock:
        """The clock that everything here goes by."""
        return self._clock

    @property
    def spent(self) -> float:
        """Seconds of the budget that are used up."""
        return self._spent

    @property
    def budget(self) -> float:
        """Seconds that may be spent in all."""
        return self._budget

    @property
    def gate_opens_in(self) -> float:
        """Seconds until the gate is open; not above 0 where it is."""
        return self._not_before - self._clock.now()

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
        self._announce(seconds, reason, spent)
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
            self._announce(seconds, reason, spent)
        return True

    def pass_gate(self, *, stoppable: bool) -> None:
        """Return when the gate is open. Raises Stopped."""
        while (seconds := self.gate_opens_in) > 0:
            self._sleep(seconds, stoppable=stoppable)
        self._raise_if_stopped(stoppable=stoppable)

    def queue(self, seconds: float, reason: str) -> None:
        """Wait for our own pace's sake, which costs no budget; no reason, no announcement. Raises Stopped."""
        if reason:
            self._announce(seconds, reason, self._spent)
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

    def _announce(self, seconds: float, reason: str, spent: float) -> None:
        if self._on_wait is not None:
            self._on_wait(Waiting(seconds=seconds, reason=reason, spent=spent, budget=self._budget))

    def _sleep(self, seconds: float, *, stoppable: bool) -> None:
        self._raise_if_stopped(stoppable=stoppable)
        self._clock.sleep(seconds, self._stop if stoppable else self._closed)
        self._raise_if_stopped(stoppable=stoppable)

    def _raise_if_stopped(self, *, stoppable: bool) -> None:
        if (self._stop if stoppable else self._closed).is_set():
            raise Stopped("Not sent: the run is ending.", fix="Run it again.")


class Turns:
    """Whose turn it is to write: one pace for all threads, kept under the budget of the client."""

    def __init__(self, wait_budget: WaitBudget, rates: Rates) -> None:
        """Begin. Raises SettingsError for rates that contradict each other."""
        self._wait_budget = wait_budget
        self._pace = Pace(rates)
        self._lock = threading.Lock()
        self._announced = float("-inf")

    def begin(self) -> Turn:
        """Return when one more write may be sent; it has to end as taken, refused or lost. Raises Stopped."""
        while True:
            self._wait_budget.pass_gate(stoppable=True)
            with self._lock:
                now = self._wait_budget.clock.now()
                seconds = max(self._pace.wait(now), self._wait_budget.gate_opens_in)
                if seconds <= 0:
                    return self._pace.begin(now)
                is_news = seconds >= _WORTH_A_WORD and now + seconds > self._announced + 1
                self._announced = max(self._announced, now + seconds)
            self._wait_budget.queue(seconds, "Statsig's limit on writes" if is_news else "")

    def taken(self, turn: Turn) -> None:
        """The write was answered, and not with 429."""
        with self._lock:
            self._pace.taken(turn)

    def refused(self, turn: Turn | None, asked: float | None, attempt: int) -> float | None:
        """A request met a 429: hold all back as long as was asked for, or by our own backoff.

        Without a turn it is a read, which met its so many-th. Gives the seconds where the budget does not allow them.
        """
        with self._lock:
            if turn is not None:
                self._pace.refused(turn)
                attempt = self._pace.in_a_row
            seconds = max(asked, _SHORTEST_PAUSE) if asked else self._wait_budget.backoff(attempt)
            return None if self._wait_budget.close_gate(seconds, "Statsig asks for a pause (429)") else seconds

    def lost(self, turn: Turn) -> None:
        """The write had no answer."""
        with self._lock:
            self._pace.lost(turn)


def seconds_asked(headers: Mapping[str, str], *, wall: float) -> float | None:
    """How long a Retry-After header asks to wait; None where it does not say so in a form that can be read.

    A date is counted from the answer's own Date header where there is one, so that a wrong local clock does not
    matter. A date that has passed is no answer, as is a negative number.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _timestamp(value)
    if until is None:
        return None
    sent = _timestamp(headers.get("date", ""))
    seconds = until - (wall if sent is None else sent)
    return seconds if seconds >= 0 else None


def duration(seconds: float) -> str:
    """A time as messages show it: `45 s`, `15 min`, `more than a day`."""
    if seconds < _IN_SECONDS:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds <= _DAY else "more than a day"


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
