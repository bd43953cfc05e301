"""Sources that a run after a dbt command leaves as they are."""

from __future__ import annotations

import json

from dbt_statsig.report.json import render
from dbt_statsig.report.subject import Subject
from dbt_statsig.report.text.report import plan_text
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.changes import Plan
from dbt_statsig.vocabulary.results import Planned, Skipped, Validation
from dbt_statsig.vocabulary.sources import Kind

LEFT = Skipped(
    kind=Kind.METRIC_SOURCE,
    name="Ord\ners",
    unique_id="model.shop.orders",
    reason="dbt ended with the status error for its node.",
)
VALIDATION = Validation(
    project="shop", adapter="duckdb", dbt_version="1.11.0", manifest_path="m", sources=(), findings=()
)
PLANNED = Planned(validation=VALIDATION, plan=Plan(project="shop", changes=()), requests=1, skipped=(LEFT,))


def test_text_names_what_is_left() -> None:
    """The text names each source and why, on one line each whatever its name holds, in quiet style too."""
    for style in (Style(), Style(quiet=True)):
        lines = plan_text(PLANNED, style).splitlines()
        assert lines[0] == "Skipped"
        assert lines[1].startswith("  · metric source Ord")
        assert lines[2].strip() == LEFT.reason
        assert lines[-1] == "Nothing to do: 1 source skipped."


def test_json_names_what_is_left() -> None:
    """JSON holds the same."""
    left = json.loads(render(Subject.of(PLANNED)))["plan"]["left"]
    assert left == [
        {
            "kind": "metric_source",
            "name": "Ord\ners",
            "unique_id": "model.shop.orders",
            "reason": "dbt ended with the status error for its node.",
        }
    ]
