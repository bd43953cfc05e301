"""What the published description asks of a metric's body, in the words of zod, which checks it there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.replies import Fault
from dbt_statsig.emulator.shapes import CONDITIONS, each, enum, number, or_null, record, text
from dbt_statsig.emulator.validation import CHECKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.emulator.shapes import Check

__all__ = ["AGGREGATIONS", "NATIVE", "VALUED", "create_faults", "native_faults", "update_faults"]

AGGREGATIONS = (
    "count",
    "sum",
    "mean",
    "daily_participation",
    "ratio",
    "funnel",
    "count_distinct",
    "percentile",
    "first_value",
    "latest_value",
    "retention",
    "max",
    "min",
    "composite",
    "",
)
VALUED = frozenset({"sum", "mean", "count_distinct", "percentile", "first_value", "latest_value", "max", "min"})
"""The aggregations of a column's values."""
_IN_RATIOS = VALUED - {"mean", "percentile"} | {"count", "daily_participation"}
_TYPES = (
    *("ratio", "mean", "event_count_custom", "event_user", "funnel", "composite", "composite_sum", "sum", "undefined"),
    *("user_warehouse", "percentile"),
)
_NAME = re.compile(r"[a-zA-Z0-9_.\-()/ %:]*")
_SHORTEST_NAME, _LONGEST_NAME, _LONGEST_DESCRIPTION = 4, 200, 1000
_LAST_HOUR, _LAST_DAY, _MOST_VALUES = 23, 6, 100


_string, _boolean, _strings = CHECKS["string"], CHECKS["boolean"], CHECKS["strings"]
_days = number(0, whole=True)
_share = number(0, 1)
_aggregation = enum(*AGGREGATIONS)
_criteria = each(
    record(
        {
            "type": enum("value", "metadata", "user", "user_custom"),
            "column": _string,
            "condition": enum(*CONDITIONS),
            "values": _strings,
            "nullVacuousOverride": _boolean,
        },
        required=("type", "condition"),
    )
)
_PART: dict[str, Check] = {"metricSourceName": _string, "criteria": _criteria, "valueColumn": _string}
NATIVE: dict[str, Check] = {
    "aggregation": _aggregation,
    "metricSourceName": _string,
    "criteria": _criteria,
    "valueColumn": _string,
    "metricSources": each(record(_PART, required=("metricSourceName", "criteria"))),
    "numeratorAggregation": _aggregation,
    "denominatorAggregation": _aggregation,
    "denominatorMetricSourceName": _string,
    "denominatorValueColumn": _string,
    "denominatorCriteria": _criteria,
    "denominatorRollupTimeWindow": _string,
    "denominatorCustomRollupStart": _days,
    "denominatorCustomRollupEnd": _days,
    "denominatorCustomRollupMeasureInMinutes": _boolean,
    "allowNullRatioDenominator": _boolean,
    "funnelEvents": each(
        record(
            {
                "name": or_null(_string),
                "metricSourceName": _string,
                "criteria": _criteria,
                "sessionIdentifierField": or_null(_string),
            }
        )
    ),
    "funnelCountDistinct": enum("sessions", "users"),
    "funnelStartCriteria": enum("start_event", "exposure"),
    "funnelCalculationWindow": _days,
    "funnelStrictOrdering": _boolean,
    "funnelUseExposureAsFirstEvent": _boolean,
    "funnelTimestampAllowanceMs": _days,
    "funnelTimeToConvert": _boolean,
    "components": each(
        record(
            {**_PART, "operator": enum("+", "-"), "aggregation": _aggregation, "name": or_null(_string)},
            required=("operator",),
        )
    ),
    "rollupTimeWindow": _string,
    "customRollUpStart": _days,
    "customRollUpEnd": _days,
    "customRollupMeasureInMinutes": _boolean,
    "waitForCohortWindow": _boolean,
    "metricBakeDays": _days,
    "loadingWindow": _days,
    "retentionEnd": number(1, whole=True),
    "retentionLength": number(1, whole=True),
    "useSecondaryRetentionEvent": _boolean,
    "onlyIncludeUsersWithConversionEvent": _boolean,
    "winsorizationHigh": _share,
    "winsorizationLow": _share,
    "winsorizationHighDenominator": _share,
    "winsorizationLowDenominator": _share,
    "cap": number(),
    "cupedAttributionWindow": or_null(_days),
    "percentile": number(0.001, 0.999),
    "valueThreshold": number(),
    "useLogTransform": _boolean,
    "logTransformBase": or_null(number()),
    "surrogateMetricMSE": or_null(number()),
    "metricDimensionColumns": _strings,
    "metricDimensionLimits": each(
        record({"name": _string, "limit": number(0, _MOST_VALUES)}, required=("name", "limit"))
    ),
}
_BOTH: dict[str, Check] = {
    "tags": _strings,
    "isVerified": _boolean,
    "isReadOnly": _boolean,
    "isPermanent": _boolean,
    "unitTypes": _strings,
    "directionality": enum("increase", "decrease"),
    "warehouseNative": record(NATIVE),
    "team": or_null(_string),
    "teamID": or_null(_string),
    "dryRun": _boolean,
}
_metric_name = text(_SHORTEST_NAME, _LONGEST_NAME, _NAME)
_create = record(
    {
        **_BOTH,
        "name": _metric_name,
        "type": enum(*_TYPES),
        "description": text(most=_LONGEST_DESCRIPTION),
        "tags": lambda name, value: [] if isinstance(value, str) else _strings(name, value),
    },
    required=("name", "type"),
)
_update = record(
    {
        **_BOTH,
        "name": _metric_name,
        "description": _string,
        "owner": record({"email": _string, "ownerID": _string}),
        "scheduledReloadHour": or_null(number(0, _LAST_HOUR, whole=True)),
        "scheduledReloadDays": or_null(each(number(0, _LAST_DAY, whole=True))),
    }
)


def create_faults(body: Mapping[str, Any]) -> list[Fault]:
    """Every fault of the body of a new metric."""
    return _create("", body)


def update_faults(body: Mapping[str, Any]) -> list[Fault]:
    """Every fault of the body of an update."""
    return _update("", body)


def native_faults(native: Mapping[str, Any]) -> list[Fault]:
    """What the whole definition of a warehouse metric lacks for its aggregation."""
    aggregation = native.get("aggregation") or ""
    needed = {
        "": ["aggregation"],
        "ratio": ["numeratorAggregation", "denominatorAggregation", "denominatorMetricSourceName", "metricSources"],
        "funnel": ["funnelEvents"],
        "composite": ["components"],
        "percentile": ["percentile", "metricSources"],
    }.get(aggregation, ["metricSources"])
    faults = [Fault(f"warehouseNative.{key}", "Required") for key in needed if not native.get(key)]
    parts = [
        ("metricSources", one, native.get("numeratorAggregation") if aggregation == "ratio" else aggregation)
        for one in native.get("metricSources") or []
    ]
    parts += [("components", one, one.get("aggregation")) for one in native.get("components") or []]
    faults += [
        Fault(f"warehouseNative.{place}", f"valueColumn is required for {counted}")
        for place, one, counted in parts
        if counted in VALUED and not one.get("valueColumn")
    ]
    if aggregation == "ratio":
        sides = [(key, native.get(key)) for key in ("numeratorAggregation", "denominatorAggregation")]
        faults += [
            Fault(f"warehouseNative.{key}", f"{side} cannot be a side of a ratio")
            for key, side in sides
            if side and side not in _IN_RATIOS
        ]
        if native.get("denominatorAggregation") in VALUED and not native.get("denominatorValueColumn"):
            faults.append(Fault("warehouseNative.denominatorValueColumn", "Required"))
    return faults
