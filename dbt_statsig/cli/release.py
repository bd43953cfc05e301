"""`dbt-statsig release`: objects given back to the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import structs

from dbt_statsig.cli.options import KIND, project_options
from dbt_statsig.cli.output import asked, emit
from dbt_statsig.cli.progress import progress_on

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


@click.command("release")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@project_options(selection=False, console=True)
@KIND
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def command(*, request: Request, output: Output, names: tuple[str, ...], dry_run: bool, yes: bool) -> int:
    """Give objects back to the console: take this project's ownership line off them.

    What this project made read-only can be edited in the console again. Nothing else of an object changes. Remove its
    block too, or the next plan reports it as not managed by this project.
    """
    from dbt_statsig.commands.release import release  # brings PyYAML

    confirm = None
    if not (yes or dry_run):
        confirm = asked("release", "Objects in Statsig that this project would no longer manage:", "Release {}?")
    with progress_on(output, quiet=confirm is not None) as progress:
        request = structs.replace(request, dry_run=dry_run)
        done = release(request, names, progress=progress, confirm=confirm)
    output.warn(done.planned.warnings, important=True)
    return emit(output, done, exit_code=done.exit_code, dry_run=dry_run, command="release")
