"""An attack from outside, first part: answers that no contract names.

Whatever is answered: nothing of another owner changes, nothing is lost, nothing is claimed that is not so, and once the
service is itself again one sync puts everything right.
"""

from __future__ import annotations

import copy
import gzip
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.integration.faults.inprocess import sync
from tests.integration.faults.liar import Ask, Liar, encoded, raw
from tests.integration.faults.project import Project
from tests.integration.faults.thirty import THEIRS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.emulator import Running

NOW = {"DBT_STATSIG_WAIT_BUDGET": "0", "DBT_STATSIG_CONCURRENCY": "1"}
Rule = "Callable[[Ask], bytes | None]"


@pytest.fixture(scope="module")
def before(shared: Running, liar: Liar, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Any]]:
    """A project that is pushed and has changed since, and what the console held then, beside somebody's object."""
    project = Project(tmp_path_factory.mktemp("attack") / "shop", liar.url)
    shared.reset()
    for name in ("Orders", "Gone", "Still", "Other"):
        project.declare(name.lower(), name)
    project.declare("exposures", "Exposures", "assignment_source")
    assert sync(project).code == 0
    shared.state.sources["metric_sources"]["By hand"] = dict(THEIRS)
    project.declare("orders", "Orders", description="Another text.")
    project.declare("exposures", "Exposures", "assignment_source", description="Another text.")
    project.declare("fresh", "Fresh", tags=["new"])
    project.unmark("gone")
    return project, shared.state.as_seed()


@pytest.fixture
def pushed(server: Running, before: tuple[Project, dict[str, Any]]) -> Project:
    """One source is to be changed, one to be created, one to be deleted; two are as declared."""
    project, held = before
    for collection in server.state.sources:
        server.state.sources[collection] = {one["name"]: one for one in copy.deepcopy(held[collection])}
    return project


def on(method: str, content: Callable[[Ask], bytes | None], part: str = "_source") -> Callable[[Ask], bytes | None]:
    """The rule for one method, and paths that hold this part."""
    return lambda ask: content(ask) if ask.method == method and part in ask.path else None


def after(method: str, status: str, body: bytes = b"", part: str = "_source", **headers: str) -> Any:
    """The request takes effect, and is answered with this."""

    def content(ask: Ask) -> bytes:
        ask.forward()
        return raw(status, body, **headers)

    return on(method, content, part)


def instead(method: str, status: str, body: bytes = b"{}", part: str = "_source", **headers: str) -> Any:
    """The request takes no effect, and is answered with this."""
    return on(method, lambda _ask: raw(status, body, **headers), part)


def once(rule: Any) -> Any:
    """The rule, for the first request that it is about."""
    seen: list[Ask] = []

    def first(ask: Ask) -> bytes | None:
        if seen:
            return None
        content: bytes | None = rule(ask)
        if content is not None:
            seen.append(ask)
        return content

    return first


def echo(method: str, change: Callable[[dict[str, Any]], Any], part: str = "_source") -> Any:
    """The request takes effect, and its answer is changed."""
    return on(method, lambda ask: encoded(change(ask.payload())), part)


def listed(change: Callable[[dict[str, Any]], Any], part: str = "metric_source") -> Any:
    """The list of metric sources is changed."""
    return on("GET", lambda ask: encoded(change(ask.payload())) if "page=" in ask.path else None, part)


def bytes_of(change: Callable[[bytes], bytes], part: str = "page=") -> Any:
    """The whole answer to a GET is made of the honest body."""
    return on("GET", lambda ask: change(ask.forward()[2]), part)


def snake(payload: dict[str, Any]) -> dict[str, Any]:
    """The echo with its keys in snake_case."""
    data = {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): one for key, one in payload["data"].items()}
    return {**payload, "data": data}


def data(payload: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The echo with these fields."""
    return {**payload, "data": {**payload["data"], **fields}}


def pages(payload: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The list with this pagination."""
    return {**payload, "pagination": {**payload["pagination"], **fields}}


def again(payload: dict[str, Any]) -> dict[str, Any]:
    """The list with each object twice, the second time with other content."""
    twice = [*payload["data"], *({**one, "sql": "select 2"} for one in payload["data"])]
    return {**payload, "data": twice}


def spaced(payload: dict[str, Any]) -> dict[str, Any]:
    """The list with blanks after each name."""
    return {**payload, "data": [{**one, "name": f"{one['name']} "} for one in payload["data"]]}


def by_id(payload: dict[str, Any]) -> dict[str, Any]:
    """The list with IDs in place of names."""
    return {**payload, "data": [{**one, "name": f"id{place}"} for place, one in enumerate(payload["data"])]}


def texts(payload: dict[str, Any]) -> dict[str, Any]:
    """The echo with its booleans as texts."""
    return data(payload, isReadOnly="false", isVerified="true", datePartitionColumn=7)


def old(ask: Ask) -> bytes:
    """The honest answer in the form of 1996."""
    status, _, body = ask.forward()
    return f"HTTP/1.0 {status} OK\r\n\r\n".encode() + body


def _honest(ask: Ask, line: bytes = b"") -> bytes:
    status, headers, body = ask.forward()
    answer = raw(f"{status} OK", body, **headers)
    return answer.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n", 1) if line else answer


def named_twice(ask: Ask) -> bytes:
    """The echo, whose object has two names."""
    return raw("200 OK", ask.forward()[2].replace(b'"data":{', b'"data":{"name":"Other",', 1))


PAUSES = ("0", "-0", "+1", "1e3", "inf", "nan", "0.0", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo 0001", "1, 2")
EMPTY = (b"null", b"[]", b'"ok"', b"7", b" ", b"{}{}", b'{"data": []}', b'{"data": {"name": "Fresh"}}')
TOTALS: tuple[Any, ...] = (-1, 0, 99, 10**30, "99", "9" * 5000, "many", 1.5, [])
NEXT_PAGES: tuple[Any, ...] = (False, 0, "false", {}, [], 2, "http://127.0.0.1:9/steal")
JSON = b'{"message":"ok","data":{}}'
CASES: list[tuple[str, Any, set[int]]] = [
    ("gzip list", bytes_of(lambda b: raw("200 OK", gzip.compress(b), content_encoding="gzip")), {0}),
    ("says gzip, is plain", bytes_of(lambda b: raw("200 OK", b, content_encoding="gzip")), {2}),
    ("says br, is plain", bytes_of(lambda b: raw("200 OK", b, content_encoding="br")), {0, 2}),
    (
        "latin-1 list",
        bytes_of(
            lambda b: raw(
                "200 OK", b.replace(b"Somebody", b"Som\xe9body"), content_type="application/json; charset=latin-1"
            )
        ),
        {2},
    ),
    ("utf-16 list", bytes_of(lambda b: raw("200 OK", b.decode().encode("utf-16"))), {0, 2}),
    ("list cut inside gzip", bytes_of(lambda b: raw("200 OK", gzip.compress(b)[:-60], content_encoding="gzip")), {2}),
    (
        "chunked garbage after create",
        after("POST", "201 X", b"zz\r\n{}", content_length="", transfer_encoding="chunked"),
        {0},
    ),
    ("body shorter than announced", after("POST", "201 Created", JSON, content_length="900"), {0}),
    ("body longer than announced", after("POST", "201 Created", JSON, content_length="3"), {0}),
    ("redirect on PATCH only", instead("PATCH", "307 Temporary", b"", location="/console/v1/elsewhere"), {1, 2}),
    ("redirect on POST only", instead("POST", "308 Permanent", b"", location="http://127.0.0.1:9/"), {1, 2}),
    ("303 after create", after("POST", "303 See Other", b"", location="/console/v1/x"), {0}),
    ("304 to a list", instead("GET", "304 Not Modified", b"", part="page="), {2}),
    *(
        (f"{code} on PATCH", instead("PATCH", f"{code} No", JSON), {1})
        for code in (402, 409, 412, 413, 423, 425, 428, 451)
    ),
    *(
        (f"{code} on creation", instead("POST", f"{code} No", JSON, "metric_source"), {1, 2})
        for code in (408, 410, 423, 451, 507, 511, 599)
    ),
    *((f"{code} on deletion", instead("DELETE", f"{code} No", JSON), {1, 2}) for code in (405, 410, 423, 507)),
    ("404 on PATCH of what is there", instead("PATCH", "404 Not Found", JSON), {1}),
    ("410 after deletion", after("DELETE", "410 Gone", JSON), {0}),
    ("201 for an update", on("PATCH", lambda ask: encoded(ask.payload(), "201 Created")), {0}),
    ("203 for an update", on("PATCH", lambda ask: encoded(ask.payload(), "203 Other")), {0}),
    ("206 for a list", bytes_of(lambda b: raw("206 Partial", b)), {0, 2}),
    ("206 for a read", bytes_of(lambda b: raw("206 Partial", b[: len(b) // 2])), {2}),
    ("204 after create", after("POST", "204 No Content", content_length=""), {0}),
    ("204 without create", instead("POST", "204 No Content", b"", "metric_source", content_length=""), {2}),
    ("205 after update", after("PATCH", "205 Reset", content_length="0"), {0}),
    ("204 without update", instead("PATCH", "204 No Content", b"", content_length=""), {2}),
    ("204 without deletion", instead("DELETE", "204 No Content", b"", content_length=""), {2}),
    ("204 to a list", instead("GET", "204 No Content", b"", part="page=", content_length=""), {2}),
    *((f"body {body!r} without effect", instead("POST", "200 OK", body, "metric_source"), {2}) for body in EMPTY),
    ("100 before each answer", lambda ask: b"HTTP/1.1 100 Continue\r\n\r\n" + _honest(ask), {0}),
    ("103 before each answer", lambda ask: b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + _honest(ask), {0}),
    (
        "101 to a write",
        instead("PATCH", "101 X", b"", upgrade="h2c", connection="upgrade", content_length=""),
        {2},
    ),
    ("HTTP/1.0 without a length", old, {0}),
    ("no status line", lambda ask: ask.forward()[2], {2}),
    ("status 000", lambda _ask: b"HTTP/1.1 000 X\r\n\r\n", {2}),
    ("status 999 to a write", instead("PATCH", "999 Odd", JSON), {2}),
    ("a header of 200 kB", lambda _ask: raw("200 OK", b"{}", x_long="x" * 200_000), {2}),
    (
        "a header of other letters",
        lambda ask: _honest(ask, b"x-odd: \xff\xfe"),
        {0},
    ),
    ("a reason of other letters", lambda ask: _honest(ask).replace(b" OK\r\n", b" \xc3\x9f\r\n", 1), {0}),
    (
        "two lengths that differ",
        lambda ask: _honest(ask, b"content-length: 1"),
        {2},
    ),
    ("echo in snake_case", echo("PATCH", snake), {0}),
    ("echo in both cases", echo("PATCH", lambda p: data(p, **snake(p)["data"])), {0}),
    ("echo with texts for booleans", echo("PATCH", texts), {0}),
    ("echo with an ID for a name", echo("PATCH", lambda p: data(p, name="01HX", id="01HX")), {0}),
    ("echo as a list of one", echo("POST", lambda p: {**p, "data": [p["data"]]}), {0}),
    ("echo wrapped twice", echo("POST", lambda p: {"data": p}), {0}),
    ("echo without data", echo("POST", lambda p: p["data"]), {0}),
    ("echo that says failed beside the object", echo("PATCH", lambda p: {**p, "success": False}), {0, 1}),
    ("status as a text in the echo", echo("PATCH", lambda p: {**p, "status": "500"}), {0}),
    ("errors beside the object", echo("PATCH", lambda p: {**p, "errors": ["x"]}), {0}),
    (
        "echo with a name twice",
        on("PATCH", named_twice),
        {0},
    ),
    ("each object twice, with other content", listed(again), {0, 1}),
    ("names with a blank behind", listed(spaced), {0, 1, 2}),
    ("IDs in place of names", listed(by_id), {0, 1, 2}),
    ("list as a mapping", listed(lambda p: {**p, "data": {one["name"]: one for one in p["data"]}}), {2}),
    ("list inside a list", listed(lambda p: {**p, "data": [p["data"]]}), {0, 1, 2}),
    ("nulls in the list", listed(lambda p: {**p, "data": [None, *p["data"], None]}), {0, 1}),
    ("list of names", listed(lambda p: {**p, "data": [one["name"] for one in p["data"]]}), {0, 1, 2}),
    ("list of JSON texts", listed(lambda p: {**p, "data": msgspec.json.encode(p["data"]).decode()}), {2}),
    ("pagination null", listed(lambda p: {**p, "pagination": None}), {0, 1}),
    ("pagination a list", listed(lambda p: {**p, "pagination": []}), {0, 1}),
    *((f"totalItems {total!r}", listed(partial(pages, totalItems=total)), {1}) for total in TOTALS),
    ("totalItems null", listed(partial(pages, totalItems=None)), {0}),
    *((f"nextPage {page!r}", listed(partial(pages, nextPage=page)), {0}) for page in NEXT_PAGES),
    (
        "503 with Retry-After in the past",
        once(instead("GET", "503 Busy", JSON, "page=", retry_after=PAUSES[7])),
        {0, 2},
    ),
    ("tags as texts", on("GET", lambda _ask: encoded({"data": ["new"], "pagination": None}), "/tags"), {0}),
    ("tags as a mapping", on("GET", lambda _ask: encoded({"data": {"new": {}}}), "/tags"), {0}),
    ("tag in another case", instead("POST", "409 Conflict", b'{"message":"Tag NEW exists"}', "/tags"), {0}),
    ("tag accepted, never there", instead("POST", "202 Accepted", b"{}", "/tags"), {0}),
    ("tags 423", instead("GET", "423 Locked", b"{}", "/tags"), {0}),
    ("tags redirect", instead("GET", "302 Found", b"", "/tags", location="http://127.0.0.1:9/"), {0}),
    ("tags 401", instead("GET", "401 No", b"{}", "/tags"), {1, 2}),
]


@pytest.mark.parametrize(("rule", "codes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_odd_answers(pushed: Project, server: Running, liar: Liar, rule: Any, codes: set[int]) -> None:
    """Nothing foreign changes, nothing is claimed that is not so, and afterwards one sync puts everything right."""
    held = server.state.sources["metric_sources"]
    before = copy.deepcopy(held)
    with liar.lies(rule):
        done = sync(pushed, "--prune", **NOW)
    exposures = server.state.sources["assignment_sources"]
    assert exposures.keys() == {"Exposures"}
    assert held["By hand"] == THEIRS
    assert {"Orders", "Still", "Other"} <= held.keys()
    assert held["Still"] == before["Still"]
    for name, status in done.statuses.items():
        if status == "done":
            assert (name in held | exposures) is (name != "Gone"), name
    for name, found in (("Orders", held), ("Exposures", exposures)):
        if done.statuses.get(name) == "done":
            assert "Another text." in found[name]["description"]
    assert done.code in codes
    assert "inf s" not in done.stdout
    if done.code == 0:
        assert "other values than are declared" not in done.stdout
    last = sync(pushed, "--prune")
    assert (last.code, set(held)) == (0, {"Orders", "Still", "Other", "Fresh", "By hand"})


ENDLESS = ("9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "100000")


@pytest.mark.parametrize(
    ("text", "code"), [*((text, 0) for text in PAUSES), *((text, 2) for text in ENDLESS)], ids=lambda one: str(one)[:20]
)
def test_odd_pauses(pushed: Project, liar: Liar, text: str, code: int) -> None:
    """A Retry-After that says nothing is a short pause of our own; one without end ends the run with a plain word."""
    with liar.lies(once(instead("PATCH", "429 Slow", JSON, retry_after=text))):
        done = sync(pushed, DBT_STATSIG_WAIT_BUDGET="5")
    assert done.code == code
    assert ("Statsig asks to wait more than a day more" in done.stdout) is (code == 2)
