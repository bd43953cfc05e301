"""The accuracy of inference on real projects: the catalog's entries of models are withheld, inferred and compared."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from dbt_statsig.columns.prover import Prover
from dbt_statsig.project.artifacts import load_catalog, load_manifest
from tests.corpus import CORPUS_DIRS, needs_corpus

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.project.artifacts import Catalog
    from dbt_statsig.project.artifacts.nodes import Node

pytestmark = [pytest.mark.corpus, needs_corpus]

# Models whose table differs from what their compiled SQL gives: the source's table got columns after the view was
# made, or the model was not built again. The SQL cannot tell.
DRIFTED = {
    "model.jira_source.stg_jira__field_option_tmp",
    "model.jira_source.stg_jira__issue_multiselect_history_tmp",
    "model.jira_source.stg_jira__project_tmp",
    "model.jira_source.stg_jira__issue_field_history_tmp",
    "model.jira_source.stg_jira__field_tmp",
    "model.jira_source.stg_jira__issue_tmp",
    "model.zendesk.int_zendesk__schedule_spine",
}
# The project that selects all columns of raw tables which its manifest declares nowhere.
UNDECLARED_RAW = "Aidbox__dbt-sample-project__postgres"


class Outcome(Struct, frozen=True, kw_only=True):
    """One model: whether the list is exact, what it lacks and has too much, and whether all its tables are declared."""

    project: str
    unique_id: str
    exact: bool
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    closed: bool
    complete: bool
    declared: bool


def judge(project: str, proof: Prover, catalog: Catalog, node: Node) -> Outcome:
    """The inferred columns of a model against those that the warehouse had."""
    fold = proof.adapter.key
    truth = {fold(column.name) for column in catalog.columns(node.unique_id) or ()}
    found = proof.columns(node)
    inferred = {fold(column.name) for column in found.columns}
    undeclared = any("not a declared parent" in reason or "without an entry" in reason for reason in found.reasons)
    return Outcome(
        project=project,
        unique_id=node.unique_id,
        exact=found.is_complete and truth == inferred,
        missing=tuple(sorted(truth - inferred)),
        extra=tuple(sorted(inferred - truth)),
        closed=found.closed,
        complete=found.is_complete,
        declared=not undeclared,
    )


def outcomes_of(directory: Path) -> list[Outcome]:
    """The outcomes of one project's compiled models."""
    manifest = load_manifest(directory / "manifest.json.gz")
    catalog = load_catalog(directory / "catalog.json.gz")
    proof = Prover(manifest, catalog, use_catalog_of_models=False)
    nodes = [manifest.node(unique_id) for unique_id in manifest.summaries() if unique_id.startswith("model.")]
    return [
        judge(directory.name, proof, catalog, node)
        for node in nodes
        if node is not None and node.compiled_code and node.language == "sql" and catalog.columns(node.unique_id)
    ]


@functools.cache
def outcomes() -> tuple[Outcome, ...]:
    """Those of all projects."""
    return tuple(outcome for directory in CORPUS_DIRS for outcome in outcomes_of(directory))


def share(chosen: list[Outcome]) -> float:
    """The share of exact lists."""
    return sum(outcome.exact for outcome in chosen) / len(chosen)


def test_scores(capsys: pytest.CaptureFixture[str]) -> None:
    """Lists are exact for 95 % of the models outside the undeclared project, and 98.5 % where tables are declared."""
    everything = list(outcomes())
    declared = [outcome for outcome in everything if outcome.declared]
    others = [outcome for outcome in everything if outcome.project != UNDECLARED_RAW]
    with capsys.disabled():
        print()  # noqa: T201 - the score is what this test is read for
        for adapter in sorted({outcome.project.rpartition("__")[2] for outcome in everything}):
            chosen = [outcome for outcome in everything if outcome.project.endswith(f"__{adapter}")]
            print(f"{adapter:12} {share(chosen):7.2%} of {len(chosen)} models")  # noqa: T201 - the same
        print(f"{'all':12} {share(everything):7.2%} of {len(everything)} models")  # noqa: T201 - the same
        print(f"{'declared':12} {share(declared):7.2%} of {len(declared)} models")  # noqa: T201 - the same
    assert share(others) >= 0.95
    assert share(declared) >= 0.985


def test_no_false_absence() -> None:
    """No list that is marked as complete lacks a column that the warehouse had."""
    assert [outcome for outcome in outcomes() if outcome.closed and outcome.missing] == []


def test_every_wrong_name_is_explained() -> None:
    """Columns that the warehouse did not have are inferred only for the models that are known to have drifted."""
    assert {outcome.unique_id for outcome in outcomes() if outcome.extra} == DRIFTED


def test_what_is_open_reads_what_is_not_declared() -> None:
    """A list is left open only where a table that is read has no entry anywhere."""
    assert [outcome for outcome in outcomes() if not outcome.complete and outcome.declared] == []
