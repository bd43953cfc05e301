"""The two rate windows, under a clock of the test's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.emulator.limits import RateLimit
from dbt_statsig.emulator.options import OLDER_WINDOWS, PUBLISHED_WINDOWS


class Clock:
    """A clock that goes on when told."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_the_published_windows() -> None:
    """30 pass in ten seconds, 1,800 in fifteen minutes, and each refusal counts as an attempt."""
    clock = Clock()
    limit = RateLimit(PUBLISHED_WINDOWS, clock)
    assert [limit.take() for _ in range(30)] == [0] * 30
    clock.now = 4.0
    assert (limit.take(), limit.take()) == (6, 6)
    clock.now = 10.0
    assert [limit.take() for _ in range(29)] == [0] * 28 + [4]
    for round_ in range(2, 59):
        clock.now = round_ * 10.0 + 5
        assert [limit.take() for _ in range(30)] == [0] * 30
    clock.now = 600.0
    assert [limit.take() for _ in range(30)] == [0] * 29 + [300]


def test_the_older_windows_without_counting_refusals() -> None:
    """100 pass in ten seconds, 900 in fifteen minutes; a refusal that does not count costs nothing."""
    clock = Clock()
    limit = RateLimit(OLDER_WINDOWS, clock, count_refused=False)
    assert [limit.take() for _ in range(100)] == [0] * 100
    clock.now = 4.0
    assert limit.take() == 6
    for round_ in range(1, 9):
        clock.now = round_ * 10.0
        assert [limit.take() for _ in range(100)] == [0] * 100
    clock.now = 100.0
    assert limit.take() == 800
    clock.now = 900.0
    assert limit.take() == 0


def test_no_window_means_no_limit_and_no_memory() -> None:
    """Without windows everything passes."""
    assert [RateLimit(()).take() for _ in range(1000)] == [0] * 1000


def test_reset_forgets() -> None:
    """After a reset the window is empty."""
    limit = RateLimit([(1, 60.0)])
    assert (limit.take(), limit.take() > 0) == (0, True)
    limit.reset()
    assert limit.take() == 0


# Quarters of a second are exact as floats, so that the test compares times, not roundings.
QUARTERS = st.integers(0, 24).map(lambda count: count / 4)


@given(
    steps=st.lists(QUARTERS, max_size=60),
    windows=st.lists(st.tuples(st.integers(1, 5), QUARTERS.filter(bool)), min_size=1, max_size=2),
    count_refused=st.booleans(),
)
def test_no_window_ever_holds_too_many(
    steps: list[float], windows: list[tuple[int, float]], *, count_refused: bool
) -> None:
    """Whatever the arrivals, no window holds more than it may, and after the seconds of a refusal a request passes."""
    clock = Clock()
    limit = RateLimit(windows, clock, count_refused=count_refused)
    passed: list[float] = []
    for step in steps:
        clock.now += step
        wait = limit.take()
        if wait:
            clock.now += wait
            assert limit.take() == 0
        passed.append(clock.now)
        for most, seconds in windows:
            assert sum(1 for at in passed if at > clock.now - seconds) <= most
