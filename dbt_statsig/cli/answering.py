"""The answer of a command, on stdout and in the report files that were asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dbt_statsig.cli.redaction import without_keys
from dbt_statsig.cli.report_files import add_step_summary, write_reports
from dbt_statsig.cli.terminal import write_out
from dbt_statsig.errors import EXIT_CANNOT_RUN, AnswerLost, DbtStatsigError
from dbt_statsig.report.escape import one_line

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.cli.report_files import ReportFile
    from dbt_statsig.report.style import Style
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.results import Planned, Synced, Validation


def tell(output: Output, result: Validation | Planned | Synced, *, exit_code: int, dry_run: bool = False) -> int:
    """Write the answer, then the report files; the exit code that the command ends with.

    A report that cannot be made or written is complained of, and ends an otherwise clean run with 2; the answer and
    the other reports stand. Raises AnswerLost where stdout is without the answer, after the reports are written.
    """
    from dbt_statsig.report.subject import Subject  # noqa: PLC0415 - help needs no renderer

    subject = Subject.of(result, exit_code=exit_code, dry_run=dry_run, root=output.root)
    unheard = _say(output, subject)
    faults = [fault for report in output.reports for fault in _written(report, subject)]
    if "github" in {output.form, *(report.form for report in output.reports)}:
        try:
            add_step_summary(_made("markdown", subject), os.environ)
        except DbtStatsigError as error:
            faults.append(error)
    for fault in faults:
        output.complain(fault)
    if unheard is not None:
        raise unheard
    return exit_code or (EXIT_CANNOT_RUN if faults else exit_code)


def _say(output: Output, subject: Subject) -> AnswerLost | None:
    """Write the answer to stdout; why that could not be done."""
    try:
        text = _made(output.form, subject, output.style)
        if output.form == "text":
            write_out(text, colour=output.style.colour)
        else:
            write_out(text.encode("utf-8", "backslashreplace"))
    except AnswerLost as error:
        return error
    return None


def _written(report: ReportFile, subject: Subject) -> list[DbtStatsigError]:
    """Write one report; what stood in its way."""
    try:
        return write_reports({report.path: _made(report.form, subject)})
    except AnswerLost as error:
        return [error]


def _made(form: str, subject: Subject, style: Style | None = None) -> str:
    """The text of one form. Raises AnswerLost where its renderer fails: no such fault may hide what a sync did."""
    from dbt_statsig.report.formats import rendered  # noqa: PLC0415 - help needs no renderer

    try:
        return without_keys(rendered(form, subject, style), os.environ)
    except Exception as error:
        raise AnswerLost(
            f"The {form} report could not be made: {type(error).__name__}: {one_line(str(error))}.",
            fix="Please report it; the other reports and what was done stand.",
        ) from error
