"""Experiments: the list with its filters, one of them, and those that watch a metric. No request here makes one."""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from dbt_statsig.emulator.experiment_contract import FIELDS, REQUIRED, STATUSES, TYPES, experiment_faults
from dbt_statsig.emulator.metrics import metric_id
from dbt_statsig.emulator.replies import Fault, Reply, invalid, refuse
from dbt_statsig.emulator.shapes import enum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbt_statsig.emulator.options import Options
    from dbt_statsig.emulator.state import State

__all__ = ["Experiments", "completed"]

_EQUAL = ("idType", "teamID", "layerID", "creatorName", "creatorID", "status", "experimentType")
_ENUMS = {"status": enum(*STATUSES), "experimentType": enum(*TYPES), "stale": enum("true", "false")}
_DATES = ("createdStartDate", "createdEndDate")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WATCHED = ("primaryMetrics", "secondaryMetrics", "otherMetrics")
_MISSING = "Not Found. The requested resource could not be found."


def completed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment with all that an answer holds; its ID is its name where it has none."""
    given = {"id": entry["name"], **entry} if entry.get("name") else dict(entry)
    return {**copy.deepcopy(REQUIRED), **given}


class Experiments:
    """The experiments in `state`."""

    def __init__(self, state: State, options: Options) -> None:
        self._state = state
        self._options = options

    def listed(self, query: str, *, watching: str = "") -> list[dict[str, Any]]:
        """Those that pass the filters of a query, and name the metric of this ID, in the order of their creation."""
        given = parse_qs(query, keep_blank_values=True)
        filters = {key.removesuffix("[]"): values for key, values in given.items()}
        faults = [
            fault for key, check in _ENUMS.items() for value in filters.get(key, ()) for fault in check(key, value)
        ]
        dates = [(key, value) for key in _DATES for value in filters.get(key, ())]
        faults += [
            Fault(key, "Expected valid date in the form of YYYY-MM-DD") for key, value in dates if not _day(value)
        ]
        self._refuse(faults)
        meant = self._metric(watching) if watching else None
        found = [one for one in self._all() if _passes(one, filters)]
        return [one for one in found if meant is None or meant in _watched(one)]

    def read(self, identifier: str, query: str) -> Reply:
        """One experiment, or those fields of it that `fields` names."""
        data = next((one for one in self._all() if one["id"] == identifier), None)
        if data is None:
            raise refuse(404, _MISSING)
        names = [name for part in parse_qs(query).get("fields", ()) for name in part.split(",")]
        if any(name not in FIELDS for name in names):
            raise refuse(400, "Invalid field(s) requested.")
        data = {name: value for name, value in data.items() if not names or name in names}
        return Reply(status=200, payload={"message": "Experiment read successfully.", "data": data})

    def edited(self, method: str, identifier: str, body: Any) -> dict[str, Any]:
        """An experiment that somebody made, changed or deleted in the console."""
        with self._state.lock:
            held = {one["id"]: one for one in self._state.lists["experiments"]}
            if (identifier in held) is (method == "POST"):
                raise refuse(404, f"{identifier!r} is {'already' if identifier in held else 'not'} there.")
            if method == "DELETE":
                edited = held.pop(identifier)
            else:
                edited = completed({**held.get(identifier, {}), **body, "id": identifier})
                self._refuse(experiment_faults(edited))
                held[identifier] = edited
            self._state.lists["experiments"] = list(held.values())
            return edited

    def _all(self) -> list[dict[str, Any]]:
        with self._state.lock:
            return copy.deepcopy(self._state.lists["experiments"])

    def _metric(self, identifier: str) -> tuple[str, str]:
        with self._state.lock:
            for metric in self._state.lists["metrics"]:
                if metric_id(metric) == identifier:
                    return metric["name"], metric.get("type", "user_warehouse")
        raise refuse(404, _MISSING)

    def _refuse(self, faults: list[Fault]) -> None:
        if faults:
            raise invalid(faults, plain=self._options.plain_errors)


def _watched(experiment: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(one["name"], one["type"]) for key in _WATCHED for one in experiment.get(key) or []}


def _day(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _passes(one: Mapping[str, Any], filters: Mapping[str, Sequence[str]]) -> bool:
    made = datetime.fromtimestamp(one["createdTime"] / 1000, tz=timezone.utc)
    start, end = (_day(filters.get(key, [""])[-1]) for key in _DATES)
    return (
        all(one.get(key) in filters[key] for key in _EQUAL if key in filters)
        and str(one["isStale"]).lower() in filters.get("stale", ["true", "false"])
        and ("tags" not in filters or not set(filters["tags"]).isdisjoint(one["tags"]))
        and (start is None or made >= start)
        and (end is None or made < end + timedelta(days=1))
    )
