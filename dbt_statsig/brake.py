"""Ends a run from another thread: what is under way is finished, nothing more is started."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Brake:
    """Calls what was fastened to it, once, when it is pulled; at once if it was pulled before."""

    def __init__(self) -> None:
        """Nothing is fastened yet."""
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
