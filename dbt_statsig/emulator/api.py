"""From a request to its answer: key, limits, routes. No sockets here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from dbt_statsig.emulator.audit import audit_faults
from dbt_statsig.emulator.experiments import Experiments
from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.limits import RateLimit
from dbt_statsig.emulator.metrics import Metrics
from dbt_statsig.emulator.paging import Page, page_of, page_reply
from dbt_statsig.emulator.pulse import Pulse
from dbt_statsig.emulator.replies import Refusal, Reply, invalid, refuse
from dbt_statsig.emulator.sources import Sources
from dbt_statsig.emulator.validation import tag_faults
from dbt_statsig.emulator.visitors import decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dbt_statsig.emulator.kinds import Kind
    from dbt_statsig.emulator.options import Options
    from dbt_statsig.emulator.replies import Call
    from dbt_statsig.emulator.sources import Check
    from dbt_statsig.emulator.state import State

__all__ = ["PREFIX", "Api"]

PREFIX = "/console/v1"
_MUTATIONS = ("POST", "PATCH", "PUT", "DELETE")

_LISTS = {
    ("tags",): "tags",
    ("unit_id_types",): "unit_id_types",
    ("experiments",): "experiments",
    ("metrics", "list"): "metrics",
    ("users", "teams"): "teams",
}
_PAGED = ("unit_id_types", "experiments", "metrics")
_COLLECTIONS = {kind.list_path: kind for kind in KINDS.values()}
_CREATES = {kind.create_path: kind for kind in KINDS.values()}
_ITEMS = {kind.item_path: kind for kind in KINDS.values()}
_REVIEWS = (
    "is_config_review_required",
    "is_metric_review_required",
    "is_metric_review_required_on_verified_only",
    "is_whn_analysis_only_review_required",
    "is_whn_source_review_required",
)
_ARCHIVING = ("schedule_archive", "cancel_archive", "unarchive")


class Api:
    """The Console API over one state."""

    def __init__(self, state: State, options: Options, check: Check, run: Callable[[str], Any] | None = None) -> None:
        """Answer from `state`; `check` proves a source on the warehouse, `run` gives the first value of a query."""
        self._state = state
        self._options = options
        self._sources = Sources(state, options, check)
        self.metrics = Metrics(state, options, run)
        self.pulse = Pulse(state, options, self.metrics.sources_of)
        self.experiments = Experiments(state, options)
        self.limit = RateLimit(options.windows, count_refused=options.count_refused)

    def answer(self, call: Call, *, admitted: bool = False) -> Reply:
        """The answer to `call`; with `call.persist` False, the answer it would get, and nothing changes.

        One that is `admitted` has passed the key and the limits before.
        """
        try:
            if not admitted:
                self._admit(call)
            return self._route(call)
        except Refusal as refusal:
            return refusal.reply

    def held(self, call: Call) -> dict[str, Any] | None:
        """The source that a request is about, as it is now."""
        segments = tuple(call.path.removeprefix(f"{PREFIX}/").split("/"))
        kind = _ITEMS.get(segments[:-1])
        with self._state.lock:
            return None if kind is None else self._state.sources[kind.collection].get(_decoded(segments[-1]))

    def _admit(self, call: Call) -> None:
        key = call.headers.get("statsig-api-key", "")
        if key != self._options.key:
            raise refuse(401, f"Only an active Console API key is accepted here. Key sent: {key}")
        if call.method in _MUTATIONS and not self._options.may_write:
            raise refuse(403, "Forbidden resource")
        wait = self.limit.take() if call.method in _MUTATIONS else 0
        if wait:
            headers = {"retry-after": str(wait)} if self._options.retry_after else {}
            raise refuse(429, "Too many requests.", headers)

    def _route(self, call: Call) -> Reply:
        segments = tuple(call.path.removeprefix(f"{PREFIX}/").split("/"))
        routes = (
            self._about,
            self._collection,
            self._item,
            self._metric,
            self._experiment,
            self._pulse,
            self._schedules,
        )
        reply = next((reply for route in routes if (reply := route(call, segments)) is not None), None)
        if reply is None:
            raise refuse(404, f"Cannot {call.method} {call.path}")
        return reply

    def _about(self, call: Call, segments: tuple[str, ...]) -> Reply | None:
        """What the project is, and what was done in it."""
        if call.method != "GET":
            return None
        if segments == ("company",):
            return Reply(status=200, payload={"message": "Company read successfully.", "data": self._company()})
        if segments == ("settings", "reviews"):
            required = dict.fromkeys(_REVIEWS, False) | {_REVIEWS[-1]: self._options.review_required}
            return Reply(status=200, payload={"message": "Settings read successfully.", "data": required})
        if segments != ("audit_logs",):
            return None
        if faults := audit_faults(call.query):
            raise invalid(faults, plain=self._options.plain_errors)
        with self._state.lock:
            found = self._state.audit.listed(call.query)
        return self._page(call, "Audit logs listed successfully.", found, paged=False)

    def _company(self) -> dict[str, Any]:
        is_native = self._options.warehouse_native
        named = {"companyID": "emulated", "companyName": "Emulated company", "orgID": None, "orgName": None}
        return {**named, "isWarehouseNative": is_native}

    def _collection(self, call: Call, segments: tuple[str, ...]) -> Reply | None:
        if call.method == "GET" and segments in _COLLECTIONS:
            return self._list_sources(call, _COLLECTIONS[segments])
        if call.method == "GET" and segments in _LISTS:
            return self._list_others(call, _LISTS[segments])
        if call.method == "POST" and segments in _CREATES:
            return self._sources.create(_CREATES[segments], self._body(call), persist=call.persist)
        if call.method == "POST" and segments == ("metrics",):
            return self.metrics.create(self._body(call), persist=call.persist)
        if call.method == "POST" and segments == ("tags",):
            return self._create_tag(self._body(call), persist=call.persist)
        return None

    def _item(self, call: Call, segments: tuple[str, ...]) -> Reply | None:
        kind = _ITEMS.get(segments[:-1])
        if kind is None or not segments[-1]:
            return None
        name = _decoded(segments[-1])
        asked = call.headers.get("x-respect-review-settings") == "true" and bool(kind.audited)
        review = asked and self._options.review_required
        if call.method == "GET" and kind.reads_one:
            return self._sources.read(kind, name)
        if call.method == "POST":
            return self._sources.update(kind, name, self._body(call), persist=call.persist, review=review)
        if call.method == "PATCH" and kind.patches:
            return self._sources.patch(kind, name, self._body(call), persist=call.persist, review=review)
        if call.method == "DELETE":
            return self._sources.delete(kind, name, persist=call.persist)
        return None

    def _metric(self, call: Call, segments: tuple[str, ...]) -> Reply | None:
        if segments[0] != "metrics" or not all(segments):
            return None
        names = tuple(map(_decoded, segments[1:]))
        if call.method == "GET":
            return self._read_metric(call, names)
        match call.method, *names:
            case "POST", identifier:
                return self.metrics.update(identifier, self._body(call), persist=call.persist)
            case "DELETE", identifier:
                return self.metrics.delete(identifier, persist=call.persist)
            case "PUT", identifier, verb if verb in _ARCHIVING:
                return self.metrics.archive(identifier, verb, persist=call.persist)
        return None

    def _read_metric(self, call: Call, names: tuple[str, ...]) -> Reply | None:
        match names:
            case "metric_source", name, "metrics":
                return self._page(call, "Listed.", self.metrics.of_source(name), paged=True)
            case identifier, "experiments":
                return self._page(call, "Listed.", self.experiments.listed(call.query, watching=identifier), paged=True)
            case identifier, "sql":
                return self.metrics.sql(identifier)
            case (identifier,):
                return self.metrics.read(identifier)
            case name, metric_type:
                return self.metrics.read(f"{name}::{metric_type}")
        return None

    def _pulse(self, call: Call, segments: tuple[str, ...]) -> Reply | None:
        if segments[0] != "experiments" or not all(segments):
            return None
        match call.method, *map(_decoded, segments[1:]):
            case "POST", identifier, "load_pulse":
                return self.pulse.load(identifier, self._body(call) if call.body else {}, persist=call.persist)
            case "GET", identifier, "pulse_load_history":
                return self._page(call, "Listed.", self.pulse.history(identifier), paged=True)
            case "GET", identifier, "pulse_load_history", dag:
                return self.pulse.read(identifier, dag)
            case "POST", identifier, "pulse_load_history", dag, "cancel":
                return self.pulse.cancel(identifier, dag, persist=call.persist)
        return None

    def _schedules(self, call: Call, segments: tuple[str, ...]) -> Reply | None:
        if call.method != "GET" or segments != ("reload_schedules",):
            return None
        return self._page(call, "Listed.", self.pulse.schedules(call.query), paged=True)

    def _experiment(self, call: Call, segments: tuple[str, ...]) -> Reply | None:
        match call.method, *segments:
            case "GET", "experiments", identifier if identifier:
                return self.experiments.read(_decoded(identifier), call.query)
        return None

    def _list_sources(self, call: Call, kind: Kind) -> Reply:
        with self._state.lock:
            items = list(self._state.sources[kind.collection].values())
        odd = self._options.page_odd and kind.collection == "qualifying_events"
        next_path = f"{PREFIX}/{kind.collection}" if odd else ""
        return self._page(call, f"{kind.title}s listed.", items, paged=True, next_path=next_path)

    def _list_others(self, call: Call, name: str) -> Reply:
        with self._state.lock:
            items = list(self._state.lists[name])
        if name == "metrics":
            hidden = parse_qs(call.query).get("showHiddenMetrics", [""])[-1] == "true"
            items = self.metrics.listed(hidden=hidden)
        if name == "experiments":
            items = self.experiments.listed(call.query)
        return self._page(call, "Listed.", items, paged=name in _PAGED)

    def _page(self, call: Call, message: str, items: Sequence[Any], *, paged: bool, next_path: str = "") -> Reply:
        required = paged and self._options.require_paging
        page = page_of(call.query, required=required, max_limit=self._options.max_limit)
        if not isinstance(page, Page):
            raise invalid(page, plain=self._options.plain_errors)
        end = "" if self._options.empty_next_page else None
        return page_reply(message, items, page, call, next_path=next_path, end=end)

    def _create_tag(self, body: dict[str, Any], *, persist: bool) -> Reply:
        if faults := tag_faults(body):
            raise invalid(faults, plain=self._options.plain_errors)
        name = body["name"]
        tag = {"name": name, "description": body["description"]}
        with self._state.lock:
            if name in self._state.tag_names():
                raise refuse(400, f"Tag name {name!r} is already in use.")
            if persist:
                self._state.lists["tags"].append(tag)
        return Reply(status=201, payload={"message": "Tag created.", "data": tag})

    def _body(self, call: Call) -> dict[str, Any]:
        body = decoded(call.body)
        if not isinstance(body, dict):
            raise refuse(400, "The request body must be a JSON object.")
        return body


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as fault:
        raise refuse(400, "The name in the path is not UTF-8.") from fault
