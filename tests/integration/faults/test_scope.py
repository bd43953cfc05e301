"""Faults of scope, all about what must not be touched: 25 to 28."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import COMMAND, environment
from tests.integration.faults.inprocess import call, sync
from tests.integration.faults.project import Project, names, writes

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running

ORDERS = "model.shop.orders"


def object_of(server: Running, name: str) -> dict[str, object]:
    """The live object."""
    return server.state.sources["metric_sources"][name]


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "force"])
def test_fault_25_a_manifest_without_marks(project: Project, server: Running, force: tuple[str, ...]) -> None:
    """A manifest that marks nothing deletes nothing, not even with --force."""
    assert project.sync().code == 0
    project.forget("orders")
    done = project.sync("--prune", *force)
    assert (done.code, done.actions) == (1, {"Orders": "blocked"})
    assert names(server) == ["Orders"]


@pytest.mark.parametrize("content", ["", "{", '{"metadata": {}, "nodes": {}}'], ids=["empty", "cut", "no nodes"])
def test_fault_25_a_partial_manifest(project: Project, server: Running, content: str) -> None:
    """An empty or cut manifest stops the run before any request."""
    assert project.sync().code == 0
    before = len(server.requests)
    (project.folder / "target" / "manifest.json").write_text(content)
    done = project.text("sync", "--prune", "--force")
    assert (done.code, done.stdout) == (2, "")
    assert len(server.requests) == before


def test_fault_25_another_projects_manifest(project: Project, server: Running) -> None:
    """A manifest of another project is refused, and no request is made."""
    (project.folder / "dbt_project.yml").write_text("name: other\n")
    done = project.text("sync", "--prune")
    assert done.code == 2
    assert '"shop"' in done.stderr
    assert server.requests == []


def test_fault_26_too_many_deletions(project: Project, server: Running) -> None:
    """More than 30 % of ten or more would go: all of it is blocked until --force, and told why."""
    project.forget("orders")
    project.declare_many(10)
    assert project.sync().code == 0
    for number in range(4):
        project.forget(f"m{number:02}")
    done = project.sync("--prune")
    assert done.code == 1
    assert [name for name, action in done.actions.items() if action == "blocked"] == ["S00", "S01", "S02", "S03"]
    assert len(names(server)) == 10
    assert "4 of this project's 10" in project.text("plan", "--prune").stdout
    assert project.sync("--prune", "--force").code == 0
    assert names(server) == [f"S{number:02}" for number in range(4, 10)]


def test_fault_26_too_many_updates(project: Project, server: Running) -> None:
    """More than 30 % would change: nothing of ours is changed until --force; what is new is created all the same."""
    project.forget("orders")
    project.declare_many(10)
    assert project.sync().code == 0
    project.declare_many(10, where="amount > 1")
    project.declare("orders", "Orders")
    before = len(server.requests)
    done = project.sync()
    assert (done.code, done.statuses) == (1, {"Orders": "done"})
    assert writes(server, since=before) == ["POST metric_source"]
    assert project.sync("--force").code == 0
    assert project.settled()


def test_fault_26_below_the_limits(project: Project, server: Running) -> None:
    """30 % of ten, or all of nine, needs no force."""
    project.forget("orders")
    project.declare_many(10)
    assert project.sync().code == 0
    for number in range(3):
        project.forget(f"m{number:02}")
    assert project.sync("--prune").code == 0
    for number in range(3, 9):
        project.forget(f"m{number:02}")
    assert project.sync("--prune").code == 0
    assert names(server) == ["S09"]


def test_fault_26_the_limits_are_settings(project: Project) -> None:
    """The share and the number from which it counts are the project's to set."""
    project.declare_many(2)
    assert project.sync().code == 0
    project.settings(prune_threshold_objects=2, prune_threshold_percent=10)
    project.forget("m00")
    assert project.sync("--prune").actions["S00"] == "blocked"


@pytest.mark.parametrize("description", ["By hand.", "Managed by dbt: other/model.other.orders"])
def test_fault_27_somebody_elses_object(project: Project, server: Running, description: str) -> None:
    """An object without our marker is refused and left alone; the option to take it over is named, and works."""
    assert project.sync().code == 0
    object_of(server, "Orders")["description"] = description
    object_of(server, "Orders")["sql"] = "select 'theirs'"
    done = project.sync()
    assert (done.code, done.actions, done.statuses) == (1, {"Orders": "foreign"}, {})
    assert object_of(server, "Orders")["sql"] == "select 'theirs'"
    assert '--adopt "Orders"' in project.text("plan").stdout
    assert project.sync("--adopt", "Orders").statuses == {"Orders": "done"}
    assert project.settled()


def test_fault_27_adopting_all(project: Project, server: Running) -> None:
    """--adopt-all needs --yes where nobody can be asked, and never takes another project's object."""
    project.declare("visits", "Visits")
    assert project.sync().code == 0
    object_of(server, "Orders")["description"] = "By hand."
    object_of(server, "Visits")["description"] = "Managed by dbt: other/model.other.visits"
    asked = project.text("sync", "--adopt-all")
    assert asked.code == 2
    assert "--yes" in asked.stderr
    done = project.sync("--adopt-all", "--yes")
    assert (done.code, done.statuses) == (1, {"Orders": "done"})
    assert done.actions["Visits"] == "foreign"


@pytest.mark.parametrize(("answer", "code", "adopted"), [(b"y\n", 0, True), (b"n\n", 2, False)])
def test_fault_27_adopting_all_asks_on_a_terminal(
    project: Project, server: Running, answer: bytes, code: int, *, adopted: bool
) -> None:
    """On a terminal the objects are named and the answer counts; without a yes nothing is written."""
    assert project.sync().code == 0
    object_of(server, "Orders")["description"] = "By hand."
    before = len(server.requests)
    master, slave = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "sync", "--adopt-all"],
        cwd=project.folder,
        env=environment(**project.environ),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
    ) as process:
        told = b""
        while b"Take over 1?" not in told:
            told += os.read(master, 65536)
        os.write(master, answer)
        stdout, _ = process.communicate(timeout=60)
    os.close(slave)
    os.close(master)
    assert b"metric source Orders" in told
    assert process.returncode == code
    assert bool(writes(server, since=before)) == adopted
    assert adopted or b"Not confirmed: nothing was written." in stdout


def test_fault_27_adopting_all_of_nothing(project: Project) -> None:
    """Where nothing is to be taken over, nothing is asked."""
    assert project.sync("--adopt-all", "--yes").code == 0
    assert project.sync("--adopt-all", "--dry-run").code == 0


def test_a_name_to_adopt_that_nobody_declares(project: Project) -> None:
    """A misspelt name is told with the one that was meant; the rest of the run is as without it."""
    told = project.text("sync", "--adopt", "orders", "--adopt", "Nowhere")
    assert told.code == 0
    assert 'No declared source is called "orders": nothing is adopted for it. Did you mean "Orders"?' in told.stderr
    assert 'No declared source is called "Nowhere": nothing is adopted for it.' in told.stderr


def test_fault_28_the_marker_was_removed(project: Project, server: Running) -> None:
    """An object whose marker was removed is reported as such, never changed, and never deleted."""
    assert project.sync().code == 0
    object_of(server, "Orders")["description"] = ""
    done = project.sync("--prune")
    assert (done.code, done.actions) == (1, {"Orders": "foreign"})
    assert "without its ownership line" in project.text("plan").stdout
    project.declare("other", "Other")
    project.forget("orders")
    assert project.sync("--prune", "--force").code == 0
    assert names(server) == ["Orders", "Other"]


def test_a_deletion_of_what_experiments_use(project: Project, server: Running) -> None:
    """Statsig's reason for keeping an object that active experiments use is shown, and the object stays ours."""
    project.declare("exposures", "Exposures", "assignment_source")
    assert project.sync().code == 0
    project.forget("exposures")
    body = {"status": 400, "message": "Assignment source is referenced by active experiments."}
    server.inject({"match": {"method": "DELETE"}, "action": "status", "status": 400, "body": body})
    done = project.sync("--prune")
    assert (done.code, done.statuses) == (1, {"Exposures": "failed"})
    assert "referenced by active experiments" in done.entry("Exposures")["message"]
    assert names(server, "assignment_sources") == ["Exposures"]


def test_adopting_under_another_name(project: Project, server: Running) -> None:
    """An object of another name is taken over and renamed where its kind can be renamed; else nothing is made."""
    exposures = {"name": "By hand", "description": "Somebody's.", "sql": "select 1", "timestampColumn": "ts"}
    server.state.sources["assignment_sources"]["By hand"] = dict(exposures)
    server.state.sources["metric_sources"]["By hand too"] = dict(exposures, name="By hand too")
    project.declare("exposures", "Exposures", "assignment_source")
    done = sync(project, "--adopt", "By hand", "--adopt", "By hand too=Orders")
    assert (done.code, done.statuses) == (1, {"Exposures": "done"})
    assert done.actions == {"Exposures": "rename", "Orders": "blocked"}
    assert names(server, "assignment_sources") == ["Exposures"]
    assert names(server) == ["By hand too"]
    assert "cannot rename a metric source" in call(project, "plan", "--adopt", "By hand too").stdout
