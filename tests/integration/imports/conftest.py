"""A project without blocks, and a console of hand-made objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from tests.integration.imports.project import SEED, write_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on DuckDB, as the working folder."""
    monkeypatch.chdir(tmp_path)
    return write_project(tmp_path, "duckdb")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A console of hand-made objects, which the environment names."""
    with running(seed=SEED) as one:
        monkeypatch.setenv("STATSIG_CONSOLE_API_KEY", one.key)
        monkeypatch.setenv("DBT_STATSIG_BASE_URL", one.url)
        monkeypatch.setenv("NO_COLOR", "1")
        yield one
