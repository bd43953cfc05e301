"""Loads of results in the emulator: the strict body, the life of a load, history, cancel, schedules."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dbt_statsig.emulator.core import Emulator
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.replies import Call

NOW = 1_770_000_000.0
METRIC = {"name": "revenue", "type": "user_warehouse"}
SEED: dict[str, Any] = {
    "metric_sources": [{"name": "orders", "sql": "select 1"}],
    "metrics": [
        {
            "name": "revenue",
            "type": "user_warehouse",
            "warehouseNative": {"metricSources": [{"metricSourceName": "orders"}]},
        }
    ],
    "experiments": [
        {"id": "button", "name": "Button", "status": "active", "primaryMetrics": [METRIC]},
        {"id": "price", "name": "Price", "status": "setup", "scheduledReloadHour": 6},
    ],
}
PATH = "experiments/button"


class Service:
    """An emulator without a socket; `looks` readings of the history end a load."""

    def __init__(self, delays: int = 1) -> None:
        self.emulator = Emulator(Options(seed=SEED, load_looks=delays, clock=lambda: NOW))

    def __call__(self, method: str, path: str, body: Any = None, query: str = "") -> tuple[int, Any]:
        """The status and the payload of an answer."""
        headers = {"statsig-api-key": "console-emulator"}
        raw = b"" if body is None else msgspec.json.encode(body)
        call = Call(method=method, path=f"/console/v1/{path}", query=query, headers=headers, body=raw)
        reply = self.emulator.api.answer(call)
        return reply.status, reply.payload

    def history(self) -> list[dict[str, Any]]:
        """The newest loads of the button."""
        status, payload = self("GET", f"{PATH}/pulse_load_history", query="limit=10&page=1")
        assert status == 200
        loads: list[dict[str, Any]] = payload["data"]
        return loads

    def jobs(self, dag: str) -> Any:
        """The jobs of one load."""
        return self("GET", f"{PATH}/pulse_load_history/{dag}")[1]["data"]["jobs"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"refresh": "fast"}, "refresh"),
        ({"refreshType": "full"}, ""),
        ({"metricIDs": "revenue::user_warehouse"}, "metricIDs"),
        ({"metricIDs": [1]}, "metricIDs[0]"),
        ({"turboMode": "yes"}, "turboMode"),
    ],
)
def test_a_body_beyond_the_published_one_is_refused_and_begins_nothing(body: dict[str, Any], fault: str) -> None:
    """`refreshType`, unknown keys, other words and other types are faults that name their key."""
    service = Service()

    status, payload = service("POST", f"{PATH}/load_pulse", body)

    assert (status, payload["errors"][0]["property"]) == (400, fault)
    assert service.history() == []


def test_a_load_is_queued_runs_and_ends_as_its_history_is_read() -> None:
    """Each reading is one step; only a load that has ended has a state and a time of its end."""
    service = Service(delays=2)

    answer = service("POST", f"{PATH}/load_pulse", {"refresh": "incremental", "turboMode": True})
    dag = service.emulator.state.lists["pulse_loads"][0]["dagID"]
    queued, *_ = service.jobs(dag), service.history()
    running = service.jobs(dag)
    between = service.history()[0]
    ended = service.history()[0]

    assert answer == (200, {"message": "Experiment is loading."})
    assert queued == []
    assert [(job["metricSourceName"], job["endTime"]) for job in running] == [("orders", None)]
    assert "finishedState" not in between
    assert (ended["finishedState"], ended["reloadType"], ended["turboMode"]) == ("success", "incremental", True)
    assert ended["createdTime"] == ended["finishedTime"] == int(NOW * 1000)
    assert [job["jobType"] for job in service.jobs(dag)] == ["user_metrics", "pulse"]


def test_without_a_body_the_load_is_full() -> None:
    """The published default of `refresh` is full."""
    service = Service()

    service("POST", f"{PATH}/load_pulse")

    assert service.history()[0]["reloadType"] == "full"


def test_a_failed_load_has_a_job_without_an_end() -> None:
    """How loads end can be set for an experiment; the jobs of the metric sources that fail have no end."""
    service = Service(delays=0)
    service.emulator.state.load_ends["button"] = {"endsAs": "partial_failure", "failingSources": ["orders"]}

    service("POST", f"{PATH}/load_pulse", {})
    load = service.history()[0]

    assert load["finishedState"] == "partial_failure"
    assert [(job["metricSourceName"], job["endTime"]) for job in service.jobs(load["dagID"])] == [("orders", None)]


def test_a_load_can_be_cancelled_until_it_has_ended() -> None:
    """A cancelled load has that state; one that has ended cannot be cancelled, and one that is not there is a 404."""
    service = Service(delays=9)
    service("POST", f"{PATH}/load_pulse", {})
    dag = service.history()[0]["dagID"]
    path = f"{PATH}/pulse_load_history/{dag}/cancel"

    assert service("POST", path) == (200, {"message": "Pulse load cancelled successfully."})
    assert service.history()[0]["finishedState"] == "cancelled"
    assert service("POST", path)[0] == 400
    assert service("POST", f"{PATH}/pulse_load_history/other/cancel")[0] == 404


def test_the_history_is_paged_newest_first() -> None:
    """Pages are cut and described as those of all lists; an experiment that is not there has none."""
    service = Service()
    for number in range(3):
        service.emulator.api.pulse.begin("button", {"createdTime": number, "dagID": str(number)})

    status, payload = service("GET", f"{PATH}/pulse_load_history", query="limit=2&page=2")

    assert (status, [one["dagID"] for one in payload["data"]], payload["pagination"]["totalItems"]) == (200, ["0"], 3)
    assert [one["dagID"] for one in service.history()] == ["2", "1", "0"]
    assert service("GET", "experiments/other/pulse_load_history", query="limit=2&page=1")[0] == 404
    assert service("PATCH", f"{PATH}/pulse_load_history")[0] == 404


def test_schedules_are_listed_for_one_type_of_entity() -> None:
    """An experiment with an hour has a schedule; one that is not active is skipped, with the reason."""
    service = Service()

    def listed(query: str) -> tuple[int, Any]:
        return service("GET", "reload_schedules", query=f"{query}&limit=10&page=1")

    status, payload = listed("entityType=experiments")
    assert (status, [(one["id"], one["eligible"]) for one in payload["data"]]) == (200, [("price", False)])
    assert listed("entityType=gates")[1]["data"] == []
    assert [listed(query)[0] for query in ("entityType=tables", "")] == [400, 400]
