"""Work in threads beside the caller's own, and how it is stopped."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from dbt_statsig.errors import ConsoleError, DbtStatsigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")
Item = TypeVar("Item")

THREAD_NAME = "statsig"


def in_background(work: Callable[[], T], *, into: Future[T] | None = None) -> Future[T]:
    """Begin the work in a thread of its own; its result is in the future (`into`, where one is given).

    Work whose outcome nobody asks for holds nothing up: unlike an executor's, the thread ends with the program.
    """
    future: Future[T] = Future() if into is None else into
    threading.Thread(target=_settle, args=(future, work), name=THREAD_NAME, daemon=True).start()
    return future


def _settle(future: Future[T], work: Callable[..., T], *given: object) -> None:
    """Have the work's result, or its exception, in the future."""
    try:
        future.set_result(work(*given))
    except BaseException as error:  # noqa: BLE001 - carried over into the thread that asks
        future.set_exception(error)


def side_by_side(work: Callable[[Item], T], items: Iterable[Item], *, at_once: int) -> list[Future[T]]:
    """Begin the work on all items, in their order and so many at once; a future that is cancelled is not begun."""
    todo: SimpleQueue[tuple[Future[T], Item]] = SimpleQueue()
    futures: list[Future[T]] = []
    for item in items:
        futures.append(Future())
        todo.put((futures[-1], item))

    def run() -> None:
        with contextlib.suppress(Empty):
            while True:
                future, item = todo.get_nowait()
                if future.set_running_or_notify_cancel():
                    _settle(future, work, item)

    for _ in range(min(at_once, len(futures))):
        in_background(run)
    return futures


def answers(
    work: Callable[[Item], T], items: Sequence[Item], *, at_once: int
) -> Iterator[tuple[Item, T | ConsoleError]]:
    """Each item in order, with what the work on it gives, or its ConsoleError; another error is raised."""
    futures = side_by_side(work, items, at_once=at_once)
    try:
        for item, future in zip(items, futures, strict=True):
            answer: T | ConsoleError
            try:
                answer = future.result()
            except ConsoleError as error:
                answer = error
            yield item, answer
    finally:
        for future in futures:
            future.cancel()


class StopSignal:
    """Calls what was given to `on_stop` when it is stopped, once; at once where it was stopped before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._is_stopped = False

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Have this called when the signal comes."""
        with self._lock:
            self._callbacks.append(callback)
            now = self._is_stopped
        if now:
            callback()

    def stop(self) -> None:
        """Send the signal."""
        with self._lock:
            callbacks = [] if self._is_stopped else list(self._callbacks)
            self._is_stopped = True
        for callback in callbacks:
            callback()


GRACE = 5.0
"""Seconds that work gets to end after its stop signal."""


class TimedOut(DbtStatsigError):
    """The work did not end, even after its stop signal."""


def within(seconds: float, work: Callable[[StopSignal], T], *, grace: float = GRACE) -> tuple[T, bool]:
    """What the work gives, and whether it had to be stopped. Raises what the work raises, and TimedOut.

    When the time is over the work gets its stop signal, and may end what is under way for `grace` seconds.
    """
    signal = StopSignal()
    future = in_background(lambda: work(signal))
    try:
        late = not wait([future], seconds).done
        if late:
            signal.stop()
            wait([future], grace)
    except BaseException:
        signal.stop()
        raise
    if not future.done():
        raise TimedOut(
            f"Statsig did not answer within {seconds:.0f} s (hook_timeout). Running writes may or may not have "
            "happened, and no other was started.",
            fix="Run `dbt-statsig plan` to see what remains.",
        )
    return future.result(), late
