"""Real projects compared with themselves: a comparison that cried wolf would be switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.columns.prover import Prover
from dbt_statsig.impact.upstream import Side, upstream_effects
from dbt_statsig.project.artifacts import load_catalog, load_manifest
from dbt_statsig.vocabulary.results import SourceReport
from dbt_statsig.vocabulary.sources import Kind
from tests.corpus import CORPUS_DIRS, needs_corpus

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.corpus, needs_corpus]
MODELS = 40


def read(folder: Path) -> Side:
    """One side of a comparison."""
    manifest = load_manifest(folder / "manifest.json.gz")
    return Side(
        manifest=manifest,
        prover=Prover(manifest, load_catalog(folder / "catalog.json.gz"), use_catalog_of_models=False),
    )


def report(unique_id: str) -> SourceReport:
    """A source on that node, as if it were marked."""
    return SourceReport(
        kind=Kind.METRIC_SOURCE,
        name=unique_id,
        unique_id=unique_id,
        relation_name="",
        location=None,
        columns=(),
        payload=None,
        blocked=False,
    )


@pytest.mark.parametrize("folder", CORPUS_DIRS, ids=lambda folder: folder.name)
def test_a_project_has_not_changed_since_itself(folder: Path) -> None:
    """Whatever is above the models of a real project, nothing is lost or gone between two equal states."""
    here, there = read(folder), read(folder)
    models = [unique_id for unique_id in here.manifest.summaries() if unique_id.startswith("model.")][:MODELS]
    reports = [report(unique_id) for unique_id in models]
    codes = {found.code for found in upstream_effects([(one, one) for one in reports], here, there)}
    assert codes <= {"impact-unknown"}
