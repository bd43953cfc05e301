"""`dbt-statsig validate`: offline, from dbt's artifacts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from msgspec import structs

from dbt_statsig.cli.answering import tell
from dbt_statsig.cli.baseline import baseline_options
from dbt_statsig.cli.options import project_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.cli.output import Output
    from dbt_statsig.request import Request
    from dbt_statsig.results import Validation


@click.command("validate")
@project_options()
@baseline_options
@click.option("--require-fresh", is_flag=True, help="Fail where a YAML file is newer than the manifest.")
def command(*, request: Request, output: Output, known: Callable[[Validation], Validation], require_fresh: bool) -> int:
    """Check what the project declares, without key or warehouse.

    Reads manifest.json (and catalog.json where there is one) and shows for each source its columns and what proves
    that they exist. A column that is proven absent is an error; one that nothing proves is a warning. With --state it
    also tells what has changed for the sources since those artifacts.
    """
    from dbt_statsig.conductor import validate  # noqa: PLC0415 - help needs no conductor

    validation = known(validate(structs.replace(request, require_fresh=require_fresh)))
    return tell(output, validation, exit_code=validation.exit_code)
