"""Faults of writes: 3 to 7, 12, 14 to 17, 20 to 22."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.emulator import Running, running
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from tests.integration.faults.project import Project, calls, names, writes

if TYPE_CHECKING:
    from pathlib import Path

POST = {"method": "POST"}
KINDS = {
    "assignment_source": "assignment_sources",
    "qualifying_event": "qualifying_events",
    "entity_property_source": "entity_properties",
    "metric_source": "metric_sources",
}


def once(fault: dict[str, Any], **match: Any) -> dict[str, Any]:
    """A fault for the first request that matches."""
    return {**fault, "match": match or POST, "times": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_fault_03_a_create_whose_answer_is_lost(project: Project, server: Running, kind: str) -> None:
    """The object is read back and reported as created; it was sent once and is there once."""
    project.forget("orders")
    project.declare("one", "One", kind)
    server.inject(once({"action": "drop_after_commit"}))
    done = project.sync()
    assert (done.code, done.statuses) == (0, {"One": "done"})
    assert done.entry("One")["reconciled"]
    assert len(writes(server)) == 1
    assert project.settled()


def test_fault_04_a_create_that_was_not_committed(project: Project, server: Running) -> None:
    """It is looked for, not found, sent once more, and is there once."""
    server.inject(once({"action": "drop_before_commit"}))
    done = project.sync()
    assert (done.code, done.statuses) == (0, {"Orders": "done"})
    assert len(writes(server)) == 2
    assert names(server) == ["Orders"]


def test_fault_04_a_create_that_times_out(project: Project, server: Running) -> None:
    """A create without an answer in time ends as one object too."""
    server.inject(once({"action": "delay", "seconds": 30.0, "commit": False}))
    done = project.sync(DBT_STATSIG_WRITE_TIMEOUT="1")
    assert (done.code, done.statuses) == (0, {"Orders": "done"})
    assert names(server) == ["Orders"]


def test_fault_05_the_read_back_fails_too(project: Project, server: Running) -> None:
    """The outcome is reported as unknown with exit 2; a rerun finds everything as it should be."""
    server.inject(
        {"match": POST, "action": "drop_after_commit"},
        {"match": {"method": "GET", "path": "metric_source/Orders", "nth": [*range(2, 99)]}, "action": "html"},
    )
    done = project.sync()
    assert (done.code, done.statuses) == (2, {"Orders": "unknown"})
    server.inject()
    assert project.sync().statuses == {}
    assert project.settled()


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_fault_06_a_commit_that_shows_late(project: Project, server: Running, seconds: float) -> None:
    """It is looked for a bounded while; there is one object in the end, and it is ours."""
    server.inject(once({"action": "late_commit", "seconds": seconds}))
    done = project.sync()
    assert (done.code, done.statuses) == (0, {"Orders": "done"})
    assert names(server) == ["Orders"]
    assert project.settled()


def test_fault_07_an_update_whose_answer_is_lost(project: Project, server: Running) -> None:
    """It is read back: the new value is there, so it succeeded, with one write."""
    assert project.sync().code == 0
    project.declare("orders", "Orders", where="amount > 1")
    before = len(server.requests)
    server.inject(once({"action": "drop_after_commit"}))
    done = project.sync()
    assert (done.code, done.entry("Orders")["reconciled"]) == (0, True)
    assert len(writes(server, since=before)) == 1


def test_fault_07_an_update_that_meets_somebody_else(tmp_path: Path) -> None:
    """An update is lost and somebody else's value is there: a conflict, exit 1, and theirs stays."""

    def edit(line: str) -> None:
        if line.startswith("POST") and line.endswith("dropped"):
            server.state.sources["metric_sources"]["Orders"]["sql"] = "select 'theirs'"

    with running(on_request=edit) as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare("orders", "Orders")
        assert project.sync().code == 0
        project.declare("orders", "Orders", where="amount > 1")
        server.inject(once({"action": "drop_before_commit"}))
        done = project.sync()
        assert (done.code, done.statuses) == (1, {"Orders": "failed"})
        assert "values that are not ours" in done.entry("Orders")["message"]
        assert server.state.sources["metric_sources"]["Orders"]["sql"] == "select 'theirs'"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_fault_12_a_server_error_on_a_write(project: Project, server: Running, status: int) -> None:
    """A 5xx says nothing of what happened: the object is read back, and not sent twice."""
    server.inject(once({"action": "status", "status": status, "commit": True}))
    done = project.sync()
    assert (done.code, done.entry("Orders")["reconciled"]) == (0, True)
    assert len(writes(server)) == 1


def test_fault_14_one_object_is_refused(project: Project, server: Running) -> None:
    """A 400 fails that object alone; the others are written, and the exit code is 1."""
    project.declare_many(4)
    body = {"status": 400, "message": "No.", "errors": [{"property": "sql", "errorMessage": "does not run"}]}
    server.inject(once({"action": "status", "status": 400, "body": body}, method="POST", path="metric_source$"))
    done = project.sync(DBT_STATSIG_CONCURRENCY="1")
    assert done.code == 1
    assert sorted(done.statuses.values()) == ["done"] * 4 + ["failed"]
    assert len(names(server)) == 4


def test_fault_15_an_update_of_what_is_gone(project: Project, server: Running) -> None:
    """A 404 on an update tells of a stale plan; nothing is created in silence."""
    assert project.sync().code == 0
    project.declare("orders", "Orders", where="amount > 1")
    before = len(server.requests)
    server.inject(once({"action": "status", "status": 404}, method="POST", path="metric_source/Orders"))
    done = project.sync()
    assert (done.code, done.statuses) == (1, {"Orders": "failed"})
    assert "Plan again" in done.entry("Orders")["fix"]
    assert writes(server, since=before) == ["POST Orders"]


def test_fault_16_an_edit_between_plan_and_apply(project: Project, server: Running) -> None:
    """The object that was edited is refused, the others are written, exit 1; a new plan settles it."""
    project.declare_many(2)
    assert project.sync().code == 0
    for name in ("m00", "m01"):
        project.declare(name, name.replace("m", "S"), where="amount > 1")
    assert project.plan("--out", "sync.plan").code == 0
    server.state.sources["metric_sources"]["S00"]["tags"] = ["by hand"]
    done = project.sync("--plan", "sync.plan")
    assert (done.code, done.statuses) == (1, {"S00": "refused", "S01": "done"})
    assert "edited" in done.entry("S00")["message"]
    assert project.sync().statuses == {"S00": "done"}
    assert project.settled()


def test_a_dry_run_of_a_saved_plan(tmp_path: Path, server: Running) -> None:
    """It shows what applying the file would write and what it would refuse, in every form, and writes nothing."""
    project = Project(tmp_path / "shop", server.url)
    project.declare_many(4)
    assert project.sync().code == 0
    for name in ("m00", "m01", "m02"):
        project.declare(name, name.replace("m", "S"), where="amount > 1")
    assert project.plan("--out", "sync.plan").code == 0
    server.state.sources["metric_sources"]["S00"]["tags"] = ["by hand"]
    del server.state.sources["metric_sources"]["S02"]
    del server.state.sources["metric_sources"]["S03"]
    reports = ("--report", "html:r.html", "--report", "markdown:r.md", "--report", "text:r.txt")
    done = project.sync("--plan", "sync.plan", "--dry-run", *reports)
    assert done.code == 1
    writes = [change for change in done.answer["plan"]["changes"] if change["action"] in ("create", "update")]
    assert [change["name"] for change in writes] == ["S01"]
    assert done.statuses == {"S00": "refused", "S02": "refused"}
    assert done.answer["outcome"]["dry_run"]
    text = (project.folder / "r.txt").read_text(encoding="utf-8")
    assert "Of the saved plan\n  ✗ refused      metric source S00\n" in text
    assert "Note: Changes that are not in the saved plan were skipped: 1." in text
    assert text.endswith("nothing was written: 1 to update. 2 changes of the saved plan would be refused.\n")
    comment = (project.folder / "r.md").read_text(encoding="utf-8")
    assert "| update | `S01`<br>metric source, `model.shop.m01` | `sql` +1 |" in comment
    assert "write-refused" in comment
    page = (project.folder / "r.html").read_text(encoding="utf-8")
    assert page.count('<span class="badge bad">refused</span>') == 2
    assert "S02" not in server.state.sources["metric_sources"]
    assert project.sync("--plan", "sync.plan").statuses == {"S00": "refused", "S01": "done", "S02": "refused"}


def test_fault_17_two_applies_race(tmp_path: Path) -> None:
    """Two syncs at once: each object is created once, the loser is reported, and a rerun has nothing to do."""
    with running(latency=0.3) as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare_many(4)
        processes = [project.start("sync", "--output", "json") for _ in range(2)]
        codes = [process.wait(timeout=60) for process in processes]
        shown = "".join(process.communicate()[0] for process in processes)
        assert calls(server).count("POST 201") == 4
        assert set(codes) <= {0, 1}
        assert project.key not in shown
        assert len(names(server)) == 4
        assert project.sync().statuses == {}


def test_fault_17_two_updates_race(tmp_path: Path) -> None:
    """Two syncs with different values at once: at most one update each, and a rerun of either converges."""
    with running(latency=0.2) as server:
        one, other = Project(tmp_path / "one", server.url), Project(tmp_path / "other", server.url)
        for project in (one, other):
            project.declare("orders", "Orders")
        assert one.sync().code == 0
        one.declare("orders", "Orders", where="amount > 1")
        other.declare("orders", "Orders", where="amount > 2")
        before = len(server.requests)
        processes = [project.start("sync") for project in (one, other)]
        for process in processes:
            process.communicate(timeout=60)
        assert 1 <= len(writes(server, since=before)) <= 2
        assert one.sync().code == 0
        assert one.settled()


@pytest.mark.parametrize(
    "fault", [{"action": "truncate"}, {"action": "html"}, {"action": "garbage"}], ids=lambda fault: fault["action"]
)
def test_fault_20_an_unusable_answer_to_a_write(project: Project, server: Running, fault: dict[str, Any]) -> None:
    """A write whose answer is cut, HTML or no JSON is read back."""
    server.inject(once(fault))
    done = project.sync()
    assert (done.code, done.entry("Orders")["reconciled"]) == (0, True)
    assert len(writes(server)) == 1


def test_fault_21_the_echo_differs(project: Project, server: Running) -> None:
    """Fields that Statsig keeps otherwise than they were sent are named one by one."""
    project.declare("orders", "Orders", is_read_only=True)
    kept = {"timestampColumn": "user_id", "isReadOnly": False}
    server.inject({"match": {"method": "POST"}, "action": "keeps_otherwise", "fields": kept})
    done = project.sync()
    assert done.code == 0
    assert {field["field"] for field in done.entry("Orders")["echo"]} == {"timestamp_column", "is_read_only"}


@pytest.mark.parametrize("kind", KINDS)
def test_fault_22_the_server_normalises(tmp_path: Path, kind: str) -> None:
    """What the server rearranges is no difference: the second plan is empty, and costs one list a kind."""
    with running(normalise=True) as server:
        project = Project(tmp_path / "shop", server.url)
        mapping = {"userID": "user_id", "stableID": "variant"}
        project.declare("one", "One", kind, tags=["b", "a"], id_type_mapping=mapping, description=" Two \n\n words  ")
        assert project.sync().code == 0
        before = len(server.requests)
        assert project.settled()
        assert calls(server, since=before) == ["GET 200"] * len(BLOCK_KINDS)
