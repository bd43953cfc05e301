"""A consumer of the package, built once for all test processes, and a console of its own for each test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.integration.dbt.job import Job, copy_of, make_consumer
from tests.integration.shop import once

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running


@pytest.fixture(scope="session")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built consumer; copy it before changing anything."""
    base = tmp_path_factory.getbasetemp()
    return once((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "consumer", make_consumer)


@pytest.fixture
def console(shared: Running) -> Running:
    """The console, empty and without faults."""
    shared.reset()
    return shared


@pytest.fixture
def job(consumer: Path, console: Running, tmp_path: Path) -> Job:
    """A copy of the consumer beside an empty console."""
    return Job(folder=copy_of(consumer, tmp_path / "job"), console=console)
