"""What a run is doing, on a terminal's stderr only."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dbt_statsig.report.escape import one_line
from dbt_statsig.vocabulary.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.cli.output import Output
    from dbt_statsig.vocabulary.progress import Progress

_ERASE = "\r\x1b[2K"


class StatusLine:
    """A progress that keeps one line of at most `width` characters on stderr; any thread may call it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Show the sentence until the next one."""
        with self._lock:
            # Without colours click would take the erasing away too; on Windows it translates it.
            click.echo(_ERASE + one_line(text)[: self._width], nl=False, err=True, color=True)

    def done(self, count: int, total: int) -> None:
        """Show how far the writing is."""
        if total:
            self.say(f"Writing to Statsig: {count:,} of {total:,}")


@contextmanager
def progress_on(output: Output, *, quiet: bool = False) -> Iterator[Progress]:
    """A progress that shows while the context lasts; a silent one where nobody watches."""
    if quiet or output.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Silent()
        return
    line = StatusLine(output.aside.width - 1)
    line.say("Reading the project")
    try:
        yield line
    finally:
        line.say("")
