"""A service between a client and the emulator that answers as its rule says: bytes that no honest server sends."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dbt_statsig.emulator import Running

_HOP = {"content-length", "transfer-encoding", "connection", "date", "server"}


class Ask:
    """One request; `forward` lets it take effect."""

    def __init__(self, method: str, path: str, body: bytes, headers: dict[str, str], netloc: str) -> None:
        self.method = method
        self.path = path
        self.body = body
        self._headers = headers
        self._netloc = netloc

    def forward(self) -> tuple[int, dict[str, str], bytes]:
        """The emulator's own answer."""
        connection = http.client.HTTPConnection(self._netloc, timeout=20)
        connection.request(self.method, self.path, self.body or None, {**self._headers, "host": self._netloc})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = {key: value for key, value in answer.getheaders() if key.lower() not in _HOP}
        return answer.status, kept, content

    def payload(self) -> dict[str, Any]:
        """The emulator's own answer, decoded."""
        decoded: dict[str, Any] = msgspec.json.decode(self.forward()[2])
        return decoded


def raw(status: str, body: bytes, **headers: str) -> bytes:
    """An answer in bytes; header names with _ for -."""
    lines = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    lines |= {key.replace("_", "-"): value for key, value in headers.items()}
    head = "".join(f"{key}: {value}\r\n" for key, value in lines.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + body


def encoded(payload: Any, status: str = "200 OK") -> bytes:
    """An answer that is this JSON."""
    return raw(status, msgspec.json.encode(payload))


Rule = "Callable[[Ask], bytes | None]"


class Liar:
    """The service; `rule` gives the bytes of an answer, or None for the honest one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.rule: Callable[[Ask], bytes | None] = lambda _ask: None

    @contextmanager
    def lies(self, rule: Callable[[Ask], bytes | None]) -> Iterator[None]:
        """The rule is in force for so long."""
        self.rule = rule
        try:
            yield
        finally:
            self.rule = lambda _ask: None


@contextmanager
def lying(server: Running) -> Iterator[Liar]:
    """A liar in front of an emulator."""
    netloc = server.url.removeprefix("http://")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP | {"host"}}
            ask = Ask(self.command, self.path, body, headers, netloc)
            content = liar.rule(ask)
            if content is None:
                status, kept, honest = ask.forward()
                content = raw(f"{status} OK", honest, **kept)
            self.wfile.write(content)
            self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    liar = Liar(f"http://127.0.0.1:{web.server_address[1]}")
    threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield liar
    finally:
        web.shutdown()
        web.server_close()
