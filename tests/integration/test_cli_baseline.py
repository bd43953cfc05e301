"""Baselines, as they are used on a project that has faults already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from tests.integration.cli_process import KEY, edit_manifest, own_copy, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.dbt

EXPOSURES = "model.tea_shop.fct_exposures"
ORDERS = "model.tea_shop.fct_orders"


@pytest.fixture
def faulty(shop: Path, tmp_path: Path) -> Path:
    """The example project with a column that does not exist."""
    project = own_copy(shop, tmp_path)
    edit_manifest(project, EXPOSURES, assignment_source={"timestamp_column": "exposed_att"})
    return project


def test_known_findings_do_not_fail(faulty: Path) -> None:
    """What was written as known no longer fails, is counted, and its source still counts as not ready."""
    assert run("validate", cwd=faulty).returncode == 1
    written = run("validate", "--write-baseline", cwd=faulty)
    assert (written.returncode, written.stderr) == (0, "")
    done = run("validate", "--baseline", "statsig_baseline.json", cwd=faulty)
    assert done.returncode == 0
    assert "In the baseline statsig_baseline.json, not shown: 1 error." in done.stdout
    assert "8 sources and 3 metrics ready, 1 not, because of findings in the baseline" in done.stdout
    answer = json.loads(run("validate", "--baseline", "statsig_baseline.json", "--output", "json", cwd=faulty).stdout)
    assert answer["validation"]["baseline"]["counts"] == {"known": 1, "stale": 0}
    assert {found["severity"] for found in answer["validation"]["findings"]} <= {"note"}


def test_new_findings_fail(faulty: Path) -> None:
    """A fault that came after the baseline fails, and only it is shown."""
    run("validate", "--write-baseline", "known.json", cwd=faulty)
    edit_manifest(faulty, ORDERS, metric_source={"timestamp_column": "ordered_att"})
    done = run("validate", "--baseline", "known.json", cwd=faulty)
    assert done.returncode == 1
    assert "ordered_att" in done.stdout
    assert 'no column "exposed_att"' not in done.stdout


def test_fixed_findings_are_reported(faulty: Path) -> None:
    """An entry whose fault was fixed is reported, and gone from the next baseline; with a selection it is not."""
    run("validate", "--write-baseline", cwd=faulty)
    edit_manifest(faulty, EXPOSURES, assignment_source={"timestamp_column": "exposed_at"})
    done = run("validate", "--baseline", "statsig_baseline.json", cwd=faulty)
    assert done.returncode == 0
    assert "1 entry of statsig_baseline.json no longer matches a finding" in done.stdout
    part = run("validate", "--baseline", "statsig_baseline.json", "--select", "fct_orders", cwd=faulty)
    assert "no longer match" not in part.stdout
    run("validate", "--baseline", "statsig_baseline.json", "--write-baseline", cwd=faulty)
    assert json.loads((faulty / "statsig_baseline.json").read_bytes())["findings"] == []


def test_a_known_error_is_still_not_pushed(faulty: Path) -> None:
    """A baseline softens `validate` alone: a sync still leaves the source out, and still fails."""
    run("validate", "--write-baseline", cwd=faulty)
    with running() as console:
        done = run("sync", cwd=faulty, DBT_STATSIG_BASE_URL=console.url, STATSIG_CONSOLE_API_KEY=KEY)
        assert done.returncode == 1
        assert "Shop exposures" not in console.state.sources["assignment_sources"]


def test_a_baseline_of_a_part_is_refused(faulty: Path) -> None:
    """Writing a baseline of a selection would forget the rest, and is a usage error."""
    done = run("validate", "--write-baseline", "--select", "fct_orders", cwd=faulty)
    assert done.returncode == 2
    assert "must cover the whole project" in done.stderr
    assert not (faulty / "statsig_baseline.json").exists()


def test_a_missing_baseline_is_an_error(faulty: Path) -> None:
    """A baseline that cannot be read ends the run before anything else."""
    done = run("validate", "--baseline", "nothing.json", cwd=faulty)
    assert done.returncode == 2
    assert "nothing.json cannot be read" in done.stderr


def test_a_baseline_that_cannot_be_written(faulty: Path) -> None:
    """A folder that does not exist is reported, with exit code 2."""
    done = run("validate", "--write-baseline", "nowhere/known.json", cwd=faulty)
    assert done.returncode == 2
    assert "nowhere/known.json could not be written" in done.stderr
