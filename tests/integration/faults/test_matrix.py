"""Each fault in each request of each kind: nothing is lost, nothing is claimed, and the next run converges.

`make test` runs a few cells, `make nightly` all of them.
"""

from __future__ import annotations

import functools
import os
import re
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest
from msgspec import Struct

from dbt_statsig.console.sender import Sender
from tests.integration.emulator.samples import BODIES, CREATES, FIXED, ITEMS, LISTS, PREFIX
from tests.integration.faults.inprocess import plan, sync
from tests.integration.faults.project import Done, Project, held
from tests.unit.console.service import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.emulator import Running

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
KINDS = {
    "assignment_source": "assignment_sources",
    "entity_property_source": "entity_property_sources",
    "qualifying_event": "qualifying_events",
    "metric_source": "metric_sources",
}
REQUESTS = ("list", "get", "create", "update", "patch", "rename", "replace", "delete", "list tags", "create tag")
LIMIT = 0.3
CONTEXT = functools.cache(httpx.create_ssl_context)
OTHER = {"message": "Done.", "data": {"name": "Another", "sql": "select 1", "idTypeMapping": [], "description": ""}}

Cell: TypeAlias = "tuple[str, str, str, int | None]"


class Fault(Struct, frozen=True, kw_only=True):
    """One fault of the emulator: `settles` after so many seconds; `pages` for those that need a list of two pages.

    `slow` faults meet short time limits, and after those that are not `exact` other values are kept than were sent.
    """

    plan: dict[str, Any]
    settles: float = 0
    exact: bool = True
    pages: bool = False
    slow: bool = False
    only: tuple[str, ...] = REQUESTS


def status(number: int, body: Any = None, **more: Any) -> Fault:
    """An answer of its own."""
    return Fault(plan={"action": "status", "status": number, "body": body, **more})


CHANGES = ("update", "patch", "rename", "delete")
WRITES = ("create", "update", "patch", "rename", "replace", "delete", "create tag")
FAULTS = {
    "lost before": Fault(plan={"action": "drop_before_commit"}),
    "lost after": Fault(plan={"action": "drop_after_commit"}),
    "500": status(500),
    "500 after": status(500, commit=True),
    "503 page": status(503, "<html>Gateway</html>", headers={"content-type": "text/html"}),
    "429": status(429),
    "429 with a wait": status(429, headers={"retry-after": "2"}),
    "400": status(400, {"status": 400, "message": "No."}),
    "403": status(403, {"status": 403, "message": "No."}),
    "404": status(404, {"status": 404, "message": "No."}),
    "409": status(409, {"status": 409, "message": "No."}),
    "410": status(410, {"status": 410, "message": "No."}),
    "empty 200": status(200, {}),
    "empty 200 after": status(200, {}, commit=True),
    "bytes of none": status(200, "", commit=True),
    "null data": status(201, {"message": "Done.", "data": None}),
    "success: false": status(200, {"success": False, "message": "No."}),
    "error inside": status(200, {"status": 400, "message": "No."}, commit=True),
    "review": status(202, {"message": "Submitted for review."}),
    "wrong object": status(200, OTHER),
    "wrong object after": status(200, OTHER, commit=True),
    "old object": Fault(plan={"action": "old_object"}, only=CHANGES),
    "old object after": Fault(plan={"action": "old_object", "commit": True}, only=CHANGES),
    "garbage": Fault(plan={"action": "garbage"}),
    "garbage before": Fault(plan={"action": "garbage", "commit": False}),
    "cut short": Fault(plan={"action": "truncate"}),
    "html": Fault(plan={"action": "html"}),
    "redirect": Fault(plan={"action": "redirect", "url": "http://127.0.0.1:9/"}),
    "delay": Fault(plan={"action": "delay", "seconds": 0.5}, settles=0.6, slow=True),
    "slow bytes": Fault(plan={"action": "slow_bytes", "seconds": 0.05}, slow=True),
    "slow headers": Fault(plan={"action": "slow_headers", "seconds": 0.05}, slow=True),
    "late": Fault(plan={"action": "late_commit", "seconds": 0.15}, settles=0.5, only=WRITES),
    "late, answered": Fault(plan={"action": "late_commit", "seconds": 0.15, "answer": True}, settles=0.5, only=WRITES),
    "echo differs": Fault(plan={"action": "echo_differs"}),
    "keeps otherwise": Fault(plan={"action": "keeps_otherwise", "ways": ["lower"]}, exact=False, only=WRITES),
    "empty list": Fault(plan={"action": "empty_list"}, only=("list", "list tags")),
    "short list": Fault(plan={"action": "short_list"}, only=("list", "list tags")),
    "odd neighbour": Fault(plan={"action": "odd_neighbour", "fields": {"name": None, "sql": 7}}, only=("list",)),
    "shifted pages": Fault(plan={"action": "shift_pages", "by": 1}, pages=True, only=("list",)),
    "repeated pages": Fault(plan={"action": "shift_pages", "by": -1}, pages=True, only=("list",)),
    "endless pages": Fault(plan={"action": "endless_pages"}, pages=True, only=("list",)),
}


def cells() -> Iterator[Cell]:
    """Fault, request, kind, and how often the fault strikes (None: always)."""
    for fault, made in FAULTS.items():
        for request in made.only:
            for kind, collection in KINDS.items():
                absent = {"patch", "rename"} if collection in FIXED else {"replace"}
                if request not in absent:
                    yield from ((fault, request, kind, times) for times in (1, None))


def sample() -> list[Cell]:
    """All cells, or one of every other fault, spread over requests and kinds."""
    found = list(cells())
    if NIGHTLY:
        return found
    of_each = [[cell for cell in found if cell[0] == fault] for fault in FAULTS]
    return [some[(place * 13) % len(some)] for place, some in enumerate(of_each)][::2]


def struck(request: str, kind: str) -> list[dict[str, Any]]:
    """The requests that meet the fault, and what else has to go wrong so that there are any."""
    collection = KINDS[kind]
    item, list_path = f"^{re.escape(ITEMS[collection])}/[^?]+$", f"^{re.escape(LISTS[collection])}\\?"
    create: dict[str, Any] = {"method": "POST", "path": f"^{re.escape(CREATES[collection])}$"}
    if request == "get":
        again: dict[str, Any] = {"method": "GET", "path": item}
        if kind == "assignment_source":
            again = {"method": "GET", "path": list_path, "nth": list(range(2, 100))}
        return [{"action": "drop_after_commit", "match": create, "times": 1}, {"match": again}]
    matches = {
        "list": {"method": "GET", "path": list_path},
        "create": create,
        "replace": create,
        "update": {"method": "POST", "path": item},
        "patch": {"method": "PATCH", "path": item},
        "rename": {"method": "PATCH", "path": item},
        "delete": {"method": "DELETE", "path": item},
        "list tags": {"method": "GET", "path": f"^{PREFIX}/tags"},
        "create tag": {"method": "POST", "path": f"^{PREFIX}/tags$"},
    }
    return [{"match": matches[request]}]


def change(project: Project, request: str, kind: str) -> None:
    """Change the declarations so that the next sync sends the request."""
    if request in ("get", "create"):
        project.declare("new", "New", kind)
    elif request in ("list", "update"):
        project.declare("target", "Target", kind, where="amount > 1")
    elif request == "patch":
        project.declare("target", "Target", kind, description="Changed.")
    elif request in ("rename", "replace"):
        project.declare("target", "Renamed", kind)
    elif request == "delete":
        project.unmark("target")
    else:
        project.declare("new", "New", kind, tags=["core"])


def is_true(action: str, name: str, before: dict[str, Any], now: dict[str, Any], payloads: dict[str, Any]) -> bool:
    """Whether the console is as a finished change leaves it."""
    if action == "delete" or name not in now:
        return action == "delete" and name not in now
    gone = action != "rename" or len(now) == len(before)
    return gone and payloads[name].items() <= now[name].items()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses take no time, and the machine's certificates are read once."""
    monkeypatch.setattr("dbt_statsig.console.client.SystemClock", FakeClock)
    monkeypatch.setattr("httpx._transports.default.create_ssl_context", CONTEXT)


def faulty(project: Project, fault: Fault, *arguments: str) -> Done:
    """A sync that meets the fault, under short time limits where the fault is about time."""
    with pytest.MonkeyPatch.context() as patched:
        if fault.slow:
            limits = {"read_timeout": LIMIT, "write_timeout": LIMIT}
            patched.setattr("dbt_statsig.console.client.Sender", lambda *given, **more: Sender(*given, **more | limits))
        return sync(project, *arguments, DBT_STATSIG_WAIT_BUDGET="60")


@pytest.fixture
def project(project: Project, server: Running) -> Project:
    """An empty project, beside an object of the console's own of each kind."""
    project.models.clear()
    for collection, body in BODIES.items():
        server.state.sources[collection][body["name"]] = {"description": "Mine.", "tags": [], **body}
    return project


def judge(done: Done, before: dict[str, Any], now: dict[str, Any], payloads: dict[str, Any], *, exact: bool) -> None:
    """Nothing is claimed that is not so, and what is not so is in the exit code."""
    objects = done.answer.get("outcome", {}).get("objects", [])
    for entry in objects:
        if entry["status"] == "done" and exact:
            assert is_true(entry["action"], entry["name"], before, now, payloads), entry
    if done.code == 0:
        assert {entry["status"] for entry in objects} == {"done"}, objects
    else:
        blocked = "blocked" in done.actions.values()
        assert blocked or done.answer.get("error") or {entry["status"] for entry in objects} - {"done"}, done


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cell", sample(), ids=lambda cell: ", ".join(map(str, cell)))
def test_a_fault(project: Project, server: Running, cell: Cell) -> None:
    """What a faulty run says is so, all else stays as it was, and an undisturbed run ends as declared."""
    name, request_, kind, times = cell
    fault, collection = FAULTS[name], KINDS[kind]
    if fault.pages:
        body = BODIES[collection]
        server.state.sources[collection] |= {f"F{i}": {**body, "name": f"F{i}"} for i in range(130)}
    for number in range(4):
        project.declare(f"other{number}", f"Other {number}", kind)
    project.declare("target", "Target", kind)
    assert sync(project).code == 0
    change(project, request_, kind)
    before, arguments = held(server, collection), ["--prune"] if request_ in ("delete", "replace") else []
    planned = plan(project, *arguments)
    assert planned.code == 0, planned
    wanted = planned.answer["plan"]["changes"]
    payloads = {one["name"]: one["payload"] for one in wanted}
    touched = {one["name"] for one in wanted if one["action"] != "unchanged"} | {
        one["live_name"] for one in wanted if one["action"] not in ("unchanged", "foreign")
    }
    *first, last = struck(request_, kind)
    server.inject(*first, {**fault.plan, **last, "times": times})

    done = faulty(project, fault, *arguments)

    assert server.emulator.faults.as_plan()[-1]["hits"], (done.code, done.stdout[-3000:], done.stderr, server.requests)
    server.inject()
    time.sleep(fault.settles)
    now = held(server, collection)
    judge(done, before, now, payloads, exact=fault.exact)
    actions = {one["name"]: one["action"] for one in wanted if one["name"] in touched}
    if done.code == 0 and fault.exact:
        assert all(is_true(action, one, before, now, payloads) for one, action in actions.items())
    assert {key: now.get(key) for key in before if key not in touched} == {
        key: value for key, value in before.items() if key not in touched
    }
    assert request_ in ("delete", "rename") or now.keys() >= before.keys() or "Renamed" in now
    assert sync(project, *arguments).code == 0
    now = held(server, collection)
    for one, action in actions.items():
        assert not fault.exact or is_true(action, one, before, now, payloads), one
    again = plan(project, "--check", *arguments)
    assert (again.code, set(again.actions.values())) == (0, {"unchanged"}), again.stdout
