"""Reports as SARIF."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from hypothesis import given, settings
from msgspec import structs

from dbt_statsig.report.run_findings import RULES
from dbt_statsig.report.sarif import render, render_failure
from dbt_statsig.report.subject import Subject
from dbt_statsig.vocabulary.findings import Finding, Location, Severity
from dbt_statsig.vocabulary.results import Failure, Validation
from tests.unit.report import hostile, many, samples
from tests.unit.report.golden import assert_golden
from tests.unit.report.sarif_subset import SUBSET

PACKAGE = "@microsoft/jest-sarif"
MULTITOOL = "@microsoft/sarif-multitool-linux"
FAILURE = Failure(command="plan", type="SettingsError", message="Wrong.", fix="Look.", exit_code=2, root="dbt")
SCHEMA = f"node_modules/{PACKAGE}/lib/schemas/sarif-2.1.0-rtm.5.json"
ROOT = Path(__file__).resolve().parents[3]
SUBJECTS = {
    "validation": Subject.of(samples.VALIDATION),
    "sync": Subject.of(samples.SYNCED, exit_code=1, root="dbt"),
    "clean": Subject.of(samples.CLEAN),
    "hostile": hostile.subject(hostile.WORDS[0]),
    "many": Subject.of(many.synced(200)),
}


def run_of(subject: Subject) -> dict[str, Any]:
    """The one run of a log."""
    (run,) = json.loads(render(subject))["runs"]
    return dict(run)


def test_golden() -> None:
    """Every finding, refusal and failure is a result with its place and rule."""
    assert_golden("validation.sarif", render(Subject.of(samples.VALIDATION)))


@pytest.mark.parametrize("name", SUBJECTS)
def test_fits_what_we_use_of_the_standard(name: str) -> None:
    """Each log has only properties of the standard, with the types and values that it names."""
    jsonschema.validate(json.loads(render(SUBJECTS[name])), SUBSET)


@pytest.mark.parametrize("name", SUBJECTS)
def test_fits_the_published_schema(name: str) -> None:
    """Each log is valid by the schema that the standard's authors publish."""
    path = Path(os.environ.get("SARIF_SCHEMA") or ROOT / ".venv" / "share" / SCHEMA)
    if not path.is_file():
        pytest.skip(f"no published SARIF schema here: npm install --prefix .venv/share {PACKAGE}, or set SARIF_SCHEMA")
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(json.loads(render(SUBJECTS[name])))


def test_passes_the_rules_of_code_scanning(tmp_path: Path) -> None:
    """Microsoft's validator finds nothing that GitHub's code scanning wants and a log does not have."""
    tool = ROOT / ".venv" / "share" / "node_modules" / MULTITOOL / "Sarif.Multitool"
    if not tool.is_file():
        pytest.skip(f"no validator of SARIF here: npm install --prefix .venv/share {MULTITOOL}@5.7.0")
    tool.chmod(0o755)
    logs = {name: render(subject) for name, subject in SUBJECTS.items()} | {"failure": render_failure(FAILURE)}
    for name, log in logs.items():
        (tmp_path / f"{name}.sarif").write_text(log, encoding="utf-8")
    rules, levels = ("--rule-kind", "Sarif;Ghas"), ("--level", "Error;Warning")
    done = subprocess.run(
        [tool, "validate", *tmp_path.iterdir(), *rules, *levels], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert re.findall(r"(?m)^.*: (?:error|warning) .*", done.stdout) == []
    assert f"{len(logs)} files scanned" in done.stdout
    assert "Analysis completed successfully." in done.stdout


def test_what_code_scanning_wants() -> None:
    """Each rule says in full what it means and links to its page, in text and in Markdown; the tool has an address."""
    driver = run_of(Subject.of(samples.SYNCED))["tool"]["driver"]
    assert driver["informationUri"].startswith("https://")
    for one in driver["rules"]:
        assert one["helpUri"].endswith(f"/findings/{one['id']}/")
        assert one["helpUri"] in one["help"]["markdown"]
        assert one["fullDescription"]["text"].startswith(one["shortDescription"]["text"])


def test_the_subset_is_strict() -> None:
    """A property that the standard does not have, a wrong level and a missing text are refused."""
    changes: tuple[dict[str, Any], ...] = ({"severity": "x"}, {"level": "fatal"}, {"message": {}})
    for change in changes:
        log = json.loads(render(Subject.of(samples.VALIDATION)))
        log["runs"][0]["results"][0].update(change)
        assert list(jsonschema.Draft202012Validator(SUBSET).iter_errors(log)), change


def test_rules() -> None:
    """Each result's rule is listed once, with its meaning and remedy, and found by index too."""
    run = run_of(Subject.of(samples.SYNCED))
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["shortDescription"]["text"] == RULES[rule["id"]].meaning


def test_a_code_that_is_not_in_the_catalogue() -> None:
    """A result of an unknown code still has a rule."""
    found = Finding(code="new-thing", severity=Severity.WARNING, message="Look.")
    validation = Validation(
        project="shop", adapter="", dbt_version="", manifest_path="", sources=(), findings=(found,), unmatched=()
    )
    (rule,) = run_of(Subject.of(validation))["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"], rule["help"]["text"]) == ("new-thing", "NewThing", "new-thing")


def test_places() -> None:
    """Files are named from the repository's root; what has no file stands at the project's own."""
    results = run_of(Subject.of(samples.VALIDATION, root="a b/dbt"))["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert places[0]["artifactLocation"] == {
        "uri": "a%20b/dbt/models/marts/_marts.yml",
        "uriBaseId": "%SRCROOT%",
    }
    assert places[0]["region"] == {"startLine": 33, "startColumn": 31}
    project = {"uri": "a%20b/dbt/dbt_project.yml", "uriBaseId": "%SRCROOT%"}
    assert places[-1] == {"artifactLocation": project, "region": {"startLine": 1}}


@pytest.mark.parametrize(("line", "column", "region"), [(0, 0, {"startLine": 1}), (3, 0, {"startLine": 3})])
def test_places_without_line_or_column(line: int, column: int, region: dict[str, int]) -> None:
    """Without a line the first one is named, which code scanning wants; an unknown column is left out."""
    found = Finding(code="bad-name", severity=Severity.NOTE, message="x", location=Location("a.yml", line, column))
    (result,) = run_of(Subject.of(structs.replace(samples.CLEAN, findings=(found,))))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == region


def test_fingerprints_outlive_moved_lines() -> None:
    """A finding keeps its fingerprint when its line moves, and two findings have two."""
    first = run_of(Subject.of(samples.VALIDATION))["results"]
    assert len({result["partialFingerprints"]["dbtStatsig/v1"] for result in first}) == len(first)


@settings(deadline=None, max_examples=50)
@given(hostile.ANY_WORD)
def test_any_word_is_only_text(word: str) -> None:
    """Whatever is in names and messages, the log is valid, its texts can be shown and its URIs are relative."""
    text = render(hostile.subject(word))
    jsonschema.validate(json.loads(text), SUBSET)
    for result in json.loads(text)["runs"][0]["results"]:
        assert not any(map(hostile.is_unsafe, result["message"]["text"]))
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert ":" not in uri
        assert not any(map(hostile.is_unsafe, unquote(uri)))
