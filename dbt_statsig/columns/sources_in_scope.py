"""The tables of one FROM clause, as the SELECT list sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.items import Drop, Items, Name, Opaque, group, together
from dbt_statsig.columns.operations import drop

if TYPE_CHECKING:
    from dbt_statsig.columns.adapters import Adapter

# Where a star keeps the columns of USING in the left table's place; elsewhere they come first, as the standard says.
_USING_IN_PLACE = frozenset({"duckdb", "clickhouse"})


class Source(Struct, frozen=True, kw_only=True):
    """One entry of FROM: the name that qualifies its columns (empty: none), and what it gives.

    `visible` is False for the right side of a SEMI or ANTI join.
    """

    alias: str
    items: Items
    visible: bool = True


class Scope(Struct, frozen=True, kw_only=True):
    """All entries of FROM; `everything` is what `*` gives.

    `plain`: that is the entries' columns, one after the other, but for those of `using` (keys).
    """

    sources: tuple[Source, ...]
    everything: Items
    plain: bool = True
    using: frozenset[str] = frozenset()

    def named(self, alias: str) -> Source | Opaque | None:
        """The entry that is called so, or None where there is none."""
        wanted = alias.casefold()
        found = [source for source in self.sources if source.alias.casefold() == wanted]
        if len(found) > 1:
            return Opaque(f"two tables are called {alias}")
        return found[0] if found else None


NOTHING = Scope(sources=(), everything=(Opaque("a star without a table"),))


def combine(adapter: Adapter, left: Items, right: Items, *, using: tuple[str, ...], natural: bool) -> Items:
    """What `*` gives after one more join; `using` holds stored names."""
    if natural:
        return (group("natural", left, right),)
    if not using:
        return together(left, right)
    op = Drop(frozenset(adapter.key(name) for name in using))
    if adapter.dialect in _USING_IN_PLACE:
        return together(left, drop(adapter, right, op))
    merged: Items = tuple(Name(name) for name in using)
    return together(merged, drop(adapter, left, op), drop(adapter, right, op))
