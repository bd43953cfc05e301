"""Changes that Statsig checks first: what is asked, what its refusal becomes, and what is never asked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from msgspec import structs

from dbt_statsig.applying.server_check import Checked, check_plan
from dbt_statsig.emulator import running
from dbt_statsig.errors import AuthenticationFailed, ConnectionFailed, ConsoleError, Forbidden
from dbt_statsig.vocabulary.changes import Action
from tests.integration.faults.memory import MemoryConsole
from tests.integration.faults.project import Project, names, writes
from tests.integration.test_apply import declared, make_plan, sync

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.planning.matching import Plan


@pytest.fixture
def console() -> MemoryConsole:
    """A console in this process."""
    return MemoryConsole()


def checked(client: ConsoleClient, plan: Plan) -> Checked:
    """What the check says."""
    return check_plan(client, plan, concurrency=2)


def test_nothing_is_kept(console: MemoryConsole, client: ConsoleClient) -> None:
    """Each change is sent once with dryRun; the console holds what it held, and the plan is as it was."""
    sync(client, [declared("A")])
    plan = make_plan(client, [declared("A", sql="SELECT 2"), declared("B", "b")])
    state, before = console.emulator.state.as_seed(), console.writes
    result = checked(client, plan)
    assert (result.plan, result.findings) == (plan, ())
    assert console.emulator.state.as_seed() == state
    assert console.writes - before == 2


def test_a_refusal_is_a_finding(client: ConsoleClient) -> None:
    """What Statsig refuses is a finding with its words, and is blocked; the others go on."""
    plan = make_plan(client, [declared("A", scheduled_reload_hour=99), declared("B", "b")])
    result = checked(client, plan)
    assert [change.action for change in result.plan.changes] == [Action.BLOCKED, Action.CREATE]
    (found,) = result.findings
    assert (found.code, found.source, found.unique_id) == ("server-refused", "A", "model.shop.a")
    assert "scheduledReloadHour" in found.message


def test_tags_that_are_created_later(console: MemoryConsole, client: ConsoleClient) -> None:
    """A tag that the apply would create first is no ground for a refusal."""
    strict = MemoryConsole(refuse_unknown_tags=True)
    with strict.client() as other:
        plan = make_plan(other, [declared("A", tags=("new",))])
        assert checked(other, plan).findings == ()


@pytest.mark.parametrize("error", [Forbidden("No.", status=403), ConnectionFailed("500")])
def test_56_tags_that_cannot_be_read(
    client: ConsoleClient, monkeypatch: pytest.MonkeyPatch, error: ConsoleError
) -> None:
    """Fault 56: where the tags cannot be read, sources are checked without them; a refused key still ends it."""
    plan = make_plan(client, [declared("A", tags=("new",))])
    monkeypatch.setattr(client, "tags", Mock(side_effect=error))
    assert checked(client, plan).findings == ()
    monkeypatch.setattr(client, "tags", Mock(side_effect=AuthenticationFailed("401")))
    with pytest.raises(AuthenticationFailed):
        checked(client, plan)


def test_names_that_the_plan_frees(client: ConsoleClient) -> None:
    """A chain of renames is checked without its names, and a creation on a freed name not at all."""
    sync(client, [declared("A", "a"), declared("B", "b")])
    plan = make_plan(client, [declared("B", "a"), declared("C", "b"), declared("A", "new")])
    assert [change.action.value for change in plan.changes] == ["create", "rename", "rename"]
    result = checked(client, plan)
    assert (result.plan, result.findings) == (plan, ())
    assert result.notes[0].startswith("Statsig checked 2 changes with dryRun and refused 0; 3 writes would follow.")


def test_deletions_are_counted(client: ConsoleClient) -> None:
    """A deletion cannot be tried; it counts among the writes."""
    sync(client, [declared("A")])
    result = checked(client, make_plan(client, [], prune=True))
    assert result.notes[0].startswith("Statsig checked 0 changes with dryRun and refused 0; 1 writes would follow.")


def test_more_than_the_limits(client: ConsoleClient) -> None:
    """Where checks and writes exceed the limit of a quarter of an hour, that is reported."""
    plan = make_plan(client, [declared(f"S{number}", f"n{number}") for number in range(901)])
    assert checked(client, plan).notes[0].endswith("so this takes longer.")


def test_no_answer(console: MemoryConsole, client: ConsoleClient) -> None:
    """Where Statsig cannot be asked, the error is the caller's, and nothing was written."""
    plan = make_plan(client, [declared("A"), declared("B", "b")])
    console.armed = ["drop before"] * 20
    with pytest.raises(ConnectionFailed):
        checked(client, plan)
    assert console.emulator.state.sources["assignment_sources"] == {}


@pytest.mark.parametrize("command", ["plan", "sync"])
def test_the_option(tmp_path: Path, command: str) -> None:
    """`--server-check` gives exit 1 for what Statsig refuses, writes the others with sync, and nothing with plan."""
    with running() as server:
        project = Project(tmp_path / "shop", server.url)
        project.declare("orders", "Orders")
        project.declare("bad", "Bad", "assignment_source")
        body = {"status": 400, "message": "The SQL does not run."}
        server.inject(
            {"match": {"method": "POST", "path": "assignment_sources"}, "action": "status", "status": 400, "body": body}
        )
        done = project.command(command, "--server-check")
        assert done.code == 1
        (found,) = [one for one in done.answer["validation"]["findings"] if one["code"] == "server-refused"]
        assert "The SQL does not run." in found["message"]
        assert done.actions == {"Bad": "blocked", "Orders": "create"}
        assert done.answer["plan"]["notes"][0].startswith("Statsig checked 2 changes")
        assert names(server) == (["Orders"] if command == "sync" else [])
        assert len(writes(server)) == (3 if command == "sync" else 2)


def test_a_change_without_an_object(client: ConsoleClient) -> None:
    """A change that was made wrongly is its maker's fault, and reaches the caller."""
    plan = make_plan(client, [declared("A")])
    broken = structs.replace(plan, changes=(structs.replace(plan.changes[0], desired=None),))
    with pytest.raises(ValueError, match="holds the object"):
        checked(client, broken)
