"""Whether an object still is as the plan saw it: the API has no conditional writes, so lists are read again.

One list serves all changes of its kind until it is too old; what remains is the race of the last seconds.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from dbt_statsig.vocabulary.comparison import fingerprint
from dbt_statsig.vocabulary.sources import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.changes import Change

FRESH_SECONDS = 15.0

_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def elapsed() -> float:
    """Seconds of a clock that goes on while the machine sleeps, as `time.monotonic` does not (Linux, macOS).

    Who answers the question of `sync` may have closed the laptop before.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


class Freshness:
    """What is known of the live objects, and since when; safe to use from several threads."""

    def __init__(
        self,
        client: ConsoleClient,
        *,
        read_at: float,
        fresh_for: float = FRESH_SECONDS,
        now: Callable[[], float] = elapsed,
    ) -> None:
        """The plan's own reading began at `read_at`, by the same clock."""
        self._client = client
        self._fresh_for = fresh_for
        self._now = now
        self._locks = {kind: threading.Lock() for kind in Kind}
        self._read_at = dict.fromkeys(Kind, read_at)
        self._seen: dict[Kind, dict[str, Source]] = {}

    def changed(self, change: Change) -> str:
        """In words what became of the object since the plan; empty where it is as it was, or was read just now.

        Raises ConsoleError where the list cannot be read.
        """
        if change.live is None:
            return ""
        with self._locks[change.kind]:
            if self._now() - self._read_at[change.kind] >= self._fresh_for:
                listing = self._client.list(change.kind)
                self._seen[change.kind] = {source.name: source for source in listing.items}
                self._read_at[change.kind] = self._now()
            seen = self._seen.get(change.kind)
        if seen is None:
            return ""
        live = seen.get(change.live_name)
        if live is None:
            return "It is no longer in Statsig."
        if fingerprint(live) != fingerprint(change.live):
            return "It was edited in Statsig after the plan was made."
        return ""
