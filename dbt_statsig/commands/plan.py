"""`plan`: what a sync would change. Offline half and console are read side by side, then compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.applying.console_state import begin_reading, checked_live, read_others
from dbt_statsig.applying.freshness import elapsed
from dbt_statsig.applying.server_check import check_plan
from dbt_statsig.commands.pipeline import DeclaredProject, LoadedProject, declare_project, load_project, prove_project
from dbt_statsig.commands.scope import (
    as_imported,
    desired_of,
    kinds_in,
    limits_of,
    no_push_reason,
    of_other_kinds,
    other_target_reason,
    scope_of,
    skipped,
)
from dbt_statsig.commands.validate import ValidatedProject, compared, validate_project
from dbt_statsig.commands.withholding import losses, withheld
from dbt_statsig.console.key import ApiKey
from dbt_statsig.errors import ConsoleError, SettingsError, TargetRefused
from dbt_statsig.payloads.building import BUILT_IN_UNITS
from dbt_statsig.planning.adoption import matchless, without_creations
from dbt_statsig.planning.asked import Desired, Live
from dbt_statsig.planning.elsewhere import by_node, relocated
from dbt_statsig.planning.kept import not_kept
from dbt_statsig.planning.matching import Scope, build_plan
from dbt_statsig.planning.metrics import still_read, without_waiting
from dbt_statsig.planning.owned import absent, owned
from dbt_statsig.planning.safety import doubt, excused, guarded, not_replaced_elsewhere, without_uncompared
from dbt_statsig.planning.saved_plan import binding_of
from dbt_statsig.project.declarations.reading import misspelt_mark
from dbt_statsig.project.namespace import other_prefixes, prefix_of
from dbt_statsig.project.target import check_target
from dbt_statsig.support.threads import answers
from dbt_statsig.vocabulary.findings import CODES, did_you_mean, finding, listed
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.progress import Progress, Silent
from dbt_statsig.vocabulary.results import Planned, Skipped, Validation
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbt_statsig.commands.pipeline import ProvenProject
    from dbt_statsig.console.client import ConsoleClient, Waiting
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.changes import Plan
    from dbt_statsig.vocabulary.findings import Finding

NO_KEY = "No Console API key is set."
NO_KEY_FIX = "Set STATSIG_CONSOLE_API_KEY to a Console API key of the Statsig project."

_AT_ONCE = 8
_BY_NODE = "This plan compares tables without their database and schema."
_SAME_NODE = "Compared as the same table, since an alias may depend on the target: {}."


def plan(request: Request, *, progress: Progress | None = None, manifest: Manifest | None = None) -> Planned:
    """What a sync would change. Raises as `validate`, and ConsoleError where the console cannot be read."""
    from dbt_statsig.commands.drift import with_drift  # no sync needs it

    project = declare_project(load_project(request, manifest))
    progress = progress or Silent()
    known = None if request.state is None else compared(validate_project(prove_project(project)))
    with open_console(project, progress) as client:
        made = make_plan(project, client, progress, only_shown=True, validated=known)
        planned = _with_units(project, made.planned, client)
        if request.show_sql:
            planned = _with_sql(planned, client)
        if known is not None:
            from dbt_statsig.impact.experiments import with_experiments  # what is compared with a state alone

            planned = with_experiments(planned, client, progress, strict=project.strict, prefixes=_prefixes(project))
        return with_drift(planned, client, progress, only=request.drift_only)


def _with_sql(planned: Planned, client: ConsoleClient) -> Planned:
    """The plan with Statsig's SQL of each metric that is there; one that cannot be read is a warning."""
    changes = list(planned.plan.changes)
    places = [index for index, one in enumerate(changes) if one.kind is Kind.METRIC and one.live is not None]
    warnings = []
    for place, found in answers(lambda place: client.sql_of(changes[place].live_name), places, at_once=_AT_ONCE):
        if isinstance(found, ConsoleError):
            warnings.append(f'The SQL of the metric "{changes[place].live_name}" was not read: {found.message}')
        else:
            changes[place] = structs.replace(changes[place], generated=found)
    plan = structs.replace(planned.plan, changes=tuple(changes))
    return structs.replace(planned, plan=plan, warnings=(*planned.warnings, *warnings), requests=client.requests)


def _prefixes(project: LoadedProject) -> tuple[str, ...]:
    """What the names of sources begin with: in this dbt target, then in all others."""
    own = prefix_of(project.settings, project.target.name)
    return (own, *other_prefixes(project.settings, project.target.name))


def open_console(project: LoadedProject, progress: Progress, *, lists_hidden: bool = True) -> ConsoleClient:
    """An open client; without `lists_hidden`, its lists lack what is hidden in Statsig.

    Raises SettingsError where there is no key, or one that cannot be used.
    """
    from dbt_statsig.console.client import ConsoleClient, Rates, duration  # with it comes httpx

    def waiting(pause: Waiting) -> None:
        progress.say(f"Waiting {duration(pause.seconds)}: {pause.reason}")

    settings = project.settings
    return ConsoleClient(
        _key(project.request),
        base_url=settings.base_url,
        respect_review_settings=settings.respect_review_settings,
        write_timeout=settings.write_timeout,
        read_timeout=settings.read_timeout,
        budget=settings.wait_budget,
        on_wait=waiting,
        lists_hidden=lists_hidden,
        rates=Rates(first=settings.write_rate, most=settings.write_rate_max, quota=settings.write_quota),
    )


class MadePlan(Struct, frozen=True, kw_only=True):
    """A plan, what it was made from, and when the reading of the console began (`elapsed`)."""

    planned: Planned
    desired: tuple[Desired, ...]
    read_at: float


def make_plan(
    project: DeclaredProject,
    client: ConsoleClient,
    progress: Progress,
    *,
    only_shown: bool,
    validated: ValidatedProject | None = None,
) -> MadePlan:
    """The plan against what the console holds now, which is read while the declarations are proven.

    One that is `only_shown` compares by node where this dbt target may not push. The project is proven and validated
    here, unless that was done before.
    """
    read_at = elapsed()
    lists = begin_reading(client, kinds_in(project), progress)
    no_push = no_push_reason(project)
    proven = validated or validate_project(prove_project(project))
    desired = tuple(desired_of(proven, by_node=only_shown and bool(no_push)))
    reading = checked_live(client, lists.result(), desired)
    live, warnings = reading.live, [*client.warnings, *reading.warnings]
    scope = scope_of(proven)
    ours, without_node = owned(scope, live, desired), absent(scope, live, project.manifest.holds)
    scope = _with_misspelt(project, scope, live, warnings)
    if doubtful := doubt(ours, without_node):
        warnings.append(f"{doubtful} If it is another project, give each a `namespace`.")
    conflict = _conflict(project, no_push, live, scope, warnings, only_shown=only_shown)
    if only_shown and no_push:
        desired, renamed = by_node(desired, live, project.manifest.node, scope)
        warnings += [_SAME_NODE.format(listed(renamed))] if renamed else []
    asked = _without_read(client, as_imported(project, build_plan(desired, live, scope)), live, warnings, scope)
    if only_shown:
        asked = _with_orphans(project, asked, client, scope)
    there = {item.name for held in live.values() for item in held.items}
    unmatched = matchless(scope.adopt, asked, there)
    result = guarded(
        not_replaced_elsewhere(withheld(without_creations(asked, unmatched), reading), of_other_kinds(project)),
        ours,
        limits_of(project.settings),
        declares=bool(project.declared.names or project.manifest.marked()),
        force=project.request.force,
        absent=without_node,
    )
    warnings += _nothing_to_adopt(unmatched, {*there, *(change.name for change in asked.changes)})
    validation = excused(proven.validation, result)
    known = not_kept(result.changes, project.declared.declarations, strict=project.strict)
    result, left = _without_skipped(proven, result)
    planned = Planned(
        validation=_with_findings(validation, losses(result, reading)),
        plan=result,
        requests=client.requests,
        warnings=tuple(warnings),
        skipped=left,
        notes=reading.notes,
        binding=binding_of(scope, project.target.name, project.settings, desired),
        conflict=conflict,
    )
    planned = with_found(planned, known, client)
    if project.request.server_check:
        planned = _checked(project, planned, client, progress)
    return MadePlan(planned=planned, desired=desired, read_at=read_at)


def _without_skipped(project: ProvenProject, plan: Plan) -> tuple[Plan, tuple[Skipped, ...]]:
    """The plan without what this run skips, and all that it skips, with the reasons."""
    rest, uncompared = without_uncompared(plan)
    # After a dbt command that built a part, the rest is not the user's mistake.
    names = () if project.inputs.results is None else project.declared.names
    rest, waiting = without_waiting(rest, {one.name for one in names if one.kind is Kind.METRIC_SOURCE})
    return rest, (*skipped(project), *uncompared, *waiting, *_disabled(rest))


def _nothing_to_adopt(unmatched: Iterable[str], names: set[str]) -> Iterator[str]:
    """A warning for each name given with --adopt that is neither declared nor in the console."""
    for word in unmatched:
        near = did_you_mean(word, names)
        yield f'--adopt "{word}": no declared source and no object has this name. {near}'.rstrip()


def _without_read(
    client: ConsoleClient, plan: Plan, live: Mapping[Kind, Live], warnings: list[str], scope: Scope
) -> Plan:
    """The plan without deletions of what metrics read; where they are not read yet, only if a source is to go."""
    if Kind.METRIC in live:
        return still_read(plan, live[Kind.METRIC], force=scope.force)
    gone = (change for change in plan.changes if change.kind is Kind.METRIC_SOURCE)
    if not any(change.action.retires for change in gone):
        return plan
    try:
        found = client.list_until(Kind.METRIC, lambda one: one.complete)
        return still_read(plan, Live(items=found.items, complete=found.complete), force=scope.force)
    except ConsoleError as error:
        warnings.append(f"It is not known whether metrics read the metric sources to delete: {error}")
        return plan


def _with_orphans(project: DeclaredProject, plan: Plan, client: ConsoleClient, scope: Scope) -> Plan:
    """The plan of a whole project with its objects of kinds that nothing declares; they are only named."""
    if project.selected_ids is not None or project.request.kinds:
        return plan
    read = kinds_in(project)
    others = read_others(client, [kind for kind in BLOCK_KINDS if kind not in read])
    return structs.replace(plan, changes=(*plan.changes, *build_plan((), others, scope).changes))


def _with_misspelt(project: LoadedProject, scope: Scope, live: Mapping[Kind, Live], warnings: list[str]) -> Scope:
    """The scope in which the objects of nodes whose `statsig` key is misspelt are protected; each node is warned of."""
    node = project.manifest.node
    suspects = sorted(absent(scope, live, lambda unique_id: not misspelt_mark(node(unique_id))))
    for unique_id in suspects:
        key = misspelt_mark(node(unique_id))
        warnings.append(f'{unique_id} has the meta key "{key}". Did you mean "statsig"? Its objects do not change.')
    nodes = {(kind, unique_id) for kind in live for unique_id in suspects}
    return structs.replace(scope, protected=scope.protected | nodes)


def _disabled(plan: Plan) -> Iterator[Skipped]:
    """The objects that stay because their declarations are disabled in this dbt target."""
    for change in plan.disabled:
        yield Skipped(kind=change.kind, name=change.name, unique_id=change.unique_id, reason=change.reason)


def _conflict(
    project: DeclaredProject,
    no_push: str,
    live: Mapping[Kind, Live],
    scope: Scope,
    warnings: list[str],
    *,
    only_shown: bool,
) -> str:
    """Why the manifest seems to be of another target; what a sync would refuse for goes to the warnings."""
    if no_push:
        warnings.append(f"A sync would be refused. {_reason(no_push)} {_BY_NODE}" if only_shown else no_push)
        return ""
    try:
        check_target(project.target, project.settings)
    except TargetRefused as refusal:
        warnings.append(f"A sync would be refused. {_reason(str(refusal))}")
        return ""
    why = other_target_reason(project) or relocated(live, project.manifest.node, scope)
    if why and not project.request.force:
        warnings.append(f"A sync would be refused without --force: {why}")
    return why


def _reason(refusal: str) -> str:
    """A refusal without the words that it begins with, in which a plan cannot speak."""
    text = refusal.removeprefix("Nothing was pushed: ")
    return f"{text[:1].upper()}{text[1:]}"


def _checked(project: LoadedProject, planned: Planned, client: ConsoleClient, progress: Progress) -> Planned:
    progress.say("Asking Statsig to check the changes")
    checked = check_plan(client, planned.plan, concurrency=project.settings.concurrency)
    planned = with_found(planned, checked.findings, client)
    return structs.replace(planned, plan=checked.plan, notes=(*planned.notes, *checked.notes))


def _with_units(project: DeclaredProject, planned: Planned, client: ConsoleClient) -> Planned:
    """The plan with a warning for each custom unit ID that Statsig does not list, where its list can be read."""
    used = [
        (one, unit)
        for one in project.declared.declarations
        if project.selected_ids is None or one.node.unique_id in project.selected_ids
        for unit in getattr(one.meta, "id_type_mapping", ()) or ()
        if unit not in BUILT_IN_UNITS.values()
    ]
    try:
        known = client.unit_ids() if used else ()
    except ConsoleError:
        known = ()
    found = [
        finding(
            "unit-id-unlisted",
            f'Statsig lists no unit ID "{unit}".',
            fix=did_you_mean(unit, known) or CODES["unit-id-unlisted"].remedy,
            unique_id=one.node.unique_id,
            kind=one.kind.value,
            source=one.name,
            key=f"{one.key}.id_type_mapping.{unit}",
            location=one.locate("id_type_mapping", unit),
        )
        for one, unit in used
        if known and unit not in known
    ]
    return with_found(planned, found, client)


def with_found(planned: Planned, found: Iterable[Finding], client: ConsoleClient) -> Planned:
    """The plan with more findings, and all requests so far."""
    return structs.replace(planned, validation=_with_findings(planned.validation, found), requests=client.requests)


def _with_findings(validation: Validation, found: Iterable[Finding]) -> Validation:
    """The validation with more findings, those without a place at that of their source."""
    places = {(report.kind.value, report.name): report.location for report in validation.sources}
    placed = (structs.replace(one, location=one.location or places.get((one.kind, one.source))) for one in found)
    findings = sorted((*validation.findings, *placed), key=lambda one: one.sort_key)
    return structs.replace(validation, findings=tuple(findings))


def _key(request: Request) -> ApiKey:
    key = ApiKey.from_environment(request.environ)
    if key is None:
        raise SettingsError(NO_KEY, fix=NO_KEY_FIX)
    return key
