"""Loads of results over the wire: one request each, never a second one, and a history of any form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbt_statsig.errors import Forbidden, NotFound, OutcomeUnknown, ProtocolError, Refused, Stopped
from dbt_statsig.vocabulary.reloads import Refresh
from tests.unit.console.service import Opened, one, page, refused

LOADING = (200, {"message": "Experiment is loading."})
START = "POST /console/v1/experiments/button/load_pulse"
HISTORY = "GET /console/v1/experiments/button/pulse_load_history?limit=100&page=1"


def load(dag: str, created: Any = 1_700_000_000_000, **more: Any) -> dict[str, Any]:
    """A load of a history."""
    return {"dagID": dag, "createdTime": created, "reloadType": "incremental", **more}


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ({}, {"refresh": "full"}),
        ({"turbo": True}, {"refresh": "full", "turboMode": True}),
        ({"metric_ids": ("a::user_warehouse",)}, {"refresh": "full", "metricIDs": ["a::user_warehouse"]}),
    ],
)
def test_a_load_is_one_request_with_the_published_body(asked: dict[str, Any], body: dict[str, Any]) -> None:
    """What was not asked for is not in it, and an answer needs no look at the history."""
    opened = Opened(LOADING)
    assert opened.client.begin_load("button", Refresh.FULL, known=(), **asked) is False
    assert opened.service.calls == [START]
    assert json.loads(opened.service.requests[0].content) == body


@pytest.mark.parametrize("lost", [refused(503), (200, {"success": False, "message": "Busy."})])
def test_after_a_lost_answer_the_history_decides(lost: Any) -> None:
    """A load that was not there before is ours, as far as anybody can know; it is not started again."""
    opened = Opened(lost, page(load("old")), refused(403), page(load("new"), load("old")), delays=(0.0, 1.0, 2.0))
    assert opened.client.begin_load("button", Refresh.FULL, known={"old"}) is True
    assert opened.service.calls == [START, HISTORY, HISTORY, HISTORY]
    assert opened.clock.slept == [1.0, 2.0]


def test_a_load_that_nothing_shows_is_unknown() -> None:
    """It is sent once, whatever becomes of it."""
    opened = Opened(refused(502), page(load("old")), delays=(0.0, 1.0))
    with pytest.raises(OutcomeUnknown, match=r"not known .* It was not started again"):
        opened.client.begin_load("button", Refresh.FULL, known={"old"})
    assert opened.service.calls == [START, HISTORY, HISTORY]


def test_looking_ends_with_the_budget() -> None:
    """Where no time is left, one look has to do."""
    opened = Opened(refused(502), page(), delays=(0.0, 9.0, 9.0), budget=10.0)
    with pytest.raises(OutcomeUnknown):
        opened.client.begin_load("button", Refresh.FULL, known=())
    assert opened.service.calls == [START, HISTORY, HISTORY]


@pytest.mark.parametrize(("status", "error"), [(400, Refused), (403, Forbidden), (404, NotFound)])
def test_a_refusal_is_about_one_experiment(status: int, error: type[Refused]) -> None:
    """To start and to read alike; the others can go on."""
    opened = Opened(refused(status))
    with pytest.raises(error, match='xperiment "button"'):
        opened.client.begin_load("button", Refresh.FULL, known=())
    with pytest.raises(error, match='xperiment "button"'):
        opened.client.loads("button")


@pytest.mark.parametrize("identifier", ["", ".", ".."])
def test_an_id_that_is_no_segment_is_not_sent(identifier: str) -> None:
    """It would address something else."""
    opened = Opened(LOADING)
    with pytest.raises(Refused):
        opened.client.begin_load(identifier, Refresh.FULL, known=())
    assert opened.service.calls == []


def test_an_id_is_one_segment() -> None:
    """Slashes, blanks and lone surrogates are encoded."""
    opened = Opened(page())
    opened.client.loads("a/b \udc00")
    assert "/experiments/a%2Fb%20%ED%B0%80/pulse_load_history" in opened.service.calls[0]


def test_a_history_of_odd_values_is_read() -> None:
    """What has another form than published is as if it were not there; the newest load is first."""
    items = (
        load("old", created=1_000),
        load("new", created=2_000, finishedTime=63_000, finishedState="partial_failure"),
        {"dagID": 7, "createdTime": True, "creatorName": "Ada", "finishedTime": 1e300, "finishedState": None},
        "nonsense",
    )
    loads = Opened(page(*items)).client.loads("button")
    assert [one.key for one in loads] == ["new", "old", "True/Ada/", "None//"]
    assert (loads[0].has_failed, loads[0].seconds, loads[0].reload_type) == (True, 61.0, "incremental")
    assert all(one.is_under_way and one.seconds is None for one in loads[1:])


def test_a_history_that_is_no_list_is_a_fault() -> None:
    """Nothing is taken from it."""
    with pytest.raises(ProtocolError, match="data is not a list"):
        Opened(one({})).client.loads("button")


def test_a_long_history_is_read_to_its_end_only_where_the_newest_is_not_first() -> None:
    """Its order is not published: where the oldest come first, the newest is on the last page."""
    newest_first = [load(str(number), created=1_000 - number) for number in range(100)]
    opened = Opened(page(*newest_first, total=101, following="more"))
    assert opened.client.loads("button")[0].key == "0"
    assert len(opened.service.calls) == 1

    oldest_first = [load(str(number), created=number) for number in range(100)]
    first, last = page(*oldest_first, total=101, following="more"), page(load("100", created=100), total=101)
    opened = Opened(first, first, last)
    assert opened.client.loads("button")[0].key == "100"
    assert len(opened.service.calls) == 3


def test_jobs_are_read() -> None:
    """A job without an end did not come to it; what is no job is left out."""
    jobs = [
        {"jobType": "user_metrics", "metricSourceName": "orders", "endTime": None},
        {"jobType": "pulse", "endTime": 5},
        None,
    ]
    opened = Opened(one({"dagID": "a/b", "jobs": jobs}), one([]), one({"jobs": 7}))
    found = [(job.type, job.metric_source, job.has_ended) for job in opened.client.load_jobs("button", "a/b")]
    assert found == [("user_metrics", "orders", False), ("pulse", "", True)]
    assert opened.service.calls[0].endswith("/experiments/button/pulse_load_history/a%2Fb")
    assert opened.client.load_jobs("button", "a") == opened.client.load_jobs("button", "b") == ()


def test_a_rest_costs_no_budget_and_can_be_stopped() -> None:
    """Waiting for Statsig's own work is no waiting for its limits."""
    opened = Opened(LOADING, budget=1.0)
    opened.client.rest(3600.0)
    assert (opened.clock.slept, opened.waits) == ([3600.0], [])
    opened.client.stop()
    with pytest.raises(Stopped):
        opened.client.rest(1.0)
