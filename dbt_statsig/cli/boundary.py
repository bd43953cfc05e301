"""The one place where errors become messages and exit codes."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.arguments import own_part, spread_lists
from dbt_statsig.cli.ending import lenient_streams, signals_as_interrupts
from dbt_statsig.cli.group import COMMANDS, group
from dbt_statsig.cli.redaction import redacted
from dbt_statsig.cli.terminal import style_for
from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.report.escape import no_commands, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt_statsig.report.style import Style

EXIT_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """The exit code of one command line. Nothing is raised; what went wrong is said on stderr."""
    # A run makes many objects that live as long as it does: looking for garbage after every 700 finds none.
    gc.set_threshold(50_000, 20, 100)
    with lenient_streams():
        return _ended(arguments)


def _ended(arguments: Sequence[str]) -> int:
    try:
        with signals_as_interrupts():
            _check_folder()
            result = group.main(spread_lists(arguments), prog_name="dbt-statsig", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return _told(UsageError(error.format_message()), arguments, aside="")
    except click.ClickException as error:
        return _told(UsageError(error.format_message()), arguments)
    except DbtStatsigError as error:
        return _told(error, arguments)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user unasked
        return _surprised(error, arguments)
    return result if isinstance(result, int) else 0


def _check_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError:
        os.chdir(os.sep)  # reports, the failure's own too, ask where they are
        raise UsageError("The working folder is gone.", fix="Change to a folder that exists.") from None


def _told(error: DbtStatsigError, arguments: Sequence[str], *, aside: str | None = None) -> int:
    """Say what is wrong and what to do about it, on stderr and in every form that was asked for."""
    message, fix = redacted(error.message, os.environ), redacted(error.fix, os.environ)
    style = style_for(sys.stderr, environ=os.environ, no_color="--no-color" in own_part(arguments))
    if aside is None:
        aside = _aside(message, fix, style)
    click.echo(aside, err=True, nl=False, color=style.colour)
    from dbt_statsig.cli.failing import answer_failure  # noqa: PLC0415 - a good run has no use for either
    from dbt_statsig.report.failure import Failure  # noqa: PLC0415

    failure = Failure(
        command=next((argument for argument in arguments if argument in COMMANDS), ""),
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


def _aside(message: str, fix: str, style: Style) -> str:
    """The message after a red word, the next step after an arrow; further lines of either are indented."""
    lines = [style.paint("Error:", "error") + " " + "\n  ".join(map(one_line, message.splitlines()))]
    if fix:
        lines.append(f"  {style.sign('→')} " + "\n    ".join(map(one_line, fix.splitlines())))
    return no_commands("\n".join(lines) + "\n")


def _surprised(error: Exception, arguments: Sequence[str]) -> int:
    what = one_line(f"{type(error).__name__}: {error}")
    if os.environ.get("DBT_STATSIG_TRACEBACK"):
        import traceback  # noqa: PLC0415 - takes longer to import than all that a good run does here

        click.echo(redacted("".join(traceback.format_exception(error)), os.environ), err=True, nl=False)
    fix = "Please report it; DBT_STATSIG_TRACEBACK=1 shows the traceback."
    return _told(DbtStatsigError(f"internal error: {what}.", fix=fix), arguments)
