"""What a run shows while it works."""

from __future__ import annotations

import contextlib
import io
import sys

import pytest

from dbt_statsig.cli.output import Output
from dbt_statsig.cli.progress import StatusLine, progress_on
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.progress import Silent

ERASE = "\r\x1b[2K"


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def _output(*, quiet: bool = False) -> Output:
    return Output(json=False, quiet=quiet, style=Style(), aside=Style())


def test_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal on stderr, with --quiet, or where a line cannot be erased, nothing is shown."""
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress_on(_output()) as progress:
        progress.say("Reading")
        progress.done(1, 2)
    assert isinstance(progress, Silent)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_on(_output(quiet=True)) as progress:
        assert isinstance(progress, Silent)
    monkeypatch.setenv("TERM", "dumb")
    with progress_on(_output()) as progress:
        assert isinstance(progress, Silent)
    assert stderr.getvalue() == ""


def test_a_terminal_shows_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal each step takes the place of the last one, and at the end, or a failure, none is left."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with contextlib.suppress(KeyboardInterrupt), progress_on(_output()) as progress:
        progress.say("Reading metric sources")
        raise KeyboardInterrupt
    assert terminal.getvalue() == f"{ERASE}Reading the project{ERASE}Reading metric sources{ERASE}"


def test_names_are_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in a message are shown, not obeyed, and a long one stays on its line."""
    line = StatusLine(14)
    line.say("Wait\x1b[2J\n")
    line.say("x" * 50)
    assert capsys.readouterr().err == f"{ERASE}Wait\\x1b[2J\\n{ERASE}{'x' * 14}"


@pytest.mark.parametrize(("total", "shown"), [(12, f"{ERASE}Writing to Statsig: 3 of 12"), (0, "")])
def test_counting(total: int, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The number of written objects is shown where there is anything to write."""
    StatusLine(80).done(3, total)
    assert capsys.readouterr().err == shown
