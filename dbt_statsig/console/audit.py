"""Reading the audit log: at most two requests, none of them repeated, as it is never more than an explanation."""

from __future__ import annotations

import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from msgspec import UNSET

from dbt_statsig.console.bodies import decoded
from dbt_statsig.console.listing import PAGE_SIZE, page_path
from dbt_statsig.errors import Forbidden, NotFound, ProtocolError, Refused
from dbt_statsig.vocabulary.audit import REVIEWS, AuditEntry, AuditLog, fields_of
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.kinds.base import NATIVE
from dbt_statsig.vocabulary.sources import API_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from dbt_statsig.console.sender import Envelope, Sender
    from dbt_statsig.vocabulary.sources import Kind, Source

_PATH = f"{API_PREFIX}/audit_logs"
_WHAT = "The audit log"
_SIDES = ("old", "new")
_TIME = re.compile(r"(\d{1,2}:\d{2}:\d{2})(?: GMT([+-]\d{4}))?")


def read_audit_log(sender: Sender, kinds: Collection[Kind], enough: Callable[[AuditLog], bool]) -> AuditLog:
    """The newest entries about objects of these kinds; a second page where the first is not enough.

    An older API does not know the filter: then its pages are read without. Raises ConsoleError.
    """
    actions = sorted(REVIEWS.union(*(SPECS[kind].audited for kind in kinds)))
    filtered = f"{_PATH}?{urlencode([('actionTypes[]', action) for action in actions])}"
    try:
        return _read(sender, filtered, enough, pages=2)
    except (Forbidden, NotFound):
        raise
    except Refused:
        return _read(sender, _PATH, enough, pages=1)


def _read(sender: Sender, path: str, enough: Callable[[AuditLog], bool], *, pages: int) -> AuditLog:
    log = AuditLog()
    for number in range(1, pages + 1):
        answer = sender.read(page_path(path, number), _WHAT, once=True)
        log = _joined(log, answer)
        if log.whole or enough(log):
            break
    return log


def _joined(log: AuditLog, answer: Envelope) -> AuditLog:
    if not isinstance(answer.data, list):
        raise ProtocolError(f"{_WHAT}: data is not a list.", fix="Check `base_url` and any proxy in between.")
    paging = answer.pagination if isinstance(answer.pagination, dict) else {}
    goes_on = bool(paging["nextPage"]) if "nextPage" in paging else len(answer.data) >= PAGE_SIZE
    found = (_entry(one) for one in answer.data if isinstance(one, dict))
    entries = (*log.entries, *(one for one in found if one.name and one.action))
    return AuditLog(entries=_newest_first(entries), whole=not goes_on)


def _newest_first(entries: tuple[AuditEntry, ...]) -> tuple[AuditEntry, ...]:
    """By time where each has one; those of one second, and all others, in the order of the answer."""
    if any(entry.at is None for entry in entries):
        return entries
    return tuple(sorted(entries, key=lambda entry: -entry.at.timestamp() if entry.at else 0))


def _entry(content: dict[str, Any]) -> AuditEntry:
    action = _text_of(content, "actionType")
    fields, before, after = _changes(content, action)
    return AuditEntry(
        name=_text_of(content, "name"),
        action=action,
        at=_moment(_text_of(content, "date"), _text_of(content, "time")),
        who=_text_of(content, "updatedBy"),
        who_id=_text_of(content, "updatedByUserID"),
        email=_text_of(content, "modifierEmail"),
        fields=fields or fields_of(action),
        before=before,
        after=after,
    )


def _changes(content: dict[str, Any], action: str) -> tuple[frozenset[str], Source | None, Source | None]:
    """The fields that an entry says were changed, with both sides of those that are read as the API's own.

    An entry of which a part cannot be read does not say all that it changed, so no fields are given.
    """
    changes = content.get("changes")
    kind = next((kind for kind, spec in SPECS.items() if action in spec.audited), None)
    if kind is None or not isinstance(changes, dict):
        return frozenset(), None, None
    known = (*SPECS[kind].payload.__struct_encode_fields__, NATIVE)
    read = {name: one for name, one in changes.items() if isinstance(one, dict) and not one.keys().isdisjoint(_SIDES)}
    (before, lost), (after, lost_too) = (
        _side(kind, {name: one[key] for name, one in read.items() if key in one}) for key in _SIDES
    )
    if lost or lost_too or any(name in known and name not in read for name in changes):
        return frozenset(), before, after
    # A metric's definition is one value in an entry, of which most parts are the same on both sides.
    fields = {
        field
        for side in (before, after)
        if side is not None
        for field in side.__struct_fields__
        if getattr(side, field) is not UNSET
        and (field != "name" or side.name)
        and getattr(before, field, UNSET) != getattr(after, field, UNSET)
    }
    return frozenset(fields), before, after


def _side(kind: Kind, values: dict[str, Any]) -> tuple[Source | None, bool]:
    """One side of a change, of the values that are as the API gives an object's, and whether others are not."""
    fit = {name: value for name, value in values.items() if _decoded(kind, {name: value}) is not None}
    return _decoded(kind, fit), len(fit) < len(values)


def _decoded(kind: Kind, values: dict[str, Any]) -> Source | None:
    try:
        return decoded(kind, {"name": "", **values}, _WHAT)
    except ProtocolError:
        return None


def _moment(date: str, time: str) -> datetime | None:
    """`Mon Sep 26 2022` and `23:46:14 GMT+0000 (…)` as a moment."""
    parts, clock = date.split(), _TIME.match(time)
    if len(parts) != len(("weekday", "month", "day", "year")) or clock is None:
        return None
    _, month, day, year = parts
    try:
        return parsedate_to_datetime(f"{day} {month} {year} {clock[1]} {clock[2] or '+0000'}").astimezone(timezone.utc)
    except (ValueError, TypeError, OverflowError):
        return None


def _text_of(content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    return (
        " ".join(value.split()) if isinstance(value, str) and key != "name" else value if isinstance(value, str) else ""
    )
