"""Emulators that tests start."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import httpx

from dbt_statsig.emulator import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator


class Started(NamedTuple):
    """A running emulator and a client that has its key."""

    server: Running
    client: httpx.Client


class Start(Protocol):
    """Starts an emulator that lives as long as the test."""

    def __call__(self, **options: Any) -> Started:
        """Start one with these options."""


@contextmanager
def started(**options: Any) -> Iterator[Started]:
    """An emulator with these options, and its client."""
    with running(**options) as server:
        headers = {"STATSIG-API-KEY": server.key}
        with httpx.Client(base_url=server.url, headers=headers) as client:
            yield Started(server, client)
