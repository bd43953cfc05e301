"""What the Console API client puts on a real wire, and what it makes of what comes back."""

from __future__ import annotations

import json
import socket
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.errors import ConnectionFailed, OutcomeUnknown, ProtocolError, Refused
from dbt_statsig.sources import Kind, MetricSource
from tests.integration.raw_server import RawServer, reply

KEY = ApiKey("console-OverTheWire1", origin="STATSIG_CONSOLE_API_KEY")
ROOT = "/console/v1/metrics/metric_source/"
EMPTY = {"message": "", "data": [], "pagination": {"nextPage": None, "totalItems": 0}}
ORDERS = MetricSource(name="Orders", sql="select 1")
HELD = {"message": "", "data": {"name": "Orders", "sql": "select 1"}}


def client(server: RawServer, **options: float) -> ConsoleClient:
    """A client that does not wait long."""
    return ConsoleClient(KEY, base_url=server.url, looks=(0.0, 0.01), **options)  # type: ignore[arg-type]  # numbers only


NAMES = [
    "a/b",
    "50%",
    "%2F",
    "a%41",
    ".",
    "..",
    "../../tags",
    "a?b=c",
    "a#b",
    "a;b,c=d&e+f",
    "\U0001f6d2 checkout",
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u202eRTL",
    " blank at both ends ",
    "tab\tand\nline",
    "quote\"'`<>{}|\\^[]",
    "nul\x00",
    "e\u0301 \u00e9",
    "x" * 10_000,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:30])
def test_32_a_name_is_one_segment_on_the_wire(name: str) -> None:
    """Fault 32: whatever a name holds, the raw request line has it as one segment that decodes to the name."""
    with RawServer(reply(200, {"data": {"name": name}})) as server, client(server) as console:
        found = console.get(Kind.METRIC_SOURCE, name)
    assert found is not None
    assert found.name == name
    segment = server.received[0].target.removeprefix(ROOT)
    assert server.received[0].target.startswith(ROOT)
    assert not set(segment) & set("/?#")
    assert segment not in {".", ".."}
    assert unquote(segment, errors="strict") == name


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=40))
def test_32_any_name_is_one_segment_or_a_clear_error(name: str) -> None:
    """Fault 32: any text at all is sent as one segment, or refused before sending."""
    with RawServer(reply(200, {"data": {"name": name}})) as server, client(server) as console:
        refusals = []
        try:
            console.get(Kind.METRIC_SOURCE, name)
        except Refused as error:
            refusals.append(error.status)
    sent = [unquote(request.target.removeprefix(ROOT), errors="strict") for request in server.received]
    assert (refusals, sent) in [([0], []), ([], [name])]


def test_32_a_name_of_120_000_bytes_is_a_clear_error() -> None:
    """Fault 32: a name that no server would take in an address is refused with a sentence."""
    with (
        RawServer(reply(200, {"data": None})) as server,
        client(server) as console,
        pytest.raises(Refused, match="too long"),
    ):
        console.get(Kind.METRIC_SOURCE, "\U0001f600" * 10_000)
    assert server.received == []


def test_1_a_closed_port_is_no_connection() -> None:
    """Fault 1: nobody listens: retried, then reported with the address and without a claim."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told: list[object] = []
    console = ConsoleClient(KEY, base_url=f"http://127.0.0.1:{port}", budget=1.0, on_wait=told.append)
    with console, pytest.raises(ConnectionFailed, match=rf"127\.0\.0\.1:{port}"):
        console.create(Kind.METRIC_SOURCE, ORDERS)
    assert told


def test_1_a_host_that_does_not_exist_is_no_connection() -> None:
    """Fault 1: a name that does not resolve is reported in one sentence."""
    console = ConsoleClient(KEY, base_url="https://statsig.invalid", budget=0.0)
    with console, pytest.raises(ConnectionFailed, match=r"No connection to statsig\.invalid"):
        console.ping()


def test_2_a_server_without_tls_is_a_certificate_fault() -> None:
    """Fault 2: https to a server that speaks none fails at once, and verification stays on."""
    with RawServer(reply(200, EMPTY)) as server:
        console = ConsoleClient(KEY, base_url=server.url.replace("http:", "https:"))
        with console, pytest.raises(ConnectionFailed, match="certificate") as caught:
            console.ping()
        assert console.requests == 1
    assert "SSL_CERT_FILE" in caught.value.fix


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"message": "Cre',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"me',
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
    ids=["nothing", "cut short", "cut chunk", "another protocol", "bad gzip"],
)
def test_3_20_a_broken_answer_to_a_write_is_read_back(broken: bytes) -> None:
    """Faults 3 and 20: the connection drops or babbles after a write: what is there decides."""
    with RawServer(broken, reply(200, HELD)) as server, client(server) as console:
        assert console.create(Kind.METRIC_SOURCE, ORDERS).reconciled
    assert [request.line.split(" ")[0] for request in server.received] == ["POST", "GET"]


def test_4_a_write_that_times_out_is_read_back() -> None:
    """Fault 4: a server that takes a write and says nothing is given up after the time-out, and asked what it has."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        console = ConsoleClient(KEY, base_url=url, write_timeout=0.2, read_timeout=0.2, budget=0.0)
        with console, pytest.raises(OutcomeUnknown, match="ReadTimeout"):
            console.create(Kind.METRIC_SOURCE, ORDERS)


def test_29_the_key_never_reaches_where_a_redirect_leads() -> None:
    """Fault 29: neither another origin nor another path of the same one is asked."""
    with RawServer(reply(200, EMPTY)) as other:
        redirect = reply(307, {"message": "moved"}, f"Location: {other.url}/console/v1/tags")
        with RawServer(redirect) as server, client(server) as console, pytest.raises(ProtocolError, match="redirect"):
            console.tags()
        assert len(server.received) == 1
        assert other.received == []


def test_a_proxy_never_carries_loopback_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clear text is for this machine alone: a proxy from the environment does not get it."""
    with RawServer(reply(502, b"")) as proxy, RawServer(reply(200, EMPTY)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with client(server) as console:
            console.ping()
        assert proxy.received == []
        assert len(server.received) == 1


def test_what_goes_out_is_what_the_api_publishes() -> None:
    """One write on the wire: method, path, headers and body, and nothing that was not declared."""
    with RawServer(reply(201, HELD)) as server, client(server) as console:
        console.create(Kind.METRIC_SOURCE, ORDERS)
    (request,) = server.received
    assert request.line == "POST /console/v1/metrics/metric_source HTTP/1.1"
    sent = {row.split(":")[0].lower(): row.partition(":")[2].strip() for row in request.headers.split("\r\n")}
    assert sent["statsig-api-key"] == KEY.reveal()
    assert sent["statsig-api-version"] == "20240601"
    assert "x-respect-review-settings" not in sent
    assert "cookie" not in sent
    assert json.loads(request.body) == {"name": "Orders", "sql": "select 1"}
