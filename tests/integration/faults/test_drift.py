"""Drift: what somebody changed in Statsig is told from what was changed in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dbt_statsig.emulator import running
from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.emulator import Running

JANE = "Jane Doe (jane.doe@example.com)"


@pytest.fixture
def synced(project: Project) -> Project:
    """The project, pushed: two metric sources and an assignment source."""
    project.declare("orders", "Orders", tags=["core"])
    project.declare("visits", "Visits")
    project.declare("exposures", "Exposures", "assignment_source")
    assert sync(project).code == 0
    return project


def by_hand(server: Running, method: str, name: str, body: Any = None, *, kind: str = "metric_sources") -> None:
    """Change an object in the console."""
    url = f"{server.url}/__emulator/objects/{kind}/{name}"
    httpx.request(method, url, json=body, headers={"content-type": "application/json"}).raise_for_status()


def origins(project: Project, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """The origin of each change that has one, by the object's name."""
    done = plan(project, *arguments)
    assert done.code == code, done.stdout + done.stderr
    return {one["name"]: one["origin"] for one in done.answer["plan"]["changes"] if one["origin"]}


def test_a_change_made_in_the_console_has_a_name(synced: Project, server: Running) -> None:
    """Who changed what, when and from what is in the text, in Markdown and in JSON; a project's change is not."""
    by_hand(server, "PATCH", "Orders", {"tags": ["by hand"], "timestampColumn": "user_id"})
    synced.declare("visits", "Visits", where="amount > 1")
    text = " ".join(call(synced, "plan").stdout.split())
    assert f"Changed in Statsig by {JANE} on 20" in text
    assert "UTC: tags (was [core]), timestamp_column (was ts)." in text
    assert "1 object was changed in Statsig." in text
    assert text.count("in Statsig by") == 1
    assert "Changed in Statsig by Jane Doe" in call(synced, "plan", "--output", "markdown").stdout
    found = origins(synced)
    assert {name: one["where"] for name, one in found.items()} == {"Orders": "console", "Visits": "project"}
    assert {one["field"]: (one["before"], one["after"]) for one in found["Orders"]["fields"]} == {
        "tags": (["core"], ["by hand"]),
        "timestamp_column": ("ts", "user_id"),
    }


def test_changed_on_both_sides(synced: Project, server: Running) -> None:
    """A field that the console changed and another that the project changed: both are said."""
    by_hand(server, "PATCH", "Orders", {"timestampColumn": "user_id"})
    synced.declare("orders", "Orders", tags=["growth"])
    found = origins(synced)["Orders"]
    assert (found["where"], [one["field"] for one in found["fields"]]) == ("both", ["timestamp_column"])


def test_what_was_deleted_renamed_or_released_in_the_console(synced: Project, server: Running) -> None:
    """A missing object was deleted by somebody, another has a new name or lost its ownership line."""
    by_hand(server, "DELETE", "Orders")
    by_hand(server, "PATCH", "Exposures", {"name": "Exposed"}, kind="assignment_sources")
    by_hand(server, "PATCH", "Visits", {"description": "Mine now."})
    found = origins(synced, code=1)
    assert {name: (one["where"], one["gone"]) for name, one in found.items()} == {
        "Orders": ("console", "deleted"),
        "Exposures": ("console", ""),
        "Visits": ("console", "released"),
    }
    text = " ".join(call(synced, "plan").stdout.split())
    assert f"Deleted in Statsig by {JANE}" in text
    assert f"Ownership line removed in Statsig by {JANE}" in text


def test_nothing_is_asked_where_nothing_differs(project: Project, server: Running) -> None:
    """No request for the log before the first sync, none after it, one with a change; two at most."""

    def asked(*arguments: str) -> int:
        before = len(server.requests)
        call(project, "plan", *arguments)
        return sum("audit_logs" in one.path for one in server.requests[before:])

    assert asked() == 0
    sync(project)
    assert asked() == 0
    by_hand(server, "PATCH", "Orders", {"timestampColumn": "user_id"})
    assert asked() == 1
    for number in range(110):
        by_hand(server, "PATCH", "Orders", {"tags": [str(number)]})
    project.declare("visits", "Visits")
    assert asked() == 2
    assert origins(project)["Orders"]["where"] == "console"


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [
        (401, "the key may not read the audit log", 1),
        (403, "the key may not read the audit log", 1),
        (404, "has no audit log", 1),
        (400, "Statsig refused the audit log (400)", 2),
        (500, "could not be read", 1),
    ],
)
def test_without_the_log(synced: Project, server: Running, status: int, words: str, requests: int) -> None:
    """A key without the right, an old plan, a failure: one note, the exit code of a plan, and no repetition."""
    by_hand(server, "PATCH", "Orders", {"tags": ["by hand"]})
    server.inject({"action": "status", "status": status, "match": {"path": "audit_logs"}})
    before = len(server.requests)
    done = plan(synced)
    assert done.code == 0
    assert sum("audit_logs" in one.path for one in server.requests[before:]) == requests
    (note,) = done.answer["plan"]["notes"]
    assert words in note
    assert {one["name"]: one["origin"] and one["origin"]["where"] for one in done.answer["plan"]["changes"]} == {
        "Exposures": None,
        "Orders": "unknown",
        "Visits": None,
    }
    assert plan(synced, "--check", "--drift-only").code == 3


def test_a_log_that_is_no_list(synced: Project, server: Running) -> None:
    """An answer of another form is a note too."""
    by_hand(server, "PATCH", "Orders", {"tags": ["by hand"]})
    server.inject({"action": "status", "status": 200, "body": {"data": {}}, "match": {"path": "audit_logs"}})
    assert "could not be read" in plan(synced).answer["plan"]["notes"][0]


def test_a_schedule_that_only_looks_for_drift(synced: Project, server: Running) -> None:
    """`plan --check --drift-only` exits with 3 for what was changed in Statsig, with 0 for all else."""
    assert plan(synced, "--check", "--drift-only").code == 0
    synced.declare("visits", "Visits", where="amount > 1")
    synced.declare("new", "New")
    done = plan(synced, "--check", "--drift-only")
    assert (done.code, done.actions) == (0, {"Exposures": "unchanged", "Orders": "unchanged"})
    assert done.answer["plan"]["notes"] == ["Changes of the project, not shown: 2."]
    assert plan(synced, "--check").code == 3
    by_hand(server, "PATCH", "Orders", {"tags": ["by hand"]})
    done = plan(synced, "--check", "--drift-only")
    assert (done.code, done.actions["Orders"], "Visits" in done.actions) == (3, "update", False)
    assert plan(synced, "--drift-only").code == 0
    refused = plan(synced, "--drift-only", "--out", "plan.json")
    assert (refused.code, "exclude each other" in refused.stderr + refused.stdout) == (2, True)


def test_everything_was_deleted_in_the_console(synced: Project, server: Running) -> None:
    """Where Statsig has no object of the project left, --drift-only still asks who deleted them."""
    for kind, name in (("metric_sources", "Orders"), ("metric_sources", "Visits"), ("assignment_sources", "Exposures")):
        by_hand(server, "DELETE", name, kind=kind)
    assert plan(synced, "--check", "--drift-only").code == 3
    assert origins(synced) == {}


def test_qualifying_events_have_no_entries(synced: Project, server: Running) -> None:
    """Statsig names no action for them: the origin is unknown, and one note says for how many."""
    synced.declare("page", "Page loaded", "qualifying_event")
    sync(synced)
    by_hand(server, "PATCH", "Page%20loaded", {"timestampColumn": "user_id"}, kind="qualifying_events")
    done = plan(synced)
    assert "For 1 of these changes" in done.answer["plan"]["notes"][0]
    assert plan(synced, "--check", "--drift-only").code == 3


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[tuple[Project, Running]]:
    """A project in a console that requires reviews, and respects them."""
    with running(review_required=True) as server:
        project = Project(tmp_path / "shop", server.url)
        project.settings(respect_review_settings=True)
        project.declare("orders", "Orders")
        assert sync(project).code == 0
        yield project, server


def test_a_review_that_is_not_done_is_shown(reviewed: tuple[Project, Running]) -> None:
    """A change that waits for its review is planned again, with the review beside it until it ends."""
    project, server = reviewed
    project.declare("orders", "Orders", where="amount > 1")
    assert sync(project).code == 2

    def review(verdict: str = "") -> str:
        if verdict:
            url = f"{server.url}/__emulator/reviews/metric_sources/Orders"
            httpx.post(url, json={"verdict": verdict}).raise_for_status()
        return str(origins(project)["Orders"]["review"])

    assert review().startswith("open by Console API key on 20")
    assert "A review of it is open by" in " ".join(call(project, "plan").stdout.split())
    assert review("accept").startswith(f"accepted, but not committed by {JANE}")
    assert review("reject") == ""


def test_changes_that_a_limit_holds_back(project: Project, server: Running) -> None:
    """Of many changes that a limit holds back, those made in Statsig are named; --drift-only hides the project's."""
    project.declare_many(12)
    sync(project)
    for number in range(12):
        by_hand(server, "PATCH", f"S{number:02}", {"timestampColumn": "user_id"})
    found = origins(project, code=1)
    assert {one["where"] for one in found.values()} == {"console"}
    assert len(found) == 12
    for number in range(12):
        by_hand(server, "PATCH", f"S{number:02}", {"timestampColumn": "ts"})
    project.declare_many(12, where="amount > 0")
    assert plan(project).code == 1
    done = plan(project, "--check", "--drift-only")
    assert (done.code, set(done.actions.values())) == (0, {"unchanged"})
