"""`dbt-statsig explain`: what a finding means and how to fix it."""

from __future__ import annotations

import os
import sys

import click

from dbt_statsig.cli.options import FORM
from dbt_statsig.cli.terminal import style_for, write_out
from dbt_statsig.errors import UsageError
from dbt_statsig.report.json import codes_json
from dbt_statsig.report.text.lists import all_codes_text, code_text, known_codes
from dbt_statsig.vocabulary.findings import did_you_mean


def _completed(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    return [code for code in known_codes() if code.startswith(begun)]


@click.command("explain")
@click.argument("code", required=False, shell_complete=_completed)
@FORM
@click.option("--no-color", is_flag=True, help="Print without colors. NO_COLOR and FORCE_COLOR work too.")
@click.pass_context
def command(context: click.Context, *, code: str | None, output: str, no_color: bool) -> int:
    """Explain a finding's code, with its fix, bad and good YAML; without a code, list all codes.

    Example: dbt-statsig explain column-absent
    """
    style = style_for(sys.stdout, environ=os.environ, no_color=no_color)
    known = known_codes()
    if code is None:
        text = codes_json(sorted(known)) if output == "json" else all_codes_text(style)
        write_out(text, colour=style.colour)
        return 0
    wanted = code.strip().lower()
    if wanted not in known:
        raise UsageError(
            f'There is no finding with the code "{code}".',
            fix=did_you_mean(code, known) or f"`{context.command_path}` lists all codes.",
        )
    write_out(codes_json([wanted]) if output == "json" else code_text(wanted, style), colour=style.colour)
    return 0
