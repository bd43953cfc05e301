"""Work in a thread beside the caller's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

from dbt_statsig.errors import DbtStatsigError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def begun(work: Callable[[], T]) -> Callable[[], T]:
    """Begin the work in a thread; calling what is returned waits for its end, and returns or raises what it did.

    Work whose outcome nobody asks for holds nothing up: unlike an executor's, the thread ends with the program.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - carried over into the thread that asks
            errors.append(error)

    thread = threading.Thread(target=run, name="statsig-read", daemon=True)
    thread.start()

    def outcome() -> T:
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    return outcome


class Brake:
    """Calls what was fastened to it, once, when it is pulled; at once if it was pulled before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fastened: list[Callable[[], None]] = []
        self._pulled = False

    def fasten(self, stop: Callable[[], None]) -> None:
        """Let `stop` be called when the brake is pulled."""
        with self._lock:
            self._fastened.append(stop)
            now = self._pulled
        if now:
            stop()

    def pull(self) -> None:
        """Stop everything that is fastened."""
        with self._lock:
            stops = [] if self._pulled else list(self._fastened)
            self._pulled = True
        for stop in stops:
            stop()


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
