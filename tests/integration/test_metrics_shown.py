"""What plans and comparisons show of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from dbt_statsig.report.html.page import render as html
from dbt_statsig.report.subject import Subject
from dbt_statsig.report.text.report import plan_text
from tests.integration.test_metrics import METRICS, SUM, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running


@pytest.fixture
def server() -> Iterator[Running]:
    """A console."""
    with running() as one:
        yield one


@pytest.fixture
def shop(tmp_path: Path, server: Running) -> Shop:
    """A project with two metric sources."""
    project = Shop(tmp_path, server.url, key=server.key)
    project.declare("visits")
    return project


def test_the_sql_that_statsig_generates(shop: Shop, server: Running) -> None:
    """With `show_sql` a plan has Statsig's SQL of each metric that is there, in text and HTML; a fault is a warning."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics(SUM, {"name": "Orders", "aggregation": "count"})
    planned = shop.plan(show_sql=True)
    text = plan_text(planned)
    assert 'Statsig\'s SQL for the metric "Revenue", unit userID' in text
    assert "    SELECT unit_id, SUM(n) AS value" in text
    assert "SELECT unit_id" not in plan_text(shop.plan())
    assert "SQL that Statsig generates, unit userID" in html(Subject.of(planned))
    server.emulator.faults.replace([{"action": "status", "status": 404, "match": {"path": "/sql"}}])
    assert [one for one in shop.plan(show_sql=True).warnings if "was not read" in one]


def test_impact(shop: Shop, tmp_path: Path) -> None:
    """Against another state, a metric names what changed of it, and a column that its source loses."""
    ratio = {"name": "Rate", "aggregation": "ratio", **METRICS["ratio"]}
    shop.metrics(SUM, ratio)
    base = tmp_path / "base"
    base.mkdir()
    (base / "manifest.json").write_bytes((tmp_path / "target" / "manifest.json").read_bytes())
    shop.metrics(
        {**SUM, "where": "amount > 2", "value_column": "variant"}, {**ratio, "numerator": {"aggregation": "count"}}
    )
    impact = shop.validate(state=base).impact
    assert impact is not None
    assert {one.message for one in impact.effects} == {
        'The metric "Rate" has changed its `numerator`.',
        'The metric "Rate" now reads numerator.value_column from nothing (was "amount").',
        'The metric "Revenue" now reads value_column from "variant" (was "amount").',
        'The metric "Revenue" now has where "amount > 2" (was nothing).',
    }
