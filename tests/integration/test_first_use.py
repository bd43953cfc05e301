"""The first sync of a process: what its threads use of msgspec was made ready before they began."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import dbt_statsig.commands.sync as program
from dbt_statsig.console.sender import Envelope
from dbt_statsig.emulator import running
from dbt_statsig.project.request import Request
from dbt_statsig.support.threads import THREAD_NAME
from dbt_statsig.vocabulary.kinds import SPECS
from tests.integration.cli_process import environment
from tests.integration.faults.project import Project
from tests.integration.faults.thirty import KINDS, content

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
ROUNDS = 300 if NIGHTLY else 20
WHOLE_RUNS = 300
SWITCHING = "import sys; sys.setswitchinterval(1e-6); from dbt_statsig.cli import main; main()"


def made(folder: Path, url: str) -> Project:
    """A project with two objects of each kind."""
    project = Project(folder, url)
    for number in range(8):
        project.declare(f"m{number}", f"S{number}", KINDS[number % 4], tags=["dbt"])
    return project


def test_60_threads_that_decode_for_the_first_time_at_once_do_not_crash() -> None:
    """Fault 60: eight threads whose first answers come at the same moment live, at a thread switch each microsecond.

    Without what makes the types ready, all of ten runs died with SIGSEGV.
    """
    command = [sys.executable, "-m", "tests.integration.first_use", str(ROUNDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{ROUNDS} rounds\n", "")


def test_60_no_thread_decodes_a_type_that_was_not_made_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 60: whatever type a thread of a sync decodes into, the main thread has used it before."""
    ready: set[Any] = set()
    late: set[Any] = set()

    def watched(real: Callable[..., Any], kind: Any) -> None:
        name = threading.current_thread().name
        if name == "MainThread":
            ready.add(kind)
        elif name == THREAD_NAME and kind not in ready:
            late.add((real.__name__, kind))

    convert, decode = msgspec.convert, msgspec.json.decode

    def watched_convert(value: Any, type: Any, **more: Any) -> Any:  # noqa: A002 - msgspec's own word
        watched(convert, type)
        return convert(value, type, **more)

    def watched_decode(text: Any, *, type: Any = Any, **more: Any) -> Any:  # noqa: A002 - as above
        if type is not Any:
            watched(decode, type)
        return decode(text, type=type, **more)

    monkeypatch.setattr(msgspec, "convert", watched_convert)
    monkeypatch.setattr(msgspec.json, "decode", watched_decode)
    with running(rate_limit=False) as server:
        request = Request(project_dir=made(tmp_path, server.url).folder, environ=made(tmp_path, server.url).environ)
        synced = program.sync(msgspec.structs.replace(request, server_check=True))
    assert len(synced.outcome.objects) == 8
    assert ready >= {Envelope, *(spec.payload for spec in SPECS.values())}
    assert late == set()


@pytest.mark.skipif(not NIGHTLY, reason="five minutes: make nightly")
@pytest.mark.timeout(3600)
def test_60_no_first_sync_of_three_hundred_crashes(tmp_path: Path) -> None:
    """Fault 60: three hundred first syncs, each a process that switches threads all the time, end well."""
    with running() as server:
        project = made(tmp_path, server.url)
        for number in range(WHOLE_RUNS):
            server.reset()
            done = subprocess.run(
                [sys.executable, "-c", SWITCHING, "sync", "-q"],
                cwd=project.folder,
                env=environment(**project.environ),
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert (done.returncode, done.stderr) == (0, ""), (number, done)
            assert sum(map(len, content(server)["sources"].values())) == 8
