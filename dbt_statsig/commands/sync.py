"""`sync`: plan, then apply that plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.commands.pipeline import DeclaredProject, declare_project, load_project
from dbt_statsig.commands.plan import make_plan, open_console, with_found
from dbt_statsig.errors import TargetRefused
from dbt_statsig.planning.kept import NOT_KEPT, not_kept, written
from dbt_statsig.planning.saved_plan import load, reconcile, request_from
from dbt_statsig.project.target import check_target
from dbt_statsig.vocabulary.progress import Progress, Silent
from dbt_statsig.vocabulary.results import Outcome, Planned, Synced

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.request import Request
    from dbt_statsig.support.threads import StopSignal

_MEANT = (
    "Run `dbt compile --target …` for this target. If the tables are in a new place, check `dbt-statsig plan`, then "
    "run `dbt-statsig sync --force` once."
)


def sync(
    request: Request,
    *,
    progress: Progress | None = None,
    manifest: Manifest | None = None,
    stop_signal: StopSignal | None = None,
    confirm: Callable[[Planned], bool] | None = None,
) -> Synced:
    """Plan and apply the plan (nothing is written with `dry_run`, or where `confirm` says no).

    With a saved plan, only what is in both plans for an unchanged object is written; UsageError where the file is
    damaged, or was made for something else. With both, the plan handed back has of all writes those alone.

    Raises as `plan` before anything is written, and TargetRefused where this dbt target may not push, or where the
    manifest seems to be of another one (unless `force`); what happens
    to a single object after that is in the outcome. After the stop signal no further write begins.
    """
    from dbt_statsig.applying.apply import apply_plan  # with it comes httpx

    progress = progress or Silent()
    saved = None if request.saved_plan is None else load(request.saved_plan)
    project = declare_project(load_project(request if saved is None else request_from(request, saved), manifest))
    if not request.dry_run:
        check_target(project.target, project.settings)
    with open_console(project, progress) as client:
        if stop_signal is not None:
            stop_signal.on_stop(client.stop)
        made = make_plan(project, client, progress, only_shown=request.dry_run and saved is None)
        planned = made.planned
        now = None if saved is None else reconcile(saved, planned)
        if request.dry_run:
            return Synced(planned=planned, outcome=Outcome(objects=())) if now is None else now.preview(planned)
        if planned.conflict and not project.request.force:
            raise TargetRefused(f"Nothing was pushed: {planned.conflict}", fix=_MEANT)
        if confirm is not None and not confirm(planned):
            return Synced(planned=planned, outcome=Outcome(objects=(), stopped="Not confirmed: nothing was written."))
        ready = planned.plan if now is None else now.plan
        total = sum(change.action.writes for change in ready.changes)
        progress.done(0, total)
        outcome = apply_plan(
            client,
            ready,
            made.desired,
            read_at=made.read_at,
            concurrency=project.settings.concurrency,
            on_done=lambda count: progress.done(count, total),
        )
        return _with_kept(project, planned, outcome if now is None else now.with_outcome(outcome), client)


def _with_kept(project: DeclaredProject, planned: Planned, outcome: Outcome, client: ConsoleClient) -> Synced:
    """The sync with a warning for each field that Statsig keeps otherwise than it was sent."""
    changes = written(outcome)
    known = not_kept(changes, project.declared.declarations, strict=project.strict)
    about = {(NOT_KEPT, change.kind.value, change.name) for change in changes}
    findings = tuple(one for one in planned.validation.findings if (one.code, one.kind, one.source) not in about)
    shown = structs.replace(planned, validation=structs.replace(planned.validation, findings=findings))
    return Synced(planned=structs.replace(with_found(shown, known, client), requests=planned.requests), outcome=outcome)
