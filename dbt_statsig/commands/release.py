"""`release`: objects given back to the console, by a plan that is applied as that of a sync is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.applying.console_state import begin_reading, checked_live
from dbt_statsig.applying.freshness import elapsed
from dbt_statsig.commands.pipeline import DeclaredProject, declare_project, load_project
from dbt_statsig.commands.plan import open_console
from dbt_statsig.commands.withholding import losses, withheld
from dbt_statsig.errors import UsageError
from dbt_statsig.planning.adoption import releasable, release_plan
from dbt_statsig.planning.asked import Scope
from dbt_statsig.project.target import check_target
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.progress import Progress, Silent
from dbt_statsig.vocabulary.results import Outcome, Planned, Synced, Validation
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dbt_statsig.planning.asked import Live
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.changes import Plan


def release(
    request: Request,
    names: Iterable[str],
    *,
    progress: Progress | None = None,
    confirm: Callable[[Planned], bool] | None = None,
) -> Synced:
    """Take the ownership line off the objects of these names (nothing is written with `dry_run`, or unconfirmed).

    One that this project made read-only in the console can be edited there again. Raises as `sync`, and UsageError for
    a name that no object of this project has, or several have.
    """
    from dbt_statsig.applying.apply import apply_plan  # with it comes httpx

    progress = progress or Silent()
    wanted = frozenset(names)
    project = declare_project(load_project(request))
    if not request.dry_run:
        check_target(project.target, project.settings)
    with open_console(project, progress) as client:
        read_at = elapsed()
        kinds = [kind for kind in Kind if kind in (request.kinds or _usual_kinds(project))]
        reading = checked_live(client, begin_reading(client, kinds, progress).result(), ())
        scope = Scope(project=project.inputs.project, namespace=project.namespace)
        _check_names(wanted, reading.live, scope)
        plan = withheld(release_plan(reading.live, wanted, scope, locked=frozenset(_locked(project, wanted))), reading)
        planned = _planned(project, plan, (*client.warnings, *reading.warnings, *_declared(project, plan)))
        findings = tuple(losses(plan, reading))
        planned = structs.replace(
            planned,
            requests=client.requests,
            notes=reading.notes,
            validation=structs.replace(planned.validation, findings=findings),
        )
        if request.dry_run:
            return Synced(planned=planned, outcome=Outcome(objects=()))
        if confirm is not None and planned.pending and not confirm(planned):
            return Synced(planned=planned, outcome=Outcome(objects=(), stopped="Not confirmed: nothing was written."))
        outcome = apply_plan(client, plan, read_at=read_at, concurrency=project.settings.concurrency)
        return Synced(planned=planned, outcome=outcome)


def _usual_kinds(project: DeclaredProject) -> set[Kind]:
    """All kinds; metrics, of which there may be very many, only where some are declared."""
    declares = any(one.kind is Kind.METRIC for one in project.declared.names)
    return {kind for kind in Kind if declares or kind is not Kind.METRIC}


def _check_names(names: frozenset[str], live: Mapping[Kind, Live], scope: Scope) -> None:
    own = list(releasable(live, scope))
    there = {item.name for held in live.values() for item in held.items}
    for name in sorted(names):
        kinds = [kind for kind, held in own if held == name]
        if len(kinds) > 1:
            listed = " and ".join(kind.label for kind in kinds)
            raise UsageError(
                f'"{name}" is a {listed} of this project.', fix=f"Choose with --kind, such as --kind {kinds[0].value}."
            )
        if name not in there:
            fix = did_you_mean(name, {held for _, held in own}) or "Give its name as it is in Statsig."
            raise UsageError(f'Statsig has no object "{name}".', fix=fix)


def _locked(project: DeclaredProject, names: frozenset[str]) -> Iterator[tuple[Kind, str]]:
    """The objects that this project makes read-only, by settings or by their own blocks."""
    if project.settings.read_only or project.settings.defaults.get("is_read_only") is True:
        yield from ((kind, name) for kind in Kind for name in names)
    for one in project.declared.declarations:
        if one.meta.is_read_only is True:
            yield one.kind, one.name


def _declared(project: DeclaredProject, plan: Plan) -> Iterator[str]:
    """A warning for each object that a block still declares."""
    released = {(change.kind, change.name) for change in plan.changes if change.action.writes}
    for one in project.declared.declarations:
        if (one.kind, one.name) in released:
            yield (
                f'{one.kind.label} "{one.name}" is still declared ({one.location or one.node.unique_id}). Remove its '
                "block, or the next plan reports it as not managed by this project."
            )


def _planned(project: DeclaredProject, plan: Plan, warnings: Iterable[str]) -> Planned:
    validation = Validation(
        project=project.inputs.project,
        adapter=project.manifest.adapter_type,
        dbt_version=project.manifest.dbt_version,
        manifest_path=str(project.inputs.manifest_path),
        sources=(),
        findings=(),
        namespace=project.namespace,
        manifest_at=project.manifest.generated_at,
    )
    return Planned(validation=validation, plan=plan, requests=0, warnings=tuple(warnings))
