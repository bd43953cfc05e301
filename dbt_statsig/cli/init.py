"""`dbt-statsig init`: the first block of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbt_statsig.cli.options import project_options
from dbt_statsig.report.json import init_json
from dbt_statsig.report.text.proposals import init_text
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from dbt_statsig.cli.output import Output
    from dbt_statsig.project.request import Request


KINDS = [kind.value for kind in BLOCK_KINDS]


@click.command("init")
@click.argument("model", required=False, default="")
@project_options(selection=False, reports=False)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    metavar="KIND",
    help=f"The kind of the block: {', '.join(KINDS)}.  [default: what the model looks like]",
)
@click.option("--write", is_flag=True, help="Write the block into the model's YAML.")
def command(*, request: Request, output: Output, model: str, kind: str | None, write: bool) -> int:
    """Propose the first block of a model.

    Each key is a guess from the names, types and tests of columns that are proven to be there, with its reason as a
    comment. Without a model, lists the models that look like exposures, events or users.
    """
    from dbt_statsig.commands.init import init  # brings PyYAML

    result = init(request, model, kind=Kind(kind) if kind else None, write=write)
    output.answer(text=lambda style: init_text(result, style), json=lambda: init_json(result))
    return result.exit_code
