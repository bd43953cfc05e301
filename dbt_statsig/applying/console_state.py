"""What the console holds now, and how far that can be trusted."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.errors import ConsoleError, ProtocolError
from dbt_statsig.planning.matching import Desired, Live
from dbt_statsig.support.threads import answers, in_background
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import owner_of
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from dbt_statsig.console.client import ConsoleClient, Entry, Listing
    from dbt_statsig.vocabulary.progress import Progress

_LOOKED_FOR = 2
_AT_ONCE = 8


class Reading(Struct, frozen=True, kw_only=True):
    """The live objects of each kind, and what is not known of them.

    `unread` are the names of objects of which only name and description could be read, `unsure` names that may be
    there although the list lacks them; each with the reason. A kind in `blind` has a list that may lack some and no
    other way to look. `warnings` tell people all that, and `notes` what concerns no declared source. `unpublished` are
    the values that no write can send, by the object's name and their places.
    """

    live: Mapping[Kind, Live]
    unread: Mapping[Kind, Mapping[str, str]] = {}
    unsure: Mapping[Kind, Mapping[str, str]] = {}
    blind: Mapping[Kind, str] = {}
    unpublished: Mapping[Kind, Mapping[str, Mapping[str, Any]]] = {}
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def begin_reading(client: ConsoleClient, kinds: Iterable[Kind], progress: Progress) -> Future[dict[Kind, Listing]]:
    """Begin to read the list of each kind beside the caller's work.

    Asking for the result raises ConsoleError. Closing the client ends the reading.
    """

    def read() -> dict[Kind, Listing]:
        lists = {}
        for kind in kinds:
            progress.say(f"Reading {kind.label}s")
            lists[kind] = client.list(kind)
        return lists

    return in_background(read)


def read_others(client: ConsoleClient, kinds: Iterable[Kind]) -> dict[Kind, Live]:
    """The live objects of further kinds, of which nothing is declared; a list that cannot be read is left out."""
    lists = {kind: in_background(partial(client.list, kind)) for kind in kinds}
    found = {}
    for kind, read in lists.items():
        with contextlib.suppress(ConsoleError):
            listing = read.result()
            found[kind] = Live(items=listing.items, complete=listing.complete)
    return found


def checked_live(client: ConsoleClient, lists: Mapping[Kind, Listing], desired: Sequence[Desired]) -> Reading:
    """The live objects of each kind; a list that may lack some is read once more, then what it lacks is looked for.

    Raises ConsoleError; a ProtocolError for a list that is empty although objects which it should hold are there.
    """
    live: dict[Kind, Live] = {}
    unread: dict[Kind, Mapping[str, str]] = {}
    unpublished: dict[Kind, Mapping[str, Mapping[str, Any]]] = {}
    unsure: dict[Kind, Mapping[str, str]] = {}
    blind: dict[Kind, str] = {}
    warnings: list[str] = []
    notes: list[str] = []
    for kind, listing in lists.items():
        found = listing
        names = [item.name for item in desired if item.kind is kind and not item.blocked and not item.disabled]
        if not listing.items:
            found = _doubted(client, kind, listing, names)
        if not found.complete:
            found = client.list(kind)
        if not found.complete:
            warnings.append(f"The list of {kind.label}s may be incomplete: {found.doubt}")
            if SPECS[kind].can_read:
                found, unsure[kind] = _looked_up(client, kind, found, names)
            else:
                blind[kind] = found.doubt
        live[kind] = Live(items=found.items, complete=found.complete)
        unread[kind] = found.unread
        unpublished[kind] = found.unpublished
        notes += _foreign(kind, found, names)
    return Reading(
        live=live,
        unread=unread,
        unsure=unsure,
        blind=blind,
        unpublished=unpublished,
        warnings=tuple(warnings),
        notes=tuple(notes),
    )


def _looked_up(
    client: ConsoleClient, kind: Kind, listing: Listing, names: Sequence[str]
) -> tuple[Listing, dict[str, str]]:
    """The list with the declared names that it lacks but that are there, and those that could not be looked for."""
    held = {item.name for item in listing.items}
    missing = [name for name in names if name not in held]
    found: list[Entry] = []
    unsure: dict[str, str] = {}
    for name, answer in answers(partial(client.find, kind), missing, at_once=_AT_ONCE):
        if isinstance(answer, ConsoleError):
            unsure[name] = answer.message
        elif answer is not None:
            found.append(answer)
    more = {entry.source.name: entry.unpublished for entry in found}
    items = (*listing.items, *(entry.source for entry in found))
    return structs.replace(listing, items=items, unpublished={**listing.unpublished, **more}), unsure


def _foreign(kind: Kind, listing: Listing, names: Sequence[str]) -> Iterator[str]:
    """A note for each object that cannot be read and that no declaration and no ownership line is about."""
    for item in listing.items:
        if item.name in listing.unread and item.name not in names and owner_of(item.description) is None:
            fault = listing.unread[item.name]
            yield f'The {kind.label} "{item.name}" in Statsig cannot be read ({fault}). It is skipped.'


def _doubted(client: ConsoleClient, kind: Kind, listing: Listing, names: Sequence[str]) -> Listing:
    """Look for a few of the declared names, as an empty list would have everything created again.

    A list that has just been filled by somebody else is read again. Where looking gives no answer there is no doubt
    either: how the API answers for a missing object is not published.
    """
    step = max(1, len(names) // _LOOKED_FOR)
    chosen = names[::step][:_LOOKED_FOR]
    for name, found in answers(partial(client.get, kind), chosen, at_once=_LOOKED_FOR):
        if isinstance(found, ConsoleError):
            return listing
        if found is None:
            continue
        again = client.list(kind)
        if not again.items:
            raise ProtocolError(
                f'The list of {kind.label}s came back empty, but "{name}" exists. The list cannot be trusted.',
                fix="Nothing was written. Run it again, and report it to Statsig if it happens again.",
            )
        return again
    return listing
