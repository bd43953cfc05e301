"""Faults of connections and reads: 1, 2, 8 to 11, 13, 20 (reads), 23, 24, 29, 46."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.emulator import Running, running
from tests.integration.cli_process import COMMAND, environment
from tests.integration.faults.project import Project, calls, names, writes

if TYPE_CHECKING:
    from pathlib import Path

POST = {"method": "POST"}
LIST = {"method": "GET", "path": "metric_source/list"}


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_fault_01_no_connection(project: Project, command: str) -> None:
    """Nobody answers: retried within the budget, then exit 2, and no write is claimed."""
    project.url = f"http://127.0.0.1:{free_port()}"
    begun = time.monotonic()
    done = project.text(command, DBT_STATSIG_WAIT_BUDGET="2")
    assert (done.code, done.stdout) == (2, "")
    assert "No connection to 127.0.0.1" in done.stderr
    assert time.monotonic() - begun < 15


def test_fault_01_no_such_host(project: Project) -> None:
    """A host that has no address gives the same."""
    project.url = "https://console.invalid"
    done = project.text("plan", DBT_STATSIG_WAIT_BUDGET="0")
    assert (done.code, done.stdout) == (2, "")
    assert "console.invalid" in done.stderr


def test_fault_08_retry_after_is_honoured_and_reported(project: Project, server: Running) -> None:
    """A 429 with Retry-After delays the write by that much, and a terminal shows why it waits."""
    server.inject(
        {"match": POST, "action": "status", "status": 429, "headers": {"Retry-After": "2"}, "times": 1},
    )
    begun = time.monotonic()
    shown, code = watched(project)
    assert code == 0
    assert time.monotonic() - begun >= 2
    assert "Waiting 2 s: Statsig asks for a pause (429)" in shown
    assert [one for one in calls(server) if "POST" in one][-2:] == ["POST 429", "POST 201"]


def watched(project: Project) -> tuple[str, int]:
    """What a sync shows on a terminal's stderr, and its exit code."""
    master, slave = pty.openpty()
    env = environment(**project.environ, TERM="xterm", COLUMNS="120")
    with subprocess.Popen(
        [COMMAND, "sync"], cwd=project.folder, env=env, stdout=subprocess.DEVNULL, stderr=slave
    ) as process:
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # the terminal's other end is closed
            pass
        os.close(master)
    return shown.decode(errors="replace"), process.returncode


@pytest.mark.parametrize(
    "headers",
    [{}, {"Retry-After": "soon"}, {"Retry-After": "-5"}, {"Retry-After": "1e9x"}, {"Retry-After": "PAST"}],
    ids=str,
)
def test_fault_09_an_odd_retry_after(project: Project, server: Running, headers: dict[str, str]) -> None:
    """A 429 that does not say for how long is met with a short pause of our own."""
    sent = {name: formatdate(0, usegmt=True) if value == "PAST" else value for name, value in headers.items()}
    server.inject({"match": POST, "action": "status", "status": 429, "headers": sent, "times": 2})
    assert project.sync().code == 0
    assert [one for one in calls(server) if "POST" in one][-3:] == ["POST 429", "POST 429", "POST 201"]


def test_fault_09_a_date(project: Project, server: Running) -> None:
    """A date in Retry-After is waited for."""
    headers = {"Retry-After": formatdate(time.time() + 3, usegmt=True)}
    server.inject({"match": POST, "action": "status", "status": 429, "headers": headers, "times": 1})
    begun = time.monotonic()
    assert project.sync().code == 0
    assert time.monotonic() - begun >= 1


def test_fault_10_endless_throttling(project: Project, server: Running) -> None:
    """429 for ever: the run stops with exit 2, and lists what was done and what was not."""
    project.declare_many(3)
    server.inject(
        {"match": {**POST, "nth": [*range(2, 200)]}, "action": "status", "status": 429, "headers": {"Retry-After": "1"}}
    )
    done = project.sync(DBT_STATSIG_WAIT_BUDGET="2", DBT_STATSIG_CONCURRENCY="1")
    assert done.code == 2
    assert sorted(done.statuses.values()) == ["done", "failed", "not_started", "not_started"]
    assert "429" in done.answer["outcome"]["stopped"]
    assert len(names(server)) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_fault_11_server_errors_on_reads(project: Project, server: Running, status: int) -> None:
    """Server errors on a read are retried."""
    server.inject({"match": LIST, "action": "status", "status": status, "times": 2})
    assert project.sync().code == 0
    assert calls(server)[:3] == [f"GET {status}", f"GET {status}", "GET 200"]


def test_fault_13_the_key_is_refused_in_mid_run(project: Project, server: Running) -> None:
    """Everything stops, every object is reported, and the key that the answer quotes is hidden."""
    status = 401
    project.declare_many(6)
    body = {"status": status, "message": f"Invalid key {project.key}"}
    server.inject({"match": {**POST, "nth": [*range(3, 99)]}, "action": "status", "status": status, "body": body})
    done = project.sync(DBT_STATSIG_CONCURRENCY="1")
    assert done.code == 2
    assert sorted(done.statuses.values()) == ["done", "done", "failed", *["not_started"] * 4]
    assert "<key hidden>" in done.stdout
    assert calls(server).count(f"POST {status}") == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "truncate"},
        {"action": "html"},
        {"action": "garbage"},
        {"action": "status", "status": 200, "body": "{}"},
    ],
    ids=lambda fault: str(fault["action"]),
)
def test_fault_20_an_unusable_list(project: Project, server: Running, fault: dict[str, Any]) -> None:
    """A list that is cut, HTML or no JSON gives exit 2 and one message; nothing is written."""
    server.inject({"match": LIST, **fault})
    done = project.text("sync", DBT_STATSIG_WAIT_BUDGET="1")
    assert (done.code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert writes(server) == []


@pytest.fixture
def full(project: Project, server: Running) -> Project:
    """120 objects of ours in the console, 119 of them declared, with pruning allowed to go."""
    project.forget("orders")
    project.declare_many(120)
    assert project.sync(DBT_STATSIG_CONCURRENCY="16").code == 0
    project.unmark("m50")
    return project


@pytest.mark.parametrize("fault", [{"action": "shift_pages", "by": 1}, {"action": "shift_pages", "by": -1}], ids=str)
def test_fault_23_shifting_pages(full: Project, server: Running, fault: dict[str, Any]) -> None:
    """Pages that shift while they are read let nothing be deleted, and nothing be written twice."""
    before = len(server.requests)
    server.inject({"match": {"method": "GET", "path": "page=2"}, **fault})
    done = full.sync("--prune")
    assert "DELETE" not in " ".join(writes(server, since=before))
    assert done.answer["plan"]["warnings"]
    assert len(names(server)) == 120
    server.inject()
    assert full.sync("--prune").statuses == {"S50": "done"}


def test_fault_23_endless_pages(project: Project, server: Running) -> None:
    """Pages that never end are given up, and nothing is deleted on their strength."""
    assert project.sync().code == 0
    project.declare("other", "Other")
    project.forget("orders")
    server.inject({"match": LIST, "action": "endless_pages"})
    done = project.sync("--prune")
    assert done.code == 1
    assert done.actions == {"Orders": "blocked", "Other": "create"}
    assert names(server) == ["Orders", "Other"]


def test_fault_24_the_list_is_empty_although_we_own_objects(project: Project, server: Running) -> None:
    """An empty list is doubted where a declared object is there all the same: exit 2, and no write."""
    assert project.sync().code == 0
    before = len(server.requests)
    server.inject({"match": LIST, "action": "empty_list"})
    done = project.text("sync", "--prune")
    assert (done.code, done.stdout) == (2, "")
    assert "came back empty" in done.stderr
    assert writes(server, since=before) == []


def test_fault_24_for_a_kind_without_a_read_endpoint(project: Project, server: Running) -> None:
    """Where only the list itself can be asked, an empty one leads to refused creations, and to no duplicate."""
    project.declare("exposures", "Exposures", "assignment_source")
    assert project.sync().code == 0
    server.inject({"match": {"method": "GET", "path": "assignment_sources"}, "action": "empty_list"})
    done = project.sync("--prune")
    assert (done.code, done.statuses) == (1, {"Exposures": "failed"})
    assert names(server, "assignment_sources") == ["Exposures"]


def test_fault_29_a_redirect(project: Project, server: Running) -> None:
    """A redirect to another origin is refused, and that origin gets neither the key nor a request."""
    with running() as other:
        server.inject({"action": "redirect", "url": f"{other.url}/console/v1/metrics/metric_source/list"})
        done = project.text("sync")
        assert (done.code, done.stdout) == (2, "")
        assert "redirect" in done.stderr
        assert other.requests == []


def test_fault_46_other_clients_use_the_quota(tmp_path: Path) -> None:
    """Where others have spent the quota, 429 is waited out, and everything is written once."""
    with running(rate_limit=[(6, 2.0)]) as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare_many(10)
        done = project.sync()
        assert (done.code, set(done.statuses.values())) == (0, {"done"})
        assert calls(server).count("POST 201") == 10
        assert "POST 429" in calls(server)
