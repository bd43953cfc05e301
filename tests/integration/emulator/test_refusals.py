"""What the API refuses, and in which shape."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.integration.emulator.samples import BODIES, COLLECTIONS, CREATES, ITEMS, LISTS, PAGE, PREFIX

if TYPE_CHECKING:
    from tests.integration.emulator.servers import Start, Started


@pytest.mark.parametrize("key", ["console-other", "secret-emulator", ""])
def test_another_key_is_echoed_in_a_401(api: Started, key: str) -> None:
    """The message holds the key that was sent, as the service's does: clients must hide it."""
    answer = httpx.get(f"{api.server.url}{LISTS['metric_sources']}", params=PAGE, headers={"STATSIG-API-KEY": key})
    assert answer.status_code == 401
    assert answer.json()["status"] == 401
    assert answer.json()["message"].endswith(f"Key sent: {key}")


def test_no_key_is_a_401(api: Started) -> None:
    """The header is required, on writes too, before anything else is looked at."""
    answer = httpx.post(f"{api.server.url}{CREATES['metric_sources']}", content=b"{")
    assert answer.status_code == 401


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_all_faults_of_a_body_in_the_long_shape(api: Started, collection: str) -> None:
    """Each fault has its property; unknown keys are a fault of the whole body."""
    body = {**BODIES[collection], "tags": "core", "isReadOnly": "true", "unheardOf": 1}
    del body["sql"]
    answer = api.client.post(CREATES[collection], json=body)
    assert answer.status_code == 400
    assert answer.json()["status"] == 400
    assert [set(fault) for fault in answer.json()["errors"]] == [{"property", "errorMessage"}] * 4
    assert [fault["property"] for fault in answer.json()["errors"]] == ["tags", "sql", "isReadOnly", ""]
    assert api.server.state.as_seed()[collection] == []


def test_the_short_shape_of_errors(start: Start) -> None:
    """On request there is only a message."""
    answer = start(plain_errors=True).client.post(CREATES["metric_sources"], json={})
    assert set(answer.json()) == {"status", "message"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b'{"name": NaN}', b'{"name": "\\ud800"}', b"\xff", b'{"name": "a" "b"}']
)
def test_bodies_that_are_no_json_object(api: Started, content: bytes) -> None:
    """400, with a message."""
    answer = api.client.post(CREATES["metric_sources"], content=content)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("PUT", "/metrics/metric_source"),
        ("PUT", "/metrics/metric_source/a"),
        ("PATCH", "/metrics/metric_source/a"),
        ("GET", "/experiments/assignment_source/a"),
        ("GET", "/qualifying_events"),
        ("DELETE", "/tags"),
        ("GET", "/"),
    ],
)
def test_paths_that_are_not_there(api: Started, method: str, path: str) -> None:
    """404 names the method and the path."""
    answer = api.client.request(method, f"{PREFIX}{path}")
    assert answer.status_code == 404
    assert answer.json() == {"status": 404, "message": f"Cannot {method} {PREFIX}{path}"}


def test_a_table_source_without_its_table(api: Started) -> None:
    """`sql` may be empty for a table, which then needs its name."""
    body = {**BODIES["metric_sources"], "sql": "", "sourceType": "table"}
    refused = api.client.post(CREATES["metric_sources"], json=body)
    assert [fault["property"] for fault in refused.json()["errors"]] == ["tableName"]
    assert api.client.post(CREATES["metric_sources"], json={**body, "tableName": "orders"}).status_code == 201


def test_unknown_tags(start: Start) -> None:
    """By default a source's tags are made; on request unknown ones are refused until they exist."""
    body = {**BODIES["metric_sources"], "tags": ["core"]}
    lenient, strict = start(), start(refuse_unknown_tags=True)
    assert lenient.client.post(CREATES["metric_sources"], json=body).status_code == 201
    assert [tag["name"] for tag in lenient.client.get(f"{PREFIX}/tags").json()["data"]] == ["core"]
    refused = strict.client.post(CREATES["metric_sources"], json=body)
    assert [fault["property"] for fault in refused.json()["errors"]] == ["tags"]
    assert strict.client.post(f"{PREFIX}/tags", json={"name": "core", "description": ""}).status_code == 201
    assert strict.client.post(CREATES["metric_sources"], json=body).status_code == 201


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "core", "description": "d"}, 201),
        ({"name": "x" * 100, "description": ""}, 201),
        ({"name": "x" * 101, "description": ""}, 400),
        ({"name": "", "description": ""}, 400),
        ({"name": "core"}, 400),
        ({"description": ""}, 400),
    ],
)
def test_making_a_tag(api: Started, body: dict[str, Any], expected: int) -> None:
    """A name of 1 to 100 characters and a description are required; a second one of the name is refused."""
    assert api.client.post(f"{PREFIX}/tags", json=body).status_code == expected
    if expected == 201:
        again = api.client.post(f"{PREFIX}/tags", json=body)
        assert again.status_code == 400
        assert "already in use" in again.json()["message"]


def test_the_rate_limit_is_for_mutations(start: Start) -> None:
    """Past the window writes get 429 without Retry-After, dry runs included; reads and refused keys do not count."""
    started = start(rate_limit=[(3, 60.0)])
    body = {**BODIES["metric_sources"], "dryRun": True}
    statuses = [started.client.post(CREATES["metric_sources"], json=body).status_code for _ in range(3)]
    refused = started.client.delete(f"{ITEMS['metric_sources']}/a")
    assert statuses == [201, 201, 201]
    assert refused.status_code == 429
    assert "retry-after" not in refused.headers
    assert started.client.get(LISTS["metric_sources"], params=PAGE).status_code == 200
    started.server.reset()
    assert started.client.post(CREATES["metric_sources"], json=body).status_code == 201


def test_after_the_requested_wait_a_write_passes(start: Start) -> None:
    """Retry-After, where it is asked for, is true: whole seconds after which the window has room."""
    started = start(rate_limit=[(1, 0.9)], retry_after=True)
    path = f"{ITEMS['metric_sources']}/a"
    assert started.client.delete(path).status_code == 404
    refused = started.client.delete(path)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    time.sleep(int(refused.headers["retry-after"]))
    assert started.client.delete(path).status_code == 404
