"""`preview` through real dbt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.dbt.job import Job

pytestmark = [pytest.mark.dbt, pytest.mark.engines]


def test_rows_and_errors_through_dbt(job: Job) -> None:
    """The rows of a source come through the user's own dbt, whose artifacts stay; a refused query is reported."""
    manifest = job.folder / "target" / "manifest.json"
    before = manifest.read_bytes()
    said = job.ours("preview", "Orders", "--limit", "2", "--days", "10000")
    assert "metric source Orders  model.tea_shop.fct_orders" in said
    assert "timestamp" in said.splitlines()[1]
    assert manifest.read_bytes() == before
    assert job.written() == []
    (job.folder / "tea_shop.duckdb").unlink()
    said = job.ours("preview", "Orders", expect=1)
    assert "fct_orders does not exist" in " ".join(said.split())
