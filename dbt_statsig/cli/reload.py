"""`dbt-statsig reload`: after a build, the results of the experiments that read what was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import structs

from dbt_statsig.cli.options import project_options, run_results_option
from dbt_statsig.cli.progress import progress_on
from dbt_statsig.errors import UsageError
from dbt_statsig.report.json import reload_json
from dbt_statsig.report.text.reloads import reload_text

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


@click.command("reload")
@project_options(checks=False, console=True, reports=False)
@run_results_option
@click.option(
    "--refresh",
    type=click.Choice(["auto", "incremental", "full", "metric"]),
    default="auto",
    show_default=True,
    help="What a load computes again; auto chooses for each experiment.",
)
@click.option("--turbo", is_flag=True, help="Load the latest day only. To load all days again, run a full load.")
@click.option("--wait", is_flag=True, help="Wait until the loads have ended.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="With --wait: stop waiting after this time.  [default: 3600]",
)
@click.option(
    "--most",
    type=click.IntRange(min=0),
    help="Start no load if more experiments need one.  [default: the setting `reload_most`]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Load also: more experiments than --most, and tables that seem to be of another dbt target.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be loaded, and start nothing.")
def command(
    *,
    request: Request,
    output: Output,
    refresh: str,
    turbo: bool,
    wait: bool,
    timeout: float | None,
    most: int | None,
    force: bool,
    dry_run: bool,
) -> int:
    """Load the results of running experiments that read what dbt has just built.

    Run it right after `dbt build` or `dbt run`. Which nodes have new rows comes from dbt's run results. Experiments
    that read a node which failed or was skipped are held back. A second reload finds nothing to do.
    """
    from dbt_statsig.commands.reload import TIMEOUT, Options, reload  # brings PyYAML

    if timeout is not None and not wait:
        raise UsageError("--timeout is for --wait.", fix="Add --wait, or remove --timeout.")
    flags = request.flags if most is None else {**request.flags, "reload_most": most}
    request = structs.replace(request, flags=flags, force=force, dry_run=dry_run)
    options = Options.of(refresh, turbo=turbo, wait=wait, timeout=TIMEOUT if timeout is None else timeout)
    with progress_on(output) as progress:
        reloaded = reload(request, options, progress=progress)
    output.warn(reloaded.warnings, important=True)
    output.answer(text=lambda style: reload_text(reloaded, style), json=lambda: reload_json(reloaded))
    return reloaded.exit_code
