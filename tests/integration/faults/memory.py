"""The emulator's API behind httpx's transport seam, without sockets: thousands of syncs in a minute."""

from __future__ import annotations

from typing import Any

import httpx

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.emulator.core import Emulator
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.replies import Call
from tests.unit.console.service import UNPACED, FakeClock

FAULTS = ("drop before", "drop after", "500 before", "500 after", "html after", "429", "400", "late")


class MemoryConsole(httpx.BaseTransport):
    """A console in this process; each armed fault strikes the next write."""

    def __init__(self, **options: Any) -> None:
        self.emulator = Emulator(Options(**options))
        self.armed: list[str] = []
        self.late: list[Call] = []
        self.writes = 0

    def client(self) -> ConsoleClient:
        """A client whose waiting takes no time."""
        key = ApiKey(self.emulator.options.key, origin="test")
        return ConsoleClient(key, base_url="http://127.0.0.1", transport=self, clock=FakeClock(), rates=UNPACED)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The API's answer, or what a fault makes of it."""
        path, _, query = request.url.raw_path.decode().partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(method=request.method, path=path, query=query, headers=headers, body=request.read())
        if call.method == "GET":
            self._catch_up()
            return self._answered(call)
        self.writes += 1
        fault = self.armed.pop(0) if self.armed else ""
        return self._faulty(call, fault) if fault else self._answered(call)

    def _faulty(self, call: Call, fault: str) -> httpx.Response:
        if fault == "late":
            self.late.append(call)
            raise httpx.ReadError("dropped")
        if fault.endswith("after"):
            self._answered(call)
        if fault.startswith("drop"):
            raise httpx.ReadError("dropped")
        if fault.startswith("html"):
            return httpx.Response(200, text="<html></html>")
        status = int(fault[:3])
        headers = {"retry-after": "1"} if status == 429 else {}
        return httpx.Response(status, json={"status": status, "message": "A fault."}, headers=headers)

    def _catch_up(self) -> None:
        """Late commits show after the first look at the object."""
        late, self.late = self.late, []
        for call in late:
            self._answered(call)

    def _answered(self, call: Call) -> httpx.Response:
        reply = self.emulator.api.answer(call)
        return httpx.Response(reply.status, content=reply.encoded(), headers=reply.headers)
