"""What Statsig keeps otherwise than it was sent: noted in the ownership line, so that it is not sent for ever. Pure.

A server may trim, escape or lower-case a text, add a tag, or drop a flag. The note has a digest of each such field, of
the value that was sent and the one that is kept. While both stay as they are, there is nothing to write.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.planning.basis import settled
from dbt_statsig.vocabulary.changes import FieldChange
from dbt_statsig.vocabulary.comparison import canonical, differences
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding
from dbt_statsig.vocabulary.ownership import is_of, keeping, notes_of, noting, owner_of, plain
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Source
from dbt_statsig.vocabulary.yaml_text import two_in_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dbt_statsig.planning.asked import Desired
    from dbt_statsig.planning.basis import Settled
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.results import Outcome

_DIGITS = 12
NOT_KEPT = "not-kept"


class Compared(Struct, frozen=True, kw_only=True):
    """A payload beside the live object. `found` are all differences but that of the note at the end of the description.

    `notes` is that note, and `is_ours` whether the live object has the payload's ownership line.
    """

    payload: Source
    live: Source
    found: tuple[FieldChange, ...]
    notes: dict[str, str] = {}
    is_ours: bool = False

    @property
    def kept(self) -> tuple[FieldChange, ...]:
        """The differences that are noted: Statsig keeps `before` wherever `after` is sent."""
        return tuple(one for one in self.found if self.notes.get(one.field) == _digest(self.payload, one))

    @property
    def open(self) -> tuple[FieldChange, ...]:
        """The differences that are not noted."""
        kept = self.kept
        return tuple(one for one in self.found if one not in kept)

    @property
    def desired(self) -> Source:
        """What is to be sent: the payload, with a note of what is known to be kept."""
        return self._noting(self.kept)

    @property
    def noted(self) -> Source:
        """The payload with a note of every difference."""
        return self._noting(self.found)

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        """What is to be written: the differences that are not noted, and the description where its note is not true."""
        kept, desired = self.kept, self.desired
        changes = {one.field: one for one in self.open}
        if self.is_ours and self.notes.keys() != {one.field for one in kept}:
            changes["description"] = FieldChange(
                field="description", before=self.live.description, after=desired.description
            )
        return tuple(changes[field] for field in desired.__struct_fields__ if field in changes)

    def _noting(self, fields: Iterable[FieldChange]) -> Source:
        notes = {one.field: _digest(self.payload, one) for one in fields}
        if not self.is_ours or not isinstance(self.payload.description, str):
            return self.payload
        return structs.replace(self.payload, description=noting(self.payload.description, notes))


def compared(desired: Source, live: Source, *, retry: bool = False) -> Compared:
    """The differences of a payload; a note in the payload's own description does not count.

    With `retry` what is noted counts as if it were not: it is sent again.
    """
    text, has = desired.description, live.description
    owner = owner_of(text)
    if owner is None or not isinstance(text, str) or not isinstance(has, str) or not is_of(has, owner):
        return Compared(payload=desired, live=live, found=differences(desired, live))
    payload = structs.replace(desired, description=plain(text))
    found = differences(payload, structs.replace(live, description=plain(has)))
    notes = dict.fromkeys(notes_of(has), "") if retry else notes_of(has)
    return Compared(payload=payload, live=live, found=found, notes=notes, is_ours=True)


def suited(item: Desired, payload: Source, live: Source) -> Settled:
    """The payload for an object that is there, in the form that this has of all that means the same.

    A text that no block declares does not replace the console's.
    """
    owner = owner_of(payload.description)
    if item.default_description and owner is not None and isinstance(payload.description, str):
        text = keeping(live.description, payload.description, owner.project)
        payload = structs.replace(payload, description=text)
    return settled(payload, item.basis, live)


def _digest(payload: Source, change: FieldChange) -> str:
    sent, kept = (canonical(type(payload), change.field, value) for value in (change.after, change.before))
    parts = (change.field, sent, kept)
    return hashlib.sha256(repr(parts).encode(errors="backslashreplace")).hexdigest()[:_DIGITS]


def not_kept(changes: Iterable[Change], declarations: Sequence[Declaration], *, strict: bool) -> Iterator[Finding]:
    """One finding for each field that is known to be kept otherwise, at its key; an error if `strict`."""
    places = {(one.kind, one.name): one for one in declarations}
    for change in changes:
        declared = places.get((change.kind, change.name))
        for field in change.not_kept:
            has, wanted = two_in_yaml(field.before, field.after)
            yield finding(
                NOT_KEPT,
                f"Statsig keeps {field.field} as {has} (declared: {wanted}).",
                severity=Severity.ERROR if strict else None,
                fix=CODES[NOT_KEPT].remedy,
                unique_id=change.unique_id,
                kind=change.kind.value,
                source=change.name,
                key=f"{declared.key}.{field.field}" if declared else "",
                location=declared.locate(field.field) if declared else None,
            )


def written(outcome: Outcome) -> list[Change]:
    """The changes that were written, each with what its answer has shown to be kept otherwise."""
    done = (one for one in outcome.objects if one.status is Status.DONE and not one.already)
    return [structs.replace(one.change, not_kept=one.echo) for one in done]
