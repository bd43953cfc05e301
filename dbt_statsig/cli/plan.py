"""`dbt-statsig plan`: what a sync would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from dbt_statsig.cli.options import SIGNS, adoption_options, project_options, run_results_option
from dbt_statsig.cli.output import emit
from dbt_statsig.cli.progress import progress_on
from dbt_statsig.errors import EXIT_DONE, EXIT_PENDING, UsageError
from dbt_statsig.planning.saved_plan import check_savable, save

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


@click.command("plan", epilog=SIGNS)
@project_options(console=True)
@adoption_options
@run_results_option
@click.option("--check", is_flag=True, help="Exit with 3 if a sync would write something.")
@click.option("--drift-only", is_flag=True, help="Only what was, or may have been, changed in Statsig itself.")
@click.option("--show-sql", is_flag=True, help="Show the SQL that Statsig generates for the metrics that it has.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan for `sync --plan`.")
def command(
    *, request: Request, output: Output, check: bool, drift_only: bool, show_sql: bool, out: Path | None
) -> int:
    """Show what a sync would change in Statsig, and write nothing.

    Compares what the project declares with what the Console API lists, field by field, SQL line by line.
    """
    from dbt_statsig.commands.plan import plan  # brings PyYAML

    if out is not None:
        check_savable(request)
        if drift_only:
            raise UsageError("--drift-only and --out exclude each other.", fix="Save the whole plan.")
    with progress_on(output) as progress:
        planned = plan(structs.replace(request, show_sql=show_sql, drift_only=drift_only), progress=progress)
    if out is not None:
        save(planned, request, out)
    output.warn(planned.warnings, important=True)
    return emit(
        output, planned, exit_code=planned.exit_code or (EXIT_PENDING if check and planned.pending else EXIT_DONE)
    )
