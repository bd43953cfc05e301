"""What the published description asks of a metric's body, in the words of zod, which checks it there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.replies import Fault
from dbt_statsig.emulator.validation import CHECKS, expected, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str, Any], list[Fault]]

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
_CONDITIONS = (
    *("in", "not_in", "=", ">", "<", ">=", "<=", "is_null", "non_null", "contains", "not_contains", "sql_filter"),
    *("starts_with", "ends_with", "after_exposure", "before_exposure", "is_true", "is_false"),
)
_TYPES = (
    *("ratio", "mean", "event_count_custom", "event_user", "funnel", "composite", "composite_sum", "sum", "undefined"),
    *("user_warehouse", "percentile"),
)
_NAME = re.compile(r"[a-zA-Z0-9_.\-()/ %:]*")
_SHORTEST_NAME, _LONGEST_NAME, _LONGEST_DESCRIPTION = 4, 200, 1000
_LAST_HOUR, _LAST_DAY, _MOST_VALUES = 23, 6, 100


def _enum(*values: str) -> Check:
    options = " | ".join(f"'{one}'" for one in values)

    def checked(name: str, value: Any) -> list[Fault]:
        if not isinstance(value, str):
            return [Fault(name, fault.message.replace("string", options)) for fault in expected("string", name, value)]
        wrong = f"Invalid enum value. Expected {options}, received '{value}'"
        return [] if value in values else [Fault(name, wrong)]

    return checked


def _number(low: float | None = None, high: float | None = None, *, whole: bool = False) -> Check:
    def checked(name: str, value: Any) -> list[Fault]:
        if faults := expected("number", name, value):
            return faults
        if whole and value != int(value):
            return [Fault(name, "Expected integer, received float")]
        if low is not None and value < low:
            return [Fault(name, f"Number must be greater than or equal to {low:g}")]
        is_over = high is not None and value > high
        return [Fault(name, f"Number must be less than or equal to {high:g}")] if is_over else []

    return checked


def _text(least: int = 0, most: int = 0, pattern: re.Pattern[str] | None = None) -> Check:
    def checked(name: str, value: Any) -> list[Fault]:
        if faults := expected("string", name, value):
            return faults
        if len(value) < least:
            faults.append(Fault(name, f"String must contain at least {least} character(s)"))
        if most and len(value) > most:
            faults.append(Fault(name, f"String must contain at most {most} character(s)"))
        return faults if pattern is None or pattern.fullmatch(value) else [*faults, Fault(name, "Invalid")]

    return checked


def _or_null(check: Check) -> Check:
    return lambda name, value: [] if value is None else check(name, value)


def _each(check: Check) -> Check:
    return lambda name, value: (
        expected("array", name, value)
        or [fault for index, item in enumerate(value) for fault in check(f"{name}[{index}]", item)]
    )


def _record(fields: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    def checked(place: str, value: Any) -> list[Fault]:
        if faults := expected("object", place, value):
            return faults
        for key, check in fields.items():
            name = f"{place}.{key}" if place else key
            if key in value:
                faults += check(name, value[key])
            elif key in required:
                faults.append(Fault(name, "Required"))
        return faults + unknown(place, value, fields)

    return checked


_string, _boolean, _strings = CHECKS["string"], CHECKS["boolean"], CHECKS["strings"]
_days = _number(0, whole=True)
_share = _number(0, 1)
_aggregation = _enum(*AGGREGATIONS)
_criteria = _each(
    _record(
        {
            "type": _enum("value", "metadata", "user", "user_custom"),
            "column": _string,
            "condition": _enum(*_CONDITIONS),
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
    "metricSources": _each(_record(_PART, required=("metricSourceName", "criteria"))),
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
    "funnelEvents": _each(
        _record(
            {
                "name": _or_null(_string),
                "metricSourceName": _string,
                "criteria": _criteria,
                "sessionIdentifierField": _or_null(_string),
            }
        )
    ),
    "funnelCountDistinct": _enum("sessions", "users"),
    "funnelStartCriteria": _enum("start_event", "exposure"),
    "funnelCalculationWindow": _days,
    "funnelStrictOrdering": _boolean,
    "funnelUseExposureAsFirstEvent": _boolean,
    "funnelTimestampAllowanceMs": _days,
    "funnelTimeToConvert": _boolean,
    "components": _each(
        _record(
            {**_PART, "operator": _enum("+", "-"), "aggregation": _aggregation, "name": _or_null(_string)},
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
    "retentionEnd": _number(1, whole=True),
    "retentionLength": _number(1, whole=True),
    "useSecondaryRetentionEvent": _boolean,
    "onlyIncludeUsersWithConversionEvent": _boolean,
    "winsorizationHigh": _share,
    "winsorizationLow": _share,
    "winsorizationHighDenominator": _share,
    "winsorizationLowDenominator": _share,
    "cap": _number(),
    "cupedAttributionWindow": _or_null(_days),
    "percentile": _number(0.001, 0.999),
    "valueThreshold": _number(),
    "useLogTransform": _boolean,
    "logTransformBase": _or_null(_number()),
    "surrogateMetricMSE": _or_null(_number()),
    "metricDimensionColumns": _strings,
    "metricDimensionLimits": _each(
        _record({"name": _string, "limit": _number(0, _MOST_VALUES)}, required=("name", "limit"))
    ),
}
_BOTH: dict[str, Check] = {
    "tags": _strings,
    "isVerified": _boolean,
    "isReadOnly": _boolean,
    "isPermanent": _boolean,
    "unitTypes": _strings,
    "directionality": _enum("increase", "decrease"),
    "warehouseNative": _record(NATIVE),
    "team": _or_null(_string),
    "teamID": _or_null(_string),
    "dryRun": _boolean,
}
_metric_name = _text(_SHORTEST_NAME, _LONGEST_NAME, _NAME)
_create = _record(
    {
        **_BOTH,
        "name": _metric_name,
        "type": _enum(*_TYPES),
        "description": _text(most=_LONGEST_DESCRIPTION),
        "tags": lambda name, value: [] if isinstance(value, str) else _strings(name, value),
    },
    required=("name", "type"),
)
_update = _record(
    {
        **_BOTH,
        "name": _metric_name,
        "description": _string,
        "owner": _record({"email": _string, "ownerID": _string}),
        "scheduledReloadHour": _or_null(_number(0, _LAST_HOUR, whole=True)),
        "scheduledReloadDays": _or_null(_each(_number(0, _LAST_DAY, whole=True))),
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
