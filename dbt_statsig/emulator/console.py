"""The Console API as an ASGI application: latency, faults, the log of requests."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from dbt_statsig.emulator.mangling import mangled
from dbt_statsig.emulator.replies import Reply
from dbt_statsig.emulator.wire import Wire, read

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from dbt_statsig.emulator.api import Api
    from dbt_statsig.emulator.faults import FaultPlan, Injected
    from dbt_statsig.emulator.options import Options
    from dbt_statsig.emulator.replies import Call

__all__ = ["Console", "Exchange"]

_HTML = b"<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_GARBAGE = b'\x00\xff{"message": nope'
_STATUS = {"status": 500, "redirect": 307}
_REFUSED = 400
_STEP = 0.1
_LONGEST_LOG = 50_000


class _ClosingError(Exception):
    """The server closes, or goes back to its start, while a request waits."""


class Exchange(Struct, frozen=True, kw_only=True):
    """One request and the status of its answer; 0 where the connection was dropped.

    `path` and `query` are as sent; `body` is the decoded JSON, or the text where it is none; `headers` are without
    the key.
    """

    method: str
    path: str
    query: str
    status: int
    body: Any
    headers: dict[str, str]


class Console:
    """Answers requests below `/console/v1`."""

    def __init__(self, api: Api, faults: FaultPlan, options: Options) -> None:
        self._api = api
        self._faults = faults
        self._options = options
        self._late: set[asyncio.Task[None]] = set()
        self._epoch = 0
        self.log: deque[Exchange] = deque(maxlen=_LONGEST_LOG)
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with the fault that it meets."""
        call = await read(scope, receive)
        if call is None:
            return
        epoch = self._epoch
        wire = Wire(scope, receive, send, partial(self._record, call, epoch))
        try:
            await self._pause(self._options.latency, epoch)
            await self._respond(wire, call, self._faults.due(call), epoch)
        except _ClosingError:
            await wire.drop()

    async def stop(self) -> None:
        """Wait for the late commits under way; `closing` ends those that are still to show."""
        await asyncio.gather(*self._late)

    def forget(self) -> None:
        """Empty the log, and give up the requests that still wait and the commits that are still to show."""
        self._epoch += 1
        self.log.clear()

    async def _respond(self, wire: Wire, call: Call, fault: Injected | None, epoch: int) -> None:
        if fault is None:
            await _send(wire, await self._answer(call))
        elif fault.action == "drop_before_commit":
            await wire.drop()
        elif fault.action == "late_commit":
            await self._commit_late(wire, call, fault)
        else:
            if fault.action == "delay":
                await self._pause(fault.seconds, epoch)
            reply = await self._spoilt_answer(call, fault)
            if fault.action in ("slow_bytes", "slow_headers"):
                trickle = partial(wire.trickle, slow_headers=fault.action == "slow_headers")
                pause = partial(self._pause, fault.seconds, epoch)
                with contextlib.suppress(_ClosingError):
                    await trickle(fault.status or reply.status, reply.encoded(), reply.headers, pause)
            else:
                await _distorted(wire, reply, fault)

    async def _pause(self, seconds: float, epoch: int) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _STEP))
            if self.closing or epoch != self._epoch:
                raise _ClosingError

    async def _answer(self, call: Call) -> Reply:
        return await run_in_threadpool(self._api.answer, call)

    async def _spoilt_answer(self, call: Call, fault: Injected) -> Reply:
        if fault.action == "old_object":
            # What is there is read before the request takes effect, if it does.
            before = self._api.held(call)
            reply = await self._answer(msgspec.structs.replace(call, persist=fault.commits))
            return Reply(status=reply.status, payload={**reply.payload, "data": before}) if before else reply
        return await self._answer(_spoilt(call, fault)) if fault.commits else Reply(status=200, payload={})

    async def _commit_late(self, wire: Wire, call: Call, fault: Injected) -> None:
        reply = await self._answer(msgspec.structs.replace(call, persist=False))
        if reply.status < _REFUSED:
            task = asyncio.create_task(self._later(call, fault.seconds, self._epoch))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        if fault.answer:
            await _send(wire, reply)
        else:
            await wire.drop()

    async def _later(self, call: Call, seconds: float, epoch: int) -> None:
        with contextlib.suppress(_ClosingError):
            await self._pause(seconds, epoch)
            if epoch == self._epoch:
                await run_in_threadpool(self._api.answer, call, admitted=True)

    def _record(self, call: Call, epoch: int, status: int) -> None:
        if epoch != self._epoch:
            return
        headers = {name: value for name, value in call.headers.items() if name != "statsig-api-key"}
        exchange = Exchange(
            method=call.method,
            path=call.path,
            query=call.query,
            status=status,
            body=_readable(call.body),
            headers=headers,
        )
        self.log.append(exchange)
        if self._options.on_request is not None:
            query = f"?{call.query}" if call.query else ""
            self._options.on_request(f"{call.method} {call.path}{query} {status or 'dropped'}")


def _spoilt(call: Call, fault: Injected) -> Call:
    if fault.action == "shift_pages":
        return msgspec.structs.replace(call, shift=fault.by)
    if fault.action == "keeps_otherwise" and call.body:
        body = mangled(msgspec.json.decode(call.body), fault.ways, fault.fields)
        return msgspec.structs.replace(call, body=msgspec.json.encode(body))
    return msgspec.structs.replace(call, endless=fault.action == "endless_pages")


async def _send(wire: Wire, reply: Reply) -> None:
    await wire.write(reply.status, reply.encoded(), reply.headers)


async def _distorted(wire: Wire, reply: Reply, fault: Injected) -> None:
    status = fault.status or _STATUS.get(fault.action, reply.status)
    if fault.action == "drop_after_commit":
        await wire.drop()
    elif fault.action == "truncate":
        await wire.truncate(status, reply.encoded(), reply.headers)
    elif fault.action == "status":
        payload = {"status": status, "message": f"Fault {status}."} if fault.body is None else fault.body
        body = payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)
        await wire.write(status, body, fault.headers)
    elif fault.action == "redirect":
        await wire.write(status, b"", {**fault.headers, "location": fault.url})
    elif fault.action == "html":
        await wire.write(status, _HTML, {**fault.headers, "content-type": "text/html"})
    elif fault.action == "garbage":
        await wire.write(status, _GARBAGE, fault.headers)
    else:
        await _send(wire, _altered(reply, fault))


def _altered(reply: Reply, fault: Injected) -> Reply:
    payload = copy.deepcopy(reply.payload)
    data = payload.get("data")
    if isinstance(data, list) and fault.action == "empty_list":
        payload["data"] = []
        payload["pagination"].update(totalItems=0, nextPage=None, previousPage=None)
    elif isinstance(data, list) and fault.action == "odd_neighbour":
        payload["data"].insert(0, fault.fields)
        payload["pagination"]["totalItems"] += 1
    elif isinstance(data, list) and fault.action == "short_list":
        del payload["data"][len(data) - abs(fault.by) :]
    elif isinstance(data, dict) and fault.action == "echo_differs":
        data.update(fault.fields or {"description": f"{data.get('description', '')} (altered)"})
    return Reply(status=reply.status, payload=payload, headers=reply.headers)


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body.decode(errors="replace")
