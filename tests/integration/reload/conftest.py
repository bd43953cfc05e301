"""A console over a real socket, and a built project whose sources it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.applying import loading
from dbt_statsig.emulator import Running, running
from tests.integration.faults.inprocess import sync
from tests.integration.reload.built import Built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="package")
def shared() -> Iterator[Running]:
    """One console for all tests; use `shop`, which resets it."""
    with running() as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path, shared: Running, monkeypatch: pytest.MonkeyPatch) -> Built:
    """Exposures, users and orders, all tables just built; three experiments, of which `Over` is over."""
    monkeypatch.setattr(loading, "PAUSES", (0.0,))
    shared.reset()
    project = Built(tmp_path / "shop", shared)
    project.declare("exposures", "Exposures", "assignment_source")
    project.declare("users", "Users", "entity_property_source")
    project.declare("orders", "Orders")
    assert sync(project).code == 0
    project.metric("Order count", "Orders")
    project.experiment("Button", assignmentSourceName="Exposures")
    project.experiment("Price", primaryMetrics=[{"name": "Order count", "type": "user_warehouse"}])
    project.experiment("Over", assignmentSourceName="Exposures", status="decision_made")
    project.built("exposures", "users", "orders")
    shared.emulator.console.log.clear()
    return project
