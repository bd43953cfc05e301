"""Reports as users ask for them: `--output FORMAT` and `--report FORMAT:PATH`."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from dbt_statsig.emulator import Running, running
from dbt_statsig.report.formats import FORMATS
from tests.integration.cli_process import COMMAND, KEY, edit_manifest, environment, own_copy, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.dbt

EXPOSURES = "model.tea_shop.fct_exposures"
STARTS = {
    "text": "tea_shop (duckdb",
    "json": "{",
    "markdown": "<!-- dbt-statsig -->",
    "github": "::",
    "junit": '<?xml version="1.0"',
    "sarif": "{",
    "gitlab": "[",
    "html": "<!doctype html>",
}


@pytest.fixture
def console() -> Iterator[Running]:
    """An empty console."""
    with running() as server:
        yield server


def reach(console: Running) -> dict[str, str]:
    """The environment in which commands reach that console."""
    return {"DBT_STATSIG_BASE_URL": console.url, "STATSIG_CONSOLE_API_KEY": KEY}


def test_every_form_on_stdout_and_in_a_file(shop: Path, tmp_path: Path) -> None:
    """Each form is the same on stdout and in the file that was asked for beside it."""
    project = own_copy(shop, tmp_path)
    for form in FORMATS:
        done = run("validate", "--output", form, "--report", f"{form}:target/report", cwd=project)
        assert (done.returncode, done.stderr) == (0, ""), form
        assert done.stdout.startswith(STARTS[form]), form
        assert (project / "target" / "report").read_text(encoding="utf-8") == done.stdout, form


def test_all_reports_of_a_plan_and_a_sync_at_once(shop: Path, tmp_path: Path, console: Running) -> None:
    """One run writes as many reports as are asked for, and they agree."""
    project = own_copy(shop, tmp_path)
    wanted = [word for form in FORMATS for word in ("--report", f"{form}:{form}")]
    for command in ("plan", "sync"):
        assert run(command, *wanted, cwd=project, **reach(console)).returncode == 0
        answer = json.loads((project / "json").read_text(encoding="utf-8"))
        assert answer["command"] == command
        count = answer["plan"]["counts"]["create"]
        assert ("create" if command == "plan" else "created") in (project / "text").read_text(encoding="utf-8")
        page = (project / "html").read_text(encoding="utf-8")
        assert page.count(f'<span class="badge add">{"create" if command == "plan" else "created"}</span>') == count
        suites = ET.fromstring((project / "junit").read_text(encoding="utf-8"))  # noqa: S314 - our own text
        assert len(suites) == (2 if command == "plan" else 3)


def test_lineage_is_drawn_from_the_manifest(shop: Path, tmp_path: Path) -> None:
    """The page knows what is above a source in dbt's graph."""
    project = own_copy(shop, tmp_path)
    run("validate", "--report", "html:page.html", cwd=project)
    page = (project / "page.html").read_text(encoding="utf-8")
    row = page.split("<b>Orders</b>")[1].split("</details>")[0]
    assert re.findall(r"<li data-to=\"-1\"><b>([^<]+)</b> <i>model</i>", row) == ["stg_orders"]


def test_annotations_name_files_from_the_repository(shop: Path, tmp_path: Path) -> None:
    """In a repository with the project in a folder, annotations and SARIF name the file that the author edits."""
    (tmp_path / ".git").mkdir()
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    done = run("validate", "--output", "github", "--report", "sarif:s.json", cwd=project)
    assert done.returncode == 1
    assert "::error file=shop/models/experiments/_experiments.yml,line=" in done.stdout
    (result,) = (
        result
        for result in json.loads((project / "s.json").read_text(encoding="utf-8"))["runs"][0]["results"]
        if result["level"] == "error"
    )
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "shop/models/experiments/_experiments.yml"


def test_step_summary(shop: Path, tmp_path: Path) -> None:
    """With the form github, the summary of the step is the Markdown report."""
    summary = tmp_path / "summary.md"
    beside = ("--report", f"markdown:{tmp_path / 'report.md'}")
    run("validate", "--output", "github", *beside, cwd=shop, GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text(encoding="utf-8") == (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_summary_that_cannot_be_written(shop: Path, tmp_path: Path) -> None:
    """The annotations are there all the same; the exit code says that something is missing."""
    done = run("validate", "--output", "github", cwd=shop, GITHUB_STEP_SUMMARY=str(tmp_path))
    assert done.returncode == 2
    assert done.stdout.startswith("::")
    assert "summary" in done.stderr


def test_unknown_format(shop: Path) -> None:
    """An unknown format is a usage error with the nearest name, before anything runs."""
    done = run("validate", "--output", "sarfi", cwd=shop)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Unknown format 'sarfi'. Did you mean \"sarif\"?" in done.stderr
    assert "Unknown format 'pdf'" in run("validate", "--report", "pdf:x", cwd=shop).stderr


@pytest.mark.parametrize("path", ["gone/x.html", "target", "manifest.json", "/dev/null"])
def test_fault_43_refused_before_anything_is_written(shop: Path, tmp_path: Path, console: Running, path: str) -> None:
    """A report that has no folder, is no file or is one that the run reads stops a sync before its first request."""
    project = own_copy(shop, tmp_path)
    done = run("sync", "--report", f"html:{path}", cwd=project, **reach(console))
    assert (done.returncode, done.stdout) == (2, "")
    assert path.split("/", maxsplit=1)[0] in done.stderr
    assert console.requests == []


def test_fault_44_a_sync_outlives_its_report(shop: Path, tmp_path: Path, console: Running) -> None:
    """A report that cannot be written after a sync is told; what was done is on stdout, and the exit code is not 0."""
    project = own_copy(shop, tmp_path)
    # A name of 255 bytes is allowed, but the temporary file beside it has a longer one.
    long = "x" * 250
    done = run("sync", "--report", f"html:{long}", "--report", "json:kept.json", cwd=project, **reach(console))
    assert done.returncode == 2
    assert " created." in done.stdout
    assert "could not be written" in done.stderr
    assert json.loads((project / "kept.json").read_text(encoding="utf-8"))["outcome"]["counts"]["done"] > 0
    assert not [name for name in os.listdir(project) if name.startswith(".x")]  # noqa: PTH208 - names are enough


def test_fault_44_reports_outlive_a_full_disk(shop: Path, tmp_path: Path) -> None:
    """Where stdout takes nothing, the reports are written before the run fails."""
    project = own_copy(shop, tmp_path)
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [COMMAND, "validate", "--report", "markdown:kept.md"],
            cwd=project,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "could not be written" in done.stderr
    assert (project / "kept.md").read_text(encoding="utf-8").startswith("<!-- dbt-statsig -->")


def test_a_run_that_fails_is_an_annotation(shop: Path) -> None:
    """What keeps a command from running is an annotation too, not only a line on stderr."""
    done = run("plan", "--output", "github", cwd=shop)
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=dbt-statsig::No Console API key is set.%0ASet STATSIG_CONSOLE_API_KEY")


def test_debug_knows_text_and_json_alone(shop: Path) -> None:
    """`debug` is no report: it refuses other forms."""
    done = run("debug", "--output", "html", cwd=shop)
    assert done.returncode == 2
    assert "Unknown format 'html'. Choose one of: text, json." in done.stderr
