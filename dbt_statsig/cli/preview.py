"""`dbt-statsig preview`: rows of a source, from the user's own warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.options import KIND, project_options
from dbt_statsig.report.text.previews import previews_json, previews_text

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


@click.command("preview")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@project_options(checks=False, reports=False)
@KIND
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="The number of rows to show for each source.",
)
@click.option(
    "--days", type=click.IntRange(min=0), default=7, show_default=True, help="The number of days to read, up to today."
)
@click.option("--counts", is_flag=True, help="Also count rows, units and empty unit IDs, and the units of each group.")
@click.option("--cost", is_flag=True, help="Read no rows: show how many the warehouse would read.")
def command(
    *, request: Request, output: Output, names: tuple[str, ...], limit: int, days: int, counts: bool, cost: bool
) -> int:
    """Show rows of a source, from your own warehouse through your own dbt.

    Runs the SQL that Statsig would get, with its macros as dates, by `dbt show` with your profile and target. Mapped
    columns come first, under their roles. Nothing is written, in the warehouse or in Statsig.
    """
    from dbt_statsig.commands.preview import Asked, preview  # brings PyYAML

    asked = Asked(names=names, limit=limit, days=days, counts=counts, cost=cost)
    found = preview(request, asked)
    output.warn(f'The selection "{pattern}" matches no node.' for pattern in found.unmatched)
    output.answer(text=lambda style: previews_text(found, style), json=lambda: previews_json(found))
    return found.exit_code
