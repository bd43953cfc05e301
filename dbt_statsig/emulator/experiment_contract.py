"""What the published description says that an experiment holds: each field of an answer, and the filters of the list.

Put together from the descriptions of 2025-12 to 2026-10, whose version string is the same. `permalink` stands in the
newest only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.shapes import CONDITIONS, each, enum, number, or_null, record, text
from dbt_statsig.emulator.validation import CHECKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.emulator.replies import Fault
    from dbt_statsig.emulator.shapes import Check

__all__ = ["FIELDS", "REQUIRED", "STATUSES", "TYPES", "experiment_faults"]

STATUSES = ("active", "setup", "decision_made", "abandoned", "archived", "experiment_stopped", "assignment_stopped")
TYPES = ("BASE", "GEO", "SWITCHBACK", "PROMPT", "SIDECAR", "GRID_SEARCH")
_HEALTH = ("PASSED", "FAILED", "WAITING", "WARNING", "NOT_APPLIED")
_LAST_HOUR, _LAST_DAY = 23, 6

_string, _boolean, _strings = CHECKS["string"], CHECKS["boolean"], CHECKS["strings"]
_text, _count = or_null(_string), number(0, whole=True)
_metric = {"name": _string, "type": _string}
_metrics = each(
    record(
        {**_metric, "direction": enum("increase", "decrease"), "hypothesizedValue": number()}, required=("name", "type")
    )
)
_named_metric = record(_metric, required=("name", "type"))


def _any(_name: str, _value: Any) -> list[Fault]:
    return []


FIELDS: dict[str, Check] = {
    "id": text(1),
    "name": _string,
    "idType": _string,
    "description": _string,
    "lastModifierID": _text,
    "lastModifiedTime": or_null(number()),
    "lastModifierEmail": _text,
    "lastModifierName": _text,
    "creatorID": _text,
    "createdTime": number(),
    "creatorName": _text,
    "creatorEmail": _text,
    "owner": CHECKS["owner"],
    "tags": _strings,
    "targetApps": _any,
    "holdoutIDs": _strings,
    "team": _text,
    "teamID": _text,
    "version": _count,
    "secondaryIDType": _text,
    "identifierMappingMode": enum("strictOneToOne", "firstTouchOneToMany", "lastTouchOneToMany"),
    "identityResolutionSource": _text,
    "hypothesis": _string,
    "links": each(record({"url": _string, "title": _string}, required=("url",))),
    "externalEvents": each(record({"name": _string, "timestamp": number()}, required=("name", "timestamp"))),
    "groups": each(_any),
    "controlGroupID": _string,
    "allocation": number(0, 100),
    "userBuckets": each(number()),
    "primaryMetricTags": _strings,
    "secondaryMetricTags": _strings,
    "primaryMetrics": _metrics,
    "secondaryMetrics": _metrics,
    "otherMetrics": _metrics,
    "duration": _count,
    "targetExposures": _count,
    "targetingGateID": _text,
    "sequentialTesting": _boolean,
    "bonferroniCorrection": _boolean,
    "bonferroniCorrectionPerMetric": _boolean,
    "benjaminiHochbergPerVariant": _boolean,
    "benjaminiHochbergPerMetric": _boolean,
    "benjaminiPrimaryMetricsOnly": _boolean,
    "defaultConfidenceInterval": enum("80", "90", "95", "98", "99"),
    "defaultRollupWindow": number(-1),
    "defaultChanceToBeatThreshold": number(),
    "bayesianPriors": each(
        record({"metric": _named_metric, "priorMean": number(), "priorStdDev": number()}, required=("metric",))
    ),
    "manualQualityScores": each(_any),
    "status": enum(*STATUSES),
    "launchedGroupID": _text,
    "assignmentSourceName": _string,
    "assignmentSourceExperimentName": _string,
    "isAnalysisOnly": _boolean,
    "allocationDuration": or_null(_count),
    "cohortedAnalysisDuration": _count,
    "cohortedMetricsMatureAfterEnd": _boolean,
    "cohortWaitUntilEndToInclude": _boolean,
    "fixedAnalysisDuration": _count,
    "scheduledReloadHour": or_null(number(0, _LAST_HOUR, whole=True)),
    "scheduledReloadType": enum("full", "incremental"),
    "scheduledReloadDays": or_null(each(number(0, _LAST_DAY, whole=True))),
    "turboMode": _boolean,
    "analysisEndTime": _string,
    "assignmentSourceFilters": each(
        record({"column": _string, "condition": enum(*CONDITIONS), "values": _strings}, required=("condition",))
    ),
    "analyticsType": _text,
    "defaultSPRTPowerParam": number(),
    "defaultSPRTMDE": number(),
    "sprtBaselineMode": enum("manual", "in_experiment_control"),
    "sprtMDESettings": each(record({"metricKey": _string, "groupSettings": each(_any)}, required=("metricKey",))),
    "isSidecar": _boolean,
    "decisionReason": _text,
    "preComputedUserDimensions": each(record({"propertySource": _string, "name": _string}, required=("name",))),
    "cureCovariates": each(_named_metric),
    "stratifiedSampling": or_null(
        record(
            {
                "status": enum("pending", "success", "error"),
                "metric": record({"name": _string, "startDate": _string, "endDate": _string}, required=("name",)),
                "entityPropertySource": record(
                    {"propertySourceName": _string, "column": _string}, required=("propertySourceName", "column")
                ),
                "csv": record({"original": _string, "identifier": _string}),
            },
            required=("status",),
        )
    ),
    "enabledNonProdEnvironments": _strings,
    "subtype": enum("conversion", "reactivation", "retention"),
    "externalExperimentName": _string,
    "layerID": _text,
    "startTime": or_null(number()),
    "endTime": or_null(number()),
    "decisionTime": or_null(number()),
    "healthChecks": each(_any),
    "healthCheckStatus": enum(*_HEALTH),
    "experimentType": enum(*TYPES),
    "isStale": _boolean,
    "inlineTargetingRulesJSON": _text,
    "inlineTargetingRules": each(_any),
    "qualityScore": _any,
    "summarySections": or_null(each(_any)),
    "reviewSettings": _any,
    "activeReview": _any,
    "permalink": _string,
}

REQUIRED: dict[str, Any] = {
    "idType": "userID",
    "description": "",
    "lastModifierID": None,
    "lastModifiedTime": None,
    "lastModifierEmail": None,
    "lastModifierName": None,
    "createdTime": 1_750_000_000_000,
    "creatorName": None,
    "tags": [],
    "hypothesis": "",
    "groups": [],
    "allocation": 100,
    "primaryMetrics": [],
    "secondaryMetrics": [],
    "targetingGateID": None,
    "bonferroniCorrection": False,
    "defaultConfidenceInterval": "95",
    "status": "setup",
    "decisionReason": None,
    "layerID": None,
    "startTime": None,
    "endTime": None,
    "decisionTime": None,
    "healthCheckStatus": "PASSED",
    "experimentType": "BASE",
    "isStale": False,
}
"""The fields that every answer holds beside the ID, as they are of an experiment that was just made."""

_experiment = record(FIELDS, required=("id",))


def experiment_faults(entry: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with an experiment: fields that are not published, and values of another type."""
    return _experiment("", entry)
