"""A sync of thirty objects that dies before or after any request: one rerun converges to the same state."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import dbt_statsig.commands.sync as program
from dbt_statsig.emulator import Running, running
from dbt_statsig.project.request import Request
from tests.integration.faults.project import Project, calls
from tests.integration.faults.thirty import content, prepared

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
ARGUMENTS = ("sync", "--prune", "--force")
MOST_REQUESTS = 60


class Killed(Exception):
    """The process is dead: nothing reaches the wire any more."""


class DyingTransport:
    """Stands in for httpx's own way to the wire, and dies before or after request number `at`."""

    def __init__(self, at: int, *, sent: bool) -> None:
        """Count from 1; with `sent`, that request still reaches the server."""
        self.at = at
        self.sent = sent
        self.count = 0
        self.real = httpx.HTTPTransport.handle_request

    def __call__(self, transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        """The answer, or death."""
        self.count += 1
        if self.count < self.at:
            return self.real(transport, request)
        if self.count == self.at and self.sent:
            self.real(transport, request).close()
        raise Killed

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        """Put it in place."""

        def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            return self(transport, request)

        patch.setattr(httpx.HTTPTransport, "handle_request", handle)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Project, dict[str, Any]]]:
    """A console, a project whose second state is to be pushed, and what the console holds after that."""
    with running() as server:
        project = prepared(tmp_path_factory.mktemp("crash") / "shop", server)
        start = server.state.as_seed()
        assert project.command(*ARGUMENTS).code == 0
        final = content(server)
    with running(seed=start) as server:
        project.url = server.url
        yield server, project, final


def in_process(project: Project) -> Any:
    """The sync in this process, one write after another."""
    environ = {**project.environ, "DBT_STATSIG_CONCURRENCY": "1", "DBT_STATSIG_WAIT_BUDGET": "5"}
    return program.sync(Request(project_dir=project.folder, environ=environ, prune=True, force=True))


def converges(server: Running, project: Project, final: dict[str, Any]) -> None:
    """One rerun gives the final state, and a plan after it is empty."""
    synced = in_process(project)
    assert {entry.status.value for entry in synced.outcome.objects} <= {"done"}
    assert content(server) == final
    assert {change.action.value for change in in_process(project).planned.plan.changes} == {"unchanged"}


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("part", range(4) if NIGHTLY else [0, 3])
def test_death_at_every_request(
    console: tuple[Running, Project, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, part: int, *, sent: bool
) -> None:
    """Wherever the process stops, a rerun gives the same state; nobody else's object is touched."""
    server, project, final = console
    died = 0
    for at in range(1 + part, MOST_REQUESTS, 4):
        server.reset()
        with monkeypatch.context() as patch:
            transport = DyingTransport(at, sent=sent)
            transport.patched(patch)
            with contextlib.suppress(Killed):
                in_process(project)
            if transport.count < at:
                break
            died += 1
        converges(server, project, final)
    assert died >= 8


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, MOST_REQUESTS) if NIGHTLY else [1, 3, 6, 9, 15, 30])
def test_sigkill(console: tuple[Running, Project, dict[str, Any]], tmp_path: Path, at: int, *, committed: bool) -> None:
    """The real process is killed while its request number `at` is unanswered, taken up or not; a rerun converges."""
    template, project, final = console
    template.reset()
    victims: list[subprocess.Popen[str]] = []

    def strike(_line: str) -> None:
        if len(server.requests) == at and victims:
            os.kill(victims[0].pid, signal.SIGKILL)

    with running(seed=template.state.as_seed(), on_request=strike) as server:
        here = Project(tmp_path / "shop", server.url)
        here.models = dict(project.models)
        here.write()
        if not committed:
            server.inject({"match": {"nth": at}, "action": "drop_before_commit"})
        victims.append(here.start(*ARGUMENTS, DBT_STATSIG_CONCURRENCY="1"))
        victims[0].communicate(timeout=60)
        assert victims[0].returncode in {0, -signal.SIGKILL}
        assert (victims[0].returncode == 0) == (len(calls(server)) < at)
        victims.clear()
        server.inject()
        converges(server, here, final)
