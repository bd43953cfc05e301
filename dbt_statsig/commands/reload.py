"""`reload`: after a dbt command, the results of the experiments that read what it built."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.applying.console_state import begin_reading
from dbt_statsig.commands.pipeline import DeclaredProject, declare_project, load_project
from dbt_statsig.commands.plan import open_console
from dbt_statsig.commands.reload_basis import changed, news, owned_sources, unwritten
from dbt_statsig.commands.scope import other_target_reason
from dbt_statsig.errors import ArtifactError, DbtStatsigError, Refused, TargetRefused, UsageError
from dbt_statsig.planning.asked import Live, Scope
from dbt_statsig.planning.elsewhere import relocated
from dbt_statsig.planning.reloading import Basis, decide, refused, satisfied, with_next_step
from dbt_statsig.planning.saved_plan import load, request_from
from dbt_statsig.project.artifacts import RunResults
from dbt_statsig.project.inputs import RUN_RESULTS_FILE, TESTING, artifacts_dir, results_of
from dbt_statsig.project.target import check_target
from dbt_statsig.support.threads import in_background
from dbt_statsig.vocabulary.findings import did_you_mean, listed
from dbt_statsig.vocabulary.kinds import EXPERIMENT_SOURCES, SPECS
from dbt_statsig.vocabulary.ownership import owner_name
from dbt_statsig.vocabulary.progress import Progress, Silent
from dbt_statsig.vocabulary.reloads import ExperimentReload, FailingSource, Refresh, Reloaded, ReloadState
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.uses import Uses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.request import Request
    from dbt_statsig.support.threads import StopSignal
    from dbt_statsig.vocabulary.reloads import Load
    from dbt_statsig.vocabulary.results import Synced

AUTO = "auto"
REFRESHES = (AUTO, *(one.value for one in Refresh))
TIMEOUT = 3600.0
_BUILD = "Run it right after `dbt build` or `dbt run`."
_RETRIED = (
    "`dbt retry` built only what failed before. What the dbt command before it built is not in its results: run "
    "`dbt-statsig reload` after that command too. Now, load the experiments that read it in Statsig."
)
_UNSYNCED = "Statsig has no source of `{}`, so no experiment can read what dbt built. Run `dbt-statsig sync` first."
_UNCLEAR = (
    "It is not known whether these running experiments need a load, because Statsig does not list sources that they "
    "read: {}."
)
_TEST = "{} was written by `dbt test`, which builds no tables."
_ONLY_CHANGES = "It is not known whether rows are new, so only what this sync changed is loaded. {}"
_LOST = (
    "No later reload knows what this sync changed: {}. Run `dbt-statsig reload --refresh full`, or load the "
    "experiments that read it in Statsig."
)
_OTHER = (
    "Run dbt for this target again. If the tables are in a new place, check `dbt-statsig plan`, then run "
    "`dbt-statsig reload --force` once."
)


class Options(Struct, frozen=True, kw_only=True):
    """How to load: `refresh` None chooses for each experiment; `wait` follows loads for at most `timeout` seconds."""

    refresh: Refresh | None = None
    turbo: bool = False
    wait: bool = False
    timeout: float = TIMEOUT

    @classmethod
    def of(cls, refresh: str, *, turbo: bool, wait: bool, timeout: float) -> Options:
        """The same with the refresh as a word. Raises UsageError for one that is not known."""
        if refresh not in REFRESHES:
            fix = did_you_mean(refresh, REFRESHES) or f"Choose one of: {', '.join(REFRESHES)}."
            raise UsageError(f'`refresh`: "{refresh}" is not known.', fix=fix)
        return cls(refresh=None if refresh == AUTO else Refresh(refresh), turbo=turbo, wait=wait, timeout=timeout)


def reload(
    request: Request,
    options: Options | None = None,
    *,
    results: RunResults | None = None,
    manifest: Manifest | None = None,
    synced: Synced | None = None,
    progress: Progress | None = None,
    stop_signal: StopSignal | None = None,
) -> Reloaded:
    """Load the results of running experiments that read what the dbt command before built (nothing with `dry_run`).

    That command is the one of `results`, else of the run results that the request names, else of those beside the
    manifest. `synced` is what a sync has just written: what it changed is loaded even where the latter say nothing of a
    build. Raises as `sync` before anything is started; after that, entries say what happened. After the stop signal
    nothing more is started.
    """
    options, progress = options or Options(), progress or Silent()
    unfollowed, fault = "", ""
    try:
        followed, project = _loaded(request, results, manifest)
    except (UsageError, ArtifactError) as error:
        if synced is None or request.run_results is not None:
            raise
        followed, project = RunResults(), declare_project(load_project(request, manifest))
        unfollowed = _ONLY_CHANGES.format(error.message)
        built_none = isinstance(error, UsageError) or not (artifacts_dir(request) / RUN_RESULTS_FILE).exists()
        fault = "" if built_none else unfollowed
    if not request.dry_run:
        _check_target(project)
    with open_console(project, progress) as client:
        if stop_signal is not None:
            stop_signal.on_stop(client.stop)
        lists = begin_reading(client, EXPERIMENT_SOURCES, progress).result()
        live = {kind: Live(items=listing.items, complete=listing.complete) for kind, listing in lists.items()}
        conflict = _conflict(project, live)
        if conflict and not request.dry_run:
            raise TargetRefused(f"Nothing was loaded: {conflict}", fix=_OTHER)
        warnings = [f"A reload would be refused without --force: {conflict}"] if conflict else []
        warnings += [
            f"The list of {kind.label}s may be incomplete: {one.doubt}" for kind, one in lists.items() if one.doubt
        ]
        warnings += [f'The selection "{word}" matches no node.' for word in project.unmatched]
        warnings += [unfollowed] if unfollowed and not fault else []
        warnings += [_RETRIED] if followed.is_retry else []
        owned = owned_sources(project, live, synced)
        if project.declared.names and not owned:
            warnings.append(_UNSYNCED.format(owner_name(project.inputs.project, project.namespace)))
        basis = Basis(
            sources=news(project, followed, owned) | dict(() if synced is None else unwritten(synced)),
            changed=changed(synced, dry_run=request.dry_run),
            places={unique_id: index for index, unique_id in enumerate(followed.results)},
            refresh=options.refresh,
        )
        entries = _decided(client, basis, live, progress, warnings)
        run = _Followed(project=project, options=options, results=followed, basis=basis, owned=owned)
        reloaded = _run(structs.replace(run, warnings=tuple(warnings)), entries, client, progress)
    return structs.replace(reloaded, stopped=reloaded.stopped or fault)


def after_sync(
    request: Request,
    synced: Synced,
    *,
    results: RunResults | None = None,
    manifest: Manifest | None = None,
    progress: Progress | None = None,
    stop_signal: StopSignal | None = None,
) -> Synced:
    """The sync with a reload after it, which does not wait for the loads. Raises nothing: the sync's answer counts.

    After a sync that did not come to its end nothing is loaded: what Statsig has now is not known.
    """
    if request.saved_plan is not None:
        request = request_from(request, load(request.saved_plan))
    if synced.outcome.stopped:
        return structs.replace(synced, reloaded=_not_run(synced, "The sync did not come to its end."))
    try:
        reloaded = reload(
            request,
            results=results,
            manifest=manifest,
            synced=synced,
            progress=progress,
            stop_signal=stop_signal,
        )
    except DbtStatsigError as error:
        reloaded = _not_run(synced, str(error))
    return structs.replace(synced, reloaded=reloaded)


def _not_run(synced: Synced, why: str) -> Reloaded:
    project = synced.planned.validation.project
    reasons = changed(synced, dry_run=False).reasons
    lost = f" {_LOST.format(listed(reasons))}" if reasons else ""
    return Reloaded(project=project, experiments=(), requests=0, stopped=f"Nothing was reloaded. {why}{lost}")


class _Followed(Struct, frozen=True, kw_only=True):
    """A dbt command that a reload follows, and what was found of it; `owned` are this project's sources' nodes."""

    project: DeclaredProject
    options: Options
    results: RunResults
    basis: Basis
    owned: Mapping[tuple[Kind, str], str]
    warnings: tuple[str, ...] = ()


def _run(run: _Followed, entries: Sequence[ExperimentReload], client: ConsoleClient, progress: Progress) -> Reloaded:
    """What becomes of the entries: those that need it are loaded, unless they are too many."""
    from dbt_statsig.applying.loading import Loading, read_histories  # with it comes httpx

    request, settings, options = run.project.request, run.project.settings, run.options
    planned = [one.id for one in entries if one.state is ReloadState.PLANNED]
    if planned:
        progress.say("Reading the loads of experiments")
    histories = read_histories(client, planned, at_once=settings.concurrency)
    checked = tuple(_checked(run, entry, histories.get(entry.id, ())) for entry in entries)
    why = refused(checked, settings.reload_most, run.basis.changed, force=request.force)
    loading = Loading(
        client,
        check=partial(_checked, run),
        turbo=options.turbo,
        timeout=options.timeout if options.wait else None,
        progress=progress,
        failing=partial(_failing, run),
    )
    ended = checked if why or request.dry_run else loading.run(checked)
    return Reloaded(
        project=run.project.inputs.project,
        experiments=tuple(with_next_step(one, run.basis.changed) for one in ended),
        requests=client.requests,
        dry_run=request.dry_run,
        waited=options.wait,
        turbo=options.turbo,
        refused=why,
        stopped=loading.stopped,
        warnings=(*client.warnings, *run.warnings),
    )


def _checked(run: _Followed, entry: ExperimentReload, loads: tuple[Load, ...] | Refused) -> ExperimentReload:
    """The entry, with regard to the loads that there are; one whose loads cannot be read is not loaded."""
    if isinstance(loads, tuple):
        now, since = datetime.now(timezone.utc), _since(run, entry)
        return satisfied(entry, loads, since, now=now, turbo=run.options.turbo, auto=run.options.refresh is None)
    return structs.replace(entry, state=ReloadState.REFUSED, message=loads.message, fix=loads.fix)


def _loaded(
    request: Request, results: RunResults | None, manifest: Manifest | None
) -> tuple[RunResults, DeclaredProject]:
    """The dbt command that is followed, and the project. Raises UsageError for a command that builds no tables."""
    if results is not None:
        request = structs.replace(request, results=results.results, run_results=None)
    path = request.run_results or artifacts_dir(request) / RUN_RESULTS_FILE
    if results is None:
        request = structs.replace(request, run_results=path)
    try:
        project = declare_project(load_project(request, manifest))
    except UsageError as error:
        if path.name in error.message and results is None:
            raise UsageError(error.message, fix=_BUILD) from None
        raise
    followed = results or results_of(path, project.manifest, max_mb=project.settings.max_artifact_mb)
    if followed.which == TESTING:
        raise UsageError(_TEST.format(path), fix=_BUILD)
    return followed, project


def _check_target(project: DeclaredProject) -> None:
    try:
        check_target(project.target, project.settings)
    except TargetRefused as error:
        message = error.message.replace("Nothing was pushed", "Nothing was loaded")
        raise type(error)(message, fix=error.fix) from None


def _conflict(project: DeclaredProject, live: Mapping[Kind, Live]) -> str:
    """Why the manifest seems to be of another dbt target than what Statsig reads; empty with --force."""
    if project.request.force:
        return ""
    scope = Scope(project=project.inputs.project, namespace=project.namespace)
    return other_target_reason(project) or relocated(live, project.manifest.node, scope)


def _decided(
    client: ConsoleClient,
    basis: Basis,
    live: Mapping[Kind, Live],
    progress: Progress,
    warnings: list[str],
) -> list[ExperimentReload]:
    """What is to be done; experiments are read only where something is new, metrics only where they matter."""
    touched = {kind for kind, _ in (*basis.sources, *basis.changed.history, *basis.changed.definitions)}
    if not touched:
        return []
    progress.say("Reading experiments")
    needs_metrics = any(kind is Kind.METRIC or SPECS[kind].feeds_metrics for kind in touched)
    reading = in_background(client.metrics) if needs_metrics else None
    experiments, doubt = client.experiments()
    if doubt:
        warnings.append(f"The list of experiments may be incomplete: {doubt}")
    metrics, doubt = ((), "") if reading is None else reading.result()
    if doubt:
        warnings.append(f"The list of metrics may be incomplete: {doubt}")
    uses = Uses(experiments, metrics)
    entries = decide(uses, basis)
    decided = {one.id for one in entries}
    warnings += _nameless(uses, decided, live, basis)
    return entries


def _nameless(uses: Uses, decided: set[str], live: Mapping[Kind, Live], basis: Basis) -> Iterator[str]:
    """Warnings about running experiments that read a source which Statsig does not list, nor this sync creates."""
    names: dict[Kind, set[str]] = {kind: {item.name for item in held.items} for kind, held in live.items()}
    unclear: list[str] = []
    for experiment in uses.experiments:
        reads = ((use.read.kind, use.read.name) for use in uses.by(experiment) if experiment.is_running)
        lacking = [
            f'the {kind.label} "{name}"'
            for kind, name in dict.fromkeys(reads)
            if kind in names and live[kind].complete and name not in names[kind] and (kind, name) not in basis.sources
        ]
        if experiment.id in decided:
            yield from (f'Experiment "{experiment.name}" reads {one}, which Statsig does not list.' for one in lacking)
        elif lacking:
            unclear.append(f'"{experiment.name}" ({", ".join(lacking)})')
    if unclear:
        yield _UNCLEAR.format(listed(unclear))


def _since(run: _Followed, entry: ExperimentReload) -> datetime | None:
    """When dbt was done with what the entry reads; None where a sync has only just changed something for it."""
    if run.basis.changed.is_reason_for(entry):
        return None
    times = [run.results.completed.get(node, run.results.generated_at) for node in entry.nodes]
    return max((time for time in times if time is not None), default=None)


def _failing(run: _Followed, metric_source: str) -> FailingSource:
    unique_id = run.owned.get((Kind.METRIC_SOURCE, metric_source), "")
    node = run.project.manifest.node(unique_id) if unique_id else None
    return FailingSource(metric_source=metric_source, unique_id=unique_id, path=node.path if node else "")
