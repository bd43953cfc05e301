"""Faults of scope, all about what must not be touched: 25 to 28."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import COMMAND, environment
from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.project import Project, block, model, names, writes
from tests.integration.faults.thirty import content

if TYPE_CHECKING:
    from pathlib import Path

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
    """More than 30 % of three or more would go: all of it is blocked until --force, with the reason."""
    project.forget("orders")
    project.declare_many(10)
    assert project.sync().code == 0
    project.unmark("m00", "m01", "m02", "m03")
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
    """30 % of ten, or one of two, needs no force."""
    project.forget("orders")
    project.declare_many(10)
    assert sync(project).code == 0
    project.unmark("m00", "m01", "m02")
    assert sync(project, "--prune").code == 0
    project.unmark("m03", "m04", "m05", "m06", "m07")
    assert sync(project, "--prune").code == 1
    assert sync(project, "--prune", "--force").code == 0
    project.unmark("m08")
    assert sync(project, "--prune").code == 0
    assert names(server) == ["S09"]


def test_fault_26_a_partial_manifest(project: Project, server: Running) -> None:
    """A manifest with one of eight models changes and deletes nothing of what is there."""
    project.forget("orders")
    project.declare_many(8)
    assert sync(project).code == 0
    for number in range(1, 8):
        project.forget(f"m{number:02}")
    project.declare("m00", "S00", where="amount > 1")
    before = len(server.requests)
    done = sync(project, "--prune")
    assert (done.code, set(done.actions.values()), writes(server, since=before)) == (1, {"blocked"}, [])
    shown = call(project, "plan")
    assert "7 of the 8 objects with this project's ownership line belong to nodes" in shown.stderr
    assert "give each a `namespace`" in shown.stderr


def test_fault_26_a_model_that_is_gone(project: Project, server: Running) -> None:
    """One deletion whose node the manifest does not have any more needs --force."""
    project.forget("orders")
    project.declare_many(10)
    assert sync(project).code == 0
    project.forget("m00")
    done = sync(project, "--prune")
    assert (done.code, done.actions["S00"]) == (1, "blocked")
    assert "The manifest has no node model.shop.m00" in " ".join(call(project, "plan", "--prune").stdout.split())
    assert sync(project, "--prune", "--force").code == 0
    assert "S00" not in names(server)


def test_fault_26_all_of_a_kind(project: Project, server: Running) -> None:
    """The last object of a kind goes with --force only."""
    project.declare("visits", "Visits", "qualifying_event")
    assert sync(project).code == 0
    project.unmark("visits")
    done = sync(project, "--prune")
    assert (done.code, done.actions["Visits"]) == (1, "blocked")
    assert names(server, "qualifying_events") == ["Visits"]
    assert sync(project, "--prune", "--force").code == 0


@pytest.mark.parametrize("options", [(), ("--prune",), ("--prune", "--force")])
def test_disabled_in_this_target(project: Project, server: Running, options: tuple[str, ...]) -> None:
    """A block that is disabled in this target keeps its object: it is named as such, and nothing is done to it."""
    assert sync(project).code == 0
    project.declare("orders", "Orders", enabled=False)
    project.declare("visits", "Visits")
    done = sync(project, *options)
    assert (done.code, done.actions) == (0, {"Visits": "create"})
    assert [(one["name"], one["reason"]) for one in done.answer["plan"]["left"]] == [
        ("Orders", "Disabled in this target.")
    ]
    assert names(server) == ["Orders", "Visits"]


def test_another_project_of_the_same_name(project: Project, server: Running, tmp_path: Path) -> None:
    """A second dbt project of one name neither takes over, renames nor deletes what the first one pushed."""
    project.forget("orders")
    project.declare_many(5)
    project.declare("shared", "Exposures", "assignment_source")
    assert sync(project).code == 0
    other = Project(tmp_path / "other", server.url)
    other.declare("theirs", "S00", where="amount > 1")
    other.declare("shared", "Other exposures", "assignment_source")
    before = content(server)
    done = sync(other, "--prune")
    assert done.code == 1
    assert content(server) == before
    assert sync(other, "--prune", DBT_STATSIG_NAMESPACE="other").statuses == {"Other exposures": "done"}


def test_fault_26_the_limits_are_settings(project: Project) -> None:
    """The share and the number from which it counts are the project's to set."""
    project.declare_many(2)
    assert project.sync().code == 0
    project.settings(prune_threshold_objects=2, prune_threshold_percent=10)
    project.unmark("m00")
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
    assert '--adopt "Orders"' in " ".join(project.text("plan").stdout.split())
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
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(master, 65536)
        os.write(master, answer)
        stdout, _ = process.communicate(timeout=60)
    os.close(slave)
    os.close(master)
    assert b"metric source Orders" in shown
    assert b"Take over 1 object?" in shown
    assert process.returncode == code
    assert bool(writes(server, since=before)) == adopted
    assert adopted or b"Not confirmed: nothing was written." in stdout


def test_fault_27_adopting_all_of_nothing(project: Project) -> None:
    """Where nothing is to be taken over, nothing is asked."""
    assert project.sync("--adopt-all", "--yes").code == 0
    assert project.sync("--adopt-all", "--dry-run").code == 0


def test_a_name_to_adopt_that_nobody_declares(project: Project, server: Running) -> None:
    """While a name to adopt matches nothing, nothing is created: it may mean what is new. What is there goes on."""
    shown = project.text("sync", "--adopt", "orders", "--adopt", "Nowhere=Ordrs")
    assert shown.code == 1
    assert '--adopt "orders": no declared source and no object has this name. Did you mean "Orders"?' in shown.stderr
    assert '--adopt "Nowhere=Ordrs", --adopt "orders" matches nothing' in " ".join(shown.stdout.split())
    assert names(server) == []
    assert project.sync().code == 0
    again = project.text("sync", "--adopt", "orders")
    assert (again.code, "no declared source" in again.stderr) == (0, True)


def test_a_schema_that_may_not_be_pushed(project: Project) -> None:
    """The next step for a locked schema is the manifest or the lock, not the declaration."""
    project.settings(allowed_schemas=["analytics"])
    shown = " ".join(project.text("sync").stdout.split())
    assert 'Its schema "main" is not one that may be pushed (allowed_schemas: analytics).' in shown
    assert "→ Run `dbt compile --target …` for a target that may push" in shown


def test_a_block_under_config_deletes_nothing(project: Project, server: Running) -> None:
    """A node whose `statsig` stands under `config` itself keeps its object, with --prune --force too."""
    project.declare("orders", "Orders")
    project.declare("refunds", "Refunds")
    assert project.sync().code == 0
    project.models["orders"] = model("orders", {})
    project.models["orders"]["config"] |= block("Orders")
    project.write()
    done = project.text("sync", "--prune", "--force")
    assert (done.code, names(server)) == (1, ["Orders", "Refunds"])
    assert "`statsig` is under `config`, where it is not read." in " ".join(done.stdout.split())


@pytest.mark.parametrize("key", ["statsgi", "Statsig", "statsigs"])
def test_a_misspelt_marker_deletes_nothing(project: Project, server: Running, key: str) -> None:
    """A node whose `statsig` key is misspelt keeps its object, with --prune --force too, and the key is named."""
    project.declare("orders", "Orders")
    project.declare("refunds", "Refunds")
    assert project.sync().code == 0
    project.models["orders"] = model("orders", {key: block("Orders")["statsig"]})
    project.write()
    done = project.text("sync", "--prune", "--force")
    assert names(server) == ["Orders", "Refunds"]
    assert f"{key}" in " ".join((done.stdout + done.stderr).split())


def test_fault_28_the_marker_was_removed(project: Project, server: Running) -> None:
    """An object whose marker was removed is reported as such, never changed, and never deleted."""
    assert project.sync().code == 0
    object_of(server, "Orders")["description"] = ""
    done = project.sync("--prune")
    assert (done.code, done.actions) == (1, {"Orders": "foreign"})
    assert "without an ownership line" in project.text("plan").stdout
    project.declare("other", "Other")
    project.forget("orders")
    assert project.sync("--prune", "--force").code == 0
    assert names(server) == ["Orders", "Other"]


def test_a_deletion_of_what_experiments_use(project: Project, server: Running) -> None:
    """Statsig's reason for keeping an object that active experiments use is shown, and the object stays ours."""
    project.declare("exposures", "Exposures", "assignment_source")
    assert project.sync().code == 0
    project.unmark("exposures")
    body = {"status": 400, "message": "Assignment source is referenced by active experiments."}
    server.inject({"match": {"method": "DELETE"}, "action": "status", "status": 400, "body": body})
    done = project.sync("--prune", "--force")
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


def adopted(project: Project, server: Running, **keys: object) -> dict[str, object]:
    """An object of the console's own, taken over by the source `Orders`; planning again finds nothing to do."""
    assert sync(project).code == 0
    object_of(server, "Orders").update(description="Our first source.\n\nAsk Ada.", isReadOnly=False, team="growth")
    project.models["orders"]["description"] = "dbt's words."
    project.declare_again("orders", **keys)
    done = sync(project, "--adopt", "Orders")
    assert (done.code, done.statuses) == (0, {"Orders": "done"})
    assert set(plan(project).actions.values()) == {"unchanged"}
    return object_of(server, "Orders")


def test_adoption_keeps_what_nobody_declared(project: Project, server: Running) -> None:
    """The console's text, its read-only mark and its team stay; the ownership line is appended."""
    live = adopted(project, server)
    assert str(live["description"]).startswith("Our first source.\n\nAsk Ada.\n\n")
    assert str(live["description"]).endswith("\nManaged by dbt: shop/model.shop.orders")
    assert (live["isReadOnly"], live["team"]) == (False, "growth")
    project.models["orders"]["description"] = "Other words of dbt's."
    project.write()
    assert set(plan(project).actions.values()) == {"unchanged"}


def test_adoption_writes_what_was_declared(project: Project, server: Running) -> None:
    """A description and a read-only mark of the block replace the console's, and are shown before."""
    live = adopted(project, server, description="Paid orders.", is_read_only=True)
    assert live["description"] == "Paid orders.\n\nManaged by dbt: shop/model.shop.orders"
    assert live["isReadOnly"] is True


def test_read_only_is_the_projects_choice(project: Project, server: Running) -> None:
    """Undeclared, nothing is sent of whether a source is read-only; the setting makes it so, and shows as a change."""
    assert sync(project).code == 0
    assert "isReadOnly" not in object_of(server, "Orders")
    project.settings(read_only=True)
    (change,) = plan(project).answer["plan"]["changes"]
    assert [field["field"] for field in change["fields"]] == ["is_read_only"]
    assert sync(project).code == 0
    assert object_of(server, "Orders")["isReadOnly"] is True
    assert "read_only" in call(project, "debug").stdout
    project.settings()
    assert set(plan(project).actions.values()) == {"unchanged"}


def test_a_description_of_dbts_is_followed(project: Project, server: Running) -> None:
    """An object that was created with the node's description gets its new one."""
    assert sync(project).code == 0
    project.models["orders"]["description"] = "One row per order."
    project.write()
    assert sync(project).statuses == {"Orders": "done"}
    assert str(object_of(server, "Orders")["description"]).startswith("One row per order.\n\nManaged")
