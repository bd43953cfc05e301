"""How fast writes go out. Pure: it is asked, and hears of answers, at times that the caller gives.

Statsig publishes limits of several ages that contradict each other (30 or 100 writes in 10 s, 1,800 or 900 in 15
minutes). They can differ by project, all clients of a project share them, and refused attempts count. So none is relied
on: writes begin slowly and evenly, become faster while all are taken, and after a 429 stay below the number that was
refused.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from dbt_statsig.errors import SettingsError

SHORT = 10.0
LONG = 900.0
"""Seconds of the two windows in which Statsig counts writes."""

PUBLISHED = 30
"""The lowest limit for 10 s that Statsig publishes: the first write beyond it goes alone, as a probe (not where the
settings begin above it)."""

_SLACK = 0.25
"""Seconds by which our windows are longer than Statsig's, as requests take unequal times to get there."""
_AT_ONCE = 4
"""How many writes may go out without a pause after none for a while: a small sync is not slowed down."""
_GAIN = 2.0
"""By how many writes in 10 s the pace grows with each write that is taken, up to what is known to be refused."""
_ROOM = 0.95
"""The share of a limit that is used: others write to the project too."""
_LEAST = 5.0
_LOOK_AGAIN = 0.1
_LONG_REFUSALS = 5
_LONG_ATTEMPTS = 450
"""After so many refusals in a row, and so many attempts in 15 minutes, it is the longer window that is full."""


class Rates(Struct, frozen=True, kw_only=True):
    """Writes in 10 s at first and at most, and writes in 15 minutes at most."""

    first: float = 25
    most: float = 95
    quota: int = 1700


class Turn(Struct, frozen=True, kw_only=True):
    """One attempt: how many the 10 s before it held, and how many refusals were known when it began."""

    before: int
    refusals: int
    is_probe: bool


class Pace:
    """The pace of all writes of one client. Not safe to use from several threads at once."""

    def __init__(self, rates: Rates) -> None:
        """Begin. Raises SettingsError where the first rate is higher than the highest."""
        if rates.first > rates.most:
            raise SettingsError(
                f"`write_rate` ({rates.first:g}) is higher than `write_rate_max` ({rates.most:g}).",
                fix="Lower `write_rate` or raise `write_rate_max`.",
            )
        self._first, self._most, self._quota = rates.first, rates.most, rates.quota
        self._least = min(_LEAST, rates.first)
        self._rate = rates.first / SHORT
        self._ceiling = self._kept = rates.most
        self._attempts: deque[float] = deque()
        self._next = float("-inf")
        self._refusals = 0
        self._in_a_row = 0
        self._is_probing = False
        self._is_beyond = rates.first > PUBLISHED

    @property
    def in_a_row(self) -> int:
        """How often a write was refused since one was taken; several at the same time are one."""
        return self._in_a_row

    def wait(self, now: float) -> float:
        """The seconds after which to ask again; 0 where a write may begin now."""
        while self._attempts and self._attempts[0] <= now - LONG - _SLACK:
            self._attempts.popleft()
        return max(
            0.0,
            _LOOK_AGAIN if self._is_probing else 0.0,
            self._next - (_AT_ONCE - 1) / self._rate - now,
            self._until_fewer(SHORT, int(self._ceiling), now),
            self._until_fewer(LONG, self._quota, now),
        )

    def begin(self, now: float) -> Turn:
        """Count an attempt that begins now. It has to end as taken, refused or lost."""
        before = sum(at > now - SHORT for at in self._attempts)
        self._attempts.append(now)
        self._next = max(self._next, now) + 1 / self._rate
        self._is_probing = self._in_a_row > 0 or (before >= PUBLISHED and not self._is_beyond)
        return Turn(before=before, refusals=self._refusals, is_probe=self._is_probing)

    def taken(self, turn: Turn) -> None:
        """The attempt was answered otherwise than with 429: go on a little faster."""
        if turn.refusals != self._refusals:
            return
        if turn.is_probe:
            self._is_probing = False
            self._in_a_row = 0
            self._is_beyond = self._is_beyond or turn.before >= PUBLISHED
        if self._refusals:
            gain = 0.25 if self._ceiling < self._first else max(1 / self._ceiling, 1 - _ROOM)
            self._ceiling = min(self._most, self._ceiling + gain)
        self._rate = min(self._rate + _GAIN / SHORT, self._ceiling / (SHORT + _SLACK))

    def refused(self, turn: Turn) -> None:
        """The attempt met a 429: go on half as fast, with fewer in 10 s than were refused, and with one at first."""
        if turn.refusals != self._refusals:
            return
        self._is_probing = False
        self._refusals += 1
        self._kept = self._kept if self._in_a_row else self._ceiling
        self._in_a_row += 1
        self._ceiling = max(self._least, min(self._ceiling, turn.before * _ROOM))
        self._rate = min(max(self._rate, 2 * self._least / SHORT) / 2, self._ceiling / (SHORT + _SLACK))
        if self._in_a_row >= _LONG_REFUSALS and len(self._attempts) >= _LONG_ATTEMPTS:
            self._quota = min(self._quota, int(len(self._attempts) * _ROOM))
            self._ceiling = self._kept

    def lost(self, turn: Turn) -> None:
        """The attempt had no answer, which says nothing about limits: if it was a probe, another one follows."""
        if turn.is_probe and turn.refusals == self._refusals:
            self._is_probing = False

    def _until_fewer(self, seconds: float, most: int, now: float) -> float:
        """The seconds until a window holds fewer than `most` attempts."""
        return 0.0 if len(self._attempts) < most else self._attempts[-most] + seconds + _SLACK - now
