"""What experiments and metrics say that they use: every published field that names a source, metric, tag or column."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from dbt_statsig.console.experiments import read_experiment, read_metric
from dbt_statsig.emulator.experiment_contract import FIELDS
from dbt_statsig.emulator.metric_contract import NATIVE
from dbt_statsig.vocabulary.experiments import ColumnRead, MetricRef, Person, SourceRead, TagRef
from dbt_statsig.vocabulary.sources import Kind

# Each field that names something of ours, by its path: `[]` is a list; what must stand beside it follows.
EXPERIMENT: dict[str, dict[str, Any]] = {
    "assignmentSourceName": {},
    "identityResolutionSource": {},
    "preComputedUserDimensions[].propertySource": {"preComputedUserDimensions": [{"name": "plan"}]},
    "preComputedUserDimensions[].name": {"preComputedUserDimensions": [{"propertySource": "Users"}]},
    "stratifiedSampling.entityPropertySource.propertySourceName": {},
    "stratifiedSampling.entityPropertySource.column": {
        "stratifiedSampling": {"entityPropertySource": {"propertySourceName": "Users"}}
    },
    "stratifiedSampling.metric.name": {},
    "assignmentSourceFilters[].column": {"assignmentSourceName": "Exposures"},
    "assignmentSourceFilters[].values[]": {
        "assignmentSourceName": "Exposures",
        "assignmentSourceFilters": [{"condition": "sql_filter"}],
    },
    **{
        f"{key}[].{part}": {key: [{"name": "revenue"}]}
        for key in ("primaryMetrics", "secondaryMetrics", "otherMetrics", "cureCovariates")
        for part in ("name", "type")
    },
    "bayesianPriors[].metric.name": {},
    "bayesianPriors[].metric.type": {"bayesianPriors": [{"metric": {"name": "revenue"}}]},
    "sprtMDESettings[].metricKey": {},
    "primaryMetricTags[]": {},
    "secondaryMetricTags[]": {},
    "idType": {},
    "secondaryIDType": {},
    # Not what it uses, but what its readers need.
    "id": {},
    "name": {},
    "status": {},
    "owner.ownerName": {},
    "owner.ownerEmail": {},
    "creatorName": {},
    "creatorEmail": {},
    "team": {},
    "permalink": {},
    "tags[]": {},
}
# The other published fields: people, times, settings of the statistics, and results; none names a source or a metric.
_SETTINGS = (
    "description lastModifierID lastModifiedTime lastModifierEmail lastModifierName creatorID createdTime targetApps "
    "holdoutIDs teamID version identifierMappingMode hypothesis links externalEvents groups controlGroupID allocation "
    "userBuckets duration targetExposures targetingGateID sequentialTesting bonferroniCorrection "
    "bonferroniCorrectionPerMetric benjaminiHochbergPerVariant benjaminiHochbergPerMetric benjaminiPrimaryMetricsOnly "
    "defaultConfidenceInterval defaultRollupWindow defaultChanceToBeatThreshold manualQualityScores launchedGroupID "
    "assignmentSourceExperimentName isAnalysisOnly allocationDuration cohortedAnalysisDuration "
    "cohortedMetricsMatureAfterEnd cohortWaitUntilEndToInclude fixedAnalysisDuration scheduledReloadHour "
    "scheduledReloadType scheduledReloadDays turboMode analysisEndTime analyticsType defaultSPRTPowerParam "
    "defaultSPRTMDE sprtBaselineMode isSidecar decisionReason enabledNonProdEnvironments subtype "
    "externalExperimentName layerID startTime endTime decisionTime healthChecks healthCheckStatus experimentType "
    "isStale inlineTargetingRulesJSON inlineTargetingRules qualityScore summarySections reviewSettings "
    "activeReview"
)
SILENT = frozenset(_SETTINGS.split())
SOURCE = {"metricSourceName": "Orders"}
METRIC: dict[str, dict[str, Any]] = {
    **{
        f"{place}criteria[].{part}": {"criteria": [{"condition": "sql_filter"}]}
        for place in ("", "metricSources[].", "funnelEvents[].", "components[].")
        for part in ("column", "values[]")
    },
    **{f"{place}[].metricSourceName": {} for place in ("metricSources", "funnelEvents", "components")},
    **{f"{place}[].valueColumn": SOURCE for place in ("metricSources", "components")},
    "funnelEvents[].sessionIdentifierField": SOURCE,
    "metricSourceName": {},
    "valueColumn": SOURCE,
    "denominatorMetricSourceName": {},
    "denominatorValueColumn": {"denominatorMetricSourceName": "Visits"},
    "denominatorCriteria[].column": {"denominatorMetricSourceName": "Visits"},
    "denominatorCriteria[].values[]": {
        "denominatorMetricSourceName": "Visits",
        "denominatorCriteria": [{"condition": "sql_filter"}],
    },
    "metricDimensionColumns[]": SOURCE,
    "metricDimensionLimits[].name": SOURCE,
}
_CALCULATION = (
    "aggregation waitForCohortWindow denominatorAggregation denominatorCustomRollupEnd denominatorCustomRollupStart "
    "denominatorRollupTimeWindow funnelCalculationWindow funnelCountDistinct funnelStartCriteria metricBakeDays "
    "numeratorAggregation valueThreshold allowNullRatioDenominator funnelStrictOrdering funnelUseExposureAsFirstEvent "
    "funnelTimestampAllowanceMs funnelTimeToConvert winsorizationHigh winsorizationLow winsorizationHighDenominator "
    "winsorizationLowDenominator cupedAttributionWindow rollupTimeWindow customRollUpStart customRollUpEnd "
    "onlyIncludeUsersWithConversionEvent denominatorCustomRollupMeasureInMinutes customRollupMeasureInMinutes "
    "percentile useLogTransform useSecondaryRetentionEvent retentionEnd retentionLength logTransformBase cap "
    "surrogateMetricMSE loadingWindow"
)
SILENT_OF_METRICS = frozenset(_CALCULATION.split())
TOP_OF_METRICS = ("id", "name", "type", "tags[]", "unitTypes[]", "metricComponentMetrics[].name", "lineage.metrics[]")


def first(path: str) -> str:
    """The field at the top of a path."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def put(content: dict[str, Any], path: str, value: str) -> dict[str, Any]:
    """The content with a value at a path, beside what is there."""
    made = msgspec.json.decode(msgspec.json.encode(content))
    here: Any = made
    steps = re.findall(r"\[\]|[^.\[\]]+", path)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        empty: Any = value if following is None else [] if following == "[]" else {}
        if step == "[]":
            here[:] = here or [empty]
            here = here[0]
        elif following is None:
            here[step] = value
        else:
            here = here.setdefault(step, empty)
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", EXPERIMENT)
def test_a_field_of_an_experiment_that_names_something_is_read(path: str) -> None:
    """What stands in the field stands in the value that is made of the answer."""
    answer = put({"id": "e", **EXPERIMENT[path]}, path, "marker")
    assert "marker" in str(read_experiment(answer, "here")[1])


@pytest.mark.parametrize("path", METRIC)
def test_a_field_of_a_metric_that_names_something_is_read(path: str) -> None:
    """What stands in the field of a warehouse metric's definition stands in the value that is made of it."""
    place = path.rpartition("[].")[0].removesuffix("criteria").rstrip(".[]")
    beside = METRIC[path]
    if beside is SOURCE or "criteria" in beside:
        beside = {**SOURCE, **beside} if not place or place.startswith("metricDim") else {place: [{**SOURCE, **beside}]}
    answer = {"id": "m", "warehouseNative": put(beside, path, "marker")}
    assert "marker" in str(read_metric(answer, "here")[1].reads)


@pytest.mark.parametrize("path", TOP_OF_METRICS)
def test_a_field_beside_the_definition_is_read(path: str) -> None:
    """A metric's own names, tags and units are read, and the metrics that it combines."""
    assert "marker" in str(read_metric(put({"id": "m"}, path, "marker"), "here")[1])


def test_every_published_field_is_decided_on() -> None:
    """Each field of the published descriptions is read, or is known to name nothing: a new one must be decided on."""
    assert {first(path) for path in EXPERIMENT} | SILENT == set(FIELDS)
    assert {first(path) for path in METRIC} | SILENT_OF_METRICS == set(NATIVE)
    assert not {first(path) for path in EXPERIMENT} & SILENT


def test_what_an_experiment_reads() -> None:
    """Each source stands with what for and with the columns; a dimension without a source is one of the exposures."""
    answer = {
        "id": "button",
        "assignmentSourceName": "Exposures",
        "assignmentSourceFilters": [
            {"column": "country", "condition": "in", "values": ["DE"]},
            {"condition": "sql_filter", "values": ["plan = 'pro'"]},
        ],
        "identityResolutionSource": "Devices",
        "preComputedUserDimensions": [{"name": "country"}, {"propertySource": "Users", "name": "plan"}, 3],
        "primaryMetrics": [{"name": "revenue", "type": "user_warehouse"}, {}],
        "primaryMetricTags": ["core", 3],
        "bayesianPriors": [3, {}],
        "sprtMDESettings": [{}, {"metricKey": "::sum"}],
    }
    experiment = read_experiment(answer, "here")[1]
    assert experiment.reads == (
        SourceRead(
            kind=Kind.ASSIGNMENT_SOURCE,
            name="Exposures",
            use="assignment",
            columns=(
                ColumnRead(use="filter", name="country"),
                ColumnRead(use="filter", sql="plan = 'pro'"),
                ColumnRead(use="user dimension", name="country"),
            ),
        ),
        SourceRead(kind=Kind.ENTITY_PROPERTY_SOURCE, name="Devices", use="ID resolution"),
        SourceRead(
            kind=Kind.ENTITY_PROPERTY_SOURCE,
            name="Users",
            use="user dimension",
            columns=(ColumnRead(use="user dimension", name="plan"),),
        ),
    )
    assert experiment.metrics == (MetricRef(name="revenue", type="user_warehouse", use="primary"),)
    assert experiment.metric_tags == (TagRef(name="core", use="primary"),)


def test_a_ratio_over_one_source() -> None:
    """Without a source of its own the denominator reads the one of the numerator."""
    native = {"metricSources": [SOURCE], "denominatorAggregation": "sum", "denominatorValueColumn": "visits"}
    metric = read_metric({"id": "m", "warehouseNative": native}, "here")[1]
    assert [(read.name, read.use) for read in metric.reads] == [("Orders", "rows"), ("Orders", "denominator")]
    assert metric.reads[1].columns == (ColumnRead(use="value column", name="visits"),)


def test_deprecated_fields_say_the_same_again() -> None:
    """The flat fields of an answer, which repeat its list, add nothing."""
    native = {"metricSources": [{**SOURCE, "valueColumn": "amount"}], **SOURCE, "valueColumn": "amount"}
    assert len(read_metric({"id": "m", "warehouseNative": native}, "here")[1].reads) == 1


def test_components_are_named_once() -> None:
    """A metric that the lineage repeats without its type is the one that the list of components names with it."""
    answer = {
        "id": "m",
        "metricComponentMetrics": [{"name": "a", "type": "sum"}, {"name": "a", "type": "sum"}],
        "lineage": {"metrics": ["a", "b"]},
    }
    assert read_metric(answer, "here")[1].components == (
        MetricRef(name="a", type="sum", use="component"),
        MetricRef(name="b", use="component"),
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"owner": {"ownerName": "Ada", "ownerEmail": "ada@shop.example"}}, "Ada <ada@shop.example>"),
        ({"owner": {"ownerID": "x"}, "creatorName": "Bo"}, "Bo"),
        ({"owner": None, "creatorName": "CONSOLE API", "creatorEmail": None}, ""),
        ({"owner": {"ownerName": "Console API"}, "creatorEmail": "cy@shop.example"}, "cy@shop.example"),
    ],
)
def test_who_can_be_asked(answer: dict[str, Any], expected: str) -> None:
    """The owner, else who created it; the API itself is nobody."""
    owner = read_experiment({"id": "e", **answer}, "here")[1].owner
    assert str(owner) == expected
    assert (owner == Person()) is (expected == "")
