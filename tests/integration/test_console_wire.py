"""What the Console API client puts on a real wire, and what it makes of what comes back."""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.errors import ConnectionFailed, OutcomeUnknown, ProtocolError, Refused, SettingsError
from dbt_statsig.vocabulary.kinds import MetricSource
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.raw_server import RawServer, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = ApiKey("console-OverTheWire1", origin="STATSIG_CONSOLE_API_KEY")
ROOT = "/console/v1/metrics/metric_source/"
EMPTY = {"message": "", "data": [], "pagination": {"nextPage": None, "totalItems": 0}}
ORDERS = MetricSource(name="Orders", sql="select 1")
HELD = {"message": "", "data": {"name": "Orders", "sql": "select 1"}}


def client(server: RawServer, **options: float) -> ConsoleClient:
    """A client that does not wait long."""
    return ConsoleClient(KEY, base_url=server.url, delays=(0.0, 0.01), **options)  # type: ignore[arg-type]  # numbers only


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
    shown: list[object] = []
    console = ConsoleClient(KEY, base_url=f"http://127.0.0.1:{port}", budget=1.0, on_wait=shown.append)
    with console, pytest.raises(ConnectionFailed, match=rf"127\.0\.0\.1:{port}"):
        console.create(Kind.METRIC_SOURCE, ORDERS)
    assert shown


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


def drip(first: bytes, rest: bytes, pause: float = 0.02) -> Iterator[bytes]:
    """An answer whose rest comes byte by byte, and does not end."""
    yield first
    for byte in itertools.cycle(rest):
        time.sleep(pause)
        yield bytes([byte])


SLOW = {
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", b" ", 0.02),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.02),
    "headers": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x", 0.02),
    "status line": (b"", b"H", 0.02),
    "endless 1xx": (b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.0),
}


@pytest.mark.parametrize("name", SLOW)
def test_57_a_slow_answer_to_a_write_is_read_back(name: str) -> None:
    """Fault 57: an answer of which something comes all the time, but never the end, is given up and read back."""
    started = time.monotonic()
    with (
        RawServer(drip(*SLOW[name]), reply(200, HELD)) as server,
        client(server, write_timeout=0.3, read_timeout=20) as console,
    ):
        assert console.create(Kind.METRIC_SOURCE, ORDERS).reconciled
    assert 0.3 <= time.monotonic() - started < 15
    assert [request.line.split(" ")[0] for request in server.received] == ["POST", "GET"]


def test_57_slow_reads_are_given_up() -> None:
    """Fault 57: a read whose answer never ends is repeated as one without an answer, then reported."""
    answers = [drip(*SLOW["body"]) for _ in range(9)]
    with (
        RawServer(*answers) as server,
        client(server, read_timeout=0.1, budget=0.0) as console,
        pytest.raises(ConnectionFailed, match="ReadTimeout"),
    ):
        console.ping()


def test_57_a_server_that_hardly_reads() -> None:
    """Fault 57: a request that is taken byte by byte ends in time too."""
    end = threading.Event()

    def nibble(listener: socket.socket) -> None:
        connection = listener.accept()[0]
        with connection:
            while not end.wait(0.005):
                connection.recv(1)

    large = MetricSource(name="Orders", sql="x" * 30_000_000)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reading = threading.Thread(target=nibble, args=(listener,))
        reading.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            ConsoleClient(KEY, base_url=url, write_timeout=0.5, read_timeout=0.2, budget=0.0) as console,
            pytest.raises(OutcomeUnknown, match="WriteTimeout"),
        ):
            console.create(Kind.METRIC_SOURCE, large)
        end.set()
        reading.join(10)


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


def socks_server(listener: socket.socket, asked: list[bytes]) -> None:
    """Take one connection as a SOCKS 5 proxy and close it at once."""
    connection = listener.accept()[0]
    with connection:
        connection.settimeout(5)
        connection.recv(100)
        connection.sendall(b"\x05\x00")
        asked.append(connection.recv(300))
        connection.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")


def test_a_socks_proxy_carries_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra, ALL_PROXY may name a SOCKS proxy: it is asked for Statsig's host by name."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=socks_server, args=(listener, asked))
        serving.start()
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "localhost")
        with ConsoleClient(KEY, budget=0.0) as console, pytest.raises(ConnectionFailed):
            console.ping()
        serving.join(10)
    assert b"statsigapi.net" in asked[0]


def test_a_socks_proxy_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package for SOCKS, the message names the extra that brings it."""
    monkeypatch.setenv("ALL_PROXY", "socks5://user:hunter2@proxy:1080")  # pragma: allowlist secret
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(SettingsError, match="extra `socks`") as caught:
        ConsoleClient(KEY)
    assert "dbt-statsig[socks]" in caught.value.fix
    assert "hunter2" not in str(caught.value)


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
