"""`dbt-statsig tests`: the test of rows, added to every marked node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.cli.app import run
from dbt_statsig.commands.validate import validate
from dbt_statsig.project.request import Request
from tests.unit.impact.two_states import marked, staging
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from pathlib import Path

YAML = """\
version: 2
models:
  - name: fct  # exposures
    description: Who saw what
    columns:
      - name: user_id
        data_tests: [not_null]
  - name: tested
    data_tests:
      - dbt_statsig.fit_for_statsig
"""
PACKAGE = {"macro.dbt_statsig.test_fit_for_statsig": {"macro_sql": ""}}


def project(folder: Path, *, package: bool = True, **fields: Any) -> Path:
    """A project with two marked models, one of which has the test."""
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    (folder / "models" / "_models.yml").write_text(YAML, encoding="utf-8")
    place = {"patch_path": "shop://models/_models.yml", "original_file_path": "models/fct.sql", **fields}
    test = node(
        "test.shop.fit_tested.1",
        resource_type="test",
        attached_node="model.shop.tested",
        test_metadata={"name": "fit_for_statsig", "namespace": "dbt_statsig"},
        depends_on={"macros": [], "nodes": ["model.shop.tested"]},
    )
    other = {"assignment_source": {**marked("x")["config"]["meta"]["statsig"]["assignment_source"], "name": "Other"}}
    nodes = (staging(), marked("fct", **place), marked("tested", statsig=other, **place), test)
    (folder / "target").mkdir()
    macros = PACKAGE if package else {"macro.dbt.test_unique": {"macro_sql": ""}}
    (folder / "target" / "manifest.json").write_bytes(manifest_bytes(*nodes, macros=macros))
    return folder / "models" / "_models.yml"


def test_the_test_is_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --write the change is shown; with it only that line is added, and the rest of the file is as it was."""
    file = project(tmp_path)
    assert run(["tests", "--project-dir", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "+    data_tests:\n+      - dbt_statsig.fit_for_statsig\n" in said
    assert "2 marked nodes: 1 with fit_for_statsig, 1 to add." in said
    assert file.read_text(encoding="utf-8") == YAML
    assert run(["tests", "--project-dir", str(tmp_path), "--write"]) == 0
    assert "1 added" in capsys.readouterr().out
    added = "    data_tests:\n      - dbt_statsig.fit_for_statsig\n"
    assert file.read_text(encoding="utf-8").replace(added, "", 1) == YAML
    assert run(["tests", "--project-dir", str(tmp_path), "--select", "tested"]) == 0
    assert "1 marked node: 1 with fit_for_statsig, 0 to add." in capsys.readouterr().out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON answer has the nodes and the diff."""
    project(tmp_path)
    assert run(["tests", "--project-dir", str(tmp_path), "--output", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["tested"], answer["untested"]) == (["model.shop.tested"], ["model.shop.fct"])
    assert answer["files"][0]["path"] == "models/_models.yml"


def test_without_the_package_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A project without the dbt package would not parse with the test: that is refused."""
    file = project(tmp_path, package=False)
    assert run(["tests", "--project-dir", str(tmp_path), "--write"]) == 2
    assert "the dbt package is not installed" in " ".join(capsys.readouterr().err.split())
    assert file.read_text(encoding="utf-8") == YAML


def test_an_entry_that_cannot_be_edited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A node whose YAML cannot take the test is named with the reason, and the exit code is 1."""
    file = project(tmp_path)
    file.write_text(YAML.replace("description: Who saw what", "data_tests: none"), encoding="utf-8")
    assert run(["tests", "--project-dir", str(tmp_path)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "model.shop.fct: models/_models.yml:4 has a `data_tests`, which is not a list." in said


@pytest.mark.parametrize(("package", "guides"), [(True, True), (True, False), (False, True)])
def test_the_guides_name_it(tmp_path: Path, package: bool, guides: bool) -> None:  # noqa: FBT001 - a table of cases
    """With the setting `guides`, and the package, a node without the test is a note."""
    project(tmp_path, package=package)
    request = Request(project_dir=tmp_path, environ={}, flags={"guides": guides, "cache": False})
    found = [one.message for one in validate(request).findings if one.code == "rows-untested"]
    assert found == (["fct has no test `dbt_statsig.fit_for_statsig`."] if package and guides else [])
