"""Metrics beside their metric sources: what must be there before, and what must be gone before. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.vocabulary.changes import Action, Change, Plan, united
from dbt_statsig.vocabulary.comparison import canonical, differences
from dbt_statsig.vocabulary.kinds import SPECS, Metric
from dbt_statsig.vocabulary.ownership import is_archived, likely_owner
from dbt_statsig.vocabulary.results import Skipped
from dbt_statsig.vocabulary.sources import Kind, Role, Source, fields_with

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dbt_statsig.planning.asked import Live

_COMPUTED = frozenset({"aggregation", "metric_sources", "funnel_events", "components"})
_MEASURED = frozenset(
    {
        "percentile",
        "value_threshold",
        "retention_end",
        "retention_length",
        "use_secondary_retention_event",
        "only_include_users_with_conversion_event",
        "rollup_time_window",
        "custom_roll_up_start",
        "custom_roll_up_end",
        "custom_rollup_measure_in_minutes",
        "allow_null_ratio_denominator",
        "use_log_transform",
        "log_transform_base",
        "funnel_count_distinct",
        "funnel_start_criteria",
        "funnel_calculation_window",
        "funnel_strict_ordering",
        "funnel_use_exposure_as_first_event",
        "funnel_time_to_convert",
        "unit_types",
    }
)
"""What gives a metric other numbers beside its rows: with another name too, it may be another metric."""
_OF_RATIOS = ("numerator_aggregation", "denominator_")
_DOCUMENTED_DEFAULTS = {"loading_window": 90}


def computes_other(desired: Source, live: Source) -> bool:
    """Whether these are two metrics, by what they compute from which rows; of sources that says nothing."""
    if not isinstance(desired, Metric):
        return False
    fields = {one.field for one in differences(desired, live)}
    return any(field in _COMPUTED or field.startswith(_OF_RATIOS) for field in fields)


def measures_other(desired: Source, live: Source) -> bool:
    """Whether the numbers differ although both compute alike, as with another percentile, window or unit."""
    return isinstance(desired, Metric) and not _MEASURED.isdisjoint(one.field for one in differences(desired, live))


def computes_same(desired: Source, live: Source) -> bool:
    """Whether both compute exactly the same, windows and the like included; of sources that is never known."""
    if not (isinstance(desired, Metric) and isinstance(live, Metric)):
        return False

    def same(field: str) -> bool:
        wanted, has = canonical(Metric, field, getattr(desired, field)), canonical(Metric, field, getattr(live, field))
        return bool(wanted == has) or (wanted is None and has == _DOCUMENTED_DEFAULTS.get(field))

    return all(map(same, SPECS[Kind.METRIC].fields(Role.NATIVE)))


def gives_same(desired: Source, live: Source) -> bool:
    """Whether the rows and columns are exactly the same; of a metric, what it computes of them."""
    if isinstance(desired, Metric):
        return computes_same(desired, live)
    rows = {"id_type_mapping", *fields_with(type(desired), Role.COLUMN), *fields_with(type(desired), Role.SQL)}
    return rows.isdisjoint(one.field for one in differences(desired, live))


def still_read(plan: Plan, live: Live, *, force: bool = False) -> Plan:
    """The plan without deletions of sources that live metrics read of which it plans nothing (`--kind`, ...).

    With `force`, those of other owners do not count. Where the list of live metrics may lack some, no metric source is
    deleted.
    """
    planned = {change.live_name for change in plan.changes if change.kind is Kind.METRIC}
    written = {change.live_name for change in plan.changes if change.kind is Kind.METRIC and change.action.writes}
    readers: dict[str, str] = {}
    others: dict[str, str] = {}
    for metric in live.items:
        if not isinstance(metric, Metric) or is_archived(metric.description):
            continue
        line = likely_owner(metric.description)
        if (line is None or line.owner != plan.owner) and metric.name not in written:
            others |= dict.fromkeys(metric.sources, metric.name)
        elif metric.name not in planned:
            readers |= dict.fromkeys(metric.sources, metric.name)

    def held(change: Change) -> Change:
        is_gone = change.kind is Kind.METRIC_SOURCE and change.action is Action.DELETE
        if is_gone and not live.complete:
            reason = "The list of metrics was incomplete, so it is not known whether one reads it."
            return change.blocked(reason, "Run it again.")
        if is_gone and change.name in others and change.name not in readers and not force:
            reason = f'The metric "{others[change.name]}", which this project does not own, reads it.'
            return change.blocked(reason, "Change or delete that metric first, or run again with --force.")
        if not is_gone or change.name not in readers:
            return change
        reason = f'The metric "{readers[change.name]}" reads it, so it is not deleted.'
        return change.blocked(reason, "To archive what is no longer declared, run `sync --prune --kind metric`.")

    return structs.replace(plan, changes=united(map(held, plan.changes)))


def with_metrics(changes: Sequence[Change], live: Mapping[Kind, Live]) -> tuple[Change, ...]:
    """The changes, with each metric after its sources, and each deletion of a source after that of its metrics.

    A metric whose source is blocked, foreign, or nowhere is blocked; so is the deletion of a source that a metric of
    this project still reads.
    """
    if all(change.kind is not Kind.METRIC for change in changes):
        return tuple(changes)
    sources = {change.name: change for change in changes if change.kind is Kind.METRIC_SOURCE}
    held = live.get(Kind.METRIC_SOURCE)
    there = None if held is None or not held.complete else {item.name for item in held.items}
    metrics = [change for change in changes if change.kind is Kind.METRIC]
    return united(
        _metric(change, sources, there)
        if change.kind is Kind.METRIC
        else _source(change, metrics)
        if change.kind is Kind.METRIC_SOURCE and change.action is Action.DELETE
        else change
        for change in changes
    )


def _metric(change: Change, sources: Mapping[str, Change], there: set[str] | None) -> Change:
    if not change.action.sends or not isinstance(change.desired, Metric):
        return change
    needed = []
    for name in change.desired.sources:
        source = sources.get(name)
        if source is None:
            if there is not None and name not in there:
                return change.blocked(_missing(name), "Correct the name, declare the source, or select its node too.")
        elif source.action.sends:
            needed.append((Kind.METRIC_SOURCE, name))
        elif source.action.refuses:
            reason = f'Its metric source "{name}" is {source.action.label}.'
            return change.blocked(reason, f'See the metric source "{name}".')
    return structs.replace(change, after=tuple(needed))


def _missing(source: str) -> str:
    return f'Statsig has no metric source "{source}", and this run does not write it.'


def without_waiting(plan: Plan, declared: Collection[str]) -> tuple[Plan, tuple[Skipped, ...]]:
    """The plan without the metrics that wait for a `declared` metric source which a later run writes, and those."""
    reasons = set(map(_missing, declared))
    waiting = [one for one in plan.changes if one.action is Action.BLOCKED and one.reason in reasons]
    rest = tuple(one for one in plan.changes if one not in waiting)
    return structs.replace(plan, changes=rest), tuple(
        Skipped(kind=one.kind, name=one.name, unique_id=one.unique_id, reason=one.reason) for one in waiting
    )


def _source(change: Change, metrics: Sequence[Change]) -> Change:
    """A source that goes: after the metrics that go with it, and not while another one reads it."""
    gone = []
    for metric in metrics:
        if not isinstance(metric.live, Metric) or change.name not in metric.live.sources:
            continue
        still = isinstance(metric.desired, Metric) and change.name in metric.desired.sources
        if metric.action.retires or (metric.action.sends and not still):
            gone.append((metric.kind, metric.name))
        elif metric.action is not Action.FOREIGN:
            reason = f'The metric "{metric.name}" reads it, so it is not deleted.'
            return change.blocked(reason, f'See the metric "{metric.name}".')
    return structs.replace(change, after=(*change.after, *gone))
