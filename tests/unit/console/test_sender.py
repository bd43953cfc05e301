"""Tests of retries, throttling and of what is not retried."""

from __future__ import annotations

import ssl
from email.utils import formatdate

import httpx
import msgspec
import pytest

from dbt_statsig.console.sender import ATTEMPTS
from dbt_statsig.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    OutcomeUnknown,
    ProtocolError,
    Refused,
    Stopped,
    Throttled,
)
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.console.service import ORDERS, SECRET, Opened, Reply, one, page, refused

CREATED = one(msgspec.to_builtins(ORDERS), 201)
HTML = httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>Log in</html>")


def tls_failure() -> httpx.ConnectError:
    """A refused certificate as httpx reports it."""
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = OSError("wrapped")
    error.__cause__.__context__ = ssl.SSLError("certificate verify failed")
    return error


def throttled(value: str | None, **headers: str) -> httpx.Response:
    """A 429, with a Retry-After or without."""
    more = {} if value is None else {"retry-after": value}
    return httpx.Response(429, headers={**more, **headers}, json={"status": 429, "message": "Slow down"})


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.ProxyError("no"), httpx.PoolTimeout("")],
)
def test_1_no_connection_is_retried_then_reported(error: httpx.TransportError) -> None:
    """Fault 1: reads and writes without a connection are tried again with growing pauses, then given up unwritten."""
    for is_write in (False, True):
        opened = Opened(error)
        with pytest.raises(ConnectionFailed, match=r"No connection to statsigapi\.net"):
            opened.client.create(Kind.METRIC_SOURCE, ORDERS) if is_write else opened.client.list(Kind.METRIC_SOURCE)
        assert len(opened.service.requests) == ATTEMPTS == len(opened.clock.slept) + 1
        assert opened.clock.slept == sorted(opened.clock.slept)
        assert "no connection" in opened.waits[0].reason


def test_1_a_connection_that_comes_back_is_used() -> None:
    """Fault 1: a write that was never sent is sent once the connection is there."""
    opened = Opened(httpx.ConnectError("refused"), CREATED)
    assert not opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled


def test_1_the_budget_bounds_retries() -> None:
    """Fault 1: without budget there is one attempt."""
    opened = Opened(httpx.ConnectError("refused"), budget=0.0)
    with pytest.raises(ConnectionFailed):
        opened.client.ping()
    assert len(opened.service.requests) == 1


def test_2_a_refused_certificate_is_not_retried() -> None:
    """Fault 2: a TLS failure is reported at once, and names the setting for an authority of one's own."""
    opened = Opened(tls_failure())
    with pytest.raises(ConnectionFailed, match="certificate") as caught:
        opened.client.ping()
    assert "SSL_CERT_FILE" in caught.value.fix
    assert len(opened.service.requests) == 1


def test_8_retry_after_is_honoured_in_full() -> None:
    """Fault 8: the seconds that a 429 asks for are waited, and reported with their reason; the write is sent again."""
    opened = Opened(throttled("37"), CREATED)
    opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert sum(opened.clock.slept) >= 37
    assert [(wait.seconds, wait.spent) for wait in opened.waits] == [(37, 37)]
    assert "429" in opened.waits[0].reason


@pytest.mark.parametrize("value", ["-1", "soon", "", None, "0"])
def test_9_a_garbled_retry_after_falls_back(value: str | None) -> None:
    """Fault 9: without a usable Retry-After the pauses grow by themselves, and are short at first."""
    opened = Opened(throttled(value), throttled(value), page())
    opened.client.ping()
    assert 0.25 <= opened.waits[0].seconds <= 0.5
    assert 0.5 <= opened.waits[1].seconds <= 1.0


def test_9_a_date_is_honoured() -> None:
    """Fault 9: a Retry-After that is a date is waited for."""
    opened = Opened(throttled(formatdate(90, usegmt=True), date=formatdate(60, usegmt=True)), page())
    opened.client.ping()
    assert opened.waits[0].seconds == 30


def test_10_endless_throttling_ends() -> None:
    """Fault 10: 429 for ever stops when the budget is spent, and no earlier."""
    opened = Opened(throttled("60"), budget=300.0)
    with pytest.raises(Throttled, match="300 s of the 300 s"):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert sum(opened.clock.slept) == 300
    assert len(opened.service.requests) == 6


def test_10_endless_throttling_without_retry_after_ends_too() -> None:
    """Fault 10: with Retry-After 0 for ever the pauses still grow, so that the service is not hammered."""
    opened = Opened(throttled("0"), budget=300.0)
    with pytest.raises(Throttled):
        opened.client.ping()
    assert len(opened.service.requests) < 30


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    """A Retry-After that is longer than what may be waited stops the run at once."""
    opened = Opened(throttled("9" * 400), budget=300.0)
    with pytest.raises(Throttled):
        opened.client.ping()
    assert opened.clock.slept == []


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_11_server_errors_on_reads_are_retried(status: int) -> None:
    """Fault 11: a read that meets a server error is tried again."""
    opened = Opened(httpx.Response(status, content=b"<html>"), page())
    opened.client.ping()
    assert len(opened.service.requests) == 2
    assert opened.waits[0].reason == f"answer {status}"


@pytest.mark.parametrize("reply", [httpx.Response(503), httpx.ReadTimeout("late"), httpx.RemoteProtocolError("cut")])
def test_11_reads_are_given_up_in_the_end(reply: Reply) -> None:
    """Fault 11: a read that never gets an answer is reported after a few attempts."""
    opened = Opened(reply)
    with pytest.raises(ConnectionFailed, match="no usable answer"):
        opened.client.ping()
    assert len(opened.service.requests) == ATTEMPTS


def test_a_503_may_ask_for_a_pause_too() -> None:
    """Retry-After on a server error is honoured where it is longer than our own pause."""
    opened = Opened(httpx.Response(503, headers={"retry-after": "20"}), page())
    opened.client.ping()
    assert opened.clock.slept == [20]


def test_13_after_a_refused_key_nothing_is_sent() -> None:
    """Fault 13: a 401 in mid-run stops every later request before it is sent."""
    opened = Opened(refused(401, f"Bad key {SECRET}"), page())
    with pytest.raises(AuthenticationFailed) as first:
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    with pytest.raises(AuthenticationFailed, match="before") as second:
        opened.client.ping()
    assert SECRET not in str(first.value) + str(second.value)
    assert len(opened.service.requests) == 1


@pytest.mark.parametrize("status", [400, 409, 422])
def test_14_one_refused_object_does_not_stop_others(status: int) -> None:
    """Fault 14: a 4xx concerns its object only, is not retried, and the next write goes out."""
    opened = Opened(refused(status, "No such table"), CREATED)
    with pytest.raises(Refused, match=r'Metric source "Orders".*No such table') as caught:
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert caught.value.status == status
    opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert opened.client.requests == 2


def test_20_a_read_that_is_no_json_is_a_protocol_error() -> None:
    """Fault 20: an HTML page with status 200 on a read is not retried and says what to check."""
    opened = Opened(HTML)
    with pytest.raises(ProtocolError, match="text/html, 19 bytes") as caught:
        opened.client.list(Kind.METRIC_SOURCE)
    assert "base_url" in caught.value.fix
    assert len(opened.service.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_29_redirects_are_not_followed(status: int) -> None:
    """Fault 29: a redirect is refused wherever it leads: one request, and none to the other address."""
    opened = Opened(httpx.Response(status, headers={"location": "https://evil.example/"}))
    with pytest.raises(ProtocolError, match="redirect"):
        opened.client.ping()
    assert [request.url.host for request in opened.service.requests] == ["statsigapi.net"]


def test_29_a_redirected_write_is_looked_after() -> None:
    """Fault 29: whether a redirected write happened is read back, never assumed."""
    redirect = httpx.Response(307, headers={"location": "http://statsigapi.net/"})
    with pytest.raises(OutcomeUnknown, match="redirect"):
        Opened(redirect).client.create(Kind.METRIC_SOURCE, ORDERS)


@pytest.mark.parametrize("reply", [httpx.Response(500), HTML, httpx.ReadTimeout("late")])
def test_a_dry_run_is_repeated_or_reported_but_never_unknown(reply: Reply) -> None:
    """A dry run keeps nothing, so that a lost answer is not ambiguous: it is retried or reported as no answer."""
    opened = Opened(reply)
    with pytest.raises(ConnectionFailed, match="no usable answer"):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS, dry_run=True)
    assert {request.method for request in opened.service.requests} == {"POST"}


def test_stopping_starts_nothing_new() -> None:
    """After a stop, no write is sent, while reads go on."""
    opened = Opened(page())
    opened.client.stop()
    with pytest.raises(Stopped):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    opened.client.ping()
    assert [request.method for request in opened.service.requests] == ["GET"]
