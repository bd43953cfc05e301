"""Which running experiments use the sources and metrics that a change touches, and what the change means for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from dbt_statsig.errors import ConsoleError
from dbt_statsig.impact.reach import Touched, weighed
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding, listed
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import ExperimentUse, Impact, Planned, Reached, Validation
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.uses import Uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.experiments import Experiment, Metric
    from dbt_statsig.vocabulary.progress import Progress

T = TypeVar("T")

_NOT_ASKED = "`validate` does not ask Statsig"
_NO_FIELD = "Statsig does not publish which experiments use a qualifying event"
_Touched = dict[tuple[Kind, str], str]


def with_experiments(
    planned: Planned,
    client: ConsoleClient,
    progress: Progress,
    *,
    strict: bool = False,
    prefixes: tuple[str, ...] = (),
) -> Planned:
    """The plan with the running experiments that use what the change or the plan touches.

    Each effect says which of them it reaches; a grave one is at least a warning, and an error if `strict`. Experiments
    are read only where something is touched that they can use, metrics only where a metric source or a metric is and
    an experiment watches metrics, or a column is concerned. What could not be asked is a finding. `prefixes` begin
    the names of this dbt target's sources, and of those of others: experiments use production's.
    """
    impact = planned.validation.impact
    if impact is None:
        return planned
    touched = _of_other_targets(_touched(planned, impact), prefixes)
    doubts = [_unchecked(_NO_FIELD)] if _has_events(planned, impact) else []
    if not touched:
        return _with(planned, client, impact, {}, doubts)
    progress.say("Reading experiments")
    doubt = Severity.ERROR if strict else Severity.WARNING
    experiments = _read(client.experiments, "experiments", doubts, doubt)
    if experiments is None:
        return _with(planned, client, impact, {}, doubts)
    running = [experiment for experiment in experiments if experiment.is_running]
    metrics: tuple[Metric, ...] | None = None
    if any(SPECS[kind].feeds_metrics for kind, _ in touched) and (
        impact.columns or any(one.metrics or one.metric_tags for one in running)
    ):
        progress.say("Reading metrics")
        metrics = _read(client.metrics, "metrics", doubts, doubt)
    uses = Uses(running, metrics or ())
    doubts += [] if metrics is None else _unlisted(uses)
    users = {key: Touched(uses=tuple(uses.of(*key)), readers=tuple(uses.readers(*key))) for key in touched}
    reached = tuple(_reached(planned.validation, touched, users))
    used = {use.experiment.id: use.experiment for one in users.values() for use in one.uses}
    adapter = adapter_for(planned.validation.adapter)
    by_name: dict[tuple[str, str], Touched] = {}
    for (kind, live_name), name in touched.items():
        before, one = by_name.get((kind.value, name)), users[kind, live_name]
        by_name[kind.value, name] = before.joined(one) if before else one
    changed = {
        id(effect): weighed(
            effect, impact.columns_of(effect), by_name[effect.kind, effect.source], adapter, strict=strict
        )
        for effect in impact.effects
        if (effect.kind, effect.source) in by_name
    }
    found = [_finding(planned.validation, one, used) for one in reached]
    impact = structs.replace(impact, experiments=tuple(used.values()), reached=reached)
    return _with(planned, client, impact, changed, [*found, *doubts])


def with_unchecked(validation: Validation) -> Validation:
    """The validation with a note where its effects may reach experiments, which nobody was asked about."""
    impact = validation.impact
    if impact is None or not any(effect.kind for effect in impact.effects):
        return validation
    note = _unchecked(_NOT_ASKED)
    return structs.replace(
        validation,
        findings=_sorted((*validation.findings, note)),
        impact=structs.replace(impact, effects=(*impact.effects, note)),
    )


def _read(
    read: Callable[[], tuple[tuple[T, ...], str]], what: str, doubts: list[Finding], severity: Severity
) -> tuple[T, ...] | None:
    """A list of the console; None where it cannot be read. What may be missing becomes a finding."""
    try:
        found, doubt = read()
    except ConsoleError as error:
        doubts.append(_unchecked(f"{what} were not read: {error}", severity))
        return None
    if doubt:
        again = "Run `plan --state` again."
        doubts.append(_unchecked(f"the list of {what} may be incomplete: {doubt}", severity, fix=again))
    return found


def _unchecked(why: str, severity: Severity | None = None, *, fix: str = "") -> Finding:
    code = "impact-experiments-unchecked"
    text = f"Experiments not checked: {why.removesuffix('.')}."
    return finding(code, text, severity=severity, fix=fix or CODES[code].remedy)


def _unlisted(uses: Uses) -> list[Finding]:
    """A note about metrics that running experiments watch and no list has."""
    names = list(dict.fromkeys(ref.name for one in uses.experiments for ref in uses.unknown(one)))
    if not names:
        return []
    shown = listed([f'"{name}"' for name in names])
    verb = "is" if len(names) == 1 else "are"
    why = f"{shown} {verb} watched but not in the list of metrics; what they read is not known"
    return [_unchecked(why, fix="Check in Statsig whether these metrics still exist.")]


def _touched(planned: Planned, impact: Impact) -> _Touched:
    """What a change or a write concerns, by its name in the console, and what it is called now."""
    affected = {(found.kind, found.source) for found in impact.effects}
    used = {kind.value for kind, spec in SPECS.items() if spec.used_by_experiments}
    touched: _Touched = {}
    for change in planned.plan.changes:
        hit = (change.kind.value, change.name) in affected or change.action.touches
        if hit and SPECS[change.kind].used_by_experiments:
            touched[change.kind, change.live_name or change.name] = change.name
    known = {(kind.value, name) for (kind, _), name in touched.items()}
    for kind, source in sorted(affected - known):
        if kind in used:
            touched[Kind(kind), source] = source
    # Where the kind cannot be renamed, a new object is made, and experiments go on with the old one.
    touched |= {(kind, old): new for kind, old, new in impact.renamed if kind.value in used}
    return dict(sorted(touched.items()))


def _of_other_targets(touched: _Touched, prefixes: tuple[str, ...]) -> _Touched:
    """The same with the names under which other dbt targets have these sources, where this one has a prefix."""
    if not prefixes or not prefixes[0]:
        return touched
    found = dict(touched)
    for (kind, live_name), name in touched.items():
        bare = live_name.removeprefix(prefixes[0])
        found |= {
            (kind, f"{prefix}{bare}"): name for prefix in ("", *prefixes) if (kind, f"{prefix}{bare}") not in found
        }
    return dict(sorted(found.items()))


def _has_events(planned: Planned, impact: Impact) -> bool:
    event = Kind.QUALIFYING_EVENT
    written = any(change.kind is event and change.action.touches for change in planned.plan.changes)
    return written or any(effect.kind == event.value for effect in impact.effects)


def _reached(validation: Validation, touched: _Touched, users: Mapping[tuple[Kind, str], Touched]) -> Iterator[Reached]:
    """Each touched source that running experiments use, with how they do."""
    places = {(report.kind, report.name): report for report in validation.sources}
    for (kind, live_name), name in touched.items():
        ways: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
        for use in users[kind, live_name].uses:
            what, metrics = ways.setdefault(use.experiment.id, ({}, {}))
            what[use.read.use] = None
            if use.watched is not None and kind is not Kind.METRIC:
                metrics[use.watched.name] = None
        report = places.get((kind, name))
        if ways:
            yield Reached(
                kind=kind,
                name=name,
                live_name=live_name,
                unique_id=report.unique_id if report else "",
                experiments=tuple(
                    ExperimentUse(experiment=one, uses=tuple(what), metrics=tuple(metrics))
                    for one, (what, metrics) in ways.items()
                ),
            )


def _finding(validation: Validation, reached: Reached, used: Mapping[str, Experiment]) -> Finding:
    """One finding for all running experiments that use a source."""
    experiments = [used[one.experiment].label for one in reached.experiments]
    metrics = list(dict.fromkeys(f'"{name}"' for one in reached.experiments for name in one.metrics))
    through = f" through the metric{'s' if len(metrics) > 1 else ''} {listed(metrics)}" if metrics else ""
    what = f'the {reached.kind.label} "{reached.live_name}"{through}'
    if len(experiments) == 1:
        text = f"The experiment {experiments[0]} uses {what}."
    else:
        text = f"{len(experiments):,} running experiments use {what}: {listed(experiments)}."
    report = next((one for one in validation.sources if (one.kind, one.name) == (reached.kind, reached.name)), None)
    return finding(
        "impact-experiment",
        text,
        fix=CODES["impact-experiment"].remedy,
        unique_id=reached.unique_id,
        kind=reached.kind.value,
        source=reached.name,
        location=report.location if report else None,
    )


def _with(
    planned: Planned, client: ConsoleClient, impact: Impact, changed: Mapping[int, Finding], found: list[Finding]
) -> Planned:
    """The plan with the changed effects in place of those before, and with more findings, which are effects too."""
    effects = (*(changed.get(id(effect), effect) for effect in impact.effects), *_sorted(found))
    findings = (changed.get(id(one), one) for one in planned.validation.findings)
    validation = structs.replace(
        planned.validation,
        findings=_sorted((*findings, *found)),
        impact=structs.replace(impact, effects=effects),
    )
    return structs.replace(planned, validation=validation, requests=client.requests)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: one.sort_key))
