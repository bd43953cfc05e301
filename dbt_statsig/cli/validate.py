"""`dbt-statsig validate`: offline, from dbt's artifacts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.exit_codes import validation_code
from dbt_statsig.cli.options import project_options
from dbt_statsig.cli.output import unmatched

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.request import Request


@click.command("validate")
@project_options()
def command(*, request: Request, output: Output) -> int:
    """Check what the project declares, without key or warehouse.

    Reads manifest.json (and catalog.json where there is one) and shows for each source its columns and what proves
    that they exist. A column that is proven absent is an error; one that nothing proves is a warning.
    """
    from dbt_statsig.conductor import validate  # noqa: PLC0415 - help needs none of these
    from dbt_statsig.report.json import validation_json  # noqa: PLC0415
    from dbt_statsig.report.text import validation_text  # noqa: PLC0415

    validation = validate(request)
    output.warn(unmatched(validation))
    code = validation_code(validation)
    output.answer(
        text=lambda style: validation_text(validation, style),
        json=lambda: validation_json(validation, exit_code=code),
    )
    return code
