"""The audit log: what each change leaves there, and the list that `GET /audit_logs` gives.

Statsig publishes the entries' fields, the filters and the names of the actions, no action for qualifying events, and
neither what the entry of an API key says of its actor nor how it names the fields of a source: here by their API names.
"""

from __future__ import annotations

import copy
import re
import secrets
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from msgspec import Struct

from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.replies import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEY", "PERSON", "Actor", "AuditLog", "audit_faults"]

_SORT_KEYS = ("id", "name", "changeLog", "actionType", "date", "time", "updatedBy", "updatedByUserID")
_SOURCE_ACTIONS = ("create_{}", "update_{}", "update_{}_name", "update_{}_is_verified", "delete_{}")
_REVIEWS = ("create", "update", "accept", "reject", "commit", "delete")
_METRIC_ACTIONS = {
    "create": "custom_metric_definition_create",
    "update": "custom_metric_definition_edit",
    "name": "custom_metric_name_edit",
    "delete": "delete_metric",
    "schedule_archive": "schedule_archive_metric",
    "cancel_archive": "cancel_archive_metric",
    "unarchive": "unarchive_metric",
}
_ACTIONS = frozenset(
    {action.format(kind.audited) for kind in KINDS.values() if kind.audited for action in _SOURCE_ACTIONS}
    | {f"{verb}_echidna_source_review" for verb in _REVIEWS}
    | set(_METRIC_ACTIONS.values())
    | {"update_echidna_metric_tag_or_description", "update_echidna_source_owner", "update_echidna_source_is_verified"}
    | {"load_echidna_pulse", "load_echidna_metric", "load_echidna_assignment_source", "cancel_echidna_dag"}
    | {"metric_edit_definition", "metric_edit_description", "metric_add_tag", "metric_remove_tag", "archive_metric"}
    | {"update_metric_is_verified", "update_metric_is_permanent", "custom_metric_edit", "custom_metric_update_owners"}
    | {"custom_metric_definition_delete", "set_metric_directionality", "metric_review_create", "metric_review_commit"}
    | {"schedule_delete_metric", "cancel_delete_metric", "tag_create", "tag_delete", "tag_edit"}
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Actor(Struct, frozen=True, kw_only=True):
    """Who makes a change; an API key has no e-mail address."""

    name: str
    id: str
    email: str | None = None


KEY = Actor(name="Console API key", id="emulated-key")
PERSON = Actor(name="Jane Doe", id="jane-doe", email="jane.doe@example.com")


class AuditLog:
    """The entries, newest first; hold the state's lock to add one with the change itself."""

    def __init__(self, *, details: bool = True) -> None:
        """Without `details`, no entry says which fields changed."""
        self._details = details
        self._entries: list[tuple[datetime, dict[str, Any]]] = []

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def source(
        self, collection: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, actor: Actor
    ) -> None:
        """The entries of one source that was created, changed or deleted."""
        noun, title = KINDS[collection].audited, KINDS[collection].title
        if not noun:
            return
        name = str((after or before or {}).get("name"))
        if before is None or after is None:
            verb = "create" if before is None else "delete"
            self._add(
                name, f"{verb}_{noun}", f"{verb.capitalize()}d {title}", _changes(before or {}, after or {}), actor
            )
            return
        changes = _changes(before, after)
        for field, suffix in (("name", "_name"), ("isVerified", "_is_verified"), ("", "")):
            part = {field: changes.pop(field)} if field in changes else {} if field else changes
            if part:
                self._add(name, f"update_{noun}{suffix}", f"Updated {title}", part, actor)

    def metric(
        self, verb: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, actor: Actor
    ) -> None:
        """The entry of one metric; `verb` is `create`, `update`, `delete`, or a way of archiving."""
        changes = _changes(before or {}, after or {})
        name = str((after or before or {}).get("name"))
        if verb == "update" and set(changes) <= {"tags", "description"}:
            action = "update_echidna_metric_tag_or_description"
        else:
            action = _METRIC_ACTIONS["name" if verb == "update" and set(changes) == {"name"} else verb]
        if changes or verb != "update":
            self._add(name, action, f"Metric: {action.replace('_', ' ')}", changes, actor)

    def review(self, verb: str, name: str, actor: Actor) -> None:
        """The entry of a source's review: it is created, accepted, rejected or committed."""
        self._add(name, f"{verb}_echidna_source_review", f"Source review: {verb}", {}, actor)

    def listed(self, query: str) -> list[dict[str, Any]]:
        """The entries that a query string asks for, which has no faults."""
        given = _given(query)
        entries = [entry for _, entry in self._until(given.get("latestID", [""])[-1]) if _is_asked(entry, given)]
        since, until = (_day(given.get(name, [""])[-1]) for name in ("startDate", "endDate"))
        days = {entry["id"]: at.date() for at, entry in self._entries}
        entries = [one for one in entries if (since or date.min) <= days[one["id"]] <= (until or date.max)]
        if key := given.get("sortKey", [""])[-1]:
            entries.sort(key=lambda entry: str(entry[key]), reverse=given.get("sortOrder", ["desc"])[-1] == "desc")
        elif given.get("sortOrder", [""])[-1] == "asc":
            entries.reverse()
        return entries

    def _until(self, latest: str) -> list[tuple[datetime, dict[str, Any]]]:
        """The entries that are newer than the one named."""
        place = next((place for place, (_, entry) in enumerate(self._entries) if entry["id"] == latest), None)
        return self._entries[:place]

    def _add(self, name: str, action: str, words: str, changes: dict[str, Any], actor: Actor) -> None:
        now = datetime.now(tz=timezone.utc)
        entry: dict[str, Any] = {
            "id": secrets.token_urlsafe(16),
            "name": name,
            "changeLog": words,
            "actionType": action,
            "date": now.strftime("%a %b %d %Y"),
            "time": now.strftime("%H:%M:%S GMT+0000 (Coordinated Universal Time)"),
            "updatedBy": actor.name,
            "updatedByUserID": actor.id,
            "modifierEmail": actor.email,
            "changes": copy.deepcopy(changes) if self._details else {},
            "tags": [],
            "targetAppIDs": [],
        }
        self._entries.insert(0, (now, entry))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Each field that differs with its `old` and `new` value; a side that lacks it has no such key."""
    found: dict[str, Any] = {}
    for field in dict.fromkeys((*before, *after)):
        sides = {key: side[field] for key, side in (("old", before), ("new", after)) if field in side}
        if len(sides) < 2 or sides["old"] != sides["new"]:  # noqa: PLR2004  # both sides
            found[field] = sides
    return found


def _given(query: str) -> dict[str, list[str]]:
    return {name.removesuffix("[]"): values for name, values in parse_qs(query, keep_blank_values=True).items()}


def audit_faults(query: str) -> list[Fault]:
    """What is wrong with a query string."""
    given = _given(query)
    faults = [
        Fault(name, f"Invalid enum value. Received '{value}'")
        for name, known in (
            ("actionType", _ACTIONS),
            ("actionTypes", _ACTIONS),
            ("sortKey", _SORT_KEYS),
            ("sortOrder", ("asc", "desc")),
        )
        for value in given.get(name, [])
        if value not in known
    ]
    return faults + [
        Fault(name, "Expected valid date in the form of YYYY-MM-DD")
        for name in ("startDate", "endDate")
        for value in given.get(name, [])
        if _day(value) is None
    ]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _is_asked(entry: Mapping[str, Any], given: Mapping[str, list[str]]) -> bool:
    actions = {*given.get("actionType", ()), *given.get("actionTypes", ())}
    if actions and entry["actionType"] not in actions:
        return False
    if "id" in given and given["id"][-1] not in (entry["id"], entry["name"]):
        return False
    return "tags" not in given or not set(given["tags"]).isdisjoint(entry["tags"])
