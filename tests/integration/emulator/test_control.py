"""The endpoints beside the API: faults, log, state, edits, the page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dbt_statsig.emulator import create_app
from tests.integration.emulator.samples import BODIES, CREATES, ITEMS, LISTS, PAGE, PREFIX

if TYPE_CHECKING:
    from tests.integration.emulator.servers import Start, Started

BODY = BODIES["metric_sources"]


def control(started: Started, method: str, path: str, body: Any = None) -> httpx.Response:
    """One request without a key."""
    headers = {"content-type": "application/json"}
    return httpx.request(method, f"{started.server.url}/__emulator/{path}", json=body, headers=headers)


def test_faults_by_request(api: Started) -> None:
    """A plan can be set, seen with its hits, and cleared."""
    plan = [{"action": "status", "status": 503}]
    assert control(api, "POST", "faults", plan).status_code == 200
    assert api.client.get(f"{PREFIX}/tags").status_code == 503
    shown = control(api, "GET", "faults").json()["faults"]
    assert [(fault["action"], fault["status"], fault["hits"]) for fault in shown] == [("status", 503, 1)]
    assert control(api, "DELETE", "faults").json() == {"faults": []}
    assert control(api, "POST", "faults", {"faults": plan}).status_code == 200
    assert api.client.get(f"{PREFIX}/tags").status_code == 503


@pytest.mark.parametrize(("content", "expected"), [(b'[{"action": "x"}]', "not valid"), (b"{", "JSON|truncated|ended")])
def test_a_bad_plan_is_refused(api: Started, content: bytes, expected: str) -> None:
    """400 says what is wrong."""
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{api.server.url}/__emulator/faults", content=content, headers=headers)
    assert answer.status_code == 400
    assert any(word in answer.json()["message"] for word in expected.split("|"))


def test_the_log_of_requests(api: Started) -> None:
    """Every API request is there with its answer's status, and the key is not."""
    api.client.get(LISTS["metric_sources"], params=PAGE, headers={"STATSIG-API-VERSION": "20240601"})
    api.client.post(CREATES["metric_sources"], json=BODY)
    api.client.post(CREATES["metric_sources"], content=b"\xffno")
    answer = control(api, "GET", "requests")
    log = answer.json()["requests"]
    assert [(line["method"], line["path"], line["query"], line["status"]) for line in log] == [
        ("GET", LISTS["metric_sources"], "page=1&limit=100", 200),
        ("POST", CREATES["metric_sources"], "", 201),
        ("POST", CREATES["metric_sources"], "", 400),
    ]
    assert [line["body"] for line in log] == [None, BODY, "\ufffdno"]
    assert log[0]["headers"]["statsig-api-version"] == "20240601"
    assert api.server.key not in answer.text
    assert [exchange.status for exchange in api.server.requests] == [200, 201, 400]
    control(api, "DELETE", "requests")
    assert api.server.requests == []


def test_reset(start: Start) -> None:
    """The seed is back, the faults and the log are gone."""
    started = start(seed={"tags": ["core"]})
    started.client.post(CREATES["metric_sources"], json=BODY)
    started.server.inject({"action": "html"})
    assert control(started, "POST", "reset").status_code == 200
    assert started.server.requests == []
    state = control(started, "GET", "state").json()
    assert state["metric_sources"] == []
    assert state["tags"] == [{"name": "core", "description": ""}]
    assert started.client.get(f"{PREFIX}/tags").status_code == 200


def test_edits_as_in_the_web_console(api: Started) -> None:
    """Objects can be changed, renamed, made and removed without a key, read-only or not."""
    api.client.post(CREATES["metric_sources"], json={**BODY, "name": "a/b", "isReadOnly": True, "team": "x"})
    path = "objects/metric_sources/a%2Fb"
    edited = control(api, "PATCH", path, {"description": "By hand", "team": None, "name": "c"})
    assert edited.json()["data"]["description"] == "By hand"
    assert "team" not in edited.json()["data"]
    assert list(api.server.state.sources["metric_sources"]) == ["c"]
    assert control(api, "POST", "objects/metric_sources/d", {"sql": "select 1"}).json()["data"]["tags"] == []
    assert control(api, "DELETE", "objects/metric_sources/c").json()["data"]["name"] == "c"
    assert list(api.server.state.sources["metric_sources"]) == ["d"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "objects/metric_source/a", {}, 404),
        ("PATCH", "objects/metric_sources/", {}, 404),
        ("PATCH", "objects/metric_sources/nobody", {}, 404),
        ("DELETE", "objects/metric_sources/nobody", None, 404),
        ("POST", "objects/metric_sources/a", {}, 404),
        ("PATCH", "objects/metric_sources/a", [], 400),
        ("PATCH", "objects/metric_sources/a", {"name": "b"}, 400),
    ],
)
def test_edits_that_cannot_be(start: Start, method: str, path: str, body: Any, status: int) -> None:
    """The answer says what is wrong, and nothing changes."""
    started = start(seed={"metric_sources": [{"name": "a"}, {"name": "b"}]})
    before = started.server.state.as_seed()
    answer = control(started, method, path, body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert started.server.state.as_seed() == before


def test_loads_as_in_the_web_console(start: Start) -> None:
    """POST is a load that somebody began, PATCH edits the newest one, PUT says how those to come end."""
    started = start(seed={"experiments": [{"id": "button", "status": "active"}]}, load_looks=0)
    path, api_path = "loads/button", f"{PREFIX}/experiments/button"

    def newest() -> dict[str, Any]:
        load: dict[str, Any] = started.client.get(f"{api_path}/pulse_load_history", params=PAGE).json()["data"][0]
        return load

    assert control(started, "PATCH", path, {"createdTime": 5}).status_code == 404
    control(started, "POST", path, {"createdTime": 1, "finishedState": "timeout"})
    assert (newest()["createdTime"], newest()["finishedState"]) == (1, "timeout")
    control(started, "PATCH", path, {"finishedState": "failure"})
    assert newest()["finishedState"] == "failure"
    control(started, "PUT", path, {"endsAs": "cancelled"})
    assert started.client.post(f"{api_path}/load_pulse").status_code == 200
    assert newest()["finishedState"] == "cancelled"
    assert control(started, "POST", path, []).status_code == 400


def test_the_page(api: Started) -> None:
    """It is HTML with a strict policy, shows what is held, and leaves a script as text."""
    api.client.post(CREATES["metric_sources"], json={**BODY, "name": "<script>alert(1)</script>"})
    answer = httpx.get(api.server.url)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert answer.text.count("<script>") == 1


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.1", 403), ("testclient", 403)]
)
def test_only_this_machine_is_answered(host: str, status: int) -> None:
    """A client elsewhere sees neither the page nor the control endpoints."""

    async def ask(path: str) -> int:
        transport = httpx.ASGITransport(app=create_app(), client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get(path)).status_code

    assert [asyncio.run(ask(path)) for path in ("/", "/__emulator/state")] == [status, status]


def test_edits_by_hand_are_a_persons(api: Started) -> None:
    """An edit as in the web console stands in the audit log as that of a person, who can be named."""
    api.client.post(CREATES["metric_sources"], json=BODY)
    control(api, "PATCH", "objects/metric_sources/Orders", {"tags": ["by hand"]})
    url = f"{api.server.url}/__emulator/objects/metric_sources/Orders"
    httpx.delete(url, headers={"x-emulator-user": "Max <max@example.com>"})
    entries = api.client.get(f"{PREFIX}/audit_logs").json()["data"]
    assert [(one["updatedBy"], one["modifierEmail"]) for one in entries] == [
        ("Max", "max@example.com"),
        ("Jane Doe", "jane.doe@example.com"),
        ("Console API key", None),
    ]


def test_a_review_ends_by_hand(start: Start) -> None:
    """A change that waits for its review can be accepted, then committed, by hand; a rejected one is gone."""
    started = start(review_required=True)
    started.client.headers["x-respect-review-settings"] = "true"
    source = BODIES["assignment_sources"]
    path, review = f"{ITEMS['assignment_sources']}/Exposures", "reviews/assignment_sources/Exposures"
    started.client.post(CREATES["assignment_sources"], json=source)
    started.client.patch(path, json={"description": "later"})
    assert control(started, "POST", review, {"verdict": "accept"}).status_code == 200
    assert started.server.state.sources["assignment_sources"]["Exposures"]["description"] == ""
    assert control(started, "POST", review, {"verdict": "commit"}).status_code == 200
    assert started.server.state.sources["assignment_sources"]["Exposures"]["description"] == "later"
    started.client.patch(path, json={"description": "never"})
    assert control(started, "POST", review, {"verdict": "reject"}).status_code == 200
    assert control(started, "POST", review, {"verdict": "commit"}).status_code == 400
    actions = [one["actionType"] for one in started.client.get(f"{PREFIX}/audit_logs").json()["data"]]
    assert actions[:2] == ["reject_echidna_source_review", "create_echidna_source_review"]
