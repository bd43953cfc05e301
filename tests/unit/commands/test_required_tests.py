"""What the data tests of a dbt command hold back: `require_tests`, `on_test_failure`, `dbt test` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.commands.pipeline import declare_project, load_project, prove_project
from dbt_statsig.commands.scope import skipped
from dbt_statsig.project.request import Request
from tests.unit.impact.two_states import marked, staging, write
from tests.unit.project.artifacts.build import node

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NODE = "model.shop.fct"
FIT, UNIQUE = "test.shop.fit_fct.1", "test.shop.unique_fct.2"


def data_test(unique_id: str, name: str, namespace: str | None = None) -> Any:
    """A generic test of the marked model."""
    return node(
        unique_id,
        resource_type="test",
        attached_node=NODE,
        test_metadata={"name": name, "namespace": namespace, "kwargs": {}},
        depends_on={"macros": [], "nodes": [NODE]},
    )


def reasons(folder: Path, results: Mapping[str, str], **settings: Any) -> list[str]:
    """Why the marked model's source is skipped after a dbt command with these results; nothing where it is not."""
    nodes = (staging(), marked("fct"), data_test(FIT, "fit_for_statsig", "dbt_statsig"), data_test(UNIQUE, "unique"))
    manifest = write(folder / "target", *nodes) / "manifest.json"
    request = Request(
        project_dir=folder, manifest=manifest, environ={}, results=results, flags={"cache": False, **settings}
    )
    return [one.reason for one in skipped(prove_project(declare_project(load_project(request))))]


@pytest.mark.parametrize("name", ["fit_for_statsig", "dbt_statsig.fit_for_statsig"])
@pytest.mark.parametrize("status", ["fail", "error", "skipped"])
def test_a_required_test_must_pass(tmp_path: Path, name: str, status: str) -> None:
    """A required test that failed, broke or was skipped holds the source back by name, whatever other settings say."""
    results = {NODE: "success", FIT: status, UNIQUE: "pass"}
    expected = ["A data test of its node did not pass: fit_fct (`require_tests`)."]
    assert reasons(tmp_path, results, require_tests=[name], on_test_failure="push") == expected
    assert reasons(tmp_path, results, require_tests=[name]) == expected


def test_other_tests_follow_the_other_setting(tmp_path: Path) -> None:
    """A test that is not required holds back by `on_test_failure`; one that passes or warns holds back nothing."""
    results = {NODE: "success", FIT: "warn", UNIQUE: "fail"}
    held = ["A data test of its node failed: unique_fct (`on_test_failure: hold`)."]
    assert reasons(tmp_path, results, require_tests=["fit_for_statsig"]) == held
    assert reasons(tmp_path, results, require_tests=["fit_for_statsig"], on_test_failure="push") == []
    assert reasons(tmp_path, {NODE: "success", FIT: "skipped"}) == []


def test_a_node_that_was_not_built_says_so(tmp_path: Path) -> None:
    """Where the node itself failed, that is the reason."""
    results = {NODE: "error", FIT: "skipped"}
    assert reasons(tmp_path, results, require_tests=["fit_for_statsig"]) == [
        "dbt ended with the status error for its node."
    ]


def test_after_dbt_test(tmp_path: Path) -> None:
    """After `dbt test` the nodes that it tested are in scope, but for those that a failed test holds back."""
    nodes = (staging(), marked("fct"), marked("other"), data_test(FIT, "fit_for_statsig"))
    manifest = write(tmp_path / "target", *nodes) / "manifest.json"

    def scope(status: str, **settings: Any) -> set[str]:
        request = Request(project_dir=tmp_path, manifest=manifest, environ={}, results={FIT: status}, flags=settings)
        return set(load_project(request).selected_ids or ())

    assert scope("pass") == {NODE}
    assert scope("fail") == set()
    assert scope("fail", on_test_failure="push") == {NODE}
    assert reasons(tmp_path, {FIT: "fail"}) == ["A data test of its node failed: fit_fct (`on_test_failure: hold`)."]
