"""Create, read, update and delete one source of any kind, by the published rules."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.audit import KEY
from dbt_statsig.emulator.kinds import WRITE_ONLY
from dbt_statsig.emulator.replies import Fault, Reply, invalid, refuse
from dbt_statsig.emulator.validation import body_faults, table_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dbt_statsig.emulator.kinds import Kind, Operation
    from dbt_statsig.emulator.options import Options
    from dbt_statsig.emulator.state import State

    Check = Callable[[Kind, Mapping[str, Any]], list[Fault]]

__all__ = ["Sources"]

_CREATED = 201
_OWNER = {"ownerID": "emulator", "ownerType": "SDK_KEY"}


class Sources:
    """The sources in `state`; `check` runs a source's SQL where there is a warehouse.

    Each method raises `Refusal` for the answers that are not success.
    """

    def __init__(self, state: State, options: Options, check: Check) -> None:
        self._state = state
        self._options = options
        self._check = check

    def read(self, kind: Kind, name: str) -> Reply:
        """One source."""
        with self._state.lock:
            return _done(kind, "read", self._held(kind, name))

    def create(self, kind: Kind, body: Mapping[str, Any], *, persist: bool) -> Reply:
        """A new source, or with `dryRun` the same answer and no source."""
        self._validate(kind, body, "create")
        made: dict[str, Any] = {"description": "", "tags": [], **_stored(kind, body)}
        if self._options.sdk_key_owner:
            made.setdefault("owner", dict(_OWNER))
        self._refuse_taken(kind, made["name"])
        self._prove(kind, made, body)
        made = self._final(kind, made)
        with self._state.lock:
            self._refuse_taken(kind, made["name"])
            if persist and body.get("dryRun") is not True:
                self._state.add_tags(made["tags"])
                self._state.create(kind.collection, made)
            return _done(kind, "created", made, status=_CREATED)

    def update(self, kind: Kind, name: str, body: Mapping[str, Any], *, persist: bool, review: bool) -> Reply:
        """A full update: the fields of the body are set; whether others are reset is an option.

        With `review` it is kept apart until it is committed.
        """
        held = self._held(kind, name)
        self._validate(kind, body, "update")
        kept = {"name", "owner"} if self._options.full_update_resets else set(held)
        base = {"description": "", "tags": [], **{key: value for key, value in held.items() if key in kept}}
        return self._replace(kind, name, base, body, persist=persist, review=review)

    def patch(self, kind: Kind, name: str, body: Mapping[str, Any], *, persist: bool, review: bool) -> Reply:
        """A partial update; the query itself cannot be changed by one."""
        held = self._held(kind, name)
        self._validate(kind, body, "patch")
        return self._replace(kind, name, held, body, persist=persist, review=review)

    def delete(self, kind: Kind, name: str, *, persist: bool) -> Reply:
        """The end of a source, unless an active experiment is assigned by it."""
        with self._state.lock:
            self._held(kind, name)
            users = [
                str(experiment.get("name", experiment.get("id", "")))
                for experiment in self._state.lists["experiments"]
                if kind.collection == "assignment_sources"
                and experiment.get("assignmentSourceName") == name
                and experiment.get("status") == "active"
            ]
            if users:
                raise refuse(400, f"Assignment source {name!r} is used by active experiments: {', '.join(users)}.")
            if persist:
                self._state.delete(kind.collection, name)
            return _done(kind, "deleted", {"name": name})

    def _replace(
        self, kind: Kind, name: str, base: Mapping[str, Any], body: Mapping[str, Any], *, persist: bool, review: bool
    ) -> Reply:
        made = {**base, **_stored(kind, body)}
        if made["name"] != name:
            self._refuse_taken(kind, made["name"])
        self._prove(kind, made, body)
        made = self._final(kind, made)
        with self._state.lock:
            held = self._held(kind, name)
            if made["name"] != name:
                self._refuse_taken(kind, made["name"])
            if review and persist and body.get("dryRun") is not True:
                self._state.reviews[kind.collection, name] = made
                self._state.audit.review("create", name, KEY)
                return _done(kind, "review created", held)
            if persist and body.get("dryRun") is not True:
                self._state.add_tags(made["tags"])
                self._state.replace(kind.collection, name, made)
            return _done(kind, "updated", made)

    def _held(self, kind: Kind, name: str) -> dict[str, Any]:
        with self._state.lock:
            held = self._state.sources[kind.collection].get(name)
        if held is None:
            status = 404 if kind.missing_is_published else self._options.missing_status
            raise refuse(status, f"{kind.title} {name!r} not found.")
        return held

    def _refuse_taken(self, kind: Kind, name: str) -> None:
        with self._state.lock:
            if name in self._state.sources[kind.collection]:
                raise refuse(400, f"{kind.title} name {name!r} is already in use.")

    def _validate(self, kind: Kind, body: Mapping[str, Any], operation: Operation) -> None:
        faults = body_faults(kind, body, operation)
        if not faults and self._options.refuse_unknown_tags:
            known = self._state.tag_names()
            faults = [Fault("tags", f"unknown tag {tag!r}") for tag in body.get("tags", []) if tag not in known]
        self._raise(faults)

    def _prove(self, kind: Kind, made: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self._raise(table_faults(made))
        if body.get("skip_validation") is not True:
            self._raise(self._check(kind, made))

    def _raise(self, faults: list[Fault]) -> None:
        if faults:
            raise invalid(faults, plain=self._options.plain_errors)

    def _final(self, kind: Kind, made: dict[str, Any]) -> dict[str, Any]:
        return normalised(kind, made) if self._options.normalise else made


def _stored(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in kind.fields if key in body and key not in WRITE_ONLY}


def _done(kind: Kind, verb: str, data: Mapping[str, Any], *, status: int = 200) -> Reply:
    payload = {"message": f"{kind.title} {verb}.", "data": copy.deepcopy(dict(data))}
    return Reply(status=status, payload=payload)


def normalised(kind: Kind, source: Mapping[str, Any]) -> dict[str, Any]:
    """The source as a server may store it, which is no change that a user made.

    Defaults are filled in, nulls dropped, SQL is trimmed, tags and mapping are sorted, tags once each.
    """
    given = {key: value for key, value in source.items() if value is not None}
    return {
        **kind.defaults,
        **given,
        "sql": "\n".join(line.rstrip() for line in given.get("sql", "").strip().splitlines()),
        "tags": sorted(set(given.get("tags", []))),
        "idTypeMapping": sorted(
            given.get("idTypeMapping", []), key=lambda item: (item["statsigUnitID"], item["column"])
        ),
    }
