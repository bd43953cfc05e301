"""The command line. Help and version are answered here, from packaged text, before anything else is imported."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def _packaged_help() -> str:
    path = os.path.join(os.path.dirname(__file__), "help.txt")  # noqa: PTH118, PTH120 - pathlib doubles the start-up
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
        return file.read()


def _say(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Python would flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"Error: The text could not be written: {error.strerror}.\n")
            return 2
    return 0


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line (default: that of the process) and leave with its exit code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        # Closed by who started this (`>&-`). Else the next file that is opened gets its number.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as above; to the end
    given = sys.argv[1:] if arguments is None else list(arguments)
    # A shell that asks for completions gives no arguments, but this variable.
    if given in ([], ["--help"], ["-h"]) and "_DBT_STATSIG_COMPLETE" not in os.environ:
        sys.exit(_say(_packaged_help()))
    if given == ["--version"]:
        from dbt_statsig import __version__  # only where it is asked for

        sys.exit(_say(f"dbt-statsig {__version__}\n"))
    sys.exit(_run(given))


def _run(arguments: Sequence[str]) -> int:
    from dbt_statsig.cli.app import run  # click alone costs three bare starts

    return run(arguments)
