"""Ninety writes against the limits, in real time; on a clock of its own it is in tests/unit/console/test_pace.py."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dbt_statsig.console.pace import Rates
from dbt_statsig.emulator import running
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.test_console_emulator import connect, source

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))


@pytest.mark.skipif(not NIGHTLY, reason="half a minute of waiting: make nightly")
@pytest.mark.parametrize(("limits", "floor", "times"), [("published", 30.0, 1.15), ("older", 9.0, 1.6)])
def test_58_ninety_creations_in_real_time(limits: str, floor: float, times: float) -> None:
    """Fault 58: ninety creations take at most 98 attempts, and little more than the limit takes for so many."""
    kind = Kind.METRIC_SOURCE
    with running(rate_limit=limits) as server, connect(server, rates=Rates()) as console, ThreadPoolExecutor(8) as pool:
        begun = time.monotonic()
        list(pool.map(lambda number: console.create(kind, source(kind, f"n{number}")), range(90)))
        seconds = time.monotonic() - begun
        statuses = [request.status for request in server.requests]
    assert statuses.count(201) == 90
    assert len(statuses) <= 98
    assert seconds <= times * floor
