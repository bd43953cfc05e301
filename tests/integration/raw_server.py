"""A server of raw bytes on loopback: it shows what really went over the wire, and can answer anything or nothing."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self


class Received(Struct, frozen=True, kw_only=True):
    """One request, as it came in."""

    line: str
    headers: str
    body: bytes

    @property
    def target(self) -> str:
        """The raw path and query."""
        return self.line.split(" ")[1]


def reply(status: int, content: Any = None, *headers: str) -> bytes:
    """A whole HTTP answer: JSON content, or bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class RawServer:
    """Answers each connection with the next of its replies, then closes it; the last reply stays."""

    def __init__(self, *replies: bytes | Iterator[bytes]) -> None:
        """An empty reply closes the connection without an answer; an iterator is sent part by part."""
        self.replies = list(replies)
        self.received: list[Received] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        for connection in self._connections():
            with connection, contextlib.suppress(OSError):
                connection.settimeout(1)
                self._answer(connection)

    def _connections(self) -> Iterator[socket.socket]:
        with contextlib.suppress(OSError):
            while True:
                yield self._listener.accept()[0]

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                return
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        line, _, headers = head.decode("latin-1").partition("\r\n")
        length = next((int(row[15:]) for row in headers.lower().split("\r\n") if row.startswith("content-length:")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        self.received.append(Received(line=line, headers=headers, body=body))
        answer = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        for part in [answer] if isinstance(answer, bytes) else answer:
            connection.sendall(part)
