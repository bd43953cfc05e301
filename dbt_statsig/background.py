"""Work in a thread beside the caller's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

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
