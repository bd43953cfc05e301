"""Fixtures of the integration tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from tests.integration.shop import shared_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.emulator import Running
    from tests.integration.faults.memory import MemoryConsole

pytest.register_assert_rewrite("tests.integration.cases")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project, built by real dbt once for all test processes; copy it before changing anything."""
    base = tmp_path_factory.getbasetemp()
    return shared_shop((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shop")


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """One console for a module; use `server`, which resets it."""
    with running() as started:
        yield started


@pytest.fixture
def server(shared: Running) -> Running:
    """The console, empty and without faults."""
    shared.reset()
    return shared


@pytest.fixture
def client(console: MemoryConsole) -> Iterator[ConsoleClient]:
    """A client of a module's own console in this process, whose pauses take no time."""
    with console.client() as one:
        yield one
