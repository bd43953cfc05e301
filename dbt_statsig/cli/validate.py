"""`dbt-statsig validate`: offline, from dbt's artifacts alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from dbt_statsig.cli.options import project_options
from dbt_statsig.cli.output import emit
from dbt_statsig.errors import UsageError
from dbt_statsig.project.baseline import BASELINE_FILE, baseline_of, compared, read_baseline, write_baseline
from dbt_statsig.vocabulary.results import Baseline

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.results import Validation

Command = Callable[..., int]
Apply = Callable[["Validation"], "Validation"]


def baseline_options(command: Command) -> Command:
    """Give a command both options; it receives `known`, which keeps known findings of a validation apart."""

    @functools.wraps(command)
    def with_baseline(*, request: Request, baseline: Path | None, write_baseline: str | None, **values: Any) -> int:
        known = _reader(request, baseline) if write_baseline is None else _writer(request, baseline, write_baseline)
        return command(request=request, known=known, **values)

    options = (
        click.option(
            "--baseline",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Fail only for findings that this baseline does not have.",
        ),
        click.option(
            "--write-baseline",
            is_flag=False,
            flag_value="",
            metavar="[FILE]",
            help="Record all current errors and warnings.  [default file: statsig_baseline.json in the project]",
        ),
    )
    for option in reversed(options):
        with_baseline = option(with_baseline)
    return with_baseline


def _whole(request: Request) -> bool:
    return not (request.select or request.exclude or request.selector or request.kinds)


def _reader(request: Request, path: Path | None) -> Apply:
    if path is None:
        return lambda validation: validation
    entries = read_baseline(path)

    def apart(validation: Validation) -> Validation:
        result = compared(entries, validation.findings, whole=_whole(request))
        kept = Baseline(path=str(path), known=result.known, stale=result.stale)
        return structs.replace(validation, findings=result.new, baseline=kept)

    return apart


def _writer(request: Request, baseline: Path | None, given: str) -> Apply:
    """Writes first, then reads what was written. Raises UsageError where only a part of the project is looked at."""
    if not _whole(request):
        raise UsageError(
            "A baseline must cover the whole project.",
            fix="Run `validate --write-baseline` without --select, --exclude, --selector and --kind.",
        )
    path = Path(given) if given else baseline or request.project_dir / BASELINE_FILE

    def written(validation: Validation) -> Validation:
        write_baseline(path, baseline_of(validation.findings))
        return _reader(request, path)(validation)

    return written


@click.command("validate")
@project_options()
@baseline_options
@click.option("--require-fresh", is_flag=True, help="Fail if a YAML file is newer than the manifest.")
@click.option(
    "--warehouse",
    is_flag=True,
    help="Also run each source's SQL, formulas and filters in your warehouse. Reads no rows.",
)
def command(
    *,
    request: Request,
    output: Output,
    known: Callable[[Validation], Validation],
    require_fresh: bool,
    warehouse: bool,
) -> int:
    """Check what the project declares, without key or warehouse.

    Reads manifest.json (and catalog.json where there is one) and shows for each source its columns and what proves
    that they exist. A column that is proven absent is an error; one that nothing proves is a warning. With --state it
    also shows what changed since those artifacts. With --warehouse the warehouse itself is asked, through your own dbt:
    its columns are the strongest evidence, and SQL that it refuses is an error.
    """
    from dbt_statsig.commands.validate import validate  # brings PyYAML

    validation = known(validate(structs.replace(request, require_fresh=require_fresh, warehouse=warehouse)))
    return emit(output, validation, exit_code=validation.exit_code)
