"""Which running experiments use the sources that a change touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from dbt_statsig.errors import ConsoleError
from dbt_statsig.vocabulary.findings import CODES, Finding, finding, listed
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.uses import Uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.experiments import Experiment, Metric
    from dbt_statsig.vocabulary.progress import Progress
    from dbt_statsig.vocabulary.results import Planned

T = TypeVar("T")

_Touched = dict[tuple[Kind, str], str]


def with_experiments(planned: Planned, client: ConsoleClient, progress: Progress) -> Planned:
    """The plan with a finding for each running experiment that uses a source which the change or the plan touches.

    Experiments are read only where such a source is touched, metrics only where a metric source is and an experiment
    watches metrics; where they cannot be read, a warning says so.
    """
    impact = planned.validation.impact
    touched = _touched(planned)
    if impact is None or not touched:
        return planned
    progress.say("Reading experiments")
    warnings: list[str] = []
    experiments = _read(client.experiments, "experiments", warnings)
    if experiments is None:
        return _warned(planned, client, warnings)
    running = [experiment for experiment in experiments if experiment.is_running]
    metrics: tuple[Metric, ...] = ()
    if any(SPECS[kind].feeds_metrics for kind, _ in touched) and any(one.metrics or one.metric_tags for one in running):
        progress.say("Reading metrics")
        metrics = _read(client.metrics, "metrics", warnings) or ()
    uses = list(_uses(touched, running, metrics))
    used = {experiment.id: experiment for _, _, experiment, _ in uses}
    found = tuple(_findings(planned, uses))
    findings = sorted((*planned.validation.findings, *found), key=lambda one: one.sort_key)
    impact = structs.replace(impact, effects=(*impact.effects, *found), experiments=tuple(used.values()))
    validation = structs.replace(planned.validation, findings=tuple(findings), impact=impact)
    return structs.replace(_warned(planned, client, warnings), validation=validation)


def _read(read: Callable[[], tuple[tuple[T, ...], str]], what: str, warnings: list[str]) -> tuple[T, ...] | None:
    """A list of the console; None where it cannot be read, and the finding about it."""
    try:
        found, doubt = read()
    except ConsoleError as error:
        warnings.append(f"{what.capitalize()} were not read: {error}")
        return None
    if doubt:
        warnings.append(f"The list of {what} may be incomplete: {doubt}")
    return found


def _warned(planned: Planned, client: ConsoleClient, warnings: list[str]) -> Planned:
    return structs.replace(planned, requests=client.requests, warnings=(*planned.warnings, *warnings))


def _touched(planned: Planned) -> _Touched:
    """The sources that a change or a write concerns, by their names in the console, and what they are called now."""
    impact = planned.validation.impact
    affected = {(found.kind, found.source) for found in impact.effects} if impact else set()
    used = {kind.value for kind, spec in SPECS.items() if spec.used_by_experiments}
    touched: _Touched = {}
    for change in planned.plan.changes:
        hit = (change.kind.value, change.name) in affected or change.action.touches
        if hit and SPECS[change.kind].used_by_experiments:
            touched[change.kind, change.live_name or change.name] = change.name
    for kind, source in affected:
        if kind in used and source not in touched.values():
            touched[Kind(kind), source] = source
    return touched


def _uses(
    touched: _Touched, running: list[Experiment], metrics: tuple[Metric, ...]
) -> Iterator[tuple[tuple[Kind, str], str, Experiment, tuple[str, ...]]]:
    """Each touched source, what it is called now, an experiment that uses it, and the metrics through which."""
    uses = Uses(running, metrics)
    for (kind, live_name), name in sorted(touched.items()):
        through: dict[str, tuple[Experiment, list[str]]] = {}
        for use in uses.of(kind, live_name):
            _, watched = through.setdefault(use.experiment.id, (use.experiment, []))
            if use.watched is not None and use.watched.name not in watched:
                watched.append(use.watched.name)
        for experiment, watched in through.values():
            yield (kind, live_name), name, experiment, tuple(watched)


def _findings(
    planned: Planned, uses: list[tuple[tuple[Kind, str], str, Experiment, tuple[str, ...]]]
) -> Iterator[Finding]:
    places = {(report.kind, report.name): report for report in planned.validation.sources}
    for (kind, live_name), name, experiment, watched in uses:
        report = places.get((kind, name))
        status = f" ({experiment.status})" if experiment.status else ""
        yield finding(
            "impact-experiment",
            f'The experiment "{experiment.name}"{status} uses the {kind.label} "{live_name}"{_through(kind, watched)}.',
            fix=CODES["impact-experiment"].remedy,
            unique_id=report.unique_id if report else "",
            kind=kind.value,
            source=name,
            location=report.location if report else None,
        )


def _through(kind: Kind, metrics: tuple[str, ...]) -> str:
    if not metrics or kind is Kind.METRIC:
        return ""
    names = listed([f'"{name}"' for name in metrics])
    return f" through the metric{'s' if len(metrics) > 1 else ''} {names}"
