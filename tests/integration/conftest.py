"""Fixtures of the integration tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.integration.shop import shared_shop

if TYPE_CHECKING:
    from pathlib import Path

pytest.register_assert_rewrite("tests.integration.cases")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project, built by real dbt once for all test processes; copy it before changing anything."""
    base = tmp_path_factory.getbasetemp()
    return shared_shop((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shop")
