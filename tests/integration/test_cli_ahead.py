"""Tests of the process that reads SQL ahead, as users meet it: they must not notice it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import edit_manifest, own_copy, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.dbt,
    pytest.mark.skipif(sys.platform != "linux", reason="the process is started on Linux only"),
]


def test_the_same_answer_with_one_processor(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a processor to spare and without, findings and exit code are the same, those in predicates too."""
    processors = os.sched_getaffinity(0)
    if len(processors) == 1:
        pytest.skip("this machine has one processor")
    mine = own_copy(shop, tmp_path)
    edit_manifest(mine, "model.tea_shop.fct_orders", metric_source={"where": "ordered_att is not null and items >"})
    answers = []
    for allowed in (processors, {min(processors)}):
        os.sched_setaffinity(0, allowed)
        try:
            done = run("validate", "--no-cache", "--output", "json", cwd=mine)
        finally:
            os.sched_setaffinity(0, processors)
        answers.append((done.returncode, done.stdout, done.stderr))
    assert answers[0] == answers[1]
    assert answers[0][0] == 1
    assert "bad-sql" in answers[0][1]
