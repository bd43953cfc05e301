"""Whether a difference was made in Statsig or in the project, by the audit log's entries. Pure.

There is no state of the last sync. What tells is who changed the object since: the sync is known by the entries in
which an object got this project's ownership line, or in which an API key created an object of this project. After its
last entry, a field that a person changed, or that somebody changed away from just what is declared, was changed in
Statsig; a field that no entry names was changed in the project. Anything else is unknown, and is called that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from dbt_statsig.vocabulary.audit import REVIEWS, AuditEntry, AuditLog
from dbt_statsig.vocabulary.changes import Action, Change, FieldChange, Origin, Plan, Where
from dbt_statsig.vocabulary.comparison import canonical
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import likely_owner, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from dbt_statsig.vocabulary.sources import Source

_NO_ACTION = "The audit log does not name changes of {}s."
_NO_ENTRY = "The audit log has no entry about it."
_NOT_REACHED = "The newest entries of the audit log are not about it."
_PERSON = "The sync's key is a person's, who may have changed it in Statsig too."
_NOT_TOLD = "The audit log does not show who the sync is."


def suspects(plan: Plan, *, in_empty: bool = False) -> tuple[Change, ...]:
    """The changes that Statsig may be the cause of: all but those that take an object out of use.

    None where Statsig has no object of the project, unless `in_empty`: then nothing can have been changed there.
    """
    found = tuple(change for change in plan.changes if _is_suspect(change))
    is_empty = all(change.live is None for change in plan.changes)
    return () if is_empty and not in_empty else found


def _is_suspect(change: Change) -> bool:
    lost_line = (
        change.action is Action.FOREIGN and change.live is not None and not likely_owner(change.live.description)
    )
    return lost_line or ((change.held or change.action).sends and not change.adopted)


def enough(plan: Plan, log: AuditLog) -> bool:
    """Whether no older entry can say more: each object that can be in the log has one."""
    return all(_entries(log, change) for change in suspects(plan, in_empty=True) if SPECS[change.kind].audited)


def with_origins(plan: Plan, log: AuditLog | str) -> Plan:
    """The plan with an origin on each change that Statsig may be the cause of; a text is why there is no log."""
    ours = _actors(plan, log) if isinstance(log, AuditLog) else frozenset()
    asked = set(map(id, suspects(plan, in_empty=True)))

    def judged(change: Change) -> Change:
        if id(change) not in asked:
            return change
        if isinstance(log, str):
            origin: Origin | None = Origin(where=Where.UNKNOWN, reason=log)
        elif not SPECS[change.kind].audited:
            origin = Origin(where=Where.UNKNOWN, reason=_NO_ACTION.format(change.kind.label))
        else:
            origin = _origin(plan, change, log, ours)
        return structs.replace(change, origin=origin)

    return structs.replace(plan, changes=tuple(map(judged, plan.changes)))


def only_drift(plan: Plan) -> Plan:
    """The plan without the changes, also those that a limit holds back, that come from the project alone."""
    kept = (one for one in plan.changes if one.drifted or not (one.held or one.action).writes)
    return structs.replace(plan, changes=tuple(kept))


def _actors(plan: Plan, log: AuditLog) -> frozenset[str]:
    """Whom this project's sync is known by."""
    objects = {(one.kind, name): _is_ours(plan, one.live) for one in plan.changes for name in (one.name, one.live_name)}
    found = set()
    for entry in log.entries:
        about = [is_ours for (kind, name), is_ours in objects.items() if entry.name == name and entry.is_about(kind)]
        if about and entry.actor and (_claims(plan, entry) or (entry.creates and not entry.is_person and any(about))):
            found.add(entry.actor)
    return frozenset(found)


def _claims(plan: Plan, entry: AuditEntry) -> bool:
    """Whether an object got this project's ownership line."""
    return _is_ours(plan, entry.after) and not _is_ours(plan, entry.before)


def _is_ours(plan: Plan, source: Source | None) -> bool:
    line = owner_of(source.description) if source is not None else None
    return line is not None and line.owner == plan.owner


def _entries(log: AuditLog, change: Change) -> list[AuditEntry]:
    """The entries about the object, newest first, under each name that it had before too."""
    names = {change.live_name or change.name}
    found = []
    for entry in log.entries:
        if not entry.is_about(change.kind):
            continue
        before, after = (side.name if side is not None else "" for side in (entry.before, entry.after))
        if entry.name in names or after in names or (change.live is None and before in names):
            found.append(entry)
            names |= {before} - {""}
    return found


def _origin(plan: Plan, change: Change, log: AuditLog, ours: AbstractSet[str]) -> Origin | None:
    entries = _entries(log, change)
    if change.live is None:
        origin: Origin | None = _of_missing(entries, log, ours)
    elif change.action is Action.FOREIGN:
        origin = _of_lost_line(plan, entries)
    else:
        origin = _of_changed(change, entries, log, ours)
    review = _review(log, change)
    return structs.replace(origin, review=review) if origin is not None and review else origin


def _of_missing(entries: Sequence[AuditEntry], log: AuditLog, ours: AbstractSet[str]) -> Origin:
    """Where a declared object went that Statsig does not have."""
    if not entries:
        if log.whole:
            return Origin(where=Where.PROJECT)
        return Origin(where=Where.UNKNOWN, reason=_NOT_REACHED)
    last = entries[0]
    if last.actor in ours:
        return Origin(where=Where.UNKNOWN, reason=_PERSON) if last.is_person else Origin(where=Where.PROJECT)
    if last.deletes or "name" in last.fields:
        return _by(last, Where.CONSOLE, gone="deleted" if last.deletes else "renamed")
    return Origin(where=Where.UNKNOWN, reason="The audit log does not show where it went.")


def _of_lost_line(plan: Plan, entries: Iterable[AuditEntry]) -> Origin | None:
    """Who took the ownership line of this project from the description."""
    return next(
        (
            _by(entry, Where.CONSOLE, gone="released")
            for entry in entries
            if _is_ours(plan, entry.before) and not _is_ours(plan, entry.after)
        ),
        None,
    )


def _of_changed(change: Change, entries: Sequence[AuditEntry], log: AuditLog, ours: AbstractSet[str]) -> Origin:
    """Who made an object differ from what is declared."""
    if not entries:
        return Origin(where=Where.UNKNOWN, reason=_NO_ENTRY if log.whole else _NOT_REACHED)
    own = next((index for index, entry in enumerate(entries) if entry.actor in ours), None)
    since = entries[:own]
    # What no entry touches is as the last sync left it, where the entries reach back to one, or to the beginning.
    reached = own is not None or log.whole or any(entry.creates for entry in since)
    touched = [(field, entry) for field in change.fields if (entry := _toucher(field, since)) is not None]
    there = [(field.field, entry) for field, entry in touched if _is_from_console(change, field, entry, ours)]
    if there:
        fields = tuple(_change_there(name, entry) for name, entry in there)
        where = Where.CONSOLE if len(there) == len(change.fields) else Where.BOTH
        return structs.replace(_by(min((entry for _, entry in there), key=since.index), where), fields=fields)
    if touched or not reached:
        return Origin(where=Where.UNKNOWN, reason=_NOT_TOLD)
    mine = [entry for entry in entries if entry.actor in ours]
    lasts = ((field, _toucher(field, mine)) for field in change.fields)
    if any(last is not None and last.is_person and _took_away(change, field, last) for field, last in lasts):
        return Origin(where=Where.UNKNOWN, reason=_PERSON)
    return Origin(where=Where.PROJECT)


def _took_away(change: Change, field: FieldChange, entry: AuditEntry) -> bool:
    """Whether an entry changed the field away from just what is declared."""
    was = _value(entry.before, field.field)
    return was is not None and _is_same(change, field, was)


def _toucher(field: FieldChange, since: Iterable[AuditEntry]) -> AuditEntry | None:
    """The newest entry that changed the field, or that does not say what it changed."""
    return next((entry for entry in since if not entry.fields or field.field in entry.fields), None)


def _is_from_console(change: Change, field: FieldChange, entry: AuditEntry, ours: AbstractSet[str]) -> bool:
    """Whether the entry is a person's, or took the field away from just what is declared.

    A new API key is not known as the sync's. Nor is a person known to be another than the sync, where no sync is.
    """
    was = _value(entry.before, field.field)
    if entry.creates:
        return False
    if entry.is_person and (was is None or ours):
        return True
    return _took_away(change, field, entry)


def _is_same(change: Change, field: FieldChange, value: object) -> bool:
    payload = SPECS[change.kind].payload
    return bool(canonical(payload, field.field, value) == canonical(payload, field.field, field.after))


def _change_there(name: str, entry: AuditEntry) -> FieldChange:
    return FieldChange(field=name, before=_value(entry.before, name), after=_value(entry.after, name))


def _value(side: Source | None, field: str) -> object:
    value = getattr(side, field, UNSET)
    return None if value is UNSET or (field == "name" and not value) else value


def _by(entry: AuditEntry, where: Where, *, gone: str = "") -> Origin:
    return Origin(where=where, who=entry.by, when=entry.when, gone=gone)


def _review(log: AuditLog, change: Change) -> str:
    """Since when a change of the object waits for a review, and by whom; empty where none does."""
    name = change.live_name or change.name
    last = next((one for one in log.entries if one.action in REVIEWS and one.name == name), None)
    verb = last.action.partition("_")[0] if last is not None else ""
    if last is None or verb not in {"create", "update", "accept"}:
        return ""
    state = "accepted, but not committed" if verb == "accept" else "open"
    return " ".join(
        part for part in (state, f"by {last.by}" if last.by else "", last.when and f"on {last.when}") if part
    )
