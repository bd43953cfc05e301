"""What the lists show after the writing: an answer that only repeats what was sent is no proof. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from dbt_statsig.errors import ConsoleError
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import owner_of
from dbt_statsig.vocabulary.results import ObjectOutcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dbt_statsig.console.client import ConsoleClient, Listing
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.sources import Kind, Source

_SENT = "with the values that were sent, but has others when read back"
_AGAIN = "A review may be pending, or another client changed it: check in Statsig. The next run compares again."


Differing: TypeAlias = "Callable[[Change, Source], Sequence[str]]"


class ReadBack(Struct, frozen=True, kw_only=True):
    """What became of objects that were answered as written: the outcomes that the lists contradict, and notes."""

    outcomes: tuple[ObjectOutcome, ...]
    notes: tuple[str, ...]


def read_back(client: ConsoleClient, done: Sequence[Change], differing: Differing) -> ReadBack:
    """Read one list for each kind that was written, and again where it does not show everything yet.

    Deletions are looked at one by one when they are done.
    `differing` gives the fields in which a live object is not as a change has written it.
    """
    found: list[ObjectOutcome] = []
    notes: list[str] = []
    for kind in dict.fromkeys(change.kind for change in done):
        looked = _Looked(kind, [change for change in done if change.kind is kind], differing)
        try:
            found += looked.contradicted(client)
        except ConsoleError as error:
            notes.append(f"The {kind.label}s that were written were not read back: {error.message}")
    return ReadBack(outcomes=tuple(found), notes=tuple(notes))


class _Looked:
    """The changes of one kind, beside what is there now."""

    def __init__(self, kind: Kind, changes: Sequence[Change], differing: Differing) -> None:
        self.kind = kind
        self.changes = changes
        self.differing = differing

    def contradicted(self, client: ConsoleClient) -> list[ObjectOutcome]:
        """What the list contradicts, and the object's own endpoint too where there is one. Raises ConsoleError."""
        listing = client.list_until(self.kind, lambda one: not any(self._by(one)))
        found = list(self._by(listing))
        if not SPECS[self.kind].can_read:
            return found
        alone = ((one.change, client.get(self.kind, one.change.name)) for one in found)
        return [seen for change, live in alone if (seen := self._contradiction(change, live)) is not None]

    def _by(self, listing: Listing) -> Iterator[ObjectOutcome]:
        held = {item.name: item for item in listing.items}
        for change in self.changes:
            is_known = listing.complete if change.name not in held else change.name not in listing.unread
            if is_known and (seen := self._contradiction(change, held.get(change.name))) is not None:
                yield seen

    def _contradiction(self, change: Change, live: Source | None) -> ObjectOutcome | None:
        if live is None:
            return _unconfirmed(change, "that it was written, but it is not there")
        fields = self.differing(change, live)
        return _taken(change, live) or (_unconfirmed(change, f"{_SENT}: {', '.join(fields)}") if fields else None)


def _unconfirmed(change: Change, why: str) -> ObjectOutcome:
    return ObjectOutcome(change=change, status=Status.UNKNOWN, message=f"Statsig answered {why}.", fix=_AGAIN)


def _taken(change: Change, live: Source) -> ObjectOutcome | None:
    """The failure of a change whose object another owner has now: of two that adopt it, each got it as it sent it."""
    owner = owner_of(live.description)
    expected = [owner_of(one.description) for one in (change.desired, change.live) if one is not None]
    if owner is None or owner in expected:
        return None
    return ObjectOutcome(
        change=change,
        status=Status.FAILED,
        message=f'The dbt project "{owner.owner}" took it over at the same time and owns it now.',
        fix="Agree on one owner. To take it over, run again with --adopt.",
    )
