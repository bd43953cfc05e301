"""Fault 48: a replacement that is refused, failed, unknown, case-only or not in the plan: the old object stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.applying.apply import apply_plan
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.memory import FAULTS, MemoryConsole
from tests.integration.faults.project import Project, names, writes
from tests.integration.test_apply import declared, make_plan

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

REFUSAL = {"action": "status", "status": 400, "body": {"status": 400, "message": "The column ts does not exist."}}
KINDS = {"metric_source": "metric_sources", "qualifying_event": "qualifying_events"}
NEW, OLD = "New orders", "Orders"


def replaced(project: Project, kind: str, name: str = NEW) -> Project:
    """The project, pushed, and then with another name for its source; others of the kind keep limits away."""
    for number in range(8):
        project.declare(f"m{number}", f"Other {number}", kind)
    project.declare("orders", OLD, kind)
    assert sync(project).code == 0
    project.declare("orders", name, kind)
    return project


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_replacement(project: Project, server: Running, kind: str) -> None:
    """Statsig refuses the new object: the old one is not deleted, says why, and the next run puts both right."""
    replaced(project, kind)
    server.inject({**REFUSAL, "match": {"method": "POST"}, "times": 1})
    before = len(server.requests)
    done = sync(project, "--prune")
    assert (done.code, done.statuses) == (1, {NEW: "failed", OLD: "refused"})
    assert done.entry(OLD)["message"] == f'"{NEW}" must be written first, but was not. Nothing was sent.'
    assert [one for one in writes(server, since=before) if one.startswith("DELETE")] == []
    assert OLD in names(server, KINDS[kind])
    assert sync(project, "--prune").statuses == {NEW: "done", OLD: "done"}
    assert (OLD in names(server, KINDS[kind]), NEW in names(server, KINDS[kind])) == (False, True)
    assert set(plan(project, "--prune").actions.values()) == {"unchanged"}


def test_the_plan_says_what_comes_first(project: Project) -> None:
    """The dependency is part of the plan: in JSON, and as the reason."""
    replaced(project, "metric_source")
    changes = {change["name"]: change for change in plan(project, "--prune").answer["plan"]["changes"]}
    assert (changes[OLD]["action"], changes[OLD]["requires"]) == ("delete", [NEW])
    assert f'Replaced by "{NEW}".' in call(project, "plan", "--prune").stdout


def test_a_replacement_that_the_server_check_refuses(project: Project, server: Running) -> None:
    """What --server-check refuses takes the deletion of the old object with it, in the plan already."""
    replaced(project, "metric_source")
    server.inject({**REFUSAL, "match": {"method": "POST"}, "times": 1})
    done = sync(project, "--prune", "--server-check")
    assert (done.code, done.actions[NEW], done.actions[OLD]) == (1, "blocked", "blocked")
    assert OLD in names(server)


def test_a_replacement_that_is_not_in_the_saved_plan(project: Project, server: Running, tmp_path: Path) -> None:
    """Of a saved plan whose creation cannot be applied any more, the deletion is refused as well."""
    replaced(project, "metric_source")
    path = tmp_path / "plan.json"
    assert call(project, "plan", "--prune", "--out", str(path)).code == 0
    content = json.loads(path.read_text())
    content["changes"] = [change for change in content["changes"] if change["name"] == OLD]
    path.write_text(json.dumps(content))
    done = sync(project, "--plan", str(path))
    assert (done.code, done.statuses) == (1, {OLD: "refused"})
    assert done.entry(OLD)["message"] == f'"{NEW}", which must be written first, is not written.'
    assert OLD in names(server)


def test_a_saved_plan_that_was_cut_short(project: Project, server: Running, tmp_path: Path) -> None:
    """Applied again after the creation was done, a saved plan deletes the old object."""
    replaced(project, "metric_source")
    path = tmp_path / "plan.json"
    assert call(project, "plan", "--prune", "--out", str(path)).code == 0
    server.inject({**REFUSAL, "match": {"method": "DELETE"}, "times": 1})
    assert sync(project, "--plan", str(path)).statuses == {NEW: "done", OLD: "failed"}
    done = sync(project, "--plan", str(path))
    assert (done.code, done.statuses) == (0, {NEW: "done", OLD: "done"})
    assert OLD not in names(server)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_case(project: Project, server: Running, kind: str) -> None:
    """A name that changes only its case, of a kind that cannot be renamed, is refused; the object stays."""
    replaced(project, kind, "orders")
    done = sync(project, "--prune", "--force")
    assert (done.code, done.statuses) == (1, {})
    assert (done.actions["orders"], done.actions[OLD]) == ("blocked", "blocked")
    assert OLD in names(server, KINDS[kind])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("times", [1, 30])
@pytest.mark.parametrize("kind", [Kind.METRIC_SOURCE, Kind.QUALIFYING_EVENT])
def test_whatever_becomes_of_the_creation(kind: Kind, times: int, fault: str) -> None:
    """After any fault of the creation, one of the two objects is there, and the old one goes only after the new one."""
    console = MemoryConsole()
    with console.client() as client:
        assert apply_plan(client, make_plan(client, [declared("Old", kind=kind)])).stopped == ""
        made = make_plan(client, [declared("New", kind=kind)], prune=True)
        console.armed = [fault] * times
        outcome = apply_plan(client, made)
        console.armed = []
        held = {item.name for item in client.list(kind).items}
    statuses = {entry.change.name: entry.status for entry in outcome.objects}
    assert statuses.keys() == {"New", "Old"}
    assert "New" in held if statuses["New"] is Status.DONE else "Old" in held
    assert SPECS[kind].can_rename is False
