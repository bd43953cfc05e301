"""The answer of a command, on stdout and in the report files that were asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dbt_statsig.cli.report_files import add_step_summary, write_reports
from dbt_statsig.cli.terminal import write_out
from dbt_statsig.errors import EXIT_CANNOT_RUN, DbtStatsigError

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.results import Planned, Synced, Validation


def tell(output: Output, result: Validation | Planned | Synced, *, exit_code: int, dry_run: bool = False) -> int:
    """Write the answer, then the report files; the exit code that the command ends with.

    A report that cannot be written is complained of, and ends an otherwise clean run with 2; the answer and the other
    reports stand. Raises DbtStatsigError where stdout takes nothing, after the reports are written.
    """
    from dbt_statsig.report.formats import rendered  # noqa: PLC0415 - help needs no renderer
    from dbt_statsig.report.subject import Subject  # noqa: PLC0415

    subject = Subject.of(result, exit_code=exit_code, dry_run=dry_run, root=output.root)
    text = rendered(output.form, subject, output.style)
    unheard: DbtStatsigError | None = None
    try:
        if output.form == "text":
            write_out(text, colour=output.style.colour)
        else:
            write_out(text.encode("utf-8", "backslashreplace"))
    except DbtStatsigError as error:
        unheard = error
    faults = write_reports({report.path: rendered(report.form, subject) for report in output.reports})
    if "github" in {output.form, *(report.form for report in output.reports)}:
        try:
            add_step_summary(rendered("markdown", subject), os.environ)
        except DbtStatsigError as error:
            faults.append(error)
    for fault in faults:
        output.complain(fault)
    if unheard is not None:
        raise unheard
    return exit_code or (EXIT_CANNOT_RUN if faults else exit_code)
