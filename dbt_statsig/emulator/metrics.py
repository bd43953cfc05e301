"""Metrics of warehouse-native projects: create, read, update, delete, archive, and the SQL behind one.

What an answer says of an archived metric is not published: none does here. A list has archived ones only where it is
asked for hidden metrics.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.audit import KEY
from dbt_statsig.emulator.metric_contract import create_faults, native_faults, update_faults
from dbt_statsig.emulator.metric_sql import overall_sql, unit_sql
from dbt_statsig.emulator.replies import Fault, Reply, invalid, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dbt_statsig.emulator.audit import Actor
    from dbt_statsig.emulator.options import Options
    from dbt_statsig.emulator.state import State

__all__ = ["Metrics", "metric_id"]

_CREATED = 201
_FLAT = ("metricSourceName", "criteria", "valueColumn")
SCHEDULED, ARCHIVED = "scheduled", "archived"


def metric_id(metric: Mapping[str, Any]) -> str:
    """The ID by which a metric is addressed."""
    return str(metric.get("id") or f"{metric.get('name')}::{metric.get('type', 'user_warehouse')}")


class Metrics:
    """The metrics in `state`; `run` gives the first value of a query's result, or why there is none."""

    def __init__(self, state: State, options: Options, run: Callable[[str], Any] | None) -> None:
        self._state = state
        self._options = options
        self._run = run

    def listed(self, *, hidden: bool) -> list[dict[str, Any]]:
        """All metrics in the order of their creation."""
        with self._state.lock:
            archived = {name for name, state in self._state.archived.items() if state == ARCHIVED}
            return [one for one in self._state.lists["metrics"] if hidden or metric_id(one) not in archived]

    def of_source(self, name: str) -> list[dict[str, Any]]:
        """The metrics that read a metric source."""
        return [one for one in self.listed(hidden=False) if name in _source_names(one.get("warehouseNative") or {})]

    def sources_of(self, experiment: Mapping[str, Any]) -> list[str]:
        """The metric sources that the metrics of an experiment read."""
        lists = ("primaryMetrics", "secondaryMetrics", "otherMetrics")
        names = {one.get("name") for key in lists for one in experiment.get(key) or []}
        read = [one for one in self.listed(hidden=True) if one.get("name") in names]
        return sorted({name for one in read for name in _source_names(one.get("warehouseNative") or {})})

    def read(self, identifier: str) -> Reply:
        """One metric."""
        return _done("read", self._held(identifier))

    def create(self, body: Mapping[str, Any], *, persist: bool) -> Reply:
        """A new metric, or with `dryRun` the same answer and no metric."""
        self._raise(create_faults(body))
        made: dict[str, Any] = {"description": "", "directionality": "increase", "isPermanent": False, "tags": []}
        made |= _stored(body)
        if isinstance(made["tags"], str):
            made["tags"] = [made["tags"]]
        made |= {"id": metric_id(made), "isHidden": False, "lineage": {"events": [], "metrics": []}}
        made["warehouseNative"] = _listed(body.get("warehouseNative") or {}, {})
        self._check(made)
        with self._state.lock:
            self._refuse_taken(made["id"])
            if persist and body.get("dryRun") is not True:
                self._state.add_tags(made["tags"])
                self._state.lists["metrics"].append(made)
                self._state.audit.metric("create", None, made, KEY)
            return _done("created", made, status=_CREATED)

    def update(self, identifier: str, body: Mapping[str, Any], *, persist: bool) -> Reply:
        """The fields of the body are set; whether others of the definition are reset is an option."""
        self._raise(update_faults(body))
        held = self._held(identifier)
        made = {**held, **_stored(body)}
        if "warehouseNative" in body:
            kept = {} if self._options.full_update_resets else held.get("warehouseNative") or {}
            made["warehouseNative"] = _listed(body["warehouseNative"], kept)
        made["id"] = metric_id({**made, "id": ""}) if made["name"] != held["name"] else metric_id(held)
        self._check(made)
        with self._state.lock:
            place = self._place(identifier)
            if made["id"] != identifier:
                self._refuse_taken(made["id"])
            if persist and body.get("dryRun") is not True:
                self._state.add_tags(made.get("tags", []))
                self._state.audit.metric("update", self._state.lists["metrics"][place], made, KEY)
                self._state.lists["metrics"][place] = made
                if identifier in self._state.archived:
                    self._state.archived[made["id"]] = self._state.archived.pop(identifier)
            return _done("updated", made)

    def delete(self, identifier: str, *, persist: bool) -> Reply:
        """The end of a metric, with no way back."""
        with self._state.lock:
            place = self._place(identifier)
            if persist:
                gone = self._state.lists["metrics"].pop(place)
                self._state.audit.metric("delete", gone, None, KEY)
                self._state.archived.pop(identifier, None)
        return Reply(status=200, payload={"message": "Metric deleted successfully."})

    def archive(self, identifier: str, verb: str, *, persist: bool) -> Reply:
        """`schedule_archive` for the next day, `cancel_archive` before that day, `unarchive` after it."""
        with self._state.lock:
            place = self._place(identifier)
            state = self._state.archived.get(identifier)
            needed = {"cancel_archive": SCHEDULED, "unarchive": ARCHIVED}.get(verb)
            if needed is not None and state != needed:
                raise refuse(400, f"Metric is not {needed}.")
            if persist:
                held = self._state.lists["metrics"][place]
                self._state.audit.metric(verb, held, held, KEY)
                self._state.archived.pop(identifier, None)
                if needed is None:
                    self._state.archived[identifier] = ARCHIVED if self._options.archives_at_once else SCHEDULED
        words = {"schedule_archive": "archive scheduled successfully for next day", "unarchive": "unarchived"}
        return Reply(status=200, payload={"message": f"Metric {words.get(verb, 'archive canceled')}."})

    def edited(self, method: str, identifier: str, body: Any, actor: Actor) -> dict[str, Any]:
        """A metric that somebody changed or deleted in the console, by no rules."""
        with self._state.lock:
            if method == "POST":
                self._state.lists["metrics"].append(body)
                self._state.audit.metric("create", None, body, actor)
                return dict(body)
            place = self._place(identifier)
            if method == "DELETE":
                gone = self._state.lists["metrics"].pop(place)
                self._state.audit.metric("delete", gone, None, actor)
                return gone
            before = self._state.lists["metrics"][place]
            self._state.lists["metrics"][place] = made = {**before, **body}
            self._state.audit.metric("update", before, made, actor)
            return made

    def sql(self, identifier: str) -> Reply:
        """The SQL of one metric for each unit type; none where this program does not know how to write it."""
        native = self._held(identifier).get("warehouseNative") or {}
        sources = self._sources()
        units = self._held(identifier).get("unitTypes") or sorted(
            {
                one["statsigUnitID"]
                for name in _source_names(native)
                for one in sources.get(name, {}).get("idTypeMapping", [])
            }
        )
        found = [{"idType": unit, "sql": sql} for unit in units if (sql := unit_sql(native, sources, unit))]
        return Reply(status=200, payload={"message": "Metric SQL read successfully.", "data": found})

    def value(self, metric: Mapping[str, Any]) -> Any:
        """The metric's value over all rows of its sources; None where it cannot be computed here."""
        sql = overall_sql(metric.get("warehouseNative") or {}, self._sources())
        return self._run(sql) if sql and self._run is not None else None

    def _sources(self) -> dict[str, dict[str, Any]]:
        with self._state.lock:
            return dict(self._state.sources["metric_sources"])

    def _held(self, identifier: str) -> dict[str, Any]:
        with self._state.lock:
            return self._state.lists["metrics"][self._place(identifier)]

    def _place(self, identifier: str) -> int:
        metrics = self._state.lists["metrics"]
        place = next((place for place, one in enumerate(metrics) if metric_id(one) == identifier), None)
        if place is None:
            raise refuse(404, "Not Found. The requested resource could not be found.")
        return place

    def _refuse_taken(self, identifier: str) -> None:
        if any(metric_id(one) == identifier for one in self._state.lists["metrics"]):
            raise refuse(400, "Metric name is already in use.")

    def _check(self, made: Mapping[str, Any]) -> None:
        if made.get("type") != "user_warehouse":
            return
        native = made["warehouseNative"]
        faults = native_faults(native)
        sources = self._sources()
        faults += [
            Fault("warehouseNative", f"metric source {name!r} does not exist")
            for name in _source_names(native)
            if name not in sources
        ]
        if self._options.refuse_unknown_tags:
            known = self._state.tag_names()
            faults += [Fault("tags", f"unknown tag {tag!r}") for tag in made.get("tags", []) if tag not in known]
        self._raise(faults)
        sql = overall_sql(native, sources)
        if sql and self._run is not None and isinstance(failed := self._run(sql), Failure):
            self._raise([Fault("warehouseNative", str(failed))])

    def _raise(self, faults: list[Fault]) -> None:
        if faults:
            raise invalid(faults, plain=self._options.plain_errors)


class Failure(str):
    """Why a query gave no value, in the database's words."""

    __slots__ = ()


def _stored(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in copy.deepcopy(dict(body)).items() if key not in {"dryRun", "warehouseNative"}}


def _listed(native: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The definition, with the deprecated flat fields as the list that they overwrite."""
    made = copy.deepcopy({**kept, **native})
    if "metricSourceName" in native:
        flat = {key: made[key] for key in _FLAT if key in native}
        made["metricSources"] = [{"criteria": [], **flat}]
    return {key: value for key, value in made.items() if key not in _FLAT}


def _source_names(native: Mapping[str, Any]) -> list[str]:
    found = [native.get("denominatorMetricSourceName"), native.get("metricSourceName")]
    for key in ("metricSources", "funnelEvents", "components"):
        found += [one.get("metricSourceName") for one in native.get(key) or []]
    return sorted({name for name in found if name})


def _done(verb: str, data: Mapping[str, Any], *, status: int = 200) -> Reply:
    return Reply(status=status, payload={"message": f"Metric {verb} successfully.", "data": copy.deepcopy(dict(data))})
