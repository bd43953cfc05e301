"""`dbt-statsig tests`: the test of the rows, for every marked node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.options import project_options
from dbt_statsig.report.text.row_tests import row_tests_json, row_tests_text

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


@click.command("tests")
@project_options(checks=False, reports=False)
@click.option("--write", is_flag=True, help="Write the tests into the project's YAML.")
def command(*, request: Request, output: Output, write: bool) -> int:
    """Add the dbt test fit_for_statsig to every marked node that lacks it.

    Shows the change of the project's YAML as a diff; with --write it is made. Comments and everything else stay as they
    are. The test comes with the dbt package.
    """
    from dbt_statsig.commands.row_tests import add_tests  # brings PyYAML

    found = add_tests(request, write=write)
    output.warn(f'The selection "{pattern}" matches no node.' for pattern in found.unmatched)
    output.answer(text=lambda style: row_tests_text(found, style), json=lambda: row_tests_json(found))
    return found.exit_code
