"""Tests of the pace of writes: whole syncs on a clock of their own, against the emulator's limits as pure code."""

from __future__ import annotations

import heapq
import itertools
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from dbt_statsig.console.pace import Pace, Rates
from dbt_statsig.emulator.limits import RateLimit
from dbt_statsig.emulator.options import OLDER_WINDOWS, PUBLISHED_WINDOWS
from dbt_statsig.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.console.pace import Turn


NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))


class Sync(Struct, kw_only=True):
    """What one client wants to write, and what became of it."""

    pace: Pace
    todo: int
    taken: int = 0
    ended: float = 0.0
    gate: float = 0.0
    attempts: list[float] = []
    refused: list[float] = []


class Simulation:
    """Clients with several threads each, a service that counts arrivals, and no real time at all."""

    def __init__(self, windows: Sequence[tuple[int, float]], *, latency: float = 0.05, seed: int = 0) -> None:
        """`latency` is that of a whole exchange; each takes 0.6 to 1.2 of it."""
        self.now = 0.0
        self.limit = RateLimit(windows, lambda: self.now)
        self.latency = latency
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.events: list[tuple[float, int, str, Sync, Turn | None]] = []
        self.numbers = itertools.count()

    def sync(self, count: int, *, threads: int = 8, start: float = 0.0, rates: Rates | None = None) -> Sync:
        """A client that writes so many objects from so many threads."""
        client = Sync(pace=Pace(rates or Rates()), todo=count)
        for _ in range(threads):
            self._later(start, "next", client, None)
        return client

    def run(self) -> None:
        """Let everything happen."""
        while self.events:
            self.now, _, what, client, turn = heapq.heappop(self.events)
            if what == "next" and client.todo:
                client.todo -= 1
                self._ask(client)
            elif what == "ask":
                self._ask(client)
            elif what == "arrive":
                self._later(self._way(), "refused" if self.limit.take() else "taken", client, turn)
            elif what in {"taken", "refused"} and turn is not None:
                self._answered(what, client, turn)

    def _ask(self, client: Sync) -> None:
        seconds = max(client.pace.wait(self.now), client.gate - self.now)
        if seconds > 0:
            self._later(seconds, "ask", client, None)
            return
        client.attempts.append(self.now)
        self._later(self._way(), "arrive", client, client.pace.begin(self.now))

    def _answered(self, what: str, client: Sync, turn: Turn) -> None:
        if what == "taken":
            client.pace.taken(turn)
            client.taken += 1
            client.ended = self.now
            self._later(0, "next", client, None)
            return
        client.pace.refused(turn)
        client.refused.append(self.now)
        backoff = min(30.0, 0.5 * 2.0 ** (client.pace.in_a_row - 1)) * self.chance.uniform(0.5, 1)
        client.gate = max(client.gate, self.now + backoff)
        self._later(0, "ask", client, None)

    def _way(self) -> float:
        return self.latency * self.chance.uniform(0.3, 0.6)

    def _later(self, seconds: float, what: str, client: Sync, turn: Turn | None) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.numbers), what, client, turn))


def simulated(count: int, windows: Sequence[tuple[int, float]], *, seed: int = 0, **options: Any) -> Sync:
    """One client alone."""
    simulation = Simulation(windows, seed=seed, latency=options.pop("latency", 0.05))
    client = simulation.sync(count, **options)
    simulation.run()
    assert client.taken == count
    return client


def floor(count: int, windows: Sequence[tuple[int, float]]) -> float:
    """Seconds in which a limit lets so many writes pass on the average, which nobody beats for long."""
    most, seconds = windows[0]
    return count * seconds / most


def most_in_any(times: Iterable[float], seconds: float) -> int:
    """The largest number of entries in any span of so many seconds."""
    listed = list(times)
    return max(sum(start <= other < start + seconds for other in listed) for start in listed)


@pytest.mark.parametrize("latency", [0.005, 0.05, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_58_ninety_creations_against_the_newest_limit(latency: float, seed: int) -> None:
    """Fault 58: 30 in 10 s with refused ones counted: at most 98 attempts, and 1.15 times what the limit needs."""
    done = simulated(90, PUBLISHED_WINDOWS, latency=latency, seed=seed)
    assert len(done.attempts) <= 98
    assert done.ended <= 1.15 * floor(90, PUBLISHED_WINDOWS)


@pytest.mark.parametrize("count", [90, 300])
@pytest.mark.parametrize("latency", [0.005, 0.05, 0.3])
def test_58_the_older_limit_is_used_too(count: int, latency: float) -> None:
    """Fault 58: where 100 in 10 s are allowed, the pace gets there in time: 1.6 times what the limit needs, no 429."""
    done = simulated(count, OLDER_WINDOWS, latency=latency)
    assert done.refused == []
    assert done.ended <= 1.6 * floor(count, OLDER_WINDOWS)


def test_58_slow_writes_meet_few_refusals_too() -> None:
    """Fault 58: with two seconds for each write, eight of which are under way, ninety take at most 98 attempts."""
    assert len(simulated(90, PUBLISHED_WINDOWS, latency=2.0).attempts) <= 98


@pytest.mark.parametrize("count", range(1, 31))
def test_a_small_sync_meets_no_429(count: int) -> None:
    """Up to thirty writes pass the newest limit without a 429; four go at once, ten take less than three seconds."""
    done = simulated(count, PUBLISHED_WINDOWS)
    assert done.refused == []
    assert done.ended < (0.2 if count <= 4 else 3.0 if count <= 10 else 7.0)


def test_writes_begin_spread() -> None:
    """The first writes keep 0.4 s between them but for four, and no second holds more than seven of the first."""
    done = simulated(30, ())
    assert most_in_any(done.attempts[:12], 1.0) <= 7
    assert most_in_any(done.attempts[:12], 0.05) == 4


def test_58_lower_limits_than_any_published_are_found() -> None:
    """Fault 58: a project that allows ten, or five, in 10 s gets few refusals, and near what it allows."""
    for most in (10, 5):
        done = simulated(90, ((most, 10.0),))
        assert len(done.refused) <= 20
        assert done.ended <= 1.25 * floor(90, ((most, 10.0),))


def test_46_58_three_clients_share_the_limit() -> None:
    """Faults 46 and 58: three that begin at different times finish, with few refusals each."""
    simulation = Simulation(PUBLISHED_WINDOWS)
    clients = [simulation.sync(60, start=start) for start in (0.0, 3.0, 6.0)]
    simulation.run()
    assert [client.taken for client in clients] == [60, 60, 60]
    assert max(len(client.refused) for client in clients) <= 15
    assert max(client.ended for client in clients) <= 1.6 * floor(180, PUBLISHED_WINDOWS)


def test_the_quota_of_fifteen_minutes_is_kept() -> None:
    """Of 2,000 writes none is refused where 1,800 are allowed in 15 minutes: the last ones wait."""
    done = simulated(2000, ((1800, 900.0),))
    assert done.refused == []
    assert most_in_any(done.attempts[::10], 900.0) <= 170
    assert 900 < done.ended < 1000


def test_58_a_lower_quota_is_learned() -> None:
    """Fault 58: where 900 in 15 minutes are allowed, a few refusals tell, and the rest is sent when there is room."""
    done = simulated(1000, OLDER_WINDOWS)
    assert len(done.refused) <= 10
    assert 900 < done.ended < 1000


def test_58_after_a_refusal_one_probe_goes_alone() -> None:
    """Fault 58: after a 429 one write goes, at half the pace, and the others wait for its answer."""
    pace = Pace(Rates())
    turns = [pace.begin(0.0) for _ in range(20)]
    pace.refused(turns[19])
    now = 60.0
    assert pace.wait(now) == 0
    probe = pace.begin(now)
    assert (probe.is_probe, pace.in_a_row) == (True, 1)
    assert pace.wait(now + 30) > 0
    pace.taken(probe)
    assert (pace.wait(now + 30), pace.in_a_row) == (0, 0)


def test_58_refusals_of_the_same_moment_count_once() -> None:
    """Fault 58: of eight writes under way that are all refused, the pace is halved once; late successes say nothing."""
    pace = Pace(Rates())
    turns = [pace.begin(0.0) for _ in range(9)]
    for turn in turns[:8]:
        pace.refused(turn)
    pace.taken(turns[8])
    assert pace.in_a_row == 1


def test_a_probe_without_an_answer_is_followed_by_another() -> None:
    """A probe whose connection breaks says nothing: the next write is a probe again."""
    pace = Pace(Rates())
    pace.refused(pace.begin(0.0))
    first = pace.begin(20.0)
    pace.lost(first)
    assert pace.wait(40.0) == 0
    assert pace.begin(40.0).is_probe
    pace.lost(first)


def test_rates_that_contradict_each_other_are_refused() -> None:
    """A first rate above the highest is a settings error that names both settings."""
    with pytest.raises(SettingsError, match=r"`write_rate` \(30\) is higher than `write_rate_max` \(20\)"):
        Pace(Rates(first=30, most=20))


@settings(deadline=None, max_examples=2000 if NIGHTLY else 30)
@given(
    most=st.integers(6, 120),
    latency=st.floats(0.001, 3),
    threads=st.integers(1, 64),
    count=st.integers(1, 60),
    seed=st.integers(0, 9),
)
def test_58_whatever_the_limit_everything_is_written(
    most: int, latency: float, threads: int, count: int, seed: int
) -> None:
    """Fault 58: any limit from six on, any latency, any number of threads: it ends, with few refusals."""
    done = simulated(count, ((most, 10.0),), latency=latency, threads=threads, seed=seed)
    assert len(done.refused) <= 30 + threads
    assert most_in_any(done.attempts, 10.0) <= 95
