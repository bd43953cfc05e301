"""What a test or a person does to the emulator beside the API: faults, the log, edits as in the web console.

Edits stand in the audit log as those of the person that the header `x-emulator-user` names: `Jane <jane@example.com>`.

No key is asked for, so only this machine is answered, and no page of another site.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from dbt_statsig.emulator.audit import PERSON, Actor
from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.page import page, page_headers
from dbt_statsig.emulator.replies import Refusal, refuse
from dbt_statsig.emulator.visitors import decoded

if TYPE_CHECKING:
    from starlette.requests import Request

    from dbt_statsig.emulator.core import Emulator

__all__ = ["Control"]

_OBJECTS = "/__emulator/objects/"
_REVIEWS = "/__emulator/reviews/"
_USER = "x-emulator-user"


class Control:
    """The routes beside the API."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        """The page and the control endpoints."""
        return [
            Route("/", self._local(self._page)),
            Route("/__emulator/faults", self._local(self._faults), methods=["GET", "POST", "DELETE"]),
            Route("/__emulator/requests", self._local(self._requests), methods=["GET", "DELETE"]),
            Route("/__emulator/state", self._local(self._state), methods=["GET"]),
            Route("/__emulator/reset", self._local(self._reset), methods=["POST"]),
            Route("/__emulator/loads/{experiment:path}", self._local(self._load), methods=["POST", "PATCH", "PUT"]),
            Route(f"{_REVIEWS}{{target:path}}", self._local(self._review), methods=["POST"]),
            Route(f"{_OBJECTS}{{target:path}}", self._local(self._object), methods=["POST", "PATCH", "DELETE"]),
        ]

    def _local(self, endpoint: Any) -> Any:
        async def guarded(request: Request) -> Response:
            if not _is_local(request):
                return _json({"message": "Only this machine may use this."}, 403)
            if request.method == "POST" and not _is_json(request):
                # What a form, or a script without leave, can send from any page.
                return _json({"message": "Send the header content-type: application/json."}, 415)
            body = await request.body()
            try:
                return endpoint(request, decoded(body) if body else None)  # type: ignore[no-any-return]
            except Refusal as refusal:
                return _json(refusal.reply.payload, refusal.reply.status)
            except CannotStart as fault:
                return _json({"message": str(fault)}, 400)

        return guarded

    def _page(self, request: Request, _body: Any) -> Response:
        emulator = self._emulator
        shown = page(
            emulator.state.as_seed(),
            address=str(request.base_url).rstrip("/"),
            key=emulator.options.key,
            value_of=None if request.query_params.get("values") == "no" else emulator.api.metrics.value,
            faults=emulator.faults.as_plan(),
            log=list(emulator.console.log),
        )
        return Response(shown, media_type="text/html", headers=page_headers())

    def _faults(self, request: Request, body: Any) -> Response:
        if request.method != "GET":
            self._emulator.faults.replace([] if request.method == "DELETE" else body)
        return _json({"faults": self._emulator.faults.as_plan()})

    def _requests(self, request: Request, _body: Any) -> Response:
        if request.method == "DELETE":
            self._emulator.console.log.clear()
        return _json({"requests": list(self._emulator.console.log)})

    def _state(self, _request: Request, _body: Any) -> Response:
        return _json(self._emulator.state.as_seed())

    def _reset(self, _request: Request, _body: Any) -> Response:
        self._emulator.reset()
        return _json({"message": "Back to the seed."})

    def _load(self, request: Request, body: Any) -> Response:
        """POST: a load that somebody began; PATCH: the newest one as this says; PUT: how those to come end."""
        identifier = request.path_params["experiment"]
        if not isinstance(body, dict):
            raise refuse(400, "The body must be an object.")
        if request.method == "PUT":
            self._emulator.state.load_ends[identifier] = body
            return _json({"data": body})
        pulse = self._emulator.api.pulse
        return _json({"data": (pulse.begin if request.method == "POST" else pulse.edit)(identifier, body)})

    def _object(self, request: Request, body: Any) -> Response:
        raw = request.scope["raw_path"].decode("ascii").removeprefix(_OBJECTS)
        collection, _, segment = raw.partition("/")
        name = unquote(segment)
        api = self._emulator.api
        if collection not in {*KINDS, "metrics", "experiments"} or not name:
            raise refuse(404, f"Name one of {', '.join(KINDS)}, metrics or experiments, and an object of it.")
        if request.method != "DELETE" and not isinstance(body, dict):
            raise refuse(400, "The body must be an object.")
        actor = _actor(request)
        if collection == "metrics":
            return _json({"data": api.metrics.edited(request.method, name, body, actor)})
        if collection == "experiments":
            return _json({"data": api.experiments.edited(request.method, name, body)})
        with self._emulator.state.lock:
            there = name in self._emulator.state.sources[collection]
            if there is (request.method == "POST"):
                raise refuse(404, f"{name!r} is {'already' if there else 'not'} there.")
            return _json({"data": self._changed(request.method, collection, name, body, actor)})

    def _review(self, request: Request, body: Any) -> Response:
        """The end of a review, or its acceptance: the body is `{"verdict": "accept"|"commit"|"reject"}`."""
        collection, _, segment = request.scope["raw_path"].decode("ascii").removeprefix(_REVIEWS).partition("/")
        name, verdict = unquote(segment), body.get("verdict") if isinstance(body, dict) else None
        state = self._emulator.state
        with state.lock:
            if verdict not in {"accept", "commit", "reject"} or (collection, name) not in state.reviews:
                raise refuse(400, "Accept, commit or reject a source that waits for a review.")
            state.audit.review(verdict, name, _actor(request))
            if verdict != "accept":
                made = state.reviews.pop((collection, name))
                if verdict == "commit" and name in state.sources[collection]:
                    state.replace(collection, name, made, _actor(request))
        return _json({"message": "Done."})

    def _changed(self, method: str, collection: str, name: str, body: Any, actor: Actor) -> dict[str, Any]:
        items = self._emulator.state.sources[collection]
        if method == "DELETE":
            return self._emulator.state.delete(collection, name, actor)
        if method == "POST":
            made = {"description": "", "tags": [], **body, "name": name}
            self._emulator.state.create(collection, made, actor)
            return made
        edited = {key: value for key, value in {**items[name], **body}.items() if value is not None}
        if edited.get("name", name) != name and edited["name"] in items:
            raise refuse(400, f"{edited['name']!r} is already there.")
        self._emulator.state.replace(collection, name, {"name": name, **edited}, actor)
        return edited


def _actor(request: Request) -> Actor:
    name, _, rest = request.headers.get(_USER, "").partition("<")
    email = rest.strip().removesuffix(">")
    return Actor(name=name.strip(), id=name.strip().casefold(), email=email or None) if name.strip() else PERSON


def _is_local(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _json(payload: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(payload), status_code=status, media_type="application/json")
