"""What a run is doing, on a terminal's stderr only."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbt_statsig.report.escape import one_line
from dbt_statsig.vocabulary.progress import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.status import Status

    from dbt_statsig.cli.output import Output
    from dbt_statsig.vocabulary.progress import Progress


class Spinner:
    """A progress beside rich's spinner; rich locks, so any thread may call it."""

    def __init__(self, status: Status) -> None:
        """Take a status that is being shown."""
        self._status = status

    def say(self, text: str) -> None:
        """Show the sentence until the next one."""
        from rich.text import Text  # only a terminal needs it

        self._status.update(Text(one_line(text)))

    def done(self, count: int, total: int) -> None:
        """Show how far the writing is."""
        if total:
            self.say(f"Writing to Statsig: {count:,} of {total:,}")


@contextmanager
def progress_on(output: Output, *, quiet: bool = False) -> Iterator[Progress]:
    """A progress that shows while the context lasts; a silent one where nobody watches."""
    if quiet or output.quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console  # only a terminal needs it

    console = Console(stderr=True, no_color=not output.aside.colour)
    with console.status("Reading the project") as status:
        yield Spinner(status)
