"""A made console: experiments in all states with every field that links them to sources, and the metrics they watch."""

from __future__ import annotations

from typing import Any

UNITS = [{"statsigUnitID": "userID", "column": "user_id"}]
LINKS = (
    "primaryMetrics",
    "secondaryMetrics",
    "otherMetrics",
    "primaryMetricTags",
    "secondaryMetricTags",
    "cureCovariates",
    "bayesianPriors",
    "sprtMDESettings",
    "stratifiedMetric",
    "identityResolutionSource",
    "preComputedUserDimensions",
    "stratifiedSource",
    "assignmentSourceFilters",
)
"""Each way in which an experiment names something; the experiments have them in turn."""
STATES = ("active", "assignment_stopped", "setup", "decision_made", "active", "experiment_stopped", "archived")
SHAPES = ("sum", "ratio", "funnel", "composite", "count", "combined")


def seed(experiments: int = 100, metrics: int = 60, sources: int = 12) -> dict[str, Any]:
    """A seed of the emulator: so many experiments, metrics, and sources of each kind that they name."""
    read = {"timestampColumn": "ts", "idTypeMapping": UNITS}
    return {
        "assignment_sources": [
            {
                "name": f"Exposures {number}",
                "sql": f"select user_id, ts, experiment, variant, country from exposures_{number}",
                "experimentIDColumn": "experiment",
                "groupIDColumn": "variant",
                **read,
            }
            for number in range(max(1, sources // 4))
        ],
        "entity_property_sources": [
            {"name": f"Users {number}", "sql": f"select user_id, plan from users_{number}", "idTypeMapping": UNITS}
            for number in range(max(1, sources // 4))
        ],
        "metric_sources": [
            {"name": f"Orders {number}", "sql": f"select user_id, ts, amount, country from orders_{number}", **read}
            for number in range(sources)
        ],
        "metrics": [metric(number, sources) for number in range(metrics)],
        "experiments": [experiment(number, metrics, sources) for number in range(experiments)],
    }


def metric(number: int, sources: int) -> dict[str, Any]:
    """One metric, of each shape in turn; the last shape combines two others."""
    shape, one, other = SHAPES[number % len(SHAPES)], f"Orders {number % sources}", f"Orders {(number + 1) % sources}"
    part = {"metricSourceName": one, "criteria": []}
    natives: dict[str, dict[str, Any]] = {
        "sum": {"metricSources": [{**part, "valueColumn": "amount"}], "metricDimensionColumns": ["country"]},
        "count": {"metricSources": [{**part, "criteria": [filtered("country")]}]},
        "ratio": {
            "metricSources": [{**part, "valueColumn": "amount"}],
            "numeratorAggregation": "sum",
            "denominatorAggregation": "count",
            "denominatorMetricSourceName": other,
        },
        "funnel": {"funnelEvents": [part, {"metricSourceName": other, "criteria": [filtered("country")]}]},
        "composite": {
            "components": [
                {"operator": "+", "aggregation": "sum", "valueColumn": "amount", **part},
                {"operator": "-", "aggregation": "count", "metricSourceName": other, "criteria": []},
            ]
        },
        "combined": {},
    }
    native = natives[shape]
    made: dict[str, Any] = {
        "id": f"metric {number}::user_warehouse",
        "name": f"metric {number}",
        "type": "user_warehouse",
        "directionality": "increase",
        "tags": [f"tag {number // 10}"],
        "lineage": {"events": [], "metrics": []},
        "warehouseNative": {"aggregation": shape, **native},
    }
    if shape == "combined":
        made |= {"type": "composite", "id": f"metric {number}::composite", "warehouseNative": None}
        made["metricComponentMetrics"] = [named(number - 5), named(number - 4)]
    return made


def named(number: int) -> dict[str, str]:
    """A metric as others name it."""
    combined = number % len(SHAPES) == len(SHAPES) - 1
    return {"name": f"metric {number}", "type": "composite" if combined else "user_warehouse"}


def filtered(column: str) -> dict[str, Any]:
    """A filter of rows."""
    return {"type": "metadata", "column": column, "condition": "in", "values": ["DE"]}


def experiment(number: int, metrics: int, sources: int) -> dict[str, Any]:
    """One experiment: all of them assign by a source and watch three metrics, and each has one more link."""
    few = max(1, sources // 4)
    made: dict[str, Any] = {
        "id": f"experiment_{number}",
        "name": f"Experiment {number}",
        "status": STATES[number % len(STATES)],
        "idType": "userID",
        "owner": {"ownerName": f"Owner {number % 7}", "ownerEmail": f"owner{number % 7}@shop.example"},
        "permalink": f"https://console.statsig.example/experiments/experiment_{number}",
        "assignmentSourceName": f"Exposures {number % few}",
        "primaryMetrics": [named((number + more) % metrics) for more in range(3)],
    }
    one, other = named((number + 3) % metrics), {"name": f"Users {number % few}", "column": "plan"}
    links: dict[str, dict[str, Any]] = {
        "primaryMetrics": {},
        "secondaryMetrics": {"secondaryMetrics": [one]},
        "otherMetrics": {"otherMetrics": [one]},
        "primaryMetricTags": {"primaryMetricTags": [f"tag {number % max(1, metrics // 10)}"]},
        "secondaryMetricTags": {"secondaryMetricTags": [f"tag {number % max(1, metrics // 10)}"]},
        "cureCovariates": {"cureCovariates": [one]},
        "bayesianPriors": {"bayesianPriors": [{"metric": one, "priorMean": 0, "priorStdDev": 1}]},
        "sprtMDESettings": {"sprtMDESettings": [{"metricKey": f"{one['name']}::{one['type']}"}]},
        "stratifiedMetric": {"stratifiedSampling": {"status": "success", "metric": {"name": one["name"]}}},
        "identityResolutionSource": {"identityResolutionSource": other["name"], "secondaryIDType": "deviceID"},
        "preComputedUserDimensions": {
            "preComputedUserDimensions": [{"propertySource": other["name"], "name": "plan"}, {"name": "country"}]
        },
        "stratifiedSource": {
            "stratifiedSampling": {
                "status": "success",
                "entityPropertySource": {"propertySourceName": other["name"], "column": "plan"},
            }
        },
        "assignmentSourceFilters": {"assignmentSourceFilters": [{"column": "country", "condition": "non_null"}]},
    }
    return made | links[LINKS[number % len(LINKS)]]
