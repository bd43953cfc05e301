"""The group of commands: each lives in a module of its own and is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from dbt_statsig import __version__
from dbt_statsig.vocabulary.findings import did_you_mean

COMMANDS = (
    "validate",
    "columns",
    "init",
    "plan",
    "sync",
    "import",
    "release",
    "reload",
    "exposures",
    "run",
    "preview",
    "tests",
    "debug",
    "explain",
    "comment",
    "schema",
    "emulator",
)
_EPILOG = """\b
Exit codes:
  0  done
  1  findings, refused or failed objects
  2  could not run: usage, settings, network, unknown outcome
  3  changes are pending (plan --check)
"""


class CommandGroup(click.Group):
    """A group that knows its commands' names, and imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"dbt_statsig.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to call and its arguments; an unknown one fails with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS) or f"Choose one of: {', '.join(COMMANDS)}."
            ctx.fail(f"No such command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(__version__, message="dbt-statsig %(version)s")
def group() -> None:
    """Keep Statsig's warehouse-native sources in agreement with a dbt project.

    Models are marked in their YAML (config.meta.statsig). Every column is proven before anything is pushed.
    The key comes from STATSIG_CONSOLE_API_KEY.
    """
