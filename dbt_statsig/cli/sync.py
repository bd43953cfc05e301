"""`dbt-statsig sync`: plan, and apply the plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from dbt_statsig.cli.options import SIGNS, adoption_options, project_options, run_results_option
from dbt_statsig.cli.output import asked, emit
from dbt_statsig.cli.progress import progress_on

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("sync", epilog=SIGNS)
@project_options(console=True)
@adoption_options
@run_results_option
@click.option("--dry-run", is_flag=True, help="Show what a sync would write, and write nothing.")
@click.option("--plan", "saved_plan", type=_FILE, help="Apply only this saved plan (from `plan --out`).")
@click.option(
    "--reload",
    "reloads",
    is_flag=True,
    help="After the sync, load the results of experiments that read what was built or changed.",
)
@click.option("--yes", is_flag=True, help="Do not ask before objects are taken over.")
def command(
    *, request: Request, output: Output, dry_run: bool, saved_plan: Path | None, reloads: bool, yes: bool
) -> int:
    """Make Statsig agree with what the project declares.

    Plans, writes exactly that plan, and shows how each write ended. Objects that are not managed by this project do not
    change unless --adopt names them. Nothing is deleted without --prune.

    With --reload, experiments that read what dbt has just built, or what this sync changed, are loaded: see
    `dbt-statsig reload --help`.
    """
    from dbt_statsig.commands.sync import sync  # brings PyYAML

    asking = {
        "--adopt-all": request.adopt_all,
        "--adopt-from": request.adopt_from,
        "--adopt-imported": request.adopt_imported,
    }
    option = next((option for option, given in asking.items() if given), "")
    confirm = None
    if option and not (yes or dry_run):
        heading = "Objects in Statsig that this project would take over:"
        confirm = asked(option, heading, "Take over {}?", about=lambda change: change.adopted)
    request = structs.replace(request, dry_run=dry_run, saved_plan=saved_plan)
    with progress_on(output, quiet=confirm is not None) as progress:
        synced = sync(request, progress=progress, confirm=confirm)
        if reloads:
            from dbt_statsig.commands.reload import after_sync

            synced = after_sync(request, synced, progress=progress)
    output.warn(synced.warnings, important=True)
    return emit(output, synced, exit_code=synced.exit_code, dry_run=dry_run)
