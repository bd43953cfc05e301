"""Manifests that five versions of dbt wrote, of one project in both forms of the semantic layer's YAML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from dbt_statsig.project.artifacts import load_manifest
from tests.corpus import CORPUS_DIRS, needs_corpus
from tests.semantic import ALL, MANIFESTS, expected, taken

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_version_gives_the_same(path: Path) -> None:
    """Versions with measures (1.8, 1.10, 1.11) and without (1.12, 2.0) give the same sources, metrics and refusals."""
    assert taken(load_manifest(path)) == expected()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_no_metric_is_dropped(path: Path) -> None:
    """Every metric of a manifest is in a metric source or refused with a reason."""
    found = taken(load_manifest(path))
    mapped = {metric["name"] for source in found["sources"].values() for metric in source["metrics"]}
    metrics = {one["name"] for one in json.loads(path.read_text(encoding="utf-8"))["metrics"].values()}
    assert mapped | found["refused"].keys() == metrics
    assert not mapped & found["refused"].keys()


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("folder", CORPUS_DIRS, ids=lambda folder: folder.name)
def test_real_projects(folder: Path) -> None:
    """Every metric of a real project is mapped or refused with a reason; those of before dbt 1.6 too."""
    manifest = load_manifest(folder / "manifest.json.gz")
    names = sorted(metric.name for metric in manifest.metrics)
    settings = structs.replace(ALL, unit_ids={"customer": "userID", "product": "productID"})
    found = taken(manifest, settings) if names else {"sources": {}, "refused": {}}
    mapped = [metric["name"] for source in found["sources"].values() for metric in source["metrics"]]
    assert sorted([*mapped, *found["refused"]]) == names
    if names and manifest.semantic_models:
        assert set(found["refused"]) == {"revenue_growth_mom"}
