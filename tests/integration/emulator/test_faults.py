"""Faults on the wire, as a client meets them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dbt_statsig.emulator import create_app
from tests.integration.emulator.samples import BODIES, CREATES, ITEMS, LISTS, PAGE, PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.emulator.servers import Start, Started

BODY = BODIES["metric_sources"]
CREATE = CREATES["metric_sources"]


def held(started: Started) -> list[str]:
    """The names of the metric sources that the emulator holds."""
    return list(started.server.state.sources["metric_sources"])


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within five seconds."""
    until = time.monotonic() + 5
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize(("action", "committed"), [("drop_before_commit", []), ("drop_after_commit", ["Orders"])])
def test_dropped_connections(api: Started, action: str, committed: list[str]) -> None:
    """The connection closes without an answer, before or after the write took effect."""
    api.server.inject({"action": action, "match": {"method": "POST"}})
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        api.client.post(CREATE, json=BODY)
    assert held(api) == committed
    assert [(exchange.method, exchange.status) for exchange in api.server.requests] == [("POST", 0)]


def test_an_answer_cut_short(api: Started) -> None:
    """The length is announced, half of it comes, and the write took effect."""
    api.server.inject({"action": "truncate"})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        api.client.post(CREATE, json=BODY)
    assert held(api) == ["Orders"]
    assert [exchange.status for exchange in api.server.requests] == [201]


@pytest.mark.parametrize(
    ("fault", "status", "committed"),
    [
        ({"action": "status"}, 500, False),
        ({"action": "status", "status": 503, "commit": True}, 503, True),
        ({"action": "status", "status": 429, "headers": {"Retry-After": "soon"}}, 429, False),
        ({"action": "status", "status": 400, "body": {"status": 400, "message": "no"}}, 400, False),
        ({"action": "status", "status": 502, "body": "bad gateway"}, 502, False),
        ({"action": "garbage"}, 201, True),
        ({"action": "garbage", "commit": False}, 200, False),
        ({"action": "html"}, 201, True),
        ({"action": "html", "status": 502}, 502, True),
        ({"action": "redirect", "url": "http://example.com/"}, 307, False),
        ({"action": "redirect", "url": "/elsewhere", "status": 302}, 302, False),
        ({"action": "echo_differs"}, 201, True),
        ({"action": "delay", "seconds": 0.01}, 201, True),
    ],
)
def test_answers_of_another_kind(api: Started, fault: dict[str, Any], status: int, committed: bool) -> None:  # noqa: FBT001 - a table's cell
    """Status and effect are as the fault says."""
    api.server.inject(fault)
    answer = api.client.post(CREATE, json=BODY)
    assert answer.status_code == status
    assert held(api) == (["Orders"] if committed else [])
    for name, value in fault.get("headers", {}).items():
        assert answer.headers[name] == value
    if "url" in fault:
        assert answer.headers["location"] == fault["url"]


def test_bodies_of_injected_statuses(api: Started) -> None:
    """A body of the fault's own is sent as JSON, or as text; without one it is the plain error shape."""
    api.server.inject({"action": "status", "status": 502, "body": "bad gateway", "times": 1}, {"action": "status"})
    assert api.client.get(LISTS["metric_sources"]).text == "bad gateway"
    assert api.client.get(LISTS["metric_sources"]).json()["status"] == 500


def test_what_is_no_json(api: Started) -> None:
    """Garbage claims to be JSON; HTML says that it is HTML."""
    api.server.inject({"action": "garbage", "match": {"nth": 1}}, {"action": "html"})
    garbage = api.client.get(LISTS["metric_sources"], params=PAGE)
    html = api.client.get(LISTS["metric_sources"], params=PAGE)
    assert garbage.headers["content-type"] == "application/json"
    with pytest.raises(ValueError, match=r"Expecting|decode"):
        garbage.json()
    assert html.headers["content-type"].startswith("text/html")
    assert html.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, {"description": "d (altered)"}), ({"tags": ["x"], "team": "y"}, {"tags": ["x"], "team": "y"})],
)
def test_an_echo_that_differs(api: Started, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """The answer shows other values than were sent, while what is stored is what was sent."""
    api.server.inject({"action": "echo_differs", "fields": fields})
    sent = {**BODY, "description": "d", "tags": []}
    echo = api.client.post(CREATE, json=sent).json()["data"]
    assert echo == {**sent, **expected}
    assert api.server.state.sources["metric_sources"]["Orders"] == sent


def test_a_delay(api: Started) -> None:
    """The answer comes after the time, so that a client's timeout leaves a write behind."""
    api.server.inject({"action": "delay", "seconds": 0.5, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        api.client.post(CREATE, json=BODY, timeout=0.1)
    assert held(api) == []
    assert eventually(lambda: held(api) == ["Orders"])


@pytest.mark.parametrize("action", ["slow_bytes", "slow_headers"])
def test_an_answer_byte_by_byte(api: Started, action: str) -> None:
    """The answer comes whole in the end, byte by byte, and the write took effect before its first byte."""
    api.server.inject({"action": action, "seconds": 0.0001, "times": 1})
    with api.client.stream("POST", CREATE, json=BODY) as answer:
        assert (held(api), answer.status_code) == (["Orders"], 201)
        chunks = list(answer.iter_raw())
    assert len(chunks) > 1
    assert b"Orders" in b"".join(chunks)
    assert api.client.get(LISTS["metric_sources"], params=PAGE).status_code == 200


@pytest.mark.parametrize("action", ["slow_bytes", "slow_headers"])
def test_a_client_leaves_a_slow_answer(api: Started, action: str) -> None:
    """A client that gives up ends the slow answer; the log has it once, and the server answers on."""
    api.server.inject({"action": action, "seconds": 0.3, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        api.client.post(CREATE, json=BODY, timeout=0.1)
    assert api.client.get(LISTS["metric_sources"], params=PAGE).json()["data"] != []
    assert [(exchange.method, exchange.status) for exchange in api.server.requests] == [("POST", 201), ("GET", 200)]


@pytest.mark.parametrize("answered", [True, False])
def test_a_late_commit(api: Started, answered: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What was written shows only later, whether the client got its answer or not."""
    api.server.inject({"action": "late_commit", "seconds": 0.3, "answer": answered, "times": 1})
    if answered:
        assert api.client.post(CREATE, json=BODY).status_code == 201
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            api.client.post(CREATE, json=BODY)
    assert held(api) == []
    assert eventually(lambda: held(api) == ["Orders"])


def test_deletes_and_tags_that_show_late(api: Started) -> None:
    """Every write can commit late, not only those of sources' values."""
    api.client.post(CREATE, json=BODY)
    api.server.inject({"action": "late_commit", "seconds": 0.3, "answer": True})
    assert api.client.delete(f"{ITEMS['metric_sources']}/Orders").status_code == 200
    assert api.client.post(f"{PREFIX}/tags", json={"name": "core", "description": ""}).status_code == 201
    assert (held(api), api.server.state.tag_names()) == (["Orders"], set())
    assert eventually(lambda: (held(api), api.server.state.tag_names()) == ([], {"core"}))


def test_a_late_commit_counts_once_and_only_what_is_accepted_commits(start: Start) -> None:
    """The limit sees one request, and a refused one never takes effect."""
    started = start(rate_limit=[(2, 60.0)], faults=[{"action": "late_commit", "seconds": 0.05, "answer": True}])
    assert started.client.post(CREATE, json=BODY).status_code == 201
    assert eventually(lambda: held(started) == ["Orders"])
    assert started.client.post(CREATE, json={}).status_code == 400
    assert started.client.post(CREATE, json={**BODY, "name": "Second"}).status_code == 429
    time.sleep(0.2)
    assert held(started) == ["Orders"]


def test_a_reset_gives_up_late_commits(api: Started) -> None:
    """Nothing of the time before shows after a reset."""
    api.server.inject({"action": "late_commit", "seconds": 0.15, "answer": True})
    api.client.post(CREATE, json=BODY)
    api.server.reset()
    time.sleep(0.4)
    assert held(api) == []


def test_pages_that_shift_never_end_or_are_empty(start: Start) -> None:
    """Lists can repeat, skip, go on for ever, or come back empty; other answers stay as they are."""
    sources = [{**BODY, "name": name} for name in "abcd"]
    started = start(seed={"metric_sources": sources})

    def pages(count: int) -> list[str]:
        answers = [
            started.client.get(LISTS["metric_sources"], params={"page": page, "limit": 2}).json()
            for page in range(1, count + 1)
        ]
        assert [bool(answer["pagination"]["nextPage"]) for answer in answers[:-1]] == [True] * (count - 1)
        return ["".join(item["name"] for item in answer["data"]) for answer in answers]

    assert pages(2) == ["ab", "cd"]
    started.server.inject({"action": "shift_pages"})
    assert pages(2) == ["ab", "bc"]
    started.server.inject({"action": "shift_pages", "by": 1})
    assert pages(2) == ["ab", "d"]
    started.server.inject({"action": "endless_pages"})
    assert pages(5) == ["ab", "cd", "ab", "cd", "ab"]
    started.server.inject({"action": "empty_list"})
    assert pages(1) == [""]
    assert started.client.get(f"{ITEMS['metric_sources']}/a").json()["data"]["name"] == "a"


def test_a_plan_can_be_an_option(start: Start) -> None:
    """Faults may be in force from the start, and match on the path and the turn."""
    started = start(faults=[{"action": "status", "match": {"path": "metric_source/", "nth": 2}}])
    statuses = [started.client.delete(f"{ITEMS['metric_sources']}/a").status_code for _ in range(3)]
    assert statuses == [404, 500, 404]


def test_connections_cannot_be_dropped_under_another_server() -> None:
    """Elsewhere than under the emulator's own server a drop is a clear error, never a quiet success."""

    async def ask() -> httpx.Response:
        app = create_app(faults=[{"action": "drop_before_commit"}])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            return await client.get(f"{PREFIX}/tags")

    with pytest.raises(RuntimeError, match="only under the emulator's own server"):
        asyncio.run(ask())
