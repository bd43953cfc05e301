"""Which experiments use which sources and metrics, followed in both directions."""

from __future__ import annotations

from typing import Any

from dbt_statsig.console.experiments import read_experiment, read_metric
from dbt_statsig.vocabulary.experiments import Metric
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.uses import Uses
from tests.made_console import LINKS, seed


def uses_of(content: dict[str, Any]) -> Uses:
    """The links of a seed."""
    experiments = [read_experiment(one, "here")[1] for one in content.get("experiments", ())]
    return Uses(experiments, [read_metric(one, "here")[1] for one in content.get("metrics", ())])


def rows(name: str, source: str, **more: Any) -> dict[str, Any]:
    """A metric that counts the rows of one source."""
    native = {"metricSources": [{"metricSourceName": source, "criteria": []}]}
    return {"id": f"{name}::user_warehouse", "name": name, "type": "user_warehouse", "warehouseNative": native, **more}


def found(uses: Uses, kind: Kind, name: str) -> list[tuple[str, str, str]]:
    """Of each use of a source: the experiment, what for, and the metric that it watches."""
    return [(use.experiment.id, use.read.use, use.watched.name if use.watched else "") for use in uses.of(kind, name)]


def test_both_directions_say_the_same() -> None:
    """Each way in which an experiment can name something leads from it to a source, and from the source back to it."""
    uses = uses_of(seed())
    forward = {
        (use.experiment.id, use.read.kind, use.read.name, use.read.use, use.metric.name if use.metric else "")
        for experiment in uses.experiments
        for use in uses.by(experiment)
    }
    named = {(kind, name) for _, kind, name, _, _ in forward}
    back = {
        (use.experiment.id, use.read.kind, use.read.name, use.read.use, use.metric.name if use.metric else "")
        for kind, name in named
        for use in uses.of(kind, name)
    }
    assert forward == back
    assert len(forward) > len(uses.experiments) * 4
    assert {kind for kind, _ in named} == {Kind.ASSIGNMENT_SOURCE, Kind.ENTITY_PROPERTY_SOURCE, Kind.METRIC_SOURCE}
    assert len(uses.experiments) > 2 * len(LINKS)


def test_a_metric_source_is_read_through_metrics() -> None:
    """By name, by tag, and as a part of a metric that combines others, also over two steps and in a circle."""
    content = {
        "metrics": [
            rows("revenue", "Orders", tags=["money"]),
            {
                "id": "net::composite",
                "name": "net",
                "type": "composite",
                "metricComponentMetrics": [{"name": "revenue", "type": "user_warehouse"}],
            },
            {"id": "top::composite", "name": "top", "type": "composite", "lineage": {"metrics": ["net", "top"]}},
            rows("visits", "Visits"),
        ],
        "experiments": [
            {"id": "by name", "primaryMetrics": [{"name": "revenue", "type": "user_warehouse"}]},
            {"id": "by tag", "secondaryMetricTags": ["money", "no metric has it"]},
            {"id": "by part", "otherMetrics": [{"name": "top", "type": "composite"}]},
            {"id": "not at all", "primaryMetrics": [{"name": "visits", "type": "user_warehouse"}]},
        ],
    }
    uses = uses_of(content)
    assert found(uses, Kind.METRIC_SOURCE, "Orders") == [
        ("by name", "rows", "revenue"),
        ("by tag", "rows", "revenue"),
        ("by part", "rows", "top"),
    ]
    assert found(uses, Kind.METRIC, "revenue") == [
        ("by name", "primary", "revenue"),
        ("by tag", "secondary", "revenue"),
        ("by part", "other", "top"),
    ]
    part = next(one for one in uses.experiments if one.id == "by part")
    assert [metric.name for metric in uses.metrics_of(part)] == ["top", "net", "revenue"]
    assert [(use.read.name, use.metric and use.metric.name) for use in uses.by(part)] == [("Orders", "revenue")]


def test_an_experiment_that_names_and_tags_a_metric_counts_once() -> None:
    """A metric that is watched by its name and by two tags is one use."""
    content = {
        "metrics": [rows("revenue", "Orders", tags=["a", "b"])],
        "experiments": [{"id": "e", "primaryMetrics": [{"name": "revenue"}], "primaryMetricTags": ["a", "b"]}],
    }
    uses = uses_of(content)
    assert found(uses, Kind.METRIC_SOURCE, "Orders") == [("e", "rows", "revenue")]
    assert len(list(uses.by(uses.experiments[0]))) == 1


def test_of_two_metrics_with_one_name_the_type_decides() -> None:
    """Only the metric of the named type is meant; where no type is named, both are."""
    content = {
        "metrics": [rows("m", "Orders"), rows("m", "Visits", id="m::sum", type="sum")],
        "experiments": [
            {"id": "typed", "primaryMetrics": [{"name": "m", "type": "sum"}]},
            {"id": "untyped", "primaryMetrics": [{"name": "m"}]},
        ],
    }
    uses = uses_of(content)
    assert [one for one, _, _ in found(uses, Kind.METRIC_SOURCE, "Orders")] == ["untyped"]
    assert [one for one, _, _ in found(uses, Kind.METRIC_SOURCE, "Visits")] == ["typed", "untyped"]


def test_metrics_that_no_list_has() -> None:
    """A named metric that no list has is reported; a tag that no metric has reads nothing."""
    content = {"experiments": [{"id": "e", "primaryMetrics": [{"name": "gone"}], "primaryMetricTags": ["none"]}]}
    uses = uses_of(content)
    assert [ref.name for ref in uses.unknown(uses.experiments[0])] == ["gone"]
    assert list(uses.by(uses.experiments[0])) == []


def test_a_source_or_metric_that_nothing_uses() -> None:
    """What nobody names has no uses, whatever its kind."""
    uses = Uses((), (Metric(name="m"),))
    assert [found(uses, kind, "m") for kind in Kind] == [[]] * len(Kind)
