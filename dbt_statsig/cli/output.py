"""Where answers go: data to stdout as text or JSON, messages to stderr."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from dbt_statsig.cli.redaction import redacted, without_keys
from dbt_statsig.cli.report_files import ReportFile
from dbt_statsig.cli.terminal import style_for, write_out
from dbt_statsig.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dbt_statsig.errors import DbtStatsigError
    from dbt_statsig.results import Listing


class Output(Struct, frozen=True, kw_only=True):
    """How one run answers; `style` is for stdout, `aside` for stderr.

    `reports` are files to write beside it; `root` is the project's folder as seen from its repository's root.
    """

    json: bool
    quiet: bool
    style: Style
    aside: Style
    form: str = "text"
    reports: tuple[ReportFile, ...] = ()
    root: str = ""

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
            lead = self.aside.paint("Warning:", "warning")
            lines = self.aside.prose(message, indent=0, first="Warning: ")
            lines[0] = lead + lines[0].removeprefix("Warning:")
            click.echo("\n".join(lines), err=True, color=self.aside.colour)

    def complain(self, error: DbtStatsigError) -> None:
        """Say on stderr what went wrong beside the answer."""
        message, fix = redacted(error.message, os.environ), redacted(error.fix, os.environ)
        lines = self.aside.prose(message, indent=0, first="Error: ")
        lines[0] = self.aside.paint("Error:", "error") + lines[0].removeprefix("Error:")
        click.echo("\n".join([*lines, *self.aside.fix(fix, indent=2)]), err=True, color=self.aside.colour)


def unmatched(result: Listing) -> list[str]:
    """One warning for each selection that matches nothing."""
    return [f'The selection "{pattern}" matches no node.' for pattern in result.unmatched]
