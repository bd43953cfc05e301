"""Answers about experiments and metrics, read into typed values: every field that names something of ours.

Nothing of an answer is required but an ID or a name; a field of another type than the published one counts as absent.
`tests/unit/console/test_experiment_fields.py` has the published fields, and fails where one that names a source, a
metric, a tag or a column is not read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.console.bodies import text_at
from dbt_statsig.errors import ProtocolError
from dbt_statsig.vocabulary.experiments import ColumnRead, Experiment, Metric, MetricRef, Person, SourceRead, TagRef
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

SQL_FILTER = "sql_filter"
_WATCHED = {"primaryMetrics": "primary", "secondaryMetrics": "secondary", "otherMetrics": "other"}
_TAGS = {"primaryMetricTags": "primary", "secondaryMetricTags": "secondary"}
_API = "CONSOLE API"
"""The creator of what the API created: nobody who could be asked."""


def read_experiment(entry: Any, place: str) -> tuple[str, Experiment]:
    """One entry of the list under its ID. Raises ProtocolError where it has neither ID nor name."""
    content = entry if isinstance(entry, dict) else {}
    identifier, name = _identity(content, place)
    return identifier, Experiment(
        id=identifier,
        name=name or identifier,
        status=text_at(content, "status"),
        id_type=text_at(content, "idType"),
        secondary_id_type=text_at(content, "secondaryIDType"),
        owner=_owner(content),
        team=text_at(content, "team"),
        permalink=text_at(content, "permalink"),
        tags=_texts(content, "tags"),
        reads=tuple(_experiment_reads(content)),
        metrics=tuple(dict.fromkeys(_watched(content))),
        metric_tags=tuple(TagRef(name=tag, use=use) for key, use in _TAGS.items() for tag in _texts(content, key)),
        turbo=turbo if isinstance(turbo := content.get("turboMode"), bool) else None,
    )


def read_metric(entry: Any, place: str) -> tuple[str, Metric]:
    """One entry of the list under its ID. Raises ProtocolError where it has neither ID nor name."""
    content = entry if isinstance(entry, dict) else {}
    identifier, name = _identity(content, place)
    combined = [*_refs(content, "metricComponentMetrics", "component")]
    combined += [MetricRef(name=name, use="component") for name in _texts(content.get("lineage"), "metrics")]
    known = {ref.name for ref in combined if ref.type}
    return identifier, Metric(
        id=identifier,
        name=name or identifier,
        type=text_at(content, "type"),
        tags=_texts(content, "tags"),
        unit_types=_texts(content, "unitTypes"),
        reads=tuple(dict.fromkeys(_metric_reads(content.get("warehouseNative")))),
        components=tuple(dict.fromkeys(ref for ref in combined if ref.type or ref.name not in known)),
    )


def _identity(content: dict[str, Any], place: str) -> tuple[str, str]:
    name = text_at(content, "name")
    identifier = text_at(content, "id") or name
    if not identifier:
        raise ProtocolError(f"{place}: it has neither ID nor name.", fix="Check `base_url` and any proxy in between.")
    return identifier, name


def _owner(content: dict[str, Any]) -> Person:
    owner = Person(name=text_at(content, "owner", "ownerName"), email=text_at(content, "owner", "ownerEmail"))
    creator = Person(name=text_at(content, "creatorName"), email=text_at(content, "creatorEmail"))
    return next((one for one in (owner, creator) if str(one) and str(one).upper() != _API), Person())


def _experiment_reads(content: dict[str, Any]) -> Iterator[SourceRead]:
    """The sources that an experiment names, each with what for."""
    name = text_at(content, "assignmentSourceName")
    dimensions = _list(content, "preComputedUserDimensions")
    if name:
        # A dimension without a property source is a column of the exposures.
        own = [one for one in dimensions if not text_at(one, "propertySource")]
        filters = _criteria(_list(content, "assignmentSourceFilters"))
        columns = (*filters, *_columns("user dimension", *(text_at(one, "name") for one in own)))
        yield SourceRead(kind=Kind.ASSIGNMENT_SOURCE, name=name, use="assignment", columns=columns)
    for use, name, column in (
        ("ID resolution", text_at(content, "identityResolutionSource"), ""),
        *(("user dimension", text_at(one, "propertySource"), text_at(one, "name")) for one in dimensions),
        (
            "stratified sampling",
            text_at(content, "stratifiedSampling", "entityPropertySource", "propertySourceName"),
            text_at(content, "stratifiedSampling", "entityPropertySource", "column"),
        ),
    ):
        if name:
            yield SourceRead(kind=Kind.ENTITY_PROPERTY_SOURCE, name=name, use=use, columns=_columns(use, column))


def _watched(content: dict[str, Any]) -> Iterator[MetricRef]:
    """The metrics that an experiment names, each with what for."""
    for key, use in _WATCHED.items():
        yield from _refs(content, key, use)
    yield from _refs(content, "cureCovariates", "CURE covariate")
    for one in _list(content, "bayesianPriors"):
        yield from _refs({"metric": [one.get("metric")]} if isinstance(one, dict) else {}, "metric", "Bayesian prior")
    if name := text_at(content, "stratifiedSampling", "metric", "name"):
        yield MetricRef(name=name, use="stratified sampling")
    for one in _list(content, "sprtMDESettings"):
        name, _, type_ = text_at(one, "metricKey").partition("::")
        if name:
            yield MetricRef(name=name, type=type_, use="sequential test")


def _metric_reads(native: Any) -> Iterator[SourceRead]:
    """The metric sources that a warehouse metric is computed from."""
    dimensions = _texts(native, "metricDimensionColumns")
    dimensions += tuple(text_at(one, "name") for one in _list(native, "metricDimensionLimits"))
    parts = [("rows", part) for part in _list(native, "metricSources")]
    if text_at(native, "metricSourceName"):
        parts.append(("rows", native))
    parts += [("funnel step", part) for part in _list(native, "funnelEvents")]
    parts += [("component", part) for part in _list(native, "components")]
    for use, part in parts:
        if name := text_at(part, "metricSourceName"):
            columns = (
                *_columns("value column", text_at(part, "valueColumn")),
                *_criteria(_list(part, "criteria")),
                *_columns("session identifier", text_at(part, "sessionIdentifierField")),
                *_columns("dimension", *dict.fromkeys(dimensions)),
            )
            yield SourceRead(kind=Kind.METRIC_SOURCE, name=name, use=use, columns=columns)
    first = next((text_at(part, "metricSourceName") for _, part in parts), "")
    own = any(text_at(native, key) for key in ("denominatorAggregation", "denominatorValueColumn"))
    if name := text_at(native, "denominatorMetricSourceName") or (first if own else ""):
        columns = (
            *_columns("value column", text_at(native, "denominatorValueColumn")),
            *_criteria(_list(native, "denominatorCriteria")),
            *_columns("dimension", *dict.fromkeys(dimensions)),
        )
        yield SourceRead(kind=Kind.METRIC_SOURCE, name=name, use="denominator", columns=columns)


def _criteria(entries: list[Any]) -> tuple[ColumnRead, ...]:
    """What filters read: a column each, or a predicate in SQL."""
    found = [ColumnRead(use="filter", name=text_at(one, "column")) for one in entries if text_at(one, "column")]
    sql = [text for one in entries if text_at(one, "condition") == SQL_FILTER for text in _texts(one, "values")]
    return (*dict.fromkeys(found), *(ColumnRead(use="filter", sql=text) for text in sql))


def _columns(use: str, *names: str) -> tuple[ColumnRead, ...]:
    return tuple(ColumnRead(use=use, name=name) for name in names if name)


def _refs(content: dict[str, Any], key: str, use: str) -> Iterator[MetricRef]:
    for one in _list(content, key):
        if name := text_at(one, "name"):
            yield MetricRef(name=name, type=text_at(one, "type"), use=use)


def _list(content: Any, key: str) -> list[Any]:
    found = content.get(key) if isinstance(content, dict) else None
    return found if isinstance(found, list) else []


def _texts(content: Any, key: str) -> tuple[str, ...]:
    return tuple(one for one in _list(content, key) if isinstance(one, str) and one)
