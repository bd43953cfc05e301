"""`dbt-statsig debug`: whether all that a sync needs is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.options import project_options
from dbt_statsig.report.json import diagnosis_json
from dbt_statsig.report.text.report import diagnosis_text

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


@click.command("debug")
@project_options(selection=False, console=True, reports=False)
def command(*, request: Request, output: Output) -> int:
    """Show all settings and check files, key and connection."""
    from dbt_statsig.commands.debug import debug  # brings PyYAML

    diagnosis = debug(request)
    output.answer(
        text=lambda style: diagnosis_text(diagnosis, style),
        json=lambda: diagnosis_json(diagnosis, exit_code=diagnosis.exit_code),
    )
    return diagnosis.exit_code
