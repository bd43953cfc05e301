"""The answer of a command that could not run: on stdout and in every report that was asked for, as far as that goes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from dbt_statsig.cli.arguments import values_of, wanted_form
from dbt_statsig.cli.report_files import add_step_summary, misplaced, report_file, root_in_repository, write_reports
from dbt_statsig.cli.terminal import write_out
from dbt_statsig.errors import AnswerLost, DbtStatsigError
from dbt_statsig.report.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt_statsig.cli.report_files import ReportFile
    from dbt_statsig.report.failure import Failure

REPORTING = frozenset({"validate", "plan", "sync", "run"})
_ELSEWHERE = ("json", "github")


def answer_failure(error: DbtStatsigError, failure: Failure, arguments: Sequence[str]) -> None:
    """Give the failure in the form on stdout and in the files that the arguments name.

    What stands in the way of a report is told on stderr, unless it is the failure itself. A run that came to its end
    has written its reports: those stand.
    """
    form = wanted_form(arguments)
    if failure.command not in REPORTING:
        tell_failure(failure, form if form in _ELSEWHERE else "text", [])
        return
    reports = [] if isinstance(error, AnswerLost) else _reports(arguments)
    form = form if form in FORMATS else "text"
    if form == "text" and not reports:
        return
    project_dir = _project_dir(failure.command, arguments)
    failure = structs.replace(failure, root=root_in_repository(project_dir, os.environ))
    refused = misplaced(reports, project_dir=project_dir, environ=os.environ, others=_other_files(arguments))
    faults: list[DbtStatsigError] = [fault for fault in refused.values() if fault.message not in error.message]
    placed = [report for number, report in enumerate(reports) if number not in refused]
    faults += tell_failure(failure, form, placed)
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)


def tell_failure(failure: Failure, form: str, reports: Sequence[ReportFile]) -> list[DbtStatsigError]:
    """Write the failure to stdout (but for text, which stderr has) and into the files; what could not be written."""
    from dbt_statsig.report.failure_forms import failure_report  # noqa: PLC0415 - a good run has no use for it

    if form != "text":
        with contextlib.suppress(DbtStatsigError):
            write_out(failure_report(form, failure).encode("utf-8", "backslashreplace"))
    faults = write_reports({report.path: failure_report(report.form, failure) for report in reports})
    if "github" in {form, *(report.form for report in reports)}:
        try:
            add_step_summary(failure_report("markdown", failure), os.environ)
        except DbtStatsigError as fault:
            faults.append(fault)
    return faults


def _reports(arguments: Sequence[str]) -> list[ReportFile]:
    """The reports that the arguments ask for; what is none is left to the one who refuses it."""
    found = []
    for value in values_of("--report", arguments):
        with contextlib.suppress(click.BadParameter):
            found.append(report_file(value))
    return found


def _other_files(arguments: Sequence[str]) -> list[Path]:
    """The files beside reports that the arguments name."""
    from dbt_statsig.cli.options import OTHER_FILES  # noqa: PLC0415 - as above

    return [Path(value) for option in OTHER_FILES.values() for value in values_of(option, arguments)]


def _project_dir(command: str, arguments: Sequence[str]) -> Path:
    """The project as the command would have found it, even where the rest of the arguments makes no sense."""
    from dbt_statsig.cli.options import find_project  # noqa: PLC0415 - as above

    here = Path.cwd()
    if command == "run":
        return here
    given = (values_of("--project-dir", arguments) or [os.environ.get("DBT_PROJECT_DIR", "")])[-1]
    return find_project(Path(given) if given else None, here=here, needed=False)
