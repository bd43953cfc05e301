"""Findings about metrics and semantic models name their place in dbt's YAML, in both of its forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.commands.proving import declared_in
from tests.semantic import ALL, made, simple

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.vocabulary.findings import Finding

OLDER = """\
semantic_models:
  - name: orders
    config:
      meta:
        statsig:
          metric_source: {nam: Orders}
metrics:
  - name: other
  - name: revenue
    config:
      meta:
        statsig:
          metric:
            where: a = 1
"""
NEWER = """\
models:
  - name: fct_orders
    semantic_model:
      config: {meta: {statsig: {metric_source: {nam: Orders}}}}
    metrics:
      - name: revenue
        config: {meta: {statsig: {metric: {where: a = 1}}}}
"""
SEMANTIC = {"config": {"meta": {"statsig": {"metric_source": {"nam": "Orders"}}}}}


def findings(folder: Path, yaml: str | None, metric: dict[str, Any], **more: Any) -> dict[str, Finding]:
    """What is wrong with one metric and its semantic model, by code."""
    (folder / "models").mkdir()
    if yaml is not None:
        (folder / "models" / "shop.yml").write_text(yaml, encoding="utf-8")
    declared = declared_in(made([metric], **more), ALL, "dev", places=folder)
    return {found.code: found for found in declared.findings}


@pytest.mark.parametrize(("yaml", "line"), [(OLDER, 14), (NEWER, 7)], ids=["older", "newer"])
def test_a_key_of_a_metric(tmp_path: Path, yaml: str, line: int) -> None:
    """A key that a metric may not give is found in the metric's own meta."""
    metric = simple("revenue", config={"meta": {"statsig": {"metric": {"where": "a = 1"}}}})
    location = findings(tmp_path, yaml, metric)["key-not-allowed"].location
    assert location is not None
    assert (location.path, location.line) == ("models/shop.yml", line)


@pytest.mark.parametrize(("yaml", "line"), [(OLDER, 9), (NEWER, 6)], ids=["older", "newer"])
def test_a_metric(tmp_path: Path, yaml: str, line: int) -> None:
    """A metric that cannot be mapped is found at its entry, and the finding names the node of its source."""
    found = findings(tmp_path, yaml, simple("revenue", "mode"))["metric-not-mapped"]
    assert str(found.location).startswith(f"models/shop.yml:{line}:")
    assert (found.kind, found.source, found.unique_id) == ("metric", "revenue", "model.shop.fct_orders")


@pytest.mark.parametrize(("yaml", "line"), [(OLDER, 6), (NEWER, 4)], ids=["older", "newer"])
def test_a_key_of_a_semantic_model(tmp_path: Path, yaml: str, line: int) -> None:
    """A wrong key of the metric source is found in the semantic model's meta."""
    location = findings(tmp_path, yaml, simple("revenue"), model=SEMANTIC)["unknown-key"].location
    assert location is not None
    assert (location.path, location.line) == ("models/shop.yml", line)


def test_a_fault_of_what_is_built(tmp_path: Path) -> None:
    """What follows from the semantic model itself is found at its entry."""
    node = {"config": {"materialized": "ephemeral"}}
    found = findings(tmp_path, OLDER, simple("revenue"), node=node)["not-a-relation"]
    assert str(found.location).startswith("models/shop.yml:2:")


def test_without_the_file(tmp_path: Path) -> None:
    """Where the YAML is not there, the file alone is named, without a line."""
    assert str(findings(tmp_path, None, simple("revenue", "mode"))["metric-not-mapped"].location) == "models/shop.yml"


def test_without_a_path(tmp_path: Path) -> None:
    """A metric of which the manifest gives no file has no place."""
    metric = simple("revenue", "mode", original_file_path="")
    assert findings(tmp_path, OLDER, metric)["metric-not-mapped"].location is None
