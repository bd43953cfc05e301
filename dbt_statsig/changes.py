"""What a plan is made of: values only."""

from __future__ import annotations

from enum import Enum
from typing import Any

from msgspec import Struct

from dbt_statsig.sources import Kind, Source


class Action(str, Enum):
    """What happens to one object."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    DELETE = "delete"
    UNCHANGED = "unchanged"
    FOREIGN = "foreign"
    ORPHAN = "orphan"
    BLOCKED = "blocked"

    @property
    def writes(self) -> bool:
        """Whether applying the plan writes this object."""
        return self in {Action.CREATE, Action.UPDATE, Action.RENAME, Action.DELETE}

    @property
    def refuses(self) -> bool:
        """Whether something declared must not be written: not ours, or blocked by findings."""
        return self in {Action.FOREIGN, Action.BLOCKED}


class FieldChange(Struct, frozen=True, kw_only=True):
    """One field of one object: snake_case name, what the console has (None: nothing), what it shall have."""

    field: str
    before: Any
    after: Any


class Change(Struct, frozen=True, kw_only=True):
    """One object and what happens to it.

    `name` is the declared name (the live one for orphans and deletions), `live_name` the one in the console
    (differs for a rename), `reason` says why an object is foreign, orphaned, blocked or replaced; `fix` the next step.
    `desired` and `live` are the whole objects; either is None where there is none.
    """

    action: Action
    kind: Kind
    name: str
    unique_id: str = ""
    live_name: str = ""
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    fix: str = ""
    adopted: bool = False
    desired: Source | None = None
    live: Source | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """All changes, in a stable order, for one dbt project (and its namespace) against one console."""

    project: str
    changes: tuple[Change, ...]
    namespace: str = ""

    @property
    def owner(self) -> str:
        """Whose objects these are, as their ownership line names it: `shop`, or `shop@dev`."""
        return f"{self.project}@{self.namespace}" if self.namespace else self.project
