"""Signals that end a command, and streams that nobody reads."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.cli import main
from dbt_statsig.cli.app import run
from dbt_statsig.cli.ending import SIGNALS, lenient_streams, signals_as_interrupts
from dbt_statsig.cli.run import _passed_through

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = Path("/dev/full")


@pytest.fixture(autouse=True)
def _not_ignored() -> Iterator[None]:
    """Tests may run under nohup."""
    before = [signal.signal(number, signal.SIG_DFL) for number in SIGNALS]
    yield
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


def handlers() -> list[object]:
    """What this process does on each signal."""
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_an_interrupt(number: signal.Signals) -> None:
    """What asks a process to end is Ctrl-C while a command runs; afterwards the signal means what it meant before."""
    before = handlers()
    with pytest.raises(KeyboardInterrupt), signals_as_interrupts():
        signal.raise_signal(number)
    assert handlers() == before


def test_other_handlers_stay() -> None:
    """A signal that is ignored (nohup) or that the process handles by itself is left alone, as are other threads."""
    heard: list[int] = []
    before = [signal.signal(number, signal.SIG_IGN) for number in SIGNALS]
    signal.signal(SIGNALS[0], lambda number, _: heard.append(number))
    with signals_as_interrupts():
        for number in SIGNALS:
            signal.raise_signal(number)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    assert heard == [SIGNALS[0]]
    found: list[object] = []

    def beside() -> None:
        with signals_as_interrupts():
            found.extend(handlers())

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    assert found == before


def test_a_hangup_ends_dbt() -> None:
    """`dbt-statsig run` passes a closed terminal on to dbt as it does a cancelled job."""
    before = handlers()
    assert _passed_through(["sh", "-c", "kill -HUP $PPID; exec sleep 20"]) == (143, True)
    assert handlers() == before


def test_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written to a pipe that nobody reads is lost without an error, and the streams are put back."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="ascii") as stdout, os.fdopen(os.dup(writing), "w") as stderr:
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setattr(sys, "stderr", stderr)
        with lenient_streams():
            for stream in (sys.stdout, sys.stderr):
                stream.write("lost é\n")
                stream.flush()
                assert not stream.isatty()
            assert run(["plan", "--help"]) == 0
            assert run(["nope"]) == 2
        assert (sys.stdout, sys.stderr) == (stdout, stderr)
        monkeypatch.undo()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full to write to")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk under stderr is forgiven, under stdout it is reported."""
    with FULL.open("w") as stdout, FULL.open("w") as stderr:
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setattr(sys, "stderr", stderr)
        with lenient_streams():
            sys.stderr.write("lost")
            sys.stderr.flush()
            sys.stdout.write("report")
            with pytest.raises(OSError, match="No space left"):
                sys.stdout.flush()
            sys.stdout = io.StringIO()
        monkeypatch.undo()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full to write to")
def test_help_on_a_full_disk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Help that cannot be written gives one message, and 2."""
    with FULL.open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as ended:
            main(["--help"])
        monkeypatch.undo()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "Error: The text could not be written: No space left on device.\n"


@pytest.mark.parametrize("closed", ["<&- >&-", ">&- 2>&-", "2>&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    """With streams closed from the start, a command does its work and has its own exit code."""
    shell = f'"$0" -m dbt_statsig schema {closed}'
    done = subprocess.run(["sh", "-c", shell, sys.executable], cwd=tmp_path, capture_output=True, check=False)  # noqa: S607 - the shell closes them
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("extra", [[], ["--output", "json", "--report", "json:x.json"]])
def test_the_working_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], extra: list[str]
) -> None:
    """In a folder that was deleted a command says so, with 2."""
    monkeypatch.chdir(tmp_path)
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert run(["plan", *extra]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("Error: The working folder no longer exists.")
    assert "internal error" not in shown.err
    assert ('"The working folder no longer exists."' in shown.out) is bool(extra)
