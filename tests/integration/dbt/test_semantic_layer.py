"""The semantic layer of one project, parsed by the dbt of this environment and by dbt 2: equal payloads from all."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from dbt_statsig.project.artifacts import load_manifest
from tests.integration.shop import BIN
from tests.semantic import PROJECT, expected, form, taken

ENGINES = [one for one in os.environ.get("DBT_STATSIG_TEST_DBT2", "").split(":") if one]


def parsed(folder: Path, dbt: Path, yaml: str) -> Path:
    """The manifest that a dbt writes for a copy of the project."""
    project = Path(shutil.copytree(PROJECT, folder / "project"))
    shutil.move(project / "yaml" / yaml, project / "models" / yaml)
    shutil.rmtree(project / "yaml")
    done = subprocess.run(
        [dbt, "parse", "--profiles-dir", "."], cwd=project, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout
    return project / "target" / "manifest.json"


@pytest.mark.dbt
@pytest.mark.engines
def test_the_dbt_of_this_environment(tmp_path: Path) -> None:
    """Whatever dbt 1 is installed, its manifest gives what is expected of the form that it reads."""
    yaml = form(version("dbt-core"))
    assert taken(load_manifest(parsed(tmp_path, BIN / "dbt", yaml))) == expected()


@pytest.mark.dbt
@pytest.mark.parametrize("engine", ENGINES or [""])
def test_dbt2(tmp_path: Path, engine: str) -> None:
    """The manifest of dbt 2 gives the same."""
    if not engine:
        pytest.skip("DBT_STATSIG_TEST_DBT2 names no dbt 2: run `nox -s dbt2`")
    assert taken(load_manifest(parsed(tmp_path, Path(engine), "newer.yml"))) == expected()
