"""`--baseline` and `--write-baseline` of `validate`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from dbt_statsig.errors import UsageError

if TYPE_CHECKING:
    from dbt_statsig.request import Request
    from dbt_statsig.results import Validation

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
            help="Findings that this file knows are counted apart; only new ones fail.",
        ),
        click.option(
            "--write-baseline",
            is_flag=False,
            flag_value="",
            metavar="[FILE]",
            help="Make all errors and warnings of now known.  [default file: statsig_baseline.json in the project]",
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
    from dbt_statsig.baseline import read_baseline  # noqa: PLC0415 - only where it is asked for

    entries = read_baseline(path)

    def apart(validation: Validation) -> Validation:
        from dbt_statsig.baseline import compared  # noqa: PLC0415 - as above
        from dbt_statsig.results import Baseline  # noqa: PLC0415

        result = compared(entries, validation.findings, whole=_whole(request))
        kept = Baseline(path=str(path), known=result.known, stale=result.stale)
        return structs.replace(validation, findings=result.new, baseline=kept)

    return apart


def _writer(request: Request, baseline: Path | None, given: str) -> Apply:
    """Writes first, then reads what was written. Raises UsageError where only a part of the project is looked at."""
    if not _whole(request):
        raise UsageError(
            "A baseline of a part would forget the rest.",
            fix="Leave --select, --exclude, --selector and --kind out of `validate --write-baseline`.",
        )
    from dbt_statsig.baseline import BASELINE_FILE, baseline_of, write_baseline  # noqa: PLC0415 - as above

    path = Path(given) if given else baseline or request.project_dir / BASELINE_FILE

    def written(validation: Validation) -> Validation:
        write_baseline(path, baseline_of(validation.findings))
        return _reader(request, path)(validation)

    return written
