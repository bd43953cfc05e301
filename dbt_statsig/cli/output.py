"""Where answers go: data to stdout as text or JSON, messages and questions to stderr."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import click
from msgspec import Struct, structs

from dbt_statsig.cli.report_files import ReportFile, add_step_summary, write_reports
from dbt_statsig.cli.terminal import style_for, write_out
from dbt_statsig.console.key import redacted, without_keys
from dbt_statsig.errors import EXIT_CANNOT_RUN, AnswerLost, DbtStatsigError, UsageError
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.formats import format_named
from dbt_statsig.report.subject import Subject
from dbt_statsig.report.text.style import Style, counted
from dbt_statsig.vocabulary.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.inspections import Listing
    from dbt_statsig.vocabulary.results import Planned, Synced, Validation


class Output(Struct, frozen=True, kw_only=True):
    """How one run answers; `style` is for stdout, `aside` for stderr.

    `reports` are files to write beside it; `root` is the project's folder as seen from its repository's root, `run`
    what they say about the run.
    """

    json: bool
    quiet: bool
    style: Style
    aside: Style
    form: str = "text"
    reports: tuple[ReportFile, ...] = ()
    root: str = ""
    run: Run = Run()

    @classmethod
    def of(
        cls,
        *,
        form: str,
        quiet: bool,
        no_color: bool,
        environ: Mapping[str, str],
        verbose: bool = False,
        reports: tuple[ReportFile, ...] = (),
    ) -> Output:
        """The output that the flags, the environment and the streams call for."""
        return cls(
            json=form == "json",
            form=form,
            reports=reports,
            quiet=quiet,
            style=style_for(sys.stdout, environ=environ, no_color=no_color, quiet=quiet, verbose=verbose),
            aside=style_for(sys.stderr, environ=environ, no_color=no_color, quiet=quiet),
        )

    def answer(self, *, text: Callable[[Style], str], json: Callable[[], str]) -> None:
        """Write the one answer of this run. JSON is UTF-8 whatever the terminal's encoding."""
        if self.json:
            write_out(without_keys(json(), os.environ).encode())
        else:
            write_out(without_keys(text(self.style), os.environ), colour=self.style.colour)

    def warn(self, messages: Iterable[str], *, important: bool = False) -> None:
        """Say something on stderr that is no part of the answer; with --quiet only what is important."""
        if self.json or (self.quiet and not important):
            return
        for message in map(partial(redacted, environ=os.environ), messages):
            lead = self.aside.color("Warning:", "warning")
            lines = self.aside.wrap(message, indent=0, first="Warning: ")
            lines[0] = lead + lines[0].removeprefix("Warning:")
            click.echo("\n".join(lines), err=True, color=self.aside.colour)

    def error(self, error: DbtStatsigError) -> None:
        """Say on stderr what went wrong beside the answer."""
        message, fix = redacted(error.message, os.environ), redacted(error.fix, os.environ)
        lines = self.aside.wrap(message, indent=0, first="Error: ")
        lines[0] = self.aside.color("Error:", "error") + lines[0].removeprefix("Error:")
        click.echo("\n".join([*lines, *self.aside.fix(fix, indent=2)]), err=True, color=self.aside.colour)


def unmatched(result: Listing) -> list[str]:
    """One warning for each selection that matches nothing."""
    return [f'The selection "{pattern}" matches no node.' for pattern in result.unmatched]


def emit(
    output: Output,
    result: Validation | Planned | Synced,
    *,
    exit_code: int,
    dry_run: bool = False,
    command: str = "sync",
) -> int:
    """Write the answer, then the report files; the exit code that the command ends with.

    A report that cannot be made or written is complained of, and ends an otherwise clean run with 2; the answer and
    the other reports stand. Raises AnswerLost where stdout is without the answer, after the reports are written.
    """
    subject = Subject.of(
        result, command=command, exit_code=exit_code, dry_run=dry_run, root=output.root, run=output.run
    )
    unheard = _say(output, subject)
    faults = [fault for report in output.reports for fault in _written(report, subject)]
    if "github" in {output.form, *(report.form for report in output.reports)}:
        try:
            add_step_summary(_made("markdown", subject), os.environ)
        except DbtStatsigError as error:
            faults.append(error)
    for fault in faults:
        output.error(fault)
    if unheard is not None:
        raise unheard
    return exit_code or (EXIT_CANNOT_RUN if faults else exit_code)


def _say(output: Output, subject: Subject) -> AnswerLost | None:
    """Write the answer to stdout; why that could not be done."""
    try:
        text = _made(output.form, structs.replace(subject, style=output.style))
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


def _made(form: str, subject: Subject) -> str:
    """The text of one form. Raises AnswerLost where its renderer fails: no such fault may hide what a sync did."""
    try:
        return without_keys(format_named(form).render(subject), os.environ)
    except Exception as error:
        raise AnswerLost(
            f"The {form} report failed: {type(error).__name__}: {one_line(str(error))}.",
            fix="Please report it. Other reports and writes are not affected.",
        ) from error


def asked(
    what: str, heading: str, question: str, *, about: Callable[[Change], bool] = lambda change: change.action.writes
) -> Callable[[Planned], bool]:
    """A question with the names of the objects that it is `about`; yes without any.

    Raises UsageError where nobody can answer.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{what} asks for confirmation.", fix="Add --yes to run without a terminal.")

    def confirm(planned: Planned) -> bool:
        names = [f"  {change.kind.label} {one_line(change.name)}" for change in planned.plan.changes if about(change)]
        if not names:
            return True
        click.echo("\n".join([heading, *names]), err=True)
        return click.confirm(question.format(counted(len(names), "object")), err=True)

    return confirm
