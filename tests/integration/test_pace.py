"""A whole sync against the limits, in real time; on a clock of its own it is in tests/unit/console/test_pace.py."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from tests.integration.faults.project import Project, calls

if TYPE_CHECKING:
    from pathlib import Path

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
OUR_OWN_PACE = {"DBT_STATSIG_WRITE_RATE": "", "DBT_STATSIG_WRITE_RATE_MAX": ""}


@pytest.mark.skipif(not NIGHTLY, reason="half a minute of waiting: make nightly")
@pytest.mark.parametrize(("limits", "floor", "times"), [("published", 30.0, 1.15), ("older", 9.0, 1.6)])
def test_58_ninety_creations_in_real_time(limits: str, floor: float, times: float, tmp_path: Path) -> None:
    """Fault 58: ninety creations take at most 98 attempts, and little more than the limit takes for so many."""
    with running(rate_limit=limits) as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare_many(90)
        begun = time.monotonic()
        done = project.sync(**OUR_OWN_PACE)
        seconds = time.monotonic() - begun
        assert (done.code, set(done.statuses.values())) == (0, {"done"})
        writes = [call for call in calls(server) if not call.startswith("GET")]
        assert writes.count("POST 201") == 90
        assert len(writes) <= 98
        assert seconds <= times * floor + 1
