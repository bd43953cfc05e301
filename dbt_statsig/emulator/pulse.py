"""Loads of experiments' results (Pulse): begin, history, one load with its jobs, cancel, and the schedules.

A load is queued, runs, and ends. Each reading of an experiment's history brings its loads one step on, so that nobody
has to wait for a clock. `pulse_loads` of the seed hold what answers hold, with three more keys: `experimentID`,
`looksLeft` (readings until it ends) and `endsAs` (the state it then has).
"""

from __future__ import annotations

import copy
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from dbt_statsig.emulator.replies import Fault, Reply, invalid, refuse
from dbt_statsig.emulator.validation import expected, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dbt_statsig.emulator.options import Options
    from dbt_statsig.emulator.state import State

__all__ = ["Pulse"]

REFRESHES = ("full", "incremental", "metric")
ENTITIES = ("experiments", "gates", "holdouts")
_BODY = ("refresh", "metricIDs", "turboMode")
_HISTORY = (
    "creatorName",
    "createdTime",
    "finishedTime",
    "finishedState",
    "startDs",
    "endDs",
    "reloadType",
    "turboMode",
    "dagID",
)
_MILLISECONDS = 1000


class Pulse:
    """The loads in `state`; `sources_of` gives the metric sources that an experiment's metrics read."""

    def __init__(self, state: State, options: Options, sources_of: Callable[[Mapping[str, Any]], list[str]]) -> None:
        self._state = state
        self._options = options
        self._sources_of = sources_of

    def load(self, identifier: str, body: Mapping[str, Any], *, persist: bool) -> Reply:
        """Begin a load; the answer names no run, as the published one does not."""
        if faults := _faults(body):
            raise invalid(faults, plain=self._options.plain_errors)
        self._experiment(identifier)
        if persist:
            given = {"reloadType": body.get("refresh", "full"), "turboMode": body.get("turboMode", False)}
            self.begin(identifier, {**given, "metricIDs": body.get("metricIDs", [])})
        return Reply(status=200, payload={"message": "Experiment is loading."})

    def begin(self, identifier: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """A load that begins now, whoever asked for it, with these values in place of the usual ones."""
        now = self._options.clock()
        with self._state.lock:
            made = {
                "experimentID": identifier,
                "dagID": uuid.uuid4().hex,
                "creatorName": "Console API",
                "createdTime": int(now * _MILLISECONDS),
                "startDs": _day(now),
                "endDs": _day(now),
                "reloadType": "incremental",
                "turboMode": False,
                "looksLeft": self._options.load_looks,
                "endsAs": "success",
                "failingSources": [],
                **self._state.load_ends.get(identifier, {}),
                **given,
            }
            self._state.lists["pulse_loads"].append(made)
            return copy.deepcopy(made)

    def edit(self, identifier: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The newest load with these values."""
        with self._state.lock:
            loads = self._loads(identifier)
            if not loads:
                raise refuse(404, "This experiment has no load.")
            loads[0].update(given)
            return copy.deepcopy(loads[0])

    def history(self, identifier: str) -> list[dict[str, Any]]:
        """The loads of an experiment, newest first; those under way come one step nearer to their end."""
        self._experiment(identifier)
        with self._state.lock:
            loads = self._loads(identifier)
            for load in loads:
                self._advance(load)
            return [{key: load[key] for key in _HISTORY if key in load} for load in loads]

    def read(self, identifier: str, dag: str) -> Reply:
        """One load with its jobs."""
        with self._state.lock:
            load = self._one(identifier, dag)
            jobs = load["jobs"] if "jobs" in load else self._jobs(identifier, load)
        return Reply(status=200, payload={"message": "Listed.", "data": {"dagID": dag, "jobs": jobs}})

    def cancel(self, identifier: str, dag: str, *, persist: bool) -> Reply:
        """The end of a load that is under way."""
        with self._state.lock:
            load = self._one(identifier, dag)
            if "finishedState" in load:
                raise refuse(400, "Pulse load has finished already.")
            if persist:
                self._finish(load, "cancelled")
        return Reply(status=200, payload={"message": "Pulse load cancelled successfully."})

    def schedules(self, query: str) -> list[dict[str, Any]]:
        """The schedules of the type of entity that a query asks for; only experiments have some here."""
        entity = parse_qs(query).get("entityType", [None])[-1]
        if entity not in ENTITIES:
            options = " | ".join(f"'{one}'" for one in ENTITIES)
            text = "Required" if entity is None else f"Invalid enum value. Expected {options}, received '{entity}'"
            raise invalid([Fault("entityType", text)], plain=self._options.plain_errors)
        with self._state.lock:
            found = [one for one in self._state.lists["experiments"] if one.get("scheduledReloadHour") is not None]
        return [_schedule(one) for one in found if entity == "experiments"]

    def _experiment(self, identifier: str) -> dict[str, Any]:
        with self._state.lock:
            for one in self._state.lists["experiments"]:
                if one.get("id") == identifier:
                    return one
        raise refuse(404, "Not Found. The requested resource could not be found.")

    def _loads(self, identifier: str) -> list[dict[str, Any]]:
        loads = [one for one in self._state.lists["pulse_loads"] if one.get("experimentID") == identifier]
        loads.reverse()
        return sorted(loads, key=lambda one: -one.get("createdTime", 0))

    def _one(self, identifier: str, dag: str) -> dict[str, Any]:
        for load in self._loads(identifier):
            if load.get("dagID") == dag:
                return load
        raise refuse(404, "Pulse load history not found.")

    def _advance(self, load: dict[str, Any]) -> None:
        left = load.get("looksLeft", 0)
        if "finishedState" in load or left < 0:
            return
        if left == 0:
            self._finish(load, load.get("endsAs", "success"))
        else:
            load["looksLeft"] = left - 1

    def _finish(self, load: dict[str, Any], state: str) -> None:
        load |= {"finishedState": state, "finishedTime": int(self._options.clock() * _MILLISECONDS)}

    def _jobs(self, identifier: str, load: Mapping[str, Any]) -> list[dict[str, Any]]:
        """None while the load is queued; then one for each metric source, and the one of the results.

        No published field says that a job failed: one that did has no end in a load that has ended.
        """
        ended, failing = "finishedState" in load, load.get("failingSources", [])
        if not ended and load.get("looksLeft", 0) >= self._options.load_looks:
            return []
        start = load.get("createdTime", 0)
        sources = dict.fromkeys([*self._sources_of(self._experiment(identifier)), *failing])
        jobs = [
            {
                "jobType": "user_metrics",
                "jobIDs": [f"query-{number}"],
                "startTime": start,
                "endTime": load.get("finishedTime") if ended and name not in failing else None,
                "sql": None,
                "metricSourceName": name,
            }
            for number, name in enumerate(sources, 1)
        ]
        if ended and not failing:
            last = {"jobType": "pulse", "jobIDs": ["query-0"], "startTime": start, "endTime": load.get("finishedTime")}
            jobs.append({**last, "sql": None, "rollup": "cumulative"})
        return jobs


def _faults(body: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    if "refresh" in body and body["refresh"] not in REFRESHES:
        options = " | ".join(f"'{one}'" for one in REFRESHES)
        faults.append(Fault("refresh", f"Invalid enum value. Expected {options}, received '{body['refresh']}'"))
    if "metricIDs" in body:
        faults += expected("array", "metricIDs", body["metricIDs"]) or [
            fault
            for index, one in enumerate(body["metricIDs"])
            for fault in expected("string", f"metricIDs[{index}]", one)
        ]
    if "turboMode" in body:
        faults += expected("boolean", "turboMode", body["turboMode"])
    return faults + unknown("", body, _BODY)


def _schedule(experiment: Mapping[str, Any]) -> dict[str, Any]:
    active = experiment.get("status") == "active"
    return {
        "id": experiment.get("id"),
        "schedule": {
            "hour": experiment["scheduledReloadHour"],
            "type": experiment.get("scheduledReloadType", "incremental"),
            "days": experiment.get("scheduledReloadDays"),
        },
        "eligible": active,
        "skipReasons": [] if active else ["Experiment is not active."],
    }


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).date().isoformat()
