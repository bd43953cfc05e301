"""Runs that cannot start: every report that was asked for says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from dbt_statsig.report.documents import report_schema
from dbt_statsig.report.formats import FORMATS
from tests.integration.cli_process import KEY, run
from tests.unit.impact.two_states import marked, staging, write
from tests.unit.report.sarif_subset import SUBSET

if TYPE_CHECKING:
    from pathlib import Path

ALL = [word for form in FORMATS for word in ("--report", f"{form}:{form}.report")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project in a folder of a repository, with a manifest that declares one source."""
    folder = tmp_path / "repo" / "dbt"
    write(folder / "target", staging(), marked("fct"))
    (folder / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "repo" / ".git").mkdir()
    return folder


def shown(project: Path, form: str) -> str:
    """The report of that form."""
    return (project / f"{form}.report").read_text(encoding="utf-8")


def assert_reported(project: Path, command: str, message: str, error: str, code: int) -> None:
    """Each form holds the message; the forms for programs are valid and know type and exit code."""
    for form in FORMATS:
        assert message in shown(project, form), form
    answer: dict[str, Any] = json.loads(shown(project, "json"))
    jsonschema.validate(answer, report_schema())
    assert (answer["command"], answer["exit_code"], answer["error"]["type"]) == (command, code, error)
    log = json.loads(shown(project, "sarif"))
    jsonschema.validate(log, SUBSET)
    (invocation,) = log["runs"][0]["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, code)
    (result,) = log["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (result["level"], place) == ("error", "dbt/dbt_project.yml")
    root = ET.fromstring(shown(project, "junit"))  # noqa: S314 - our own text
    assert (root.attrib["errors"], root.attrib["tests"]) == ("1", "1")
    assert shown(project, "markdown").startswith("<!-- dbt-statsig -->\n")
    assert shown(project, "github").startswith("::error title=dbt-statsig::")


def _no_manifest(project: Path) -> str:
    (project / "target" / "manifest.json").unlink()
    return "target/manifest.json"


def _damaged_manifest(project: Path) -> str:
    (project / "target" / "manifest.json").write_text('{"metadata": {', encoding="utf-8")
    return "manifest.json"


def _bad_settings(project: Path) -> str:
    (project / "dbt_statsig.yml").write_text("base_ulr: x\n", encoding="utf-8")
    return "base_ulr"


@pytest.mark.parametrize(
    ("spoil", "error"),
    [(_no_manifest, "ArtifactError"), (_damaged_manifest, "ArtifactError"), (_bad_settings, "SettingsError")],
)
def test_a_project_that_cannot_be_read(project: Path, spoil: Any, error: str) -> None:
    """Without a manifest, with a damaged one or with wrong settings every report says so."""
    message = spoil(project)
    done = run("validate", *ALL, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert_reported(project, "validate", message, error, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--select", "state:modified"], "state:"),
        (["--kind", "metrik_source"], "metrik_source"),
        (["--nonsense"], "--nonsense"),
        (["--project-dir", "nowhere"], "nowhere"),
    ],
)
def test_arguments_that_make_no_sense(project: Path, arguments: list[str], message: str) -> None:
    """A bad selection, a wrong value and an unknown option are in every report too."""
    done = run("plan", *arguments, *ALL, cwd=project, STATSIG_CONSOLE_API_KEY=KEY)
    assert done.returncode == 2
    for form in FORMATS:
        assert message in shown(project, form).replace("&#8203;", ""), form


def test_without_a_key_or_a_console(project: Path) -> None:
    """A missing key and a console that nobody serves are reported by plan and sync alike, and the key never shows."""
    done = run("plan", *ALL, cwd=project)
    assert done.returncode == 2
    assert_reported(project, "plan", "No Console API key is set.", "SettingsError", 2)
    keys = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": "http://127.0.0.1:9"}
    done = run("sync", *ALL, cwd=project, DBT_STATSIG_WAIT_BUDGET="1", **keys)
    assert done.returncode == 2
    assert_reported(project, "sync", "127.0.0.1", "ConnectionFailed", 2)
    assert KEY not in "".join(shown(project, form) for form in FORMATS)


def test_a_target_that_may_not_push(project: Path) -> None:
    """A refusal that ends with 1 is in the reports with that exit code."""
    (project / "dbt_statsig.yml").write_text("allowed_targets: [prod]\n", encoding="utf-8")
    done = run("sync", "--target", "ci", *ALL, cwd=project, STATSIG_CONSOLE_API_KEY=KEY)
    assert done.returncode == 1
    assert_reported(project, "sync", "may not push", "TargetNotAllowed", 1)


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "text"])
def test_every_form_on_stdout(project: Path, form: str) -> None:
    """The form on stdout is the same as in a file; the message for people is on stderr beside it."""
    _no_manifest(project)
    done = run("validate", "--output", form, "--report", f"{form}:{form}.report", cwd=project)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert done.stdout == shown(project, form)


def test_one_report_that_cannot_be_written(project: Path) -> None:
    """A report without a place stops the run; the other reports say so, and each bad one is named once."""
    done = run("validate", "--report", "json:target", "--report", "html:gone/x", *ALL, cwd=project)
    assert done.returncode == 2
    assert done.stderr.count("target is a folder") == 1
    assert done.stderr.count("There is no folder gone") == 1
    assert_reported(project, "validate", "target is a folder", "UsageError", 2)


def test_the_other_report_of_a_run_that_fails_for_another_reason(project: Path) -> None:
    """Where a run fails and a report of it cannot be written either, both are reported."""
    _no_manifest(project)
    long = "x" * 250
    done = run("validate", "--report", f"json:{long}", *ALL, cwd=project)
    assert done.returncode == 2
    assert "target/manifest.json" in done.stderr
    assert "could not be written" in done.stderr
    assert_reported(project, "validate", "target/manifest.json", "ArtifactError", 2)
    done = run("validate", "--nonsense", "--report", "json:target", "--report", "jsno:y", *ALL, cwd=project)
    assert "target is a folder" in done.stderr
    assert "--nonsense" in shown(project, "text") or "jsno" in shown(project, "text")


def test_the_summary_of_the_step(project: Path, tmp_path: Path) -> None:
    """With the form github the summary of the step says why, as a good run's would say what."""
    _no_manifest(project)
    summary = tmp_path / "summary.md"
    beside = ("--report", f"markdown:{tmp_path / 'report.md'}")
    run("validate", "--output", "github", *beside, cwd=project, GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text(encoding="utf-8") == (tmp_path / "report.md").read_text(encoding="utf-8")
    done = run("validate", "--output", "github", cwd=project, GITHUB_STEP_SUMMARY=str(tmp_path))
    assert "summary" in done.stderr
    assert done.returncode == 2


def test_commands_without_reports(project: Path) -> None:
    """`debug` has no reports: the option is refused, and no file is made."""
    done = run("debug", "--report", "json:x.json", "--output", "json", cwd=project)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["type"] == "UsageError"
    assert not (project / "x.json").exists()


def test_dbt_that_fails_leaves_a_report(project: Path) -> None:
    """Where dbt fails before it wrote results, `run` ends with its code and the reports say that nothing was synced."""
    dbt = project / "dbt"
    dbt.write_text("#!/bin/sh\nexit 7\n", encoding="utf-8")
    dbt.chmod(0o755)
    done = run("run", "--output", "json", *ALL, "--", str(dbt), "build", cwd=project, STATSIG_CONSOLE_API_KEY=KEY)
    assert done.returncode == 7
    assert json.loads(done.stdout) == json.loads(shown(project, "json"))
    assert_reported(project, "run", "Nothing was synced", "NothingSynced", 7)


def test_dbt_that_fails_without_rows(project: Path) -> None:
    """Where dbt fails with --empty, one sentence says that nothing was synced, and why."""
    meta = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "invocation_id": "x"}
    results = {"metadata": meta, "args": {"which": "build"}, "results": []}
    dbt = project / "dbt"
    dbt.write_text(f"#!/bin/sh\necho '{json.dumps(results)}' > target/run_results.json\nexit 1\n", encoding="utf-8")
    dbt.chmod(0o755)
    done = run("run", "--", str(dbt), "build", "--empty", cwd=project, STATSIG_CONSOLE_API_KEY=KEY)
    assert done.returncode == 1
    assert done.stderr.startswith("Warning: Nothing was synced: dbt built tables without rows (--empty).")
