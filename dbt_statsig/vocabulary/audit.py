"""Entries of Statsig's audit log, as far as they are about objects that this program manages.

Facts: Statsig's published Console API description. It names the actions, no action for qualifying events, and gives
`changes` as `{field: {old, new}}`; which fields of a source are in it, and what an API key is called, it does not say.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import Source

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.sources import Kind

REVIEWS = frozenset(
    f"{verb}_echidna_source_review" for verb in ("create", "update", "accept", "reject", "commit", "delete")
)
"""The actions of a source's review."""

_BY_SUFFIX = {
    "_name": {"name"},
    "_name_edit": {"name"},
    "_is_verified": {"is_verified"},
    "_is_permanent": {"is_permanent"},
    "_directionality": {"directionality"},
    "_owner": {"owner"},
    "_owners": {"owner"},
    "_edit_description": {"description"},
    "_add_tag": {"tags"},
    "_remove_tag": {"tags"},
    "_tag_or_description": {"tags", "description"},
}


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One entry: who did what to the object of this name, and when (None: it could not be read).

    `fields` are those that it changed (snake_case), empty where it does not say; `before` and `after` hold their
    values, as far as they could be read.
    """

    name: str
    action: str
    at: datetime | None = None
    who: str = ""
    who_id: str = ""
    email: str = ""
    fields: frozenset[str] = frozenset()
    before: Source | None = None
    after: Source | None = None

    @property
    def actor(self) -> str:
        """What tells one actor from another."""
        return self.who_id or self.email or self.who

    @property
    def by(self) -> str:
        """Who it was, for a message."""
        return f"{self.who} ({self.email})" if self.who and self.email else self.who or self.email or self.who_id

    @property
    def when(self) -> str:
        """The time in UTC, for a message; empty where it is not known."""
        return f"{self.at:%Y-%m-%d %H:%M} UTC" if self.at else ""

    @property
    def deletes(self) -> bool:
        """Whether the object was deleted."""
        return self.action.startswith("delete_") or self.action.endswith("_delete")

    @property
    def creates(self) -> bool:
        """Whether the object was created."""
        return self.action.startswith("create_") or self.action.endswith("_create")

    @property
    def is_person(self) -> bool:
        """Whether it has an address: an API key of a project has none."""
        return "@" in self.email

    def is_about(self, kind: Kind) -> bool:
        """Whether it can be about an object of this kind that is called the same."""
        return self.action in SPECS[kind].audited


class AuditLog(Struct, frozen=True, kw_only=True):
    """The entries that were read, newest first; `whole` where there are no older ones."""

    entries: tuple[AuditEntry, ...] = ()
    whole: bool = False


def fields_of(action: str) -> frozenset[str]:
    """The fields that an action changes by its name; empty where the name does not say."""
    return frozenset(next((fields for suffix, fields in _BY_SUFFIX.items() if action.endswith(suffix)), ()))
