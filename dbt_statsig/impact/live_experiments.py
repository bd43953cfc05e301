"""Which running experiments use the sources that a change touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.changes import Action
from dbt_statsig.errors import ConsoleError
from dbt_statsig.findings import CODES, Finding, finding
from dbt_statsig.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.experiments import Experiment
    from dbt_statsig.progress import Progress
    from dbt_statsig.results import Planned

USED_BY_EXPERIMENTS = (Kind.ASSIGNMENT_SOURCE, Kind.ENTITY_PROPERTY_SOURCE)
_TOUCHING = frozenset({Action.UPDATE, Action.RENAME, Action.DELETE})
_Touched = dict[tuple[Kind, str], str]


def with_experiments(planned: Planned, client: ConsoleClient, told: Progress) -> Planned:
    """The plan with a finding for each running experiment that uses a source which the change or the plan touches.

    Experiments are read only where such a source is touched; where they cannot be read, a warning says so.
    """
    impact = planned.validation.impact
    touched = _touched(planned)
    if impact is None or not touched:
        return planned
    told.say("Reading experiments")
    try:
        experiments, doubt = client.experiments()
    except ConsoleError as error:
        return structs.replace(
            planned, requests=client.requests, warnings=(*planned.warnings, f"Experiments were not read: {error}")
        )
    running = [experiment for experiment in experiments if experiment.is_running]
    used = {one.id: one for one in running if any(one.uses(*source) for source in touched)}
    found = tuple(_findings(planned, touched, running))
    findings = sorted((*planned.validation.findings, *found), key=lambda one: one.sort_key)
    more = (f"The list of experiments may lack some: {doubt}",) if doubt else ()
    impact = structs.replace(impact, effects=(*impact.effects, *found), experiments=tuple(used.values()))
    validation = structs.replace(planned.validation, findings=tuple(findings), impact=impact)
    return structs.replace(
        planned, validation=validation, requests=client.requests, warnings=(*planned.warnings, *more)
    )


def _touched(planned: Planned) -> _Touched:
    """The sources that a change or a write concerns, by their names in the console, and what they are called now."""
    impact = planned.validation.impact
    affected = {(found.kind, found.source) for found in impact.effects} if impact else set()
    touched: _Touched = {}
    for change in planned.plan.changes:
        hit = (change.kind.value, change.name) in affected or change.action in _TOUCHING
        if hit and change.kind in USED_BY_EXPERIMENTS:
            touched[change.kind, change.live_name or change.name] = change.name
    for kind, source in affected:
        if kind in {one.value for one in USED_BY_EXPERIMENTS} and source not in touched.values():
            touched[Kind(kind), source] = source
    return touched


def _findings(planned: Planned, touched: _Touched, running: list[Experiment]) -> Iterator[Finding]:
    places = {(report.kind, report.name): report for report in planned.validation.sources}
    for (kind, live_name), name in sorted(touched.items()):
        report = places.get((kind, name))
        for experiment in running:
            if experiment.uses(kind, live_name):
                status = f" ({experiment.status})" if experiment.status else ""
                yield finding(
                    "impact-experiment",
                    f'The experiment "{experiment.name}"{status} uses the {kind.label} "{live_name}".',
                    fix=CODES["impact-experiment"].remedy,
                    unique_id=report.unique_id if report else "",
                    kind=kind.value,
                    source=name,
                    location=report.location if report else None,
                )
