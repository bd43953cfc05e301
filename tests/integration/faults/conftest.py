"""A console over a real socket, and a project that is pushed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.liar import Liar, lying
from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running


@pytest.fixture(scope="module")
def liar(shared: Running) -> Iterator[Liar]:
    """The service that lies."""
    with lying(shared) as found:
        yield found


@pytest.fixture
def project(tmp_path: Path, server: Running) -> Project:
    """A project with one source, `Orders`, that is not pushed yet."""
    project = Project(tmp_path / "shop", server.url)
    project.declare("orders", "Orders")
    return project
