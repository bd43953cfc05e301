"""What the semantic layer declares, typed, proven and built like a metric that users write themselves."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec import structs

from dbt_statsig.columns.prover import Prover
from dbt_statsig.commands.proving import declared_in, payloads_of
from dbt_statsig.commands.validate import about
from dbt_statsig.project.artifacts import load_manifest
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.sources import Kind
from tests.semantic import ALL, MANIFESTS, expected, made, simple

if TYPE_CHECKING:
    from pathlib import Path


@cache
def payloads(path: Path) -> dict[str, Any]:
    """The payload of every metric and metric source of a manifest, as it goes over the wire."""
    manifest = load_manifest(path)
    declared = declared_in(manifest, ALL, "dev", places=None)
    errors = [found.message for found in declared.findings if found.severity is Severity.ERROR]
    assert errors == []
    built = payloads_of(declared.declarations, Prover(manifest, None), project="tea_stall", settings=ALL, target="dev")
    return {f"{one.kind.label} {one.name}": msgspec.to_builtins(result.payload) for one, result in built}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_equal_payloads(path: Path) -> None:
    """The payloads are equal from every version of dbt, and there is one for each metric that is mapped."""
    assert payloads(path) == payloads(MANIFESTS[0])
    metrics = [one["name"] for source in expected()["sources"].values() for one in source["metrics"]]
    assert {f"metric {name}" for name in metrics} < payloads(path).keys()
    assert all(payloads(path).values())


def test_what_is_refused_or_disabled_stays() -> None:
    """A metric that cannot be mapped, or is disabled, is no orphan in Statsig."""
    off: dict[str, Any] = {"config": {"meta": {"statsig": {"metric": {"name": "Off", "enabled": False}}}}}
    declared = declared_in(made([simple("odd", "mode"), simple("gone", **off)]), ALL, "dev", places=None)
    assert [(one.kind, one.unique_id, one.name) for one in declared.faulty] == [
        (Kind.METRIC, "model.shop.fct_orders", "odd")
    ]
    assert [(one.kind, one.unique_id, one.name) for one in declared.disabled] == [
        (Kind.METRIC, "model.shop.fct_orders", "Off")
    ]


def test_wrong_values_are_found() -> None:
    """What the meta of a metric adds is checked as in a block: unknown keys, wrong types, Statsig's names."""
    meta = {"statsig": {"metric": {"directionality": "up", "tag": "core", "name": "R"}}}
    manifest = made([simple("revenue", config={"meta": meta})])
    declared = declared_in(manifest, ALL, "dev", places=None)
    assert {(found.code, found.source) for found in declared.findings} == {("wrong-type", "R"), ("unknown-key", "R")}
    ((_, built),) = [
        pair
        for pair in payloads_of(
            declared.declarations, Prover(manifest, None), project="shop", settings=ALL, target="dev"
        )
        if pair[0].kind is Kind.METRIC
    ]
    assert "metric-name" in {found.code for found in built.findings}


@pytest.mark.parametrize("prefix", ["", "ci_"])
def test_a_wrong_key_blocks_its_metric_only(prefix: str) -> None:
    """A key that dbt's own metric decides blocks that metric, with a name prefix too, and no other object."""
    wrong: dict[str, Any] = {"config": {"meta": {"statsig": {"metric": {"where": "a = 1"}}}}}
    settings = structs.replace(ALL, name_prefix={"dev": prefix} if prefix else {})
    declared = declared_in(made([simple("odd_one", **wrong), simple("even_one")]), settings, "dev", places=None)
    (found,) = declared.findings
    blocked = [one.name for one in declared.declarations if (found.unique_id, found.kind, found.source) in about(one)]
    assert blocked == [f"{prefix}odd_one"]


@pytest.mark.parametrize("statsig", [{"metric": {"where": "a = 1"}}, {"metrc": {}}, "yes"])
def test_a_wrong_key_on_a_semantic_model_concerns_its_node(statsig: object) -> None:
    """It blocks all objects of the model's node, and no metric of the node counts as an orphan."""
    declared = declared_in(
        made([simple("one_metric")], model={"config": {"meta": {"statsig": statsig}}}), ALL, "dev", places=None
    )
    (found,) = [one for one in declared.findings if one.severity is Severity.ERROR]
    assert (found.unique_id, found.kind, found.source) == ("model.shop.fct_orders", "", "")
    assert (Kind.METRIC, "model.shop.fct_orders") in {(one.kind, one.unique_id) for one in declared.faulty}


def test_a_python_model() -> None:
    """A semantic model on a Python model is a source whose columns are unknown: nothing is refused for that."""
    manifest = made([simple("revenue")], node={"language": "python", "compiled_code": "def model(dbt, session): ..."})
    declared = declared_in(manifest, ALL, "dev", places=None)
    assert declared.findings == ()
    prover = Prover(manifest, None)
    built = payloads_of(declared.declarations, prover, project="shop", settings=ALL, target="dev")
    assert {one.kind for one, _ in built} == {Kind.METRIC, Kind.METRIC_SOURCE}
    findings = [found for _, result in built for found in result.findings]
    assert {(found.code, found.severity) for found in findings} == {("column-unknown", Severity.WARNING)}


def test_two_metrics_of_one_name() -> None:
    """Two of dbt's metrics that get one name in Statsig are both errors."""
    same: dict[str, Any] = {"config": {"meta": {"statsig": {"metric": {"name": "Revenue"}}}}}
    manifest = made([simple("one", **same), simple("two", **same)])
    found = declared_in(manifest, ALL, "dev", places=None).findings
    assert [(one.code, one.severity) for one in found] == [("duplicate-name", Severity.ERROR)] * 2
