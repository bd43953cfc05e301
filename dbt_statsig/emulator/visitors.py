"""Who is answered: programs that name this machine as the host. Pages of other sites, in a browser, are not.

A browser sends what any page asks it to send, to this machine too; a name that such a page's owner points at 127.0.0.1
makes the emulator a part of that page.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from dbt_statsig.emulator.replies import refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_BODY", "Visitors", "decoded"]

MAX_BODY = 20_000_000
MAX_DEPTH = 40
_READS = ("GET", "HEAD")


class Visitors:
    """The application, for those who may use it; a refusal for the others, and for bodies that are too large."""

    def __init__(self, app: ASGIApp, host: str = "") -> None:
        """Let in who names loopback, or `host`."""
        self._app = app
        self._host = host.casefold()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            begun = await _begun(receive)
            if begun is not None:
                await self._app(scope, _replayed(begun, receive), send)
                return
            refusal = 413, f"The request body is larger than {MAX_BODY:,} bytes."
        await _refuse(send, *refusal)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if not hosts or not all(self._is_own(host) for host in hosts):
            return 421, "The emulator answers only to its own host: use the address that it printed."
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        origin = given.get("origin")
        foreign = origin is not None and origin != f"{scope.get('scheme', 'http')}://{hosts[0]}"
        sent_by_a_page = given.get("sec-fetch-site", "none") not in {"none", "same-origin"}
        if foreign or (sent_by_a_page and scope["method"] not in _READS):
            return 403, "The emulator answers no requests of other sites."
        return None

    def _is_own(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        return name in {"localhost", self._host or "localhost"} or _is_loopback(name)


async def _begun(receive: Receive) -> list[Message] | None:
    """The messages up to the end of the body; None for one that is too large."""
    messages: list[Message] = []
    size = 0
    while not messages or messages[-1].get("more_body", False):
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        if size > MAX_BODY:
            return None
    return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    """Receive these messages, then what comes next."""

    async def replayed() -> Message:
        return messages.pop(0) if messages else await receive()

    return replayed


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


async def _refuse(send: Send, status: int, message: str) -> None:
    body = msgspec.json.encode({"status": status, "message": message})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    # What is left of the request is not read.
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def decoded(body: bytes) -> Any:
    """The JSON of a body. Raises `Refusal` (400) for what is none, or is nested too deeply."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as fault:
        raise refuse(400, f"The request body is not JSON: {fault}.") from fault
    except RecursionError as fault:
        raise refuse(400, "The request body is nested too deeply.") from fault
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for one in level if isinstance(one, (dict, list)) for item in _inside(one)]
        if not level:
            return value
    raise refuse(400, "The request body is nested too deeply.")


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value
