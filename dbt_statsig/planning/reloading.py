"""Which experiments are to be loaded again after a dbt command, how, and why; and which need not or must not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.planning.new_data import Freshness, News
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.reloads import ExperimentReload, Load, Refresh, ReloadState
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.experiments import Experiment, Metric
    from dbt_statsig.vocabulary.uses import Use, Uses

_INERT = frozenset(
    {
        *("name", "description", "tags", "owner", "team", "team_id", "is_read_only", "is_verified", "is_permanent"),
        *("scheduled_reload_hour", "scheduled_reload_days", "directionality", "unit_types", "skip_validation"),
        *("all_columns", "column_types"),
    }
)
"""The fields of objects on which no result depends."""
_MAPPING = "id_type_mapping"
_NAMED = 3
_LONGEST = timedelta(days=1)
"""How long a load without an end counts as under way, where a newer one began."""
_KEPT = frozenset({"success", "partial_failure"})
"""The ends of a full load that gave at least the metrics which did not fail."""
_UNLOADED = frozenset({ReloadState.NOT_STARTED, ReloadState.REFUSED, ReloadState.UNKNOWN})
_NO_METRIC = "--refresh metric: it reads what is new through no metric"


class Changed(Struct, frozen=True, kw_only=True):
    """What a sync has just changed, by kind and name of the object in Statsig, each with the reason in words.

    Results that rest on what is in `history` have to be computed from the start; of metrics in `definitions`, and of
    those that read a metric source in there, each for itself.
    """

    history: Mapping[tuple[Kind, str], str] = {}
    definitions: Mapping[tuple[Kind, str], str] = {}

    @property
    def reasons(self) -> tuple[str, ...]:
        """All reasons, each once."""
        return tuple(dict.fromkeys((*self.history.values(), *self.definitions.values())))

    def is_reason_for(self, entry: ExperimentReload) -> bool:
        """Whether an experiment is to be loaded for one of these changes."""
        return not frozenset(self.reasons).isdisjoint(entry.reasons)


def changed_by(changes: Iterable[Change]) -> Changed:
    """What of these changes, which were written, changes results."""
    history: dict[tuple[Kind, str], str] = {}
    definitions: dict[tuple[Kind, str], str] = {}
    for change in changes:
        fields = [one.field for one in change.fields if one.field not in _INERT]
        is_new = change.kind is Kind.METRIC and change.action is Action.CREATE
        if not is_new and (not fields or not change.action.touches or change.kind is Kind.QUALIFYING_EVENT):
            continue
        what = "is new" if is_new else f"changed ({_words(fields)})"
        reason = f'the {change.kind.label} "{change.name}" {what}'
        alone = change.kind is Kind.METRIC or (change.kind is Kind.METRIC_SOURCE and _MAPPING not in fields)
        for name in filter(None, (change.name, change.live_name)):
            (definitions if alone else history)[change.kind, name] = reason
    return Changed(history=history, definitions=definitions)


class Basis(Struct, frozen=True, kw_only=True):
    """What decisions rest on: the news of each of this project's sources in Statsig, and what a sync changed.

    `places` has the order in which dbt's nodes ended. With `refresh`, that one is taken for all.
    """

    sources: Mapping[tuple[Kind, str], News] = {}
    changed: Changed = Changed()
    places: Mapping[str, int] = {}
    refresh: Refresh | None = None


def decide(uses: Uses, basis: Basis) -> list[ExperimentReload]:
    """Each experiment that reads something new, or something that is held back; in the order of the building."""
    decided = [
        one for experiment in uses.experiments if experiment.is_running and (one := _decision(experiment, uses, basis))
    ]
    last = len(basis.places)

    def order(one: ExperimentReload) -> tuple[bool, int, str, str]:
        place = max((basis.places.get(node, last) for node in one.nodes), default=last)
        return one.state is ReloadState.HELD, place, one.name, one.id

    return sorted(decided, key=order)


def _decision(experiment: Experiment, uses: Uses, basis: Basis) -> ExperimentReload | None:
    read = [(use, basis.sources[key]) for use in uses.by(experiment) if (key := _key(use)) in basis.sources]
    entry = ExperimentReload(
        id=experiment.id,
        name=experiment.name or experiment.id,
        status=experiment.status,
        permalink=experiment.permalink,
        turbo=experiment.turbo,
        state=ReloadState.HELD,
    )
    held = dict.fromkeys(f"{_source(use)}: {news.why}" for use, news in read if news.freshness is Freshness.HELD)
    new = [(use, news) for use, news in read if news.freshness is Freshness.NEW]
    history = list(dict.fromkeys(_histories(uses.by(experiment), new, basis)))
    restated = dict(_restated(experiment, uses, basis))
    if held:
        missed = next(iter((*history, *restated.values())), "")
        refresh = (Refresh.FULL if history or new else Refresh.METRIC) if missed else None
        return structs.replace(entry, reasons=tuple(held), refresh=refresh, **_missed(missed, refresh))
    if not (new or history or restated):
        return None
    nodes = sorted({node for _, news in new for node in news.built}, key=lambda node: (basis.places.get(node, 0), node))
    changed = list(dict.fromkeys(restated.values()))
    # What is computed again from the start has its new rows too.
    needs_rows = any(use.metric not in restated for use, _ in new)
    refresh, reasons = _refresh(basis.refresh, nodes, history, changed, needs_rows=needs_rows)
    metrics: Iterable[Metric] = restated if basis.refresh is None else _through(new, restated)
    metric_ids = tuple(sorted({_metric_id(one) for one in metrics})) if refresh is Refresh.METRIC else ()
    if refresh is Refresh.METRIC and not metric_ids:
        return structs.replace(entry, reasons=(_NO_METRIC,), nodes=tuple(nodes))
    return structs.replace(
        entry,
        state=ReloadState.PLANNED,
        refresh=refresh,
        reasons=reasons,
        nodes=tuple(nodes),
        metric_ids=metric_ids,
    )


def _missed(reason: str, refresh: Refresh | None) -> dict[str, str]:
    """What to say of an experiment that is held back although no later run would know what it needs."""
    if refresh is None:
        return {}
    fix = f"Load it in Statsig when its data is complete, or run `dbt-statsig reload --refresh {refresh.value}`."
    return {"message": f"It needs a {refresh.value} load: {reason}.", "fix": fix}


def _refresh(
    asked: Refresh | None, nodes: Sequence[str], history: Sequence[str], restated: Sequence[str], *, needs_rows: bool
) -> tuple[Refresh, tuple[str, ...]]:
    """How to load, and why. New rows of others beside a changed definition need all: older days have the old one."""
    new = [f"new rows: {_listed(nodes)}"] if nodes else []
    if asked is not None:
        return asked, (*new, *history, *restated, f"--refresh {asked.value}")
    if history or (needs_rows and restated):
        return Refresh.FULL, (*history, *restated, *new)
    return (Refresh.METRIC if restated else Refresh.INCREMENTAL), (*restated, *new)


def _histories(read: Iterable[Use], new: Iterable[tuple[Use, News]], basis: Basis) -> Iterator[str]:
    yield from (news.history for _, news in new if news.history)
    yield from (reason for use in read if (reason := basis.changed.history.get(_key(use))))


def _restated(experiment: Experiment, uses: Uses, basis: Basis) -> Iterator[tuple[Metric, str]]:
    """The metrics of an experiment whose definition changed, and those that combine them, each with the reason."""
    changed = basis.changed.definitions
    if not changed:
        return
    combined_in = {use.metric: use.watched for use in uses.by(experiment) if use.metric and use.watched}
    for metric in uses.metrics_of(experiment):
        keys = ((Kind.METRIC, metric.name), *((read.kind, read.name) for read in metric.reads))
        reason = next((changed[key] for key in keys if key in changed), "")
        if reason:
            yield metric, reason
            yield combined_in.get(metric, metric), reason


def _through(new: Iterable[tuple[Use, News]], restated: Iterable[Metric]) -> Iterator[Metric]:
    yield from restated
    yield from (metric for use, _ in new for metric in (use.metric, use.watched) if metric is not None)


def satisfied(
    entry: ExperimentReload,
    loads: Sequence[Load],
    since: datetime | None,
    *,
    now: datetime,
    turbo: bool = False,
    auto: bool = False,
) -> ExperimentReload:
    """The entry as it is to be loaded, or that it need not: a load is under way, or one began after `since`.

    `loads` are those of its experiment, newest first. A load that failed gives nothing; one of single metrics no rows;
    one in turbo mode no older days, unless `turbo` asks for that mode. With `auto`, an incremental load becomes a full
    one where the loads before it did not give the older days.
    """
    if entry.state is not ReloadState.PLANNED:
        return entry
    # Loads can overlap. One that never got an end in the history, and has newer ones, must not block for ever.
    recent = [load for load in loads if not load.is_under_way or load is loads[0] or _is_recent(load, now)]
    later = [load for load in recent if since is not None and load.created is not None and load.created >= since]
    for load in later:
        if not load.has_failed and _covers(load, entry, turbo=turbo):
            message = "A load that began since is under way." if load.is_under_way else "Loaded since dbt built it."
            return structs.replace(entry, state=ReloadState.CURRENT, load=load, message=message)
    for load in recent:
        if load.is_under_way:
            return _under_way(entry, load, is_later=load in later)
    if auto and not turbo and entry.refresh is Refresh.INCREMENTAL and (why := _lacking(entry, loads)):
        return structs.replace(entry, refresh=Refresh.FULL, reasons=(why, *entry.reasons))
    return entry


def _is_recent(load: Load, now: datetime) -> bool:
    return load.created is not None and now - load.created < _LONGEST


def _lacking(entry: ExperimentReload, loads: Sequence[Load]) -> str:
    """Why an incremental load after these would leave out older days; empty where it would not."""
    ended = [load for load in loads if not load.is_under_way and load.reload_type != Refresh.METRIC.value]
    full = next((load for load in ended if load.reload_type == Refresh.FULL.value), None)
    if full is not None and full.state not in _KEPT:
        return f"its last full load ended with {full.state}"
    last = next((load for load in ended if not load.has_failed), None)
    # Where the schedule loads in turbo mode, or may do so, somebody wants the latest day alone.
    if last is None or not last.turbo or entry.turbo is not False:
        return ""
    return "its last load was in turbo mode, which gives the latest day only"


def _under_way(entry: ExperimentReload, load: Load, *, is_later: bool) -> ExperimentReload:
    kind = f" ({load.reload_type})" if load.reload_type else ""
    message = f"A load{kind} that began before the new data is under way."
    if is_later:
        message = f"A load{kind} that does not give all that it needs is under way."
    elif load.created is None:
        message = f"A load{kind} is under way, and Statsig does not say when it began."
    again = f" --refresh {entry.refresh.value}" if entry.refresh in {Refresh.FULL, Refresh.METRIC} else ""
    return structs.replace(
        entry,
        state=ReloadState.UNDER_WAY,
        load=load,
        message=message,
        fix=f"When it has ended, run `dbt-statsig reload{again}` again.",
    )


def _covers(load: Load, entry: ExperimentReload, *, turbo: bool) -> bool:
    """Whether a load gives what the entry needs; one that does not say its type gives new rows at most."""
    if load.turbo and not turbo and entry.refresh is not Refresh.INCREMENTAL:
        return False
    if entry.refresh is Refresh.FULL:
        return load.reload_type == Refresh.FULL.value
    if entry.refresh is Refresh.METRIC:
        return load.reload_type in {Refresh.FULL.value, Refresh.METRIC.value}
    return load.reload_type != Refresh.METRIC.value


def refused(entries: Iterable[ExperimentReload], most: int, changed: Changed, *, force: bool) -> str:
    """Why nothing of this is started: more experiments than allowed; empty where nothing speaks against it."""
    planned = [one for one in entries if one.state is ReloadState.PLANNED]
    if len(planned) <= most or force:
        return ""
    text = f"{len(planned):,} experiments are to be loaded, and at most {most:,} may be at once (`reload_most`)."
    needed = sorted({one.refresh.value for one in planned if one.refresh and changed.is_reason_for(one)})
    return f"{text} {_unknown_later(' or '.join(needed))}" if needed else text


def with_next_step(entry: ExperimentReload, changed: Changed) -> ExperimentReload:
    """The entry, with the next step where it did not get the load that it needs for what a sync changed."""
    if entry.state not in _UNLOADED or not changed.is_reason_for(entry) or entry.refresh is None:
        return entry
    return structs.replace(entry, fix=f"{entry.fix} {_unknown_later(entry.refresh.value)}".strip())


def _unknown_later(refresh: str) -> str:
    return (
        "No later reload knows what this sync changed: run "
        f"`dbt-statsig reload` with `--refresh {refresh}`, or load it in Statsig."
    )


def _key(use: Use) -> tuple[Kind, str]:
    return use.read.kind, use.read.name


def _source(use: Use) -> str:
    return f'{use.read.kind.label} "{use.read.name}"'


def _metric_id(metric: Metric) -> str:
    return metric.id or f"{metric.name}::{metric.type or 'user_warehouse'}"


def _words(fields: Sequence[str]) -> str:
    shown = ", ".join(field.replace("_", " ") for field in fields[:_NAMED])
    return f"{shown} …" if len(fields) > _NAMED else shown


def _listed(nodes: Sequence[str]) -> str:
    more = f" and {len(nodes) - _NAMED} more" if len(nodes) > _NAMED else ""
    return f"{', '.join(nodes[:_NAMED])}{more}"
