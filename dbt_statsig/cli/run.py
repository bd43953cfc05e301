"""`dbt-statsig run -- dbt build …`: any dbt command, and then a sync of what it built."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from dbt_statsig.cli.app import emit_failure
from dbt_statsig.cli.ending import SIGNALS
from dbt_statsig.cli.options import console_options, find_project
from dbt_statsig.cli.output import emit
from dbt_statsig.cli.progress import progress_on
from dbt_statsig.console.key import redacted
from dbt_statsig.errors import ArtifactError, DbtStatsigError, UsageError
from dbt_statsig.project.artifacts import load_manifest, load_run_results
from dbt_statsig.project.dbt_command import dbt_of
from dbt_statsig.project.namespace import needs_target
from dbt_statsig.project.settings import resolve
from dbt_statsig.vocabulary.results import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.dbt_command import DbtCommand
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.results import Synced

_SIGNALLED = 128
_NO_RESULTS = "Nothing was synced: dbt wrote no new run results to {}."
_RETRIES_EMPTY = (
    "Nothing was synced: dbt retried a command that built tables without rows (--empty), and what that command built "
    "still has none."
)
_RESULTS_FIX = "Give dbt's own --project-dir and --target-path, and run dbt without --no-write-json."


@click.command("run", context_settings={"allow_interspersed_args": False})
@console_options
@click.option(
    "--reload",
    "reloads",
    is_flag=True,
    help="After the sync, load the results of experiments that read what was built or changed.",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="-- DBT COMMAND…")
def command(*, request: Request, output: Output, reloads: bool, words: tuple[str, ...]) -> int:
    """Run a dbt command, and sync the sources whose nodes it built.

    Example: dbt-statsig run -- dbt build --target prod --select marts

    Works with every dbt. All options after the word dbt are dbt's, and its output and exit code are passed through. If
    dbt succeeds and the sync fails, the exit code is the sync's. The target comes from the macro statsig_context, run
    with the same options.
    """
    from dbt_statsig.project.inputs import BUILDING

    dbt = dbt_of(words)
    request = structs.replace(request, **_places(dbt), dbt=dbt)
    known = _target(request, dbt)
    before = _invocation(request)
    retries_empty = dbt.line.command == "retry" and _was_empty(request)
    code, interrupted = _passed_through(words)
    after = _invocation(request)
    try:
        if interrupted or not after or after == before:
            if code == 0 and not interrupted and dbt.line.command in BUILDING:
                raise ArtifactError(_NO_RESULTS.format(_run_results(request)), fix=_RESULTS_FIX)
            return _unsynced("Nothing was synced: dbt wrote no new run results.", output, code)
        if dbt.line.is_on("--empty", dbt.environ):
            raise UsageError("Nothing was synced: dbt built tables without rows (--empty).")
        if retries_empty:
            raise UsageError(_RETRIES_EMPTY, fix="Run the whole build again, without --empty.")
        request = structs.replace(request, **known, run_results=_run_results(request))
        synced = _synced(request, dbt, output, reloads=reloads)
    except DbtStatsigError as error:
        if code == 0:
            raise
        text = str(error)
        return _unsynced(text if text.startswith("Nothing was") else f"Nothing was synced. {text}", output, code)
    output.warn(synced.warnings, important=True)
    return emit(output, synced, exit_code=code or synced.exit_code)


def _unsynced(text: str, output: Output, code: int) -> int:
    """Dbt's exit code. On stderr with --quiet too: who asked for a sync must know that there was none."""
    message = redacted(text, os.environ)
    click.echo("\n".join(output.aside.wrap(message, indent=0, first="Warning: ")), err=True)
    failure = Failure(command="run", type="NothingSynced", message=message, fix="", exit_code=code, root=output.root)
    failure = structs.replace(failure, run=output.run)
    for fault in emit_failure(failure, output.form, output.reports):
        output.error(fault)
    return code


def _places(dbt: DbtCommand) -> dict[str, Any]:
    """Where this dbt command line works, as dbt finds it: its project, its target folder, and the target it names."""

    def given(option: str) -> str:
        return dbt.line.value(option, dbt.environ)

    project_dir, target_path = given("--project-dir"), given("--target-path")
    found = find_project(Path(project_dir) if project_dir else None, here=Path.cwd(), needed=False)
    return {
        "project_dir": found.absolute(),
        "target_path": Path(target_path) if target_path else None,
        "target": given("--target") or None,
    }


def _target(request: Request, dbt: DbtCommand) -> dict[str, str | None]:
    """What the macro says, where anything depends on it: asking costs a start of dbt."""
    settings = resolve(request.project_dir, request.environ, request.flags).settings
    if settings.allowed_targets is None and not needs_target(settings):
        return {}
    context = dbt.context()
    return {} if context is None else {"dbt_target": context.target, "dbt_schema": context.schema}


def _run_results(request: Request) -> Path:
    from dbt_statsig.project.inputs import RUN_RESULTS_FILE, artifacts_dir  # brings PyYAML

    return artifacts_dir(request) / RUN_RESULTS_FILE


def _invocation(request: Request) -> str:
    """The ID of the dbt command that wrote the run results; empty where there are none."""
    try:
        return load_run_results(_run_results(request)).invocation_id
    except ArtifactError:
        return ""


def _was_empty(request: Request) -> bool:
    """Whether the dbt command before this one built tables without rows: `retry` of dbt 2 forgets that."""
    from dbt_statsig.project.inputs import built_empty, manifest_path

    try:
        return built_empty(load_run_results(_run_results(request)), load_manifest(manifest_path(request)))
    except ArtifactError:
        return False


def _passed_through(words: Sequence[str]) -> tuple[int, bool]:
    """The exit code of dbt, and whether somebody ended it; its streams are ours."""
    interrupted = False
    process: subprocess.Popen[bytes] | None = None

    def note(*_: object) -> None:
        nonlocal interrupted
        interrupted = True

    def pass_on(*_: object) -> None:
        note()
        if process is not None:
            process.terminate()

    passed_on = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    handlers = {number: signal.signal(number, pass_on) for number in passed_on}
    # dbt gets Ctrl-C from the terminal itself, and needs time to cancel its queries: wait for it.
    handlers[signal.SIGINT] = signal.signal(signal.SIGINT, note)
    try:
        process = subprocess.Popen(words)  # noqa: S603 - the user's own command line
        if interrupted:
            process.terminate()
        code = process.wait()
    except OSError as error:
        raise DbtStatsigError(
            f"{words[0]} cannot be run: {error.strerror}.", fix="Check that dbt is installed and on the PATH."
        ) from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return (_SIGNALLED - code if code < 0 else code), interrupted


def _synced(request: Request, dbt: DbtCommand, output: Output, *, reloads: bool) -> Synced:
    """The sync of what was built, and a reload. What dbt left uncompiled is compiled into a folder of ours first."""
    from dbt_statsig.commands.reload import after_sync
    from dbt_statsig.commands.sync import sync
    from dbt_statsig.commands.validate import to_compile
    from dbt_statsig.project.inputs import built_by, catalog_path, manifest_path

    built, missing = request, to_compile(request)
    with tempfile.TemporaryDirectory() as folder, progress_on(output) as progress:
        if missing and dbt.compile(missing, Path(folder)):
            max_mb = resolve(request.project_dir, request.environ, request.flags).settings.max_artifact_mb
            manifest = load_manifest(manifest_path(request), max_mb=max_mb)
            results = built_by(_run_results(request), manifest, max_mb=max_mb)
            request = structs.replace(
                request,
                manifest=Path(folder) / "manifest.json",
                catalog=catalog_path(request),
                results=results,
                run_results=None,
            )
        synced = sync(request, progress=progress)
        return after_sync(built, synced, progress=progress) if reloads else synced
