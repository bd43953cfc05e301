"""What goes over the wire: a request as the API sees it, and the answers in the service's shapes."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

__all__ = ["Call", "Fault", "Refusal", "Reply", "invalid", "refuse"]


class Call(Struct, frozen=True, kw_only=True):
    """One request: `path` and `query` as sent (still percent-encoded), header names in lower case.

    With `persist` False nothing changes; `shift` and `endless` spoil the pages of a list (see `faults.py`).
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""
    persist: bool = True
    shift: int = 0
    endless: bool = False


class Reply(Struct, frozen=True, kw_only=True):
    """One answer, before it is written."""

    status: int
    payload: Any
    headers: dict[str, str] = {}

    def encoded(self) -> bytes:
        """The payload as JSON."""
        return msgspec.json.encode(self.payload)


class Fault(Struct, frozen=True):
    """One validation fault of a request body."""

    property: str
    message: str


class Refusal(Exception):
    """An answer other than success; `reply` is what the client gets."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def refuse(status: int, message: str, headers: dict[str, str] | None = None) -> Refusal:
    """The service's plain error shape."""
    return Refusal(Reply(status=status, payload={"status": status, "message": message}, headers=headers or {}))


def invalid(faults: list[Fault], *, plain: bool) -> Refusal:
    """The 400 of a refused body; the shape with `errors` unless `plain`."""
    summary = "; ".join(f"{fault.property}: {fault.message}" if fault.property else fault.message for fault in faults)
    payload: dict[str, Any] = {"status": 400, "message": summary if plain else "Bad Request Exception"}
    if not plain:
        payload["errors"] = [{"property": fault.property, "errorMessage": fault.message} for fault in faults]
    return Refusal(Reply(status=400, payload=payload))
