"""Questions on the terminal before something is written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dbt_statsig.errors import UsageError
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.text.style import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.results import Planned


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
