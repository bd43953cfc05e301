"""Tests of run_results.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.errors import ArtifactError
from dbt_statsig.project.artifacts import RunResults, failed_tests, load_run_results
from tests.unit.project.artifacts.build import manifest_bytes, schema

if TYPE_CHECKING:
    from pathlib import Path


def _bytes(**content: Any) -> bytes:
    metadata = {
        "dbt_schema_version": schema("run-results", 6),
        "generated_at": "2026-01-02T03:04:05Z",
        "invocation_id": "i",
    }
    return json.dumps({"metadata": metadata, **content}).encode()


def test_statuses_and_arguments(tmp_path: Path) -> None:
    """Each node's status is there, with the command and the target where dbt says them."""
    results = [
        {"unique_id": "model.shop.a", "status": "success"},
        {"unique_id": "model.shop.b", "status": "error"},
        {"unique_id": "model.shop.c", "status": "skipped"},
        {"unique_id": "test.shop.t", "status": "pass"},
        {"unique_id": "model.shop.d"},
        {"status": "success"},
    ]
    path = tmp_path / "run_results.json"
    path.write_bytes(_bytes(results=results, args={"target": "prod", "which": "build", "select": []}))
    found = load_run_results(path)
    assert (found.invocation_id, found.target, found.which) == ("i", "prod", "build")
    assert found.results["model.shop.b"] == "error"
    assert found.results["model.shop.d"] == ""
    assert found.succeeded() == {"model.shop.a"}


def test_absent_arguments_and_results_are_empty() -> None:
    """Without a target, as from dbt 2.x, and without results, both are empty."""
    found = RunResults.from_bytes(_bytes(args={"target": None}))
    assert (found.target, found.which, found.results, found.succeeded()) == ("", "", {}, frozenset())
    assert RunResults.from_bytes(_bytes()).target == ""


def test_other_file_is_refused() -> None:
    """A manifest given as run results is called a manifest."""
    with pytest.raises(ArtifactError, match=r"is a manifest file of dbt's, not a run_results\.json"):
        RunResults.from_bytes(manifest_bytes())


def test_failed_tests() -> None:
    """Data tests that failed or could not be run; not those that warn or were skipped, nor models or unit tests."""
    statuses = {"test.p.a": "fail", "test.p.b": "error", "test.p.c": "warn", "test.p.d": "pass", "test.p.e": "skipped"}
    assert failed_tests({**statuses, "model.p.m": "error", "unit_test.p.m.u": "fail"}) == {"test.p.a", "test.p.b"}
