"""Faults of a run's end: 18, 19, 44 and 45."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

import dbt_statsig.commands.sync as program
from dbt_statsig.applying.freshness import FRESH_SECONDS, Freshness
from dbt_statsig.emulator import Running, running
from dbt_statsig.project.request import Request
from tests.integration.cli_process import COMMAND, environment
from tests.integration.faults.project import Project, calls, kill, names, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.console.client import ConsoleClient

COUNT = 12


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Project, Running]]:
    """A project of twelve sources, and a console that takes its time."""
    with running(latency=0.25) as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare_many(COUNT)
        yield project, server


def posts(server: Running) -> int:
    """How many creations were answered."""
    return calls(server).count("POST 201")


def hits(server: Running) -> int:
    """How many requests have met the fault in force, answered or not."""
    count: int = server.emulator.faults.as_plan()[0]["hits"]
    return count


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_fault_18_a_signal_in_mid_apply(slow: tuple[Project, Running], number: signal.Signals) -> None:
    """What is under way is finished, nothing is started, the report tells exactly what is there; exit 2."""
    project, server = slow
    process = project.start("sync", "--output", "json", DBT_STATSIG_CONCURRENCY="2")
    wait_for(lambda: posts(server) >= 3)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "Traceback" not in stderr
    outcome = json.loads(stdout)["outcome"]
    done = sorted(entry["name"] for entry in outcome["objects"] if entry["status"] == "done")
    assert {entry["status"] for entry in outcome["objects"]} == {"done", "not_started"}
    assert done == names(server)
    assert 3 <= len(done) < COUNT
    assert "Interrupted" in outcome["stopped"]
    assert project.sync().code == 0
    assert project.settled()


def test_fault_18_a_second_signal(tmp_path: Path) -> None:
    """A second interrupt does not wait for a write that hangs; that one is reported as unknown."""
    with running() as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare_many(3)
        server.inject({"match": {"method": "POST"}, "action": "delay", "seconds": 20.0})
        process = project.start("sync", "--output", "json", DBT_STATSIG_CONCURRENCY="2")
        wait_for(lambda: hits(server) == 2)
        begun = time.monotonic()
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        stdout, _ = process.communicate(timeout=30)
        assert time.monotonic() - begun < 15
        assert process.returncode == 2
        statuses = sorted(entry["status"] for entry in json.loads(stdout)["outcome"]["objects"])
        assert statuses == ["not_started", "unknown", "unknown"]


@pytest.mark.parametrize(
    ("command", "number"), [("sync", signal.SIGINT), ("plan", signal.SIGTERM), ("debug", signal.SIGTERM)]
)
def test_fault_18_a_signal_before_anything_is_written(
    slow: tuple[Project, Running], command: str, number: signal.Signals
) -> None:
    """While the console is still being read, an interrupt ends the run with 130 and no write."""
    project, server = slow
    server.inject({"match": {"method": "GET"}, "action": "delay", "seconds": 20.0})
    process = project.start(command)
    wait_for(lambda: hits(server) == 1)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (130, "")
    assert "Interrupted" in stderr
    assert names(server) == []


@pytest.mark.parametrize("after", [0, 1, 5, 11])
def test_fault_19_killed_at_some_point(slow: tuple[Project, Running], after: int) -> None:
    """After SIGKILL one rerun converges, without a duplicate."""
    project, server = slow
    process = project.start("sync", DBT_STATSIG_CONCURRENCY="3")
    wait_for(lambda: posts(server) >= after and len(server.requests) > 1)
    kill(process)
    time.sleep(0.6)
    assert project.sync().code == 0
    assert posts(server) == COUNT
    assert len(names(server)) == COUNT
    assert project.settled()


def test_fault_19_no_half_written_file(slow: tuple[Project, Running]) -> None:
    """A saved plan is there whole or not at all, and no temporary file stays in its place."""
    project, _ = slow
    (project.folder / "old.plan").write_text("old")
    assert project.plan("--out", "old.plan").code == 0
    content = json.loads((project.folder / "old.plan").read_text())
    assert len(content["changes"]) == COUNT
    assert sorted(path.name for path in project.folder.iterdir() if "plan" in path.name) == ["old.plan"]


def sync_into(stdout: IO[Any], project: Project, stderr: IO[Any] | int = -1) -> subprocess.CompletedProcess[str]:
    """A sync whose report goes to this file."""
    return subprocess.run(
        [COMMAND, "sync"],
        cwd=project.folder,
        env=environment(**project.environ),
        stdout=stdout,
        stderr=stderr,
        text=True,
        check=False,
        timeout=60,
    )


def test_fault_44_the_report_cannot_be_written(project: Project, server: Running) -> None:
    """With a full disk under stdout the sync's result stands, and the exit code is not 0."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as stdout:
        done = sync_into(stdout, project)
    assert done.returncode == 2
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(server) == ["Orders"]
    assert project.settled()


@pytest.mark.parametrize("place", ["nowhere/x.plan", "target", "/proc/x.plan"])
def test_fault_44_the_plan_cannot_be_written(project: Project, place: str) -> None:
    """A folder that is not there, is a folder or is read-only gives one message and exit 2."""
    done = project.text("plan", "--out", place)
    assert done.code == 2
    assert "Error: " in done.stderr


def test_fault_44_nobody_reads_the_report(project: Project, server: Running) -> None:
    """Readers that go away, of stderr too, are no fault: the sync is done, without noise."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = sync_into(nobody, project)
        assert (done.returncode, done.stderr) == (0, "")
        project.declare("returns", "Returns")
        assert sync_into(nobody, project, nobody).returncode == 0
    assert names(server) == ["Orders", "Returns"]


def test_fault_67_the_folder_is_deleted(slow: tuple[Project, Running]) -> None:
    """Fault 67: what a sync has begun is finished and reported although its folder went away, by the exit code too."""
    project, server = slow
    process = project.start("sync", "--output", "json", "--report", "html:x.html", DBT_STATSIG_CONCURRENCY="3")
    wait_for(lambda: posts(server) >= 1)
    shutil.rmtree(project.folder)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert stderr.startswith("Error: x.html could not be written: ")
    assert {entry["status"] for entry in json.loads(stdout)["outcome"]["objects"]} == {"done"}
    assert len(names(server)) == COUNT


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_fault_45_the_wall_clock_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    """A jump of the wall clock in mid-run neither shortens nor prolongs a pause that the server asked for."""
    real = time.time
    with running() as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare_many(3)
        answer = {"match": {"method": "POST"}, "action": "status", "status": 429, "times": 1}
        server.inject({**answer, "headers": {"Retry-After": "1"}})
        begun = time.monotonic()
        monkeypatch.setattr(time, "time", lambda: real() + jump * ((time.monotonic() - begun) > 0.2))
        synced = program.sync(Request(project_dir=project.folder, environ=project.environ))
        assert 1 <= time.monotonic() - begun < 10
        assert {entry.status.value for entry in synced.outcome.objects} == {"done"}


def test_fault_16_an_edit_while_a_question_waits(
    project: Project, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading's age counts through a question that took long: the object edited meanwhile is refused."""
    assert project.sync().code == 0
    project.declare("orders", "Orders", where="amount > 1")

    asked: list[float] = []

    def impatient(client: ConsoleClient, *, read_at: float, fresh_for: float) -> Freshness:
        assert read_at < asked[0]
        assert fresh_for == FRESH_SECONDS
        return Freshness(client, read_at=read_at, fresh_for=asked[0] - read_at)

    def answer(_planned: object) -> bool:
        asked.append(time.monotonic())
        server.state.sources["metric_sources"]["Orders"]["team"] = "growth"
        return True

    monkeypatch.setattr("dbt_statsig.applying.apply.Freshness", impatient)
    synced = program.sync(Request(project_dir=project.folder, environ=project.environ), confirm=answer)
    assert [entry.status.value for entry in synced.outcome.objects] == ["refused"]
