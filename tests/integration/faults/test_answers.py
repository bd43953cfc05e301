"""A service whose answers are not what they seem: nothing is lost, and nothing is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import dbt_statsig.commands.sync as program
from dbt_statsig.console import confirming
from dbt_statsig.emulator import running
from dbt_statsig.vocabulary.results import Status, Synced
from tests.integration.faults.inprocess import plan, sync
from tests.integration.faults.project import Project, names, writes
from tests.integration.faults.test_reading_beside import request_of

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

POST = {"method": "POST", "path": "metric_source$"}
DONE = {"message": "Metric source created."}


@pytest.fixture(autouse=True)
def _one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing shows later than at once here."""
    monkeypatch.setattr(confirming, "CONFIRMATIONS", (0.0,))


def synced(project: Project, **fields: Any) -> Synced:
    """A sync in this process."""
    return program.sync(request_of(project, **fields))


def statuses(done: Synced) -> dict[str, Status]:
    """How each object ended."""
    return {entry.change.name: entry.status for entry in done.outcome.objects}


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (202, {}),
        (201, DONE),
        (201, {**DONE, "data": None}),
        (201, {**DONE, "data": {"name": "Refunds", "sql": "select 1"}}),
        (202, {"message": "Submitted for review."}),
        (200, {"status": 400, "message": "No such table."}),
        (200, {"success": False, "message": "No such table."}),
    ],
    ids=str,
)
def test_50_a_success_that_may_be_none(
    project: Project, server: Running, status: int, body: dict[str, Any], *, commit: bool
) -> None:
    """Fault 50: what was written is done, what was not is never claimed, and nothing is written twice."""
    server.inject({"match": POST, "action": "status", "status": status, "body": body, "commit": commit})
    done = synced(project)
    refused = "No such table." in str(body)
    expected = Status.DONE if commit else Status.FAILED if refused else Status.UNKNOWN
    assert statuses(done) == {"Orders": expected}
    assert names(server) == (["Orders"] if commit else [])
    assert writes(server) == ["POST metric_source"]
    if expected is Status.UNKNOWN:
        (entry,) = done.outcome.objects
        assert "Statsig accepted this" in entry.message
        assert "review" in entry.fix
    server.inject()
    assert set(statuses(synced(project)).values()) <= {Status.DONE}
    assert names(server) == ["Orders"]


def test_50_a_pending_review_is_exit_2(project: Project, server: Running) -> None:
    """Fault 50: the command ends with exit 2 and says what may be the reason."""
    server.inject({"match": POST, "action": "status", "status": 202, "body": {}})
    done = project.text("sync")
    assert done.code == 2
    assert "Statsig accepted this, but it does not show what was sent" in " ".join(done.stdout.split())


@pytest.mark.parametrize("kind", ["metric_source", "assignment_source", "entity_property_source", "qualifying_event"])
def test_50_an_update_that_left_the_old_object(project: Project, server: Running, kind: str) -> None:
    """Fault 50: an update whose answer is the old object is unknown; nothing else is held up."""
    project.declare("one", "One", kind)
    project.declare("two", "Two", kind)
    synced(project)
    project.declare("one", "One", kind, tags=["new"])
    project.declare("two", "Two", kind, tags=["new"])
    server.inject({"match": {"path": "One"}, "action": "old_object"})
    assert statuses(synced(project)) == {"One": Status.UNKNOWN, "Two": Status.DONE}


@pytest.mark.parametrize("kind", ["metric_source", "assignment_source"])
def test_50_a_deletion_that_is_not_done(project: Project, server: Running, kind: str) -> None:
    """Fault 50: a deletion that was answered with 200 but left the object is unknown."""
    for number in range(4):
        project.declare(f"m{number}", f"M{number}", kind)
    synced(project)
    project.forget("m1")
    delete = {"method": "DELETE"}
    server.inject({"match": delete, "action": "status", "status": 200, "body": {"message": "Deleted."}})
    assert statuses(synced(project, prune=True, force=True)) == {"M1": Status.UNKNOWN}
    server.inject()
    assert statuses(synced(project, prune=True, force=True)) == {"M1": Status.DONE}


def test_56_a_deletion_of_what_is_gone_is_done(project: Project, server: Running) -> None:
    """Fault 56: 404 for a deletion of what somebody else has just deleted is no failure."""
    for number in range(4):
        project.declare(f"m{number}", f"M{number}")
    synced(project)
    project.forget("m1")
    request = request_of(project, prune=True, force=True)

    def delete_now(_planned: Any) -> bool:
        del server.state.sources["metric_sources"]["M1"]
        return True

    (entry,) = program.sync(request, confirm=delete_now).outcome.objects
    assert (entry.status, entry.already, entry.message) == (Status.DONE, True, "It was already deleted.")


def test_56_a_403_about_one_object_concerns_that_object(project: Project, server: Running) -> None:
    """Fault 56: permissions can be per object: the others go on."""
    project.declare_many(6)
    synced(project)
    project.declare_many(6, tags=["new"])
    server.inject({"match": {"method": "POST", "path": "S02"}, "action": "status", "status": 403})
    found = statuses(synced(project))
    assert found == {f"S{number:02}": Status.FAILED if number == 2 else Status.DONE for number in range(6)}


def test_56_a_key_that_may_write_nothing_stops(project: Project, server: Running) -> None:
    """Fault 56: after five writes in a row that were answered with 403, no further one is tried."""
    project.declare_many(9)
    project.settings(concurrency=1)
    server.inject({"match": {"method": "POST"}, "action": "status", "status": 403})
    done = synced(project)
    assert sorted(statuses(done).values()) == [Status.FAILED] * 5 + [Status.NOT_STARTED] * 5
    assert "403" in done.outcome.stopped


@pytest.mark.parametrize("status", [403, 404, 418])
def test_56_tags_are_best_effort(project: Project, server: Running, status: int) -> None:
    """Fault 56: where tags can neither be read nor made, that is a note, and the sources are written."""
    project.declare("orders", "Orders", tags=["core"])
    server.inject({"match": {"path": "/tags"}, "action": "status", "status": status})
    done = synced(project)
    assert statuses(done) == {"Orders": Status.DONE}
    assert "Could not create missing tags" in done.outcome.notes[0]


def test_the_text_of_a_server_error_is_shown(project: Project, server: Running) -> None:
    """What the service says of its own trouble reaches the user."""
    body = {"status": 503, "message": "The warehouse is locked."}
    server.inject({"match": {"method": "POST"}, "action": "status", "status": 503, "body": body})
    project.settings(wait_budget=1)
    (entry,) = synced(project).outcome.objects
    assert "The warehouse is locked" in entry.message


ODD = [{"name": None}, {"name": "Theirs", "sql": 7}, {"name": "Theirs", "owner": "me", "isReadOnly": "yes"}]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_53_an_odd_neighbour_stops_nothing(project: Project, server: Running, odd: dict[str, Any]) -> None:
    """Fault 53: beside an object that cannot be read, ours are created, changed and deleted as ever."""
    for number in range(4):
        project.declare(f"m{number}", f"M{number}")
    server.inject({"match": {"path": "metric_source/list"}, "action": "odd_neighbour", "fields": odd})
    done = synced(project)
    assert set(statuses(done).values()) == {Status.DONE}
    assert "cannot be read" in " ".join(done.planned.notes)
    project.forget("m3")
    assert statuses(synced(project, prune=True, force=True)) == {"M3": Status.DONE}
    assert not statuses(synced(project, prune=True, force=True))


def test_54_a_short_list_makes_no_duplicate(project: Project, server: Running) -> None:
    """Fault 54: what a list lacks is not created a second time; it is shown with -q too."""
    project.declare("orders", "Orders")
    project.declare("more", "More")
    for name in ("One", "Two"):
        project.declare(name.lower(), name, "assignment_source")
    synced(project)
    before = len(server.requests)
    for path in ("assignment_sources", "metric_source/list"):
        server.inject({"match": {"method": "GET", "path": path}, "action": "short_list", "by": 1})
        synced(project)
    assert writes(server, since=before) == []
    done = project.text("plan", "-q")
    assert "may be incomplete" in done.stderr


def test_values_that_no_update_can_send_are_named_first(tmp_path: Path) -> None:
    """A whole update keeps every published field that nobody declared; of all others plan and sync warn before."""
    with running(full_update_resets=True) as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare("orders", "Orders")
        assert sync(project).code == 0
        held = server.state.sources["metric_sources"]["Orders"]
        held |= {"team": "Growth", "isVerified": True, "retention": 30}
        assert "fields-lost" not in plan(project).stdout
        project.declare("orders", "Orders", tags=["core"])
        for done in (plan(project), sync(project)):
            (found,) = [one for one in done.answer["validation"]["findings"] if one["code"] == "fields-lost"]
            assert done.code == 0
            assert (
                found["message"] == 'The update of "Orders" cannot send these values that Statsig has: retention: 30.'
            )
            assert found["severity"] == "warning"
        held = server.state.sources["metric_sources"]["Orders"]
        assert (held["tags"], held["team"], held["isVerified"], "retention" in held) == (
            ["core"],
            "Growth",
            True,
            False,
        )
        assert plan(project, "--check").code == 0
