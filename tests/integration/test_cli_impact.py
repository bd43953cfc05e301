"""`--state`: what a change does to the sources, and which running experiments it reaches."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.emulator import Running, running
from tests.integration.cli_process import KEY, edit_manifest, own_copy, run
from tests.integration.shop import METRICS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.dbt

EXPOSURES = "model.tea_shop.fct_exposures"
EXPERIMENTS: list[dict[str, Any]] = [
    {"id": "button", "name": "Green button", "status": "active", "assignmentSourceName": "Shop exposures"},
    {"id": "old", "name": "Old one", "status": "decision_made", "assignmentSourceName": "Shop exposures"},
    {"id": "other", "name": "Elsewhere", "status": "active", "assignmentSourceName": "Other exposures"},
]


@pytest.fixture
def change(shop: Path, tmp_path: Path) -> Path:
    """The example project with another group column than in `base/`, its artifacts before."""
    project = own_copy(shop, tmp_path)
    shutil.copytree(project / "target", project / "base")
    edit_manifest(project, EXPOSURES, assignment_source={"group_id_column": "group_name"})
    return project


@pytest.fixture
def console() -> Iterator[Running]:
    """A console with experiments."""
    with running(seed={"experiments": EXPERIMENTS}) as server:
        yield server


def reach(console: Running) -> dict[str, str]:
    """The environment in which commands reach that console."""
    return {"DBT_STATSIG_BASE_URL": console.url, "STATSIG_CONSOLE_API_KEY": KEY}


def experiment_reads(console: Running) -> int:
    """How often experiments were asked for."""
    return sum(exchange.path.split("?")[0] == "/console/v1/experiments" for exchange in console.requests)


def test_validate_works_without_a_key(change: Path) -> None:
    """`validate --state` needs neither key nor network, and exits with 0: an effect is no fault."""
    done = run("validate", "--state", "base", "--strict", cwd=change)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert 'now reads group_id_column from "group_name" (was "group_key")' in text
    assert "Experiments not checked: `validate` does not ask Statsig." in text


def test_a_plan_names_running_experiments(change: Path, console: Running) -> None:
    """`plan --state` names the running experiments of the sources that the change touches, and no others."""
    done = run("plan", "--state", "base", cwd=change, **reach(console))
    assert done.returncode == 0
    assert 'The experiment "Green button" (active) uses the assignment source "Shop exposures".' in " ".join(
        done.stdout.split()
    )
    assert "Old one" not in done.stdout
    assert "Elsewhere" not in done.stdout
    answer = json.loads(run("plan", "--state", "base", "--output", "json", cwd=change, **reach(console)).stdout)
    assert [one["id"] for one in answer["validation"]["impact"]["experiments"]] == ["button"]


def test_experiments_are_not_read_in_vain(shop: Path, tmp_path: Path, console: Running) -> None:
    """Without --state, or where no source is touched, no experiment is asked for."""
    project = own_copy(shop, tmp_path)
    shutil.copytree(project / "target", project / "base")
    run("sync", cwd=project, **reach(console))
    run("plan", cwd=project, **reach(console))
    done = run("plan", "--state", "base", cwd=project, **reach(console))
    assert f"No mapped or selected column changes ({SOURCES + METRICS} objects compared)." in done.stdout
    assert experiment_reads(console) == 0


def test_a_plan_goes_on_without_experiments(change: Path, console: Running) -> None:
    """Where experiments cannot be read, the plan stands, and a warning says what is missing."""
    console.inject({"match": {"method": "GET", "path": "/experiments[?]"}, "action": "status", "status": 400})
    done = run("plan", "--state", "base", cwd=change, **reach(console))
    assert done.returncode == 0
    assert "Shop exposures" in done.stdout
    assert "Experiments not checked: experiments were not read" in " ".join(done.stdout.split())
    assert experiment_reads(console) == 1


def test_a_folder_that_holds_nothing(change: Path) -> None:
    """A folder without a manifest is one clear error, which names the folder that was probably meant."""
    (change / "empty").mkdir()
    done = run("validate", "--state", "empty", cwd=change)
    assert done.returncode == 2
    assert "--state: there is no manifest.json in empty." in done.stderr
    assert "a copy of the base branch's target/" in done.stderr
    assert "Did you mean target?" in run("validate", "--state", ".", cwd=change).stderr
