"""What a plan is made of: values only."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import owner_name
from dbt_statsig.vocabulary.sources import Kind, Source
from dbt_statsig.vocabulary.yaml_text import in_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable


_LONGEST_VALUE = 80


class Action(str, Enum):
    """What happens to one object."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    DELETE = "delete"
    ARCHIVE = "archive"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"
    ORPHAN = "orphan"
    BLOCKED = "blocked"

    @property
    def label(self) -> str:
        """The words for it in reports; the value is the one in JSON."""
        return {Action.FOREIGN: "not managed by this project", Action.ORPHAN: "no longer declared"}.get(
            self, self.value
        )

    @property
    def writes(self) -> bool:
        """Whether applying the plan writes this object."""
        return self is Action.CREATE or self.touches

    @property
    def touches(self) -> bool:
        """Whether applying the plan changes or deletes an object that is there."""
        return self in {Action.UPDATE, Action.RENAME} or self.retires

    @property
    def retires(self) -> bool:
        """Whether applying the plan takes an object out of use that nothing declares any more."""
        return self in {Action.DELETE, Action.ARCHIVE}

    @property
    def sends(self) -> bool:
        """Whether applying the plan sends an object, which Statsig can check beforehand."""
        return self.writes and not self.retires

    @property
    def refuses(self) -> bool:
        """Whether something declared must not be written: not ours, or blocked by findings."""
        return self in {Action.FOREIGN, Action.BLOCKED}


PAST_TENSE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.RENAME: "renamed",
    Action.DELETE: "deleted",
    Action.ARCHIVE: "archived",
}
"""The words for what is written."""


class FieldChange(Struct, frozen=True, kw_only=True):
    """One field of one object: snake_case name, what the console has (None: nothing), what it shall have."""

    field: str
    before: Any
    after: Any


class Where(str, Enum):
    """Where a difference was made."""

    CONSOLE = "console"
    PROJECT = "project"
    BOTH = "both"
    UNKNOWN = "unknown"


class Origin(Struct, frozen=True, kw_only=True):
    """Where a difference was made, and what the audit log says about the change in Statsig.

    `who` and `when` are of the last such change. `fields` are those that were changed there, from what to what (None:
    it does not say). `gone` is `deleted`, `renamed` or `released` (its ownership line removed), or empty. `reason` says
    why the origin is unknown; `review` in which state a review of the object is, by whom and since when.
    """

    where: Where
    who: str = ""
    when: str = ""
    fields: tuple[FieldChange, ...] = ()
    gone: str = ""
    reason: str = ""
    review: str = ""

    @property
    def text(self) -> str:
        """Who changed what in Statsig, and the review that is not done; empty where there is nothing to say."""
        parts = []
        if self.where in {Where.CONSOLE, Where.BOTH}:
            by = f" by {self.who}" if self.who else ""
            on = f" on {self.when}" if self.when else ""
            fields = ", ".join(map(_was, self.fields))
            verb = {"released": "ownership line removed"}.get(self.gone, self.gone) or "changed"
            parts.append(f"{verb.capitalize()} in Statsig{by}{on}{': ' if fields else ''}{fields}.")
        if self.where is Where.BOTH:
            parts.append("The other fields may be changes of the project.")
        if self.review:
            parts.append(f"A review of it is {self.review}.")
        return " ".join(parts)


def _was(field: FieldChange) -> str:
    """A field that was changed in Statsig, with what it was before where that is short."""
    before = "" if field.field == "sql" or (field.before is None and field.after is None) else in_yaml(field.before)
    return f"{field.field} (was {before})" if before and len(before) <= _LONGEST_VALUE else field.field


class Change(Struct, frozen=True, kw_only=True):
    """One object and what happens to it.

    `name` is the declared name (the live one for orphans and deletions), `live_name` the one in the console
    (differs for a rename), `reason` says why an object is foreign, orphaned, blocked or replaced; `fix` the next step.
    `requires` names other changes of the kind, and `after` those of other kinds, each with its kind: only after these
    are done is this one written.
    `not_kept` are fields that Statsig is known to keep otherwise (`before`) than they are sent (`after`); they are no
    reason to write.
    `held` is what would happen to a blocked object if no limit held it back.
    `kept` is true where the SQL does not change because there is too little evidence to compare it.
    `desired` and `live` are the whole objects; either is None where there is none. `generated` is the SQL that Statsig
    makes of a live metric, by unit type, where it was asked for. `origin` is None where nobody asked for it.
    """

    action: Action
    kind: Kind
    name: str
    unique_id: str = ""
    live_name: str = ""
    fields: tuple[FieldChange, ...] = ()
    not_kept: tuple[FieldChange, ...] = ()
    reason: str = ""
    fix: str = ""
    requires: tuple[str, ...] = ()
    after: tuple[tuple[Kind, str], ...] = ()
    held: Action | None = None
    kept: bool = False
    adopted: bool = False
    desired: Source | None = None
    live: Source | None = None
    generated: tuple[tuple[str, str], ...] = ()
    origin: Origin | None = None

    def blocked(self, reason: str, fix: str) -> Change:
        """The change as one that must not be made."""
        return structs.replace(self, action=Action.BLOCKED, reason=reason, fix=fix)

    @property
    def is_from_console(self) -> bool:
        """Whether the audit log shows that somebody changed the object in Statsig."""
        return self.origin is not None and self.origin.where in {Where.CONSOLE, Where.BOTH}

    @property
    def drifted(self) -> bool:
        """Whether it undoes what was, or may have been, changed in Statsig."""
        return self.origin is not None and self.origin.where is not Where.PROJECT

    @property
    def is_partial(self) -> bool:
        """Whether an update sends the changed fields alone."""
        return SPECS[self.kind].can_send([field.field for field in self.fields])

    @property
    def needed(self) -> tuple[tuple[Kind, str], ...]:
        """What has to be done before, each with its kind."""
        return (*((self.kind, name) for name in self.requires), *self.after)

    def called(self, needed: tuple[Kind, str]) -> str:
        """How a message about this change names what it needs."""
        kind, name = needed
        return f'"{name}"' if kind is self.kind else f'{kind.label} "{name}"'


class Plan(Struct, frozen=True, kw_only=True):
    """All changes, in a stable order, for one dbt project (and its namespace) against one console.

    `disabled` are the objects whose declarations are disabled in this dbt target; they stay as they are.
    """

    project: str
    changes: tuple[Change, ...]
    disabled: tuple[Change, ...] = ()
    namespace: str = ""

    @property
    def owner(self) -> str:
        """Whose objects these are, as their ownership line names it: `shop`, or `shop@dev`."""
        return owner_name(self.project, self.namespace)


def is_standing(change: Change) -> bool:
    """Whether the declared object is there as this project's own, whatever becomes of the change."""
    return change.live is not None and not change.adopted and change.action is not Action.FOREIGN


def united(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes, with each blocked that requires one which is not written: what replaces and what goes are one."""
    found = list(changes)
    while True:
        ready = {(change.kind, change.name) for change in found if change.action.writes}
        unmet = [
            (index, change.called(needed))
            for index, change in enumerate(found)
            if change.action.writes
            for needed in change.needed
            if needed not in ready
        ]
        if not unmet:
            return tuple(found)
        for place, name in unmet:
            reason = f"{name}, which must be written first, is not written."
            reason = f"{reason[0].upper()}{reason[1:]}"
            found[place] = structs.replace(found[place], action=Action.BLOCKED, reason=reason, fix=f"See {name}.")
