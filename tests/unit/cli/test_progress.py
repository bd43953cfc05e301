"""What a run shows while it works."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from dbt_statsig.cli.output import Output
from dbt_statsig.cli.progress import Spinner, progress_on
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.progress import Silent


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def _output(*, quiet: bool = False) -> Output:
    return Output(json=False, quiet=quiet, style=Style(), aside=Style())


def test_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal on stderr, or with --quiet, nothing is shown."""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress_on(_output()) as progress:
        progress.say("Reading")
        progress.done(1, 2)
    assert isinstance(progress, Silent)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_on(_output(quiet=True)) as progress:
        assert isinstance(progress, Silent)
    assert stderr.getvalue() == ""


def test_a_terminal_shows_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the spinner shows, and wipes its line afterwards."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_on(_output()) as progress:
        progress.say("Reading metric sources")
    shown = terminal.getvalue()
    assert "Reading metric sources" in shown
    assert shown.endswith("\x1b[2K")


def test_markup_is_no_markup() -> None:
    """Square brackets and control characters in a message are shown, not obeyed."""
    console = Console(file=io.StringIO(), width=80)
    status = console.status("")
    Spinner(status).say("Waiting for [/foo]\x1b[2J")
    assert str(status.status) == "Waiting for [/foo]\\x1b[2J"


@pytest.mark.parametrize(("total", "shown"), [(12, "Writing to Statsig: 3 of 12"), (0, "")])
def test_counting(total: int, shown: str) -> None:
    """The number of written objects is shown where there is anything to write."""
    status = Console(file=io.StringIO(), width=80).status("")
    Spinner(status).done(3, total)
    assert str(status.status) == shown
