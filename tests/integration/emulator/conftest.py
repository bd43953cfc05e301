"""Servers and clients: real sockets on loopback."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.integration.emulator.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.emulator.servers import Start, Started


@pytest.fixture
def start() -> Iterator[Start]:
    """Emulators with the options that a test asks for."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(started(**options))


@pytest.fixture(scope="module")
def shared() -> Iterator[Started]:
    """One emulator with default options for a module; use `api`, which resets it."""
    with started() as one:
        yield one


@pytest.fixture
def api(shared: Started) -> Started:
    """The module's emulator, empty."""
    shared.server.reset()
    return shared
