"""dbt 2, which runs no Python: its manifests give the same payloads, and its macros say what to run instead.

DBT_STATSIG_TEST_DBT2 names the dbt 2 executables, parted by colons; the engine sessions of noxfile.py set it.
What builds on dbt 2 is in test_dbt2_builds.py.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import KEY
from tests.integration.dbt.job import HOOK
from tests.integration.shop import SOURCES

if TYPE_CHECKING:
    from tests.integration.dbt.job import Job

pytestmark = pytest.mark.dbt

ENGINES: list[Path | None] = [Path(one) for one in os.environ.get("DBT_STATSIG_TEST_DBT2", "").split(":") if one]


@pytest.fixture(params=ENGINES or [None], ids=str)
def engine(request: pytest.FixtureRequest) -> Path:
    """A dbt 2 executable."""
    found: Path | None = request.param
    if found is None:
        pytest.skip("DBT_STATSIG_TEST_DBT2 names no dbt 2: run `nox -s dbt2`")
    return found


def shown(engine: Path, job: Job, *arguments: str, **environ: str) -> tuple[int, str]:
    """The exit code of a dbt 2 command, and its output."""
    done = subprocess.run(
        [engine, *arguments],
        cwd=job.folder,
        env=job.environ(KEY, environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def beside(job: Job, engine: Path) -> Job:
    """The job with no hook and no artifacts, and that dbt first on the PATH."""
    assert engine.exists()
    # An on-run-end hook needs dbt 2's database driver, even for no SQL; those are not in any package registry.
    job.edit("dbt_project.yml", HOOK, "\n")
    for file in (job.folder / "target").glob("*"):
        if file.is_file():
            file.unlink()
    return job


def payloads(job: Job) -> str:
    """What `validate` says that Statsig should hold, byte for byte."""
    answer = json.loads(job.ours("validate", "--output", "json"))
    sources = sorted(answer["validation"]["sources"], key=lambda source: (source["kind"], source["name"]))
    return json.dumps([(source["kind"], source["unique_id"], source["payload"]) for source in sources], indent=1)


def test_the_same_payloads(beside: Job, engine: Path) -> None:
    """The payloads from dbt 2's manifest are those from dbt 1's, byte for byte."""
    code, output = shown(engine, beside, "compile")
    assert code == 0, output
    by_dbt2 = payloads(beside)
    beside.dbt("compile", off=True)
    assert by_dbt2 == payloads(beside)
    assert by_dbt2.count('"sql"') == SOURCES


def test_operations_name_the_command(beside: Job, engine: Path) -> None:
    """A run-operation stops, and gives the very command to run instead."""
    arguments = json.dumps({"select": "fct_orders", "adopt": ["A b"], "dry_run": True})
    code, output = shown(engine, beside, "run-operation", "statsig_sync", "--args", arguments)
    assert code == 1
    assert 'run: dbt-statsig sync --target dev --select "fct_orders" --dry-run --adopt "A b"' in output
    for macro, command in (("statsig_plan", "plan"), ("statsig_validate", "validate")):
        code, output = shown(engine, beside, "run-operation", macro)
        assert code == 1
        assert f"run: dbt-statsig {command} --target dev" in output


def test_hooks_do_no_harm(beside: Job, engine: Path) -> None:
    """The hooks' macros run on dbt 2 without an error, and push nothing."""
    code, output = shown(engine, beside, "run-operation", "statsig_sync_results", "--args", "{results: []}")
    assert code == 0, output
    code, output = shown(engine, beside, "run-operation", "statsig_sync_model")
    assert code == 0, output
    assert list(beside.console.requests) == []


def test_dbt2_answers_selections(beside: Job, engine: Path) -> None:
    """Selections beyond the manifest are answered by the dbt that is on the PATH, dbt 2 too."""
    assert shown(engine, beside, "compile")[0] == 0
    output = beside.ours("validate", "--select", "@fct_orders", PATH=f"{engine.parent}:{os.environ['PATH']}")
    assert "3 sources and 1 metric ready" in output


def test_run_knows_the_target(beside: Job, engine: Path) -> None:
    """`dbt-statsig run` asks dbt 2 for its target by the same macro."""
    beside.settings("allowed_targets: [prod]")
    output = beside.ours("run", "--", str(engine), "compile", expect=2)
    assert "which builds no tables" in output
    printed = shown(engine, beside, "run-operation", "statsig_context", "--quiet", "--no-write-json")[1]
    assert json.loads(printed.strip().splitlines()[-1])["target"] == "dev"
