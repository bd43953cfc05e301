"""The connection itself: answers written, cut short or dropped.

ASGI has no way to drop a connection, so `Protocol` hands its transport to the application in `scope["state"]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from dbt_statsig.emulator.replies import Call

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

__all__ = ["Protocol", "Wire", "read"]


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1 with the transport in reach of the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where every request's scope finds it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


async def read(scope: Scope, receive: Receive) -> Call | None:
    """The request, its body complete; None when the client left before its end."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return Call(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii"),
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(parts),
    )


class Wire:
    """The answering side of one request.

    `before_answer` is called with the status, or 0 for a dropped connection, before the first byte leaves, so that a
    client that has its answer finds it in the log.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, before_answer: Callable[[int], None]) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._before_answer = before_answer

    async def write(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer."""
        await self._start(status, len(body), headers)
        await self._send({"type": "http.response.body", "body": body})

    async def truncate(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Announce the whole body, send half of it, and close."""
        await self._start(status, len(body), headers)
        await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        self._transport.close()
        await self._closed()

    async def trickle(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        pause: Callable[[], Awaitable[None]],
        *,
        slow_headers: bool,
    ) -> None:
        """Send the body (and with `slow_headers` the headers) byte by byte with pauses, until the client leaves."""
        self._before_answer(status)
        named = {**headers, "content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
        lines = [f"HTTP/1.1 {status} Slow", *(f"{name}: {value}" for name, value in named.items()), "", ""]
        answer = "\r\n".join(lines).encode("latin-1") + body
        at_once = 0 if slow_headers else len(answer) - len(body)
        try:
            self._transport.write(answer[:at_once])
            for index in range(at_once, len(answer)):
                if self._transport.is_closing():
                    break
                self._transport.write(answer[index : index + 1])
                await pause()
        finally:
            self._transport.close()
            await self._closed()

    async def drop(self) -> None:
        """Close the connection without a byte."""
        self._before_answer(0)
        self._transport.abort()
        await self._closed()

    @property
    def _transport(self) -> asyncio.Transport:
        transport = self._scope.get("state", {}).get("transport")
        if transport is None:
            raise RuntimeError("A connection can be dropped only under the emulator's own server.")
        return cast("asyncio.Transport", transport)

    async def _start(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self._before_answer(status)
        named = {"content-type": "application/json", **headers, "content-length": str(length)}
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def _closed(self) -> None:
        event = ""
        while event != "http.disconnect":
            event = (await self._receive())["type"]
