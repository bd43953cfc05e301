"""Which metrics of dbt's are taken, and what their meta may add."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from dbt_statsig.project.settings import SemanticLayerSettings, Settings
from dbt_statsig.semantic_layer import semantic_layer
from tests.semantic import ALL, made, simple, taken

MARKED = structs.replace(ALL, semantic_layer=SemanticLayerSettings())


def marked(statsig: Any) -> dict[str, Any]:
    """The config that says so."""
    return {"config": {"meta": {"statsig": statsig}}}


def names(manifest: Any, settings: Settings) -> list[str]:
    """The names of the metrics that are taken."""
    sources = taken(manifest, settings)["sources"].values()
    return [metric["name"] for source in sources for metric in source["metrics"]]


def codes(manifest: Any, settings: Settings = MARKED) -> list[str]:
    """The codes and messages of what is wrong."""
    return [f"{fault.code}: {fault.message}" for fault in semantic_layer(manifest, settings).faults]


def test_marked() -> None:
    """By default a metric is taken that is marked, in `config.meta` or the older `meta`."""
    older: dict[str, Any] = {"meta": {"statsig": {"metric": {}}}}
    metrics = [simple("one", **marked({"metric": {}})), simple("two"), simple("three", **older)]
    assert names(made(metrics), MARKED) == ["one", "three"]


def test_a_marked_semantic_model() -> None:
    """A marked semantic model gives all of its metrics, with its keys below theirs; one may be disabled."""
    metrics = [
        simple("one"),
        simple("two", **marked({"metric": {"name": "Two", "team": "Tea"}})),
        simple("three", **marked({"metric": {"enabled": False}})),
    ]
    manifest = made(metrics, model=marked({"metric": {"team": "Shop", "tags": ["core"]}}))
    (source,) = taken(manifest, MARKED)["sources"].values()
    shared = {"aggregation": "sum", "value_column": "amount", "tags": ["core"]}
    assert source["metrics"] == [
        {"name": "one", **shared, "team": "Shop"},
        {"name": "Two", **shared, "team": "Tea"},
    ]
    assert semantic_layer(manifest, MARKED).disabled == (("model.shop.fct_orders", "three"),)


def test_all_but_some() -> None:
    """With `metrics: all` everything is taken but what is excluded, by a metric's or a semantic model's name."""
    manifest = made([simple("one"), simple("two")])
    for excluded, left in ((("two",), ["one"]), (("orders",), [])):
        layer = SemanticLayerSettings(metrics="all", exclude=excluded)
        assert names(manifest, structs.replace(ALL, semantic_layer=layer)) == left


def test_an_unknown_exclusion() -> None:
    """A name in `exclude` that nothing has is reported, with the nearest that there is."""
    layer = SemanticLayerSettings(metrics="all", exclude=("revenu",))
    (fault,) = semantic_layer(made([simple("revenue")]), structs.replace(ALL, semantic_layer=layer)).faults
    assert (fault.code, fault.fix) == ("unknown-metric", 'Did you mean "revenue"?')


def test_a_name_alone() -> None:
    """`metric: Revenue` gives just the name."""
    assert names(made([simple("revenue", **marked({"metric": "Revenue"}))]), MARKED) == ["Revenue"]


@pytest.mark.parametrize(
    ("statsig", "found"),
    [
        ("yes", ['wrong-type: `statsig` takes a mapping, not "yes".']),
        ({"metrics": {}}, ["unknown-key: `statsig.metrics` is not a key that exists."]),
        ({"metric": ["a"]}, ["wrong-type: `statsig.metric` takes a mapping, not a list."]),
        (
            {"metric": {"where": "a = 1", "aggregation": "sum"}},
            [
                f"key-not-allowed: `statsig.metric.{key}` cannot be given here: dbt's metric defines what is computed."
                for key in ("aggregation", "where")
            ],
        ),
    ],
)
def test_wrong_keys(statsig: Any, found: list[str]) -> None:
    """What is no key of a metric, or defines it once more, is reported."""
    assert codes(made([simple("revenue", **marked(statsig))])) == found


def test_a_semantic_model_may_give_its_source() -> None:
    """On a semantic model `metric_source` is a key too, on a metric it is not."""
    source = {"metric_source": {"name": "Orders"}}
    assert codes(made([simple("revenue")], model=marked(source))) == []
    assert codes(made([simple("revenue", **marked(source))])) == [
        "unknown-key: `statsig.metric_source` is not a key that exists."
    ]


def test_no_metrics_at_all() -> None:
    """`metrics: all` over a manifest without metrics, as dbt 2 writes it for older YAML, is reported."""
    assert codes(made([]), ALL)[0].startswith("metric-not-mapped: The setting `semantic_layer.metrics` is all, but")
