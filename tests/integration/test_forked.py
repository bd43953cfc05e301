"""The commands that tests fork give what the real ones give."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.forked import BIN, program
from tests.integration.cli_process import environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "words",
    [
        ("dbt-statsig", "validate"),
        ("dbt-statsig", "schema"),
        ("dbt", "nonsense"),
        ("dbt-statsig", "sync", "--nonsense"),
    ],
)
def test_streams_and_exit_code(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A forked command's streams and exit code are those of the real one."""
    name, *arguments = words
    ends = []
    for path in (program(name), BIN / name):
        done = subprocess.run([path, *arguments], cwd=tmp_path, env=environment(), capture_output=True, check=False)
        ends.append((done.returncode, done.stdout, done.stderr))
    assert ends[0] == ends[1]


def test_signals(tmp_path: Path) -> None:
    """A signal reaches the forked command, and whoever waits sees it end by that."""
    ends = []
    for path in (program("dbt-statsig"), BIN / "dbt-statsig"):
        command = [str(path), "emulator", "--port", "0"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert b"http" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            ends.append(process.wait(timeout=60))
    assert ends[0] == ends[1]


def test_settings_of_python(tmp_path: Path) -> None:
    """Where the environment sets Python up otherwise, the real command runs."""
    environ = {**os.environ, "PYTHONVERBOSE": "1"}
    command = [str(program("dbt-statsig")), "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=True)
    assert b"import 'site'" in done.stderr
