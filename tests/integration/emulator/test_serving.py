"""Starting and stopping the server."""

from __future__ import annotations

import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import httpx
import pytest

from dbt_statsig.emulator import CannotStart, running, serve
from tests.integration.emulator.samples import CREATES, LISTS, PAGE, PREFIX

PROGRAM = """
import sys
from dbt_statsig.emulator import serve
serve(on_ready=lambda url: print(url, flush=True), faults=[{"action": "delay", "seconds": 60}],
      on_request=lambda line: print(line, file=sys.stderr))
print("stopped")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    """Within seconds, with exit code 0 and no warning, even while a request waits."""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        failures: list[Exception] = []

        def ask() -> None:
            try:
                httpx.get(f"{url}{PREFIX}/tags", timeout=30)
            except httpx.HTTPError as failure:
                failures.append(failure)

        waiting = threading.Thread(target=ask)
        waiting.start()
        time.sleep(0.5)
        before = time.monotonic()
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        waiting.join()
        assert time.monotonic() - before < 10
        assert process.stdout.read() == "stopped\n"
        assert process.stderr.read() == f"GET {PREFIX}/tags dropped\n"
    assert [type(failure) for failure in failures] == [httpx.RemoteProtocolError]


def test_signal_handlers_are_put_back() -> None:
    """A program that serves for a while keeps its own handling of signals."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    serve(on_ready=lambda _: signal.raise_signal(signal.SIGTERM))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_it_can_serve_from_any_thread() -> None:
    """Away from the main thread an event stops it."""
    stop = threading.Event()
    urls: list[str] = []
    ready = threading.Event()

    def note(url: str) -> None:
        urls.append(url)
        ready.set()

    thread = threading.Thread(target=serve, kwargs={"on_ready": note, "stop": stop})
    thread.start()
    assert ready.wait(10)
    assert httpx.get(urls[0]).status_code == 200
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_without_anyone_to_tell() -> None:
    """`on_ready` may be left out where the port is known: it serves there until it is stopped."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop = threading.Event()
    thread = threading.Thread(target=serve, kwargs={"port": port, "stop": stop})
    thread.start()
    with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
        assert client.get(f"http://127.0.0.1:{port}").status_code == 200
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_taken_port_is_reported() -> None:
    """One clear message with the host and the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Cannot listen on 127.0.0.1 port {port}"), running(port=port):
            pass


def test_ipv6() -> None:
    """The URL of an IPv6 address has brackets."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with running(host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(server.url).status_code == 200


def test_latency_and_the_line_of_a_request() -> None:
    """Each answer waits, and each request gives one line with its status."""
    lines: list[str] = []
    with running(latency=0.2, on_request=lines.append) as server:
        headers = {"STATSIG-API-KEY": server.key}
        before = time.monotonic()
        httpx.get(f"{server.url}{LISTS['metric_sources']}", params=PAGE, headers=headers)
        assert time.monotonic() - before >= 0.2
        httpx.post(f"{server.url}{CREATES['metric_sources']}")
    assert lines == [f"GET {LISTS['metric_sources']}?page=1&limit=100 200", f"POST {CREATES['metric_sources']} 401"]


def test_a_request_that_ends_early_changes_nothing() -> None:
    """A client that leaves in the middle of its body is not answered, and not logged."""
    with running() as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST {CREATES['metric_sources']} HTTP/1.1\r\nHost: x\r\nSTATSIG-API-KEY: {server.key}\r\n"
            connection.sendall(f"{head}Content-Length: 500\r\n\r\n{{".encode())
            time.sleep(0.1)
        time.sleep(0.1)
        assert server.requests == []


def test_answers_are_not_held_back() -> None:
    """Head and body of an answer leave at once, where the kernel would else wait 0.04 s for the client to confirm."""
    seconds = []
    with running() as server, httpx.Client(headers={"STATSIG-API-KEY": server.key}) as client:
        for _ in range(30):
            before = time.monotonic()
            client.get(f"{server.url}{LISTS['metric_sources']}", params=PAGE)
            seconds.append(time.monotonic() - before)
    assert statistics.median(seconds[10:]) < 0.03
