"""What the console holds now, and how far that can be trusted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dbt_statsig.background import begun
from dbt_statsig.errors import ConsoleError, ProtocolError
from dbt_statsig.planning.matching import Desired, Live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dbt_statsig.console.client import ConsoleClient, Listing
    from dbt_statsig.progress import Progress
    from dbt_statsig.sources import Kind

_LOOKED_FOR = 2


def begin_reading(client: ConsoleClient, kinds: Iterable[Kind], told: Progress) -> Callable[[], Mapping[Kind, Listing]]:
    """Begin to read the list of each kind beside the caller's work; what is returned waits for them.

    It raises ConsoleError. Closing the client ends the reading.
    """

    def read() -> dict[Kind, Listing]:
        lists = {}
        for kind in kinds:
            told.say(f"Reading {kind.label}s")
            lists[kind] = client.list(kind)
        return lists

    return begun(read)


def checked_live(
    client: ConsoleClient, lists: Mapping[Kind, Listing], desired: Sequence[Desired]
) -> tuple[dict[Kind, Live], list[str]]:
    """The live objects of each kind, and a warning for each list that may lack some.

    Raises ConsoleError; a ProtocolError for a list that is empty although objects which it should hold are there.
    """
    live: dict[Kind, Live] = {}
    warnings = []
    for kind, listing in lists.items():
        found = listing
        if not listing.items:
            names = [item.name for item in desired if item.kind is kind and not item.blocked and not item.disabled]
            found = _doubted(client, kind, listing, names)
        live[kind] = Live(items=found.items, complete=found.complete)
        if not found.complete:
            warnings.append(f"The list of {kind.label}s may lack some: {found.doubt}")
    return live, warnings


def _doubted(client: ConsoleClient, kind: Kind, listing: Listing, names: Sequence[str]) -> Listing:
    """Look for a few of the declared names, as an empty list would have everything created anew.

    A list that has just been filled by somebody else is read again. Where looking gives no answer there is no doubt
    either: how the API answers for a missing object is not published.
    """
    step = max(1, len(names) // _LOOKED_FOR)
    chosen = names[::step][:_LOOKED_FOR]
    looks = [begun(partial(client.get, kind, name)) for name in chosen]
    for name, look in zip(chosen, looks, strict=True):
        try:
            found = look()
        except ConsoleError:
            return listing
        if found is None:
            continue
        again = client.list(kind)
        if not again.items:
            raise ProtocolError(
                f'The list of {kind.label}s came back empty, but "{name}" is there: it cannot be trusted.',
                fix="Nothing was written; run it again, and tell Statsig if it stays so.",
            )
        return again
    return listing
