"""What a stream can show: colours, signs, width; and writing to it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, TextIO

import click

from dbt_statsig.errors import AnswerLost
from dbt_statsig.report.text.style import Style

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDEST = 120
_PIPED_WIDTH = 100
_SIGNS = "→✓✗⋮·"


def _has_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") != "0":
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def _can_show_signs(stream: TextIO) -> bool:
    try:
        _SIGNS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def style_for(
    stream: TextIO,
    *,
    environ: Mapping[str, str],
    no_color: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> Style:
    """How text for this stream looks: `--no-color` first, then NO_COLOR, FORCE_COLOR, then whether it is a terminal."""
    width = shutil.get_terminal_size((_PIPED_WIDTH, 24)).columns if stream.isatty() else _PIPED_WIDTH
    return Style(
        colour=not no_color and _has_colour(stream, environ),
        unicode=_can_show_signs(stream),
        width=min(width, _WIDEST),
        folds=stream.isatty(),
        quiet=quiet,
        verbose=verbose,
    )


def write_out(text: str | bytes, *, colour: bool = False) -> None:
    """Write data to stdout. Raises `AnswerLost` where it cannot be written (a full disk)."""
    try:
        click.echo(text, nl=False, color=colour)
        sys.stdout.flush()
    except OSError as error:
        _discard_rest()
        raise AnswerLost(
            f"The report could not be written: {error.strerror}.",
            fix="Writes are not undone; run `plan` to see the state.",
        ) from error


def _discard_rest() -> None:
    """Python flushes stdout once more at its end; what is left must go nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
