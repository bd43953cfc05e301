"""Work that may not hold up a dbt job for longer than was set."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from dbt_statsig.brake import Brake
from dbt_statsig.errors import DbtStatsigError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
GRACE = 5.0
"""Seconds that work gets to end after its brake was pulled."""


class TimedOut(DbtStatsigError):
    """The work did not end, even after it was told to."""


class _Worker(threading.Thread, Generic[T]):
    """Runs the work in a thread of its own: one that hangs cannot keep dbt from going on."""

    def __init__(self, work: Callable[[Brake], T], brake: Brake) -> None:
        super().__init__(name="dbt-statsig", daemon=True)
        self._work = work
        self._brake = brake
        self.result: list[T] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.result.append(self._work(self._brake))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            self.error = error


def within(seconds: float, work: Callable[[Brake], T], *, grace: float = GRACE) -> tuple[T, bool]:
    """What the work gives, and whether it had to be stopped. Raises what the work raises, and TimedOut.

    When the time is over the brake is pulled, and the work may end what is under way for `grace` seconds.
    """
    brake = Brake()
    worker = _Worker(work, brake)
    worker.start()
    try:
        worker.join(seconds)
        late = worker.is_alive()
        if late:
            brake.pull()
            worker.join(grace)
    except BaseException:
        brake.pull()
        raise
    if worker.error is not None:
        raise worker.error
    if not worker.result:
        raise TimedOut(
            f"Statsig was given {seconds:.0f} s (hook_timeout) and did not answer: what was under way may or may not "
            "have been written, and nothing more was started.",
            fix="Run `dbt-statsig plan` to see what is left to do.",
        )
    return worker.result[0], late
