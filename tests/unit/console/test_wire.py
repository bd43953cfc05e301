"""Tests of one exchange with httpx."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpcore
import httpx
import pytest

from dbt_statsig.console import wire as wire_module
from dbt_statsig.console.key import LOGGERS
from dbt_statsig.console.wire import Answer, Failure, Trouble, Wire
from dbt_statsig.errors import Refused, SettingsError
from tests.unit.console.service import KEY, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL = "https://statsigapi.net"


def exchange(
    handler: Callable[[httpx.Request], httpx.Response], path: str = "/x", largest_answer: int = 10**6
) -> Answer | Failure:
    """One GET on a wire to this handler."""
    wire = Wire(KEY, URL, transport=httpx.MockTransport(handler), largest_answer=largest_answer)
    try:
        return wire.exchange("GET", path, None, timeout=0.2)
    finally:
        wire.close()


class Chunks(httpx.SyncByteStream):
    """A body that comes in pieces."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size

    def __iter__(self) -> Iterator[bytes]:
        """The pieces."""
        for _ in range(self.count):
            yield b"x" * self.size


@pytest.mark.parametrize("review", [False, True])
def test_headers_are_those_that_the_api_asks_for(*, review: bool) -> None:
    """Key, API version and program name go along always, the review header only when asked for."""
    seen: list[httpx.Headers] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200)

    wire = Wire(KEY, URL, transport=httpx.MockTransport(handler), respect_review_settings=review)
    wire.exchange("POST", "/x", b"{}", timeout=1)
    wire.close()
    assert seen[0]["statsig-api-key"] == SECRET
    assert seen[0]["statsig-api-version"] == "20240601"
    assert seen[0]["user-agent"].startswith("dbt-statsig/")
    assert seen[0].get("x-respect-review-settings") == ("true" if review else None)
    assert seen[0]["content-type"] == "application/json"
    assert wire.requests == 1


def test_an_answer_larger_than_the_cap_is_lost() -> None:
    """An answer that would fill the memory is broken off."""
    result = exchange(lambda _: httpx.Response(200, stream=Chunks(10, 100)), largest_answer=500)
    assert isinstance(result, Failure)
    assert (result.trouble, "larger than 500" in result.detail) == (Trouble.LOST, True)


def test_a_garbled_encoding_is_lost() -> None:
    """A body that does not decompress is no answer."""
    reply = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Chunks(1, 10))
    result = exchange(lambda _: reply)
    assert isinstance(result, Failure)
    assert (result.trouble, result.detail.split(":")[0]) == (Trouble.LOST, "DecodingError")


def test_a_malformed_host_is_not_sent_to() -> None:
    """A host name that the resolver cannot take ends as a failed connection."""

    def handler(_: httpx.Request) -> httpx.Response:
        raise UnicodeError("label too long")

    result = exchange(handler)
    assert isinstance(result, Failure)
    assert result.trouble is Trouble.NOT_SENT


def test_failures_hold_no_key() -> None:
    """The words of a failure are redacted."""

    def handler(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"Illegal header value {SECRET}")

    result = exchange(handler)
    assert isinstance(result, Failure)
    assert SECRET not in repr(result)
    assert "ReadError: Illegal header value" in result.detail


def test_a_path_that_httpx_would_rewrite_is_refused() -> None:
    """What goes out must be what was meant: a path that httpx folds is refused."""
    with pytest.raises(Refused, match="unchanged"):
        exchange(lambda _: httpx.Response(200), "/a/../b")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nowhere/hunter2.pem"),
        ("HTTPS_PROXY", "gopher://user:hunter2@proxy"),  # pragma: allowlist secret
    ],
)
def test_unusable_environment_is_a_settings_error(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """A certificate bundle or proxy that cannot be used is reported without its value, which may hold a password."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match="cannot be set up") as caught:
        Wire(KEY, URL)
    assert variable in caught.value.fix
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_address_that_httpx_cannot_take_is_a_settings_error() -> None:
    """What our own check lets pass and httpx does not is still a settings error."""
    with pytest.raises(SettingsError):
        Wire(KEY, "https://a..b--.xn--\u2603")


def test_log_filters_come_and_go_with_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    """While a wire is open the libraries' loggers hide the key, in messages and in arguments; closing removes that."""
    before = {name: list(logging.getLogger(name).filters) for name in LOGGERS}
    wire = Wire(KEY, URL, transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    with caplog.at_level(logging.DEBUG):
        for name in LOGGERS:
            logging.getLogger(name).debug("header %r", SECRET)
    wire.close()
    assert caplog.text.count("header '<key hidden>'") == len(LOGGERS)
    assert SECRET not in caplog.text
    assert before == {name: list(logging.getLogger(name).filters) for name in LOGGERS}


def test_closing_waits_for_what_is_under_way() -> None:
    """A request under way gets its answer, and its log records stay redacted until then; after that nothing is sent."""
    entered, goes_on = threading.Event(), threading.Event()

    def handler(_: httpx.Request) -> httpx.Response:
        entered.set()
        assert goes_on.wait(10)
        return httpx.Response(200, content=b"whole")

    filters = logging.getLogger(LOGGERS[0]).filters
    before = list(filters)
    wire = Wire(KEY, URL, transport=httpx.MockTransport(handler))
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(wire.exchange, "GET", "/x", None, timeout=5)
        assert entered.wait(10)
        wire.close()
        assert len(filters) == len(before) + 1
        refused = wire.exchange("GET", "/y", None, timeout=5)
        goes_on.set()
        answer = under_way.result()
    assert isinstance(answer, Answer)
    assert answer.body == b"whole"
    assert isinstance(refused, Failure)
    assert refused.trouble is Trouble.NOT_SENT
    assert wire.requests == 1
    assert filters == before


def test_nothing_is_read_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends byte by byte gets no time beyond the limit of the whole request."""
    monkeypatch.setattr(wire_module._due, "at", time.monotonic() - 1, raising=False)
    with pytest.raises(httpcore.ReadTimeout, match="longer than its time limit"):
        wire_module._left(5, httpcore.ReadTimeout)
