"""`dbt-statsig sync`: plan, and apply the plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import structs

from dbt_statsig.cli.options import SIGNS, adoption_options, project_options, run_results_option
from dbt_statsig.cli.output import tell
from dbt_statsig.cli.progress import progress_on
from dbt_statsig.errors import UsageError
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.text.style import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.results import Planned


_FILE = click.Path(dir_okay=False, path_type=Path)


def _asked(option: str) -> Callable[[Planned], bool]:
    """A question on the terminal before objects are taken over. Raises UsageError where nobody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{option} asks for confirmation.", fix="Add --yes to run without a terminal.")

    def confirm(planned: Planned) -> bool:
        names = [f"  {change.kind.label} {one_line(change.name)}" for change in planned.plan.changes if change.adopted]
        if not names:
            return True
        click.echo("\n".join(["Objects in Statsig that this project would take over:", *names]), err=True)
        return click.confirm(f"Take over {counted(len(names), 'object')}?", err=True)

    return confirm


@click.command("sync", epilog=SIGNS)
@project_options(console=True)
@adoption_options
@run_results_option
@click.option("--dry-run", is_flag=True, help="Show what a sync would write, and write nothing.")
@click.option("--plan", "saved_plan", type=_FILE, help="Apply only this saved plan (from `plan --out`).")
@click.option("--yes", is_flag=True, help="Do not ask before objects are taken over.")
def command(*, request: Request, output: Output, dry_run: bool, saved_plan: Path | None, yes: bool) -> int:
    """Make Statsig agree with what the project declares.

    Plans, writes exactly that plan, and shows how each write ended. Objects that are not managed by this project do not
    change unless --adopt names them. Nothing is deleted without --prune.
    """
    from dbt_statsig.commands.sync import sync  # brings PyYAML

    asking = {
        "--adopt-all": request.adopt_all,
        "--adopt-from": request.adopt_from,
        "--adopt-imported": request.adopt_imported,
    }
    option = next((option for option, given in asking.items() if given), "")
    confirm = _asked(option) if option and not (yes or dry_run) else None
    with progress_on(output, quiet=confirm is not None) as progress:
        synced = sync(
            structs.replace(request, dry_run=dry_run, saved_plan=saved_plan), progress=progress, confirm=confirm
        )
    output.warn(synced.planned.warnings, important=True)
    return tell(output, synced, exit_code=synced.exit_code, dry_run=dry_run)
