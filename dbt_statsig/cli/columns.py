"""`dbt-statsig columns`: what is known of any node's columns, marked or not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import click

from dbt_statsig.cli.options import project_options
from dbt_statsig.cli.output import unmatched
from dbt_statsig.report.text.lists import columns_json, columns_text

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request

MOST_JOBS = 8


@click.command("columns")
@project_options(checks=False, reports=False)
@click.option(
    "--evidence",
    type=click.Choice(["all", "inferred"]),
    default="all",
    show_default=True,
    help="all: use all evidence. inferred: use the catalog for sources and seeds only, and read the SQL of models.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=lambda: min(os.cpu_count() or 1, MOST_JOBS),
    help="The number of processes that read SQL.  [default: one for each CPU, up to 8]",
)
def command(*, request: Request, output: Output, evidence: Literal["all", "inferred"], jobs: int) -> int:
    """List the columns of models, seeds, snapshots and sources, with the evidence for each.

    Shows for every node whether its list is complete, and if not, why.
    """
    from dbt_statsig.commands.columns import list_columns  # brings PyYAML

    listing = list_columns(request, only_inferred=evidence == "inferred", jobs=jobs)
    output.warn(unmatched(listing))
    output.answer(text=lambda style: columns_text(listing, style), json=lambda: columns_json(listing))
    return 0
