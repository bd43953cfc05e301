"""What the console holds now, and how far that can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.errors import ConsoleError, ProtocolError
from dbt_statsig.planning.matching import Desired, Live

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.console.client import ConsoleClient, Listing
    from dbt_statsig.progress import Progress
    from dbt_statsig.sources import Kind

_LOOKED_FOR = 2


def read_live(
    client: ConsoleClient, kinds: Iterable[Kind], desired: Sequence[Desired], told: Progress
) -> tuple[dict[Kind, Live], list[str]]:
    """The live objects of each kind, and a warning for each list that may lack some.

    Raises ConsoleError; a ProtocolError for a list that is empty although objects which it should hold are there.
    """
    live: dict[Kind, Live] = {}
    warnings = []
    for kind in kinds:
        told.say(f"Reading {kind.label}s")
        listing = client.list(kind)
        if not listing.items:
            names = [item.name for item in desired if item.kind is kind and not item.blocked]
            listing = _doubted(client, kind, listing, names)
        live[kind] = Live(items=listing.items, complete=listing.complete)
        if not listing.complete:
            warnings.append(f"The list of {kind.label}s may lack some: {listing.doubt}")
    return live, warnings


def _doubted(client: ConsoleClient, kind: Kind, listing: Listing, names: Sequence[str]) -> Listing:
    """Look for a few of the declared names, as an empty list would have everything created anew.

    A list that has just been filled by somebody else is read again. Where looking gives no answer there is no doubt
    either: how the API answers for a missing object is not published.
    """
    step = max(1, len(names) // _LOOKED_FOR)
    for name in names[::step][:_LOOKED_FOR]:
        try:
            found = client.get(kind, name)
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
