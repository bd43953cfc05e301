"""The console's lists are read while the declarations are proven, and never where the run cannot get that far."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from dbt_statsig.commands.plan import plan
from dbt_statsig.commands.sync import sync
from dbt_statsig.errors import ArtifactError, AuthenticationFailed, DbtStatsigError, SettingsError, TargetRefused
from dbt_statsig.payloads.building import build_payload
from dbt_statsig.project.request import Request
from tests.integration.faults.project import Project, wait_for

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running
    from dbt_statsig.payloads.building import Built


@pytest.fixture
def project(project: Project) -> Project:
    """A project with sources of two kinds."""
    project.declare("exposures", "Exposures", "assignment_source")
    return project


def request_of(project: Project, **fields: Any) -> Request:
    """What the command line would ask for."""
    return Request(project_dir=project.folder, environ={**project.environ, "DBT_STATSIG_CACHE": "false"}, **fields)


def with_proof(monkeypatch: pytest.MonkeyPatch, before: Any) -> None:
    """Call something first, whenever a payload is built."""

    def build(*given: Any) -> Built:
        before()
        return build_payload(*given)

    monkeypatch.setattr("dbt_statsig.payloads.metrics.build_payload", build)


def test_the_lists_are_read_while_proving(project: Project, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that waits until both lists were asked for comes to its end: nothing waits for the proof."""
    with_proof(monkeypatch, lambda: wait_for(lambda: len(server.requests) >= 2))
    planned = plan(request_of(project))
    assert {change.action.value for change in planned.plan.changes} == {"create"}
    assert [one.path.rsplit("/", 1)[-1] for one in server.requests[:2]] == ["assignment_sources", "list"]


def test_a_failing_proof_ends_the_reading(project: Project, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the offline half is reported at once, though the console does not answer; then no request begins."""
    server.inject({"action": "delay", "seconds": 2})

    def fail() -> None:
        time.sleep(0.5)
        raise ArtifactError("the manifest is damaged further down")

    with_proof(monkeypatch, fail)
    with pytest.raises(ArtifactError, match="further down"):
        plan(request_of(project))
    assert server.requests == []
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name == "statsig"])
    assert [one.path.rsplit("/", 1)[-1] for one in server.requests] == ["assignment_sources"]


def test_a_refused_key_is_reported_after_the_proof(project: Project, server: Running) -> None:
    """The error of the reading is raised as it is, once the offline half is done."""
    project.key = "console-wrong"
    with pytest.raises(AuthenticationFailed):
        plan(request_of(project))
    assert [one.status for one in server.requests] == [401]


def no_manifest(project: Project) -> dict[str, Any]:
    """Nothing was compiled yet."""
    (project.folder / "target" / "manifest.json").unlink()
    return {}


def faulty_settings(project: Project) -> dict[str, Any]:
    """A setting that there is not."""
    project.settings(basis_url="https://statsigapi.net")
    return {}


def foreign_target(project: Project) -> dict[str, Any]:
    """A target that may not push."""
    project.settings(allowed_targets=["prod"])
    return {"target": "dev"}


def no_state(project: Project) -> dict[str, Any]:
    """Artifacts to compare with that are not there."""
    return {"state": project.folder / "nowhere"}


def no_key(project: Project) -> dict[str, Any]:
    """Without the variable."""
    project.key = ""
    return {}


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (no_manifest, ArtifactError),
        (faulty_settings, SettingsError),
        (foreign_target, TargetRefused),
        (no_state, ArtifactError),
        (no_key, SettingsError),
    ],
)
def test_what_is_blocked_offline_asks_nothing(
    project: Project, server: Running, spoil: Any, error: type[DbtStatsigError]
) -> None:
    """Settings, artifacts and targets that cannot be used are reported without a single request."""
    fields = spoil(project)
    command = plan if "state" in fields else sync
    with pytest.raises(error):
        command(request_of(project, **fields))
    assert server.requests == []


def test_no_change_costs_the_list_pages(project: Project, server: Running) -> None:
    """250 sources of one kind, all as declared: three pages are read, and nothing else is asked."""
    project.forget("exposures")
    project.forget("orders")
    project.declare_many(250)
    wanted = plan(request_of(project)).plan.changes
    server.state.sources["metric_sources"] = {one.name: msgspec.to_builtins(one.desired) for one in wanted}
    before = len(server.requests)
    synced = sync(request_of(project))
    assert synced.outcome.objects == ()
    assert sorted(one.query for one in server.requests[before:]) == [f"limit=100&page={page}" for page in (1, 2, 3)]
    assert synced.planned.requests == 3
    assert synced.planned.warnings == ()
