"""A console over a real socket, and a project that is pushed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import Running, running
from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """One console for a module; use `server`, which resets it."""
    with running() as server:
        yield server


@pytest.fixture
def server(shared: Running) -> Running:
    """The console, empty and without faults."""
    shared.reset()
    return shared


@pytest.fixture
def project(tmp_path: Path, server: Running) -> Project:
    """A project with one source, `Orders`, that is not pushed yet."""
    project = Project(tmp_path / "shop", server.url)
    project.declare("orders", "Orders")
    return project
