"""Makes help.txt, which answers `--help` without importing click.

`python -m dbt_statsig.cli.help_text > dbt_statsig/cli/help.txt`
"""

from __future__ import annotations

from pathlib import Path

import click

from dbt_statsig.cli.group import group

HELP_FILE = Path(__file__).with_name("help.txt")
WIDTH = 100


def help_text() -> str:
    """The help of the whole program as click lays it out, the same on every terminal."""
    settings = {**group.context_settings, "terminal_width": WIDTH}
    context = click.Context(group, info_name="dbt-statsig", **settings)
    return group.get_help(context) + "\n"


if __name__ == "__main__":
    click.echo(help_text(), nl=False)
