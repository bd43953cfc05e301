"""The JSON Schema of the answers."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from dbt_statsig.project.schema import render
from dbt_statsig.report.documents import report_schema
from dbt_statsig.report.formats import format_named
from dbt_statsig.report.json import diagnosis_json
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.results import Failure
from tests.unit.report import hostile, many, samples

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "schema" / "report.schema.json"
SCHEMA = jsonschema.Draft202012Validator(report_schema())
ANSWERS = {
    "validate": format_named("json").render(Subject.of(samples.VALIDATION, exit_code=1)),
    "plan": format_named("json").render(Subject.of(many.planned(60), exit_code=3)),
    "sync": format_named("json").render(Subject.of(samples.SYNCED, exit_code=1)),
    "hostile": format_named("json").render(hostile.subject(hostile.WORDS[0])),
    "debug": diagnosis_json(samples.DIAGNOSIS, exit_code=2),
    "error": format_named("json").render_failure(
        Failure(command="plan", type="UsageError", message="No.", fix="Yes.", exit_code=2)
    ),
}


def test_committed_schema_is_current() -> None:
    """docs/schema/report.schema.json is what `dbt-statsig schema report` prints."""
    assert COMMITTED.read_text(encoding="utf-8") == render(report_schema())


def test_schema_is_a_schema() -> None:
    """The schema is valid itself."""
    jsonschema.Draft202012Validator.check_schema(report_schema())


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_fit(name: str) -> None:
    """Every command's answer is valid by the schema."""
    assert list(SCHEMA.iter_errors(json.loads(ANSWERS[name]))) == []


@pytest.mark.parametrize(
    ("key", "value"), [("schema_version", 2), ("exit_code", "1"), ("validation", {"ok": True}), ("command", None)]
)
def test_other_answers_do_not_fit(key: str, value: object) -> None:
    """An answer of another version, or with another type, is refused."""
    assert not SCHEMA.is_valid({**json.loads(ANSWERS["validate"]), key: value})
