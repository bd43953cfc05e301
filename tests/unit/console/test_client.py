"""Tests of the client's own promises."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import pytest

from dbt_statsig.console.client import DEFAULT_BASE_URL, ConsoleClient, means_the_same
from dbt_statsig.errors import SettingsError, Stopped
from dbt_statsig.vocabulary.kinds import MetricSource
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.console.service import KEY, ORDERS, SECRET, UNPACED, Opened, Service, one, page


def test_a_client_closes_with_its_context() -> None:
    """The client is a context manager, and sends nothing after it was closed."""
    with ConsoleClient(KEY, transport=httpx.MockTransport(Service([page()]))) as client:
        client.ping()
        assert client.requests == 1
    with pytest.raises(Stopped):
        client.ping()
    assert client.requests == 1


def test_a_bad_address_opens_nothing() -> None:
    """The address is checked when the client is made."""
    with pytest.raises(SettingsError):
        ConsoleClient(KEY, base_url="http://statsigapi.net")
    assert DEFAULT_BASE_URL == "https://statsigapi.net"


def test_a_prefix_of_the_address_is_kept() -> None:
    """A gateway's own path stands before the API's."""
    opened = Opened(page(), base_url="https://gateway.example/statsig/")
    opened.client.ping()
    assert opened.service.calls[0].startswith("GET /statsig/console/v1/unit_id_types?")


def test_only_declared_fields_are_compared() -> None:
    """By default a live object is the same when every declared field is, whatever else it holds."""
    live = MetricSource(name="Orders", sql="select  1", tags=("a", "b"), is_verified=True)
    assert means_the_same(MetricSource(name="Orders", sql="select 1", tags=("b", "a")), live)
    assert not means_the_same(MetricSource(name="Orders", sql="select 2"), live)
    assert not means_the_same(MetricSource(name="orders", sql="select 1"), live)


def test_threads_share_one_client() -> None:
    """Many threads write at once; every request is counted and none is lost."""
    lock = threading.Lock()
    names: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        with lock:
            names.append(request.content)
        return httpx.Response(201, json=one(json.loads(request.content))[1])

    with (
        ConsoleClient(KEY, transport=httpx.MockTransport(handler), rates=UNPACED) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        payloads = [MetricSource(name=f"n{number}", sql="s") for number in range(200)]
        list(pool.map(lambda payload: client.create(Kind.METRIC_SOURCE, payload), payloads))
        assert client.requests == len(set(names)) == 200


def test_no_attribute_of_a_client_shows_the_key() -> None:
    """Walking a client's objects, as a crash reporter does, meets no text that holds the key."""
    opened = Opened(one(msgspec.to_builtins(ORDERS)))
    opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    seen: set[int] = set()
    stack: list[object] = [opened.client]
    while stack:
        thing = stack.pop()
        if id(thing) in seen or not type(thing).__module__.startswith("dbt_statsig"):
            continue
        seen.add(id(thing))
        inner = list(vars(thing).values()) if hasattr(thing, "__dict__") else []
        assert SECRET not in "".join(map(repr, [thing, *inner]))
        stack += inner
    assert len(seen) > 6
