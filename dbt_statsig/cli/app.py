"""The one place where errors become messages and exit codes."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from dbt_statsig.cli.ending import lenient_streams, signals_as_interrupts
from dbt_statsig.cli.group import COMMANDS, group
from dbt_statsig.cli.options import OTHER_FILES, find_project
from dbt_statsig.cli.report_files import add_step_summary, misplaced, report_file, root_in_repository, write_reports
from dbt_statsig.cli.run_facts import SHOW_RUN, run_of
from dbt_statsig.cli.terminal import style_for, write_out
from dbt_statsig.console.key import redacted
from dbt_statsig.errors import AnswerLost, DbtStatsigError, UsageError
from dbt_statsig.project.dbt_command import place_of_dbt
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.formats import FORMATS, format_named
from dbt_statsig.report.text.style import error_text
from dbt_statsig.vocabulary.results import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.cli.report_files import ReportFile

EXIT_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command line. Nothing is raised; what went wrong is written to stderr."""
    # A run makes many objects that live as long as it does: looking for garbage after every 700 finds none.
    gc.set_threshold(50_000, 20, 100)
    # Python's last search for garbage before a process ends takes a tenth of the time of a large one.
    atexit.register(gc.freeze)
    with lenient_streams():
        return _ended(arguments)


def _ended(arguments: Sequence[str]) -> int:
    try:
        with signals_as_interrupts():
            _check_folder()
            words = tuple(own_part(arguments))
            result = group.main(spread_lists(arguments), prog_name="dbt-statsig", standalone_mode=False, obj=words)
    except click.UsageError as error:
        error.show()
        return _reported(UsageError(error.format_message()), arguments, aside="")
    except click.ClickException as error:
        return _reported(UsageError(error.format_message()), arguments)
    except DbtStatsigError as error:
        return _reported(error, arguments)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user unasked
        return _unexpected_error(error, arguments)
    return result if isinstance(result, int) else 0


def _check_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError:
        os.chdir(os.sep)  # reports, the failure's own too, ask where they are
        raise UsageError("The working folder no longer exists.", fix="Change to a folder that exists.") from None


def _reported(error: DbtStatsigError, arguments: Sequence[str], *, aside: str | None = None) -> int:
    """Say what is wrong and what to do about it, on stderr and in every form that was asked for."""
    message, fix = redacted(error.message, os.environ), redacted(error.fix, os.environ)
    style = style_for(sys.stderr, environ=os.environ, no_color="--no-color" in own_part(arguments))
    if aside is None:
        aside = error_text(message, fix, style)
    click.echo(aside, err=True, nl=False, color=style.colour)
    failure = Failure(
        command=_command(arguments),
        type=type(error).__name__,
        message=message,
        fix=fix,
        exit_code=error.exit_code,
    )
    try:
        answer_failure(error, failure, arguments)
    except Exception as fault:  # noqa: BLE001 - the message is out: nothing may take its place
        what = redacted(one_line(f"{type(fault).__name__}: {fault}"), os.environ)
        click.echo(f"Error: the reports could not be written: {what}.", err=True)
    return error.exit_code


def _unexpected_error(error: Exception, arguments: Sequence[str]) -> int:
    what = one_line(f"{type(error).__name__}: {error}")
    if os.environ.get("DBT_STATSIG_TRACEBACK"):
        import traceback  # takes longer to import than all that a good run does here

        click.echo(redacted("".join(traceback.format_exception(error)), os.environ), err=True, nl=False)
    fix = "Please report it; DBT_STATSIG_TRACEBACK=1 shows the traceback."
    return _reported(DbtStatsigError(f"internal error: {what}.", fix=fix), arguments)


_LISTS = frozenset({"--select", "-s", "--exclude", "--kind", "--adopt"})


def spread_lists(arguments: Sequence[str]) -> list[str]:
    """`--select a b` as `--select a --select b`, as dbt's own users write it; what follows `--` is unchanged."""
    own = own_part(arguments)
    if own[:1] in (["release"], ["init"]):
        return list(arguments)  # what follows an option is a name
    rest = list(arguments[len(own) :])
    if own[:1] == ["run"] and rest[:1] != ["--"]:
        return [*own, *rest]  # no option of a program before dbt is ours
    result: list[str] = []
    current = ""
    awaiting = False
    for argument in own:
        if argument.startswith("-"):
            current = argument if argument in _LISTS else ""
            awaiting = bool(current)
        elif current and not awaiting:
            result.append(current)
        else:
            awaiting = False
        result.append(argument)
    return [*result, *rest]


def own_part(arguments: Sequence[str]) -> list[str]:
    """What comes before `--`; for `run` without one, before the word dbt: all that follows is dbt's."""
    own = list(arguments)
    if "--" in own:
        return own[: own.index("--")]
    return own[: place_of_dbt(own)] if own[:1] == ["run"] else own


def given(arguments: Sequence[str]) -> dict[str, Any]:
    """The options by their parameters' names, as click splits them, even where the rest makes no sense.

    Eager options would not do: click calls none of them where an option is unknown.
    """
    name = _command(arguments)
    command = group.get_command(click.Context(group), name if name in REPORTING else "plan") or group
    lenient = click.Context(command, resilient_parsing=True, ignore_unknown_options=True, **group.context_settings)
    values: dict[str, Any] = command.make_parser(lenient).parse_args(own_part(arguments))[0]
    return values


def _command(arguments: Sequence[str]) -> str:
    return next((argument for argument in arguments if argument in COMMANDS), "")


REPORTING = frozenset({"validate", "plan", "sync", "release", "run"})
_ELSEWHERE = ("json", "github")


def answer_failure(error: DbtStatsigError, failure: Failure, arguments: Sequence[str]) -> None:
    """Give the failure in the form on stdout and in the files that the arguments name.

    What prevents a report is written to stderr, unless it is the failure itself. A run that came to its end
    has written its reports: those stand.
    """
    values = given(arguments)
    form = values.get("output", "text")
    if failure.command not in REPORTING:
        emit_failure(failure, form if form in _ELSEWHERE else "text", [])
        return
    reports = [] if isinstance(error, AnswerLost) else _reports(values.get("reports", ()))
    form = form if form in FORMATS else "text"
    if form == "text" and not reports:
        return
    named = values.get("project_dir") or os.environ.get("DBT_PROJECT_DIR")
    folder = Path.cwd() if failure.command == "run" else Path(named) if named else None
    project_dir = find_project(folder, here=Path.cwd(), needed=False)
    failure = structs.replace(failure, root=root_in_repository(project_dir, os.environ))
    if {form, *(report.form for report in reports)} & SHOW_RUN:
        failure = structs.replace(failure, run=run_of(project_dir, os.environ, own_part(arguments)))
    refused = misplaced(reports, [Path(values[name]) for name in OTHER_FILES if values.get(name)])
    faults: list[DbtStatsigError] = [fault for fault in refused.values() if fault.message not in error.message]
    placed = [report for number, report in enumerate(reports) if number not in refused]
    faults += emit_failure(failure, form, placed)
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)


def emit_failure(failure: Failure, form: str, reports: Sequence[ReportFile]) -> list[DbtStatsigError]:
    """Write the failure to stdout (but for text, which stderr has) and into the files; what could not be written."""
    if form != "text":
        with contextlib.suppress(DbtStatsigError):
            write_out(format_named(form).render_failure(failure).encode("utf-8", "backslashreplace"))
    faults = write_reports({report.path: format_named(report.form).render_failure(failure) for report in reports})
    if "github" in {form, *(report.form for report in reports)}:
        try:
            add_step_summary(format_named("markdown").render_failure(failure), os.environ)
        except DbtStatsigError as fault:
            faults.append(fault)
    return faults


def _reports(values: Iterable[str]) -> list[ReportFile]:
    """The reports that are asked for; what is none is left to the one who refuses it."""
    found = []
    for value in values:
        with contextlib.suppress(click.BadParameter):
            found.append(report_file(value))
    return found
