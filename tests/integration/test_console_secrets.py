"""The key is in the one header that needs it, and on no channel that a person or a log collector reads."""

from __future__ import annotations

import io
import json
import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.errors import ConsoleError, DbtStatsigError
from dbt_statsig.vocabulary.kinds import MetricSource
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.raw_server import RawServer, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "console-TopSecret987654"  # noqa: S105  # pragma: allowlist secret - no key of anybody's
ORDERS = MetricSource(name="Orders", sql="select 1")
QUOTED = {"status": 401, "message": f"Invalid key {SECRET}", "errors": [{"property": SECRET, "errorMessage": SECRET}]}
HEADERS = (f"X-Echo: {SECRET}", f"Location: https://evil.example/?key={SECRET}", f"Set-Cookie: k={SECRET}")
ANSWERS = {
    "401": reply(401, QUOTED, *HEADERS),
    "400": reply(400, QUOTED, *HEADERS),
    "500": reply(500, QUOTED, *HEADERS),
    "redirect": reply(302, QUOTED, *HEADERS),
    "page": reply(200, f"<html>{SECRET}</html>".encode(), f"Content-Type: text/{SECRET}", *HEADERS),
    "wrong type": reply(200, {"data": [{"name": 5, SECRET: SECRET}], "pagination": None}, *HEADERS),
    "reason": f"HTTP/1.1 400 {SECRET}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode(),
    "illegal header": f"HTTP/1.1 200 OK\r\n{SECRET} {SECRET}: \x00{SECRET}\r\n\r\n".encode(),
    "nothing": b"",
}
CALLS: dict[str, Callable[[ConsoleClient], object]] = {
    "list": lambda console: console.list(Kind.METRIC_SOURCE),
    "create": lambda console: console.create(Kind.METRIC_SOURCE, ORDERS),
    "delete": lambda console: console.delete(Kind.METRIC_SOURCE, "Orders"),
    "tag": lambda console: console.create_tag("core", "d"),
}


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All that any logger of this process writes at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def ended(console: ConsoleClient, call: Callable[[ConsoleClient], object]) -> ConsoleError | None:
    """The error that a call ends with, if any."""
    with console:
        try:
            call(console)
        except ConsoleError as error:
            return error
    return None


def family(error: BaseException | None) -> Iterator[BaseException]:
    """An exception with all that it was raised from or during."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("call", list(CALLS))
@pytest.mark.parametrize("answer", list(ANSWERS))
def test_31_the_key_shows_on_no_channel(
    answer: str, call: str, everything_logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Fault 31: a server that quotes the key everywhere gets it into no exception, log, notice or output of ours."""
    notices: list[object] = []
    with RawServer(ANSWERS[answer]) as server:
        key = ApiKey(SECRET, origin="STATSIG_CONSOLE_API_KEY")
        console = ConsoleClient(key, base_url=server.url, budget=0.3, on_wait=notices.append, delays=(0.0,))
        raised = ended(console, CALLS[call])
    channels = {
        "log": everything_logged.getvalue(),
        "notices": repr(notices),
        "output": "".join(capfd.readouterr()),
        "traceback": "".join(traceback.format_exception(raised)) if raised else "",
        "objects": repr([key, console, server.received[0].line]),
    }
    assert raised is not None or answer == "wrong type", "every other answer is an error for every call"
    for error in family(raised):
        assert isinstance(error, DbtStatsigError), "no exception of a library comes along"
        channels[f"{type(error).__name__}"] = repr([error, error.args, vars(error), str(error)])
    assert [name for name, text in channels.items() if SECRET.casefold() in text.casefold()] == []
    assert any(SECRET in request.headers for request in server.received), "the key did go out"
    assert "httpcore" in channels["log"] or "receive_response" in channels["log"], "the log was really at DEBUG"


def test_a_sent_payload_is_not_logged_with_the_key(everything_logged: io.StringIO) -> None:
    """A success leaves no key in the logs either."""
    with RawServer(reply(201, {"data": {"name": "Orders"}, "echo": SECRET}, *HEADERS)) as server:
        key = ApiKey(SECRET, origin="STATSIG_CONSOLE_API_KEY")
        with ConsoleClient(key, base_url=server.url) as console:
            console.create(Kind.METRIC_SOURCE, ORDERS)
    assert json.loads(server.received[0].body) == {"name": "Orders", "sql": "select 1"}
    assert "key hidden" in everything_logged.getvalue()
    assert SECRET not in everything_logged.getvalue()
