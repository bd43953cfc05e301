"""A console over a real socket, and a project that is pushed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running


@pytest.fixture
def project(tmp_path: Path, server: Running) -> Project:
    """A project with one source, `Orders`, that is not pushed yet."""
    project = Project(tmp_path / "shop", server.url)
    project.declare("orders", "Orders")
    return project
