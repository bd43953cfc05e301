"""Reports as GitLab's Code Quality."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from msgspec import structs

from dbt_statsig.report.gitlab import render, render_failure
from dbt_statsig.report.run_findings import problems
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.findings import Finding, Location, Severity
from dbt_statsig.vocabulary.results import Failure
from tests.unit.report import hostile, many, samples

# From GitLab's description of the Code Quality report format: what an entry must have, and what a severity may be.
_TEXT = {"type": "string", "minLength": 1}
CODE_QUALITY: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "type": {"const": "issue"},
            "description": _TEXT,
            "check_name": _TEXT,
            "fingerprint": _TEXT,
            "content": {"type": "object", "properties": {"body": _TEXT}, "required": ["body"]},
            "categories": {"type": "array", "items": _TEXT},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": _TEXT,
                    "lines": {"required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
        "additionalProperties": False,
    },
}


def entries_of(subject: Subject) -> list[dict[str, Any]]:
    """The entries of a report that fits the format and whose fingerprints are its own."""
    entries: list[dict[str, Any]] = json.loads(render(subject))
    jsonschema.validate(entries, CODE_QUALITY)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    return entries


@pytest.mark.parametrize(
    "subject", [Subject.of(samples.VALIDATION), Subject.of(samples.SYNCED), Subject.of(many.synced(200))]
)
def test_every_problem_is_an_entry(subject: Subject) -> None:
    """Findings, refusals and failures are entries of the published format, the worst first."""
    assert [entry["check_name"] for entry in entries_of(subject)] == [one.code for one in problems(subject)]


def test_places_and_weights() -> None:
    """An entry names the file from the repository's root and its line, how much it weighs, and the page of its code."""
    entries = entries_of(Subject.of(samples.VALIDATION, root="dbt"))
    assert entries[0]["location"] == {"path": "dbt/models/marts/_marts.yml", "lines": {"begin": 33}}
    assert entries[-1]["location"] == {"path": "dbt/dbt_project.yml", "lines": {"begin": 1}}
    assert [entry["severity"] for entry in entries] == ["critical", "minor", "info"]
    assert entries[0]["content"]["body"].endswith("/findings/column-absent/")


def test_equal_findings_have_two_fingerprints() -> None:
    """Of two findings of one key each is shown, and the first keeps its fingerprint when its line moves."""
    found = Finding(code="column-absent", severity=Severity.ERROR, message="No a.", unique_id="model.shop.a")
    both = (found, structs.replace(found, message="No b.", location=Location("a.yml", 9)))
    moved = (found, structs.replace(both[1], location=Location("a.yml", 12)))
    first, second = (
        entries_of(Subject.of(structs.replace(samples.CLEAN, findings=findings))) for findings in (both, moved)
    )
    assert [one["fingerprint"] for one in first] == [one["fingerprint"] for one in second]
    assert first[0]["description"] == "model.shop.a: No a."


def test_a_run_that_could_not_start() -> None:
    """The reason is the only entry, and blocks."""
    failure = Failure(
        command="plan", type="SettingsError", message="Wrong.\nVery.", fix="Look.", exit_code=2, root="dbt"
    )
    (entry,) = json.loads(render_failure(failure))
    jsonschema.validate([entry], CODE_QUALITY)
    assert (entry["check_name"], entry["severity"], entry["location"]["path"]) == (
        "could-not-run",
        "blocker",
        "dbt/dbt_project.yml",
    )
    assert entry["description"].startswith("Wrong. Very.")


@settings(deadline=None, max_examples=50)
@given(hostile.ANY_WORD)
def test_any_word_is_only_text(word: str) -> None:
    """Whatever is in names and messages, the report fits the format and its texts can be shown."""
    for entry in entries_of(hostile.subject(word)):
        assert not any(map(hostile.is_unsafe, entry["description"] + entry["location"]["path"]))
