"""Whether what Statsig has reads other schemas than the manifest has, as when it is of another dbt target. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.project.artifacts.nodes import BUILT
from dbt_statsig.vocabulary.ownership import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dbt_statsig.planning.matching import Live, Scope
    from dbt_statsig.project.artifacts import Node
    from dbt_statsig.vocabulary.sources import Kind, Source

_QUOTES = str.maketrans("", "", '"`[]')


class _Compared(Struct, frozen=True, kw_only=True):
    """One object of which both the live place of its node's table and the manifest's are known."""

    name: str
    there: str
    here: str

    @property
    def has_moved(self) -> bool:
        return not _is_same(self.there, self.here)


def relocated(live: Mapping[Kind, Live], node_of: Callable[[str], Node | None], scope: Scope) -> str:
    """Why the manifest seems to be of another target, or nothing.

    It does where all objects of a kind that this project owns, as far as their SQL can be read, read the tables of
    their nodes in another schema or database. A single object of a kind may have been edited in Statsig: it does not
    count where another object reads what the manifest has in the very same place.
    """
    found = {kind: list(_compared(held.items, node_of, scope)) for kind, held in live.items()}
    settled = {one.here for items in found.values() for one in items if not one.has_moved}
    for kind, items in found.items():
        edited = len(items) == 1 and items[0].here in settled
        if items and not edited and all(one.has_moved for one in items):
            return (
                f"every {kind.label} of this project in Statsig that could be compared reads another schema than "
                f'the manifest has ("{items[0].name}": {items[0].there} in Statsig, {items[0].here} in the manifest).'
            )
    return ""


def _compared(items: Iterable[Source], node_of: Callable[[str], Node | None], scope: Scope) -> Iterator[_Compared]:
    for item in items:
        owner = owner_of(item.description)
        node = node_of(owner.unique_id) if owner is not None and owner.owner == scope.owner else None
        if node is None or node.resource_type not in BUILT or not node.relation_name:
            continue
        here, table = _split(_plain(node.relation_name), _plain(node.identifier))
        places = _places(_text(item), table)
        same = (there for there in places if _is_same(there, here))
        if places:
            yield _Compared(name=item.name, there=next(same, places[0]), here=here)


def _plain(text: str) -> str:
    return text.translate(_QUOTES).casefold()


def _text(item: Source) -> str:
    parts = (getattr(item, "sql", None), getattr(item, "table_name", None))
    return _plain("\n".join(part for part in parts if isinstance(part, str)))


def _split(relation: str, table: str) -> tuple[str, str]:
    """What stands before the table in a relation's name, and the table; the name of either may hold dots."""
    if table and relation.endswith(f".{table}"):
        return relation[: -len(table) - 1], table
    here, _, last = relation.rpartition(".")
    return here, last


def _places(text: str, table: str) -> list[str]:
    """What stands before each mention of a table: `schema`, or `database.schema`."""
    pattern = rf"(?<![\w$.-])((?:[\w$-]+\.)?[\w$-]+)\.{re.escape(table)}(?![\w$.-])"
    return [match[1] for match in re.finditer(pattern, text)]


def _is_same(one: str, other: str) -> bool:
    """Whether two places are the same, as far as both name their parts."""
    parts = zip(reversed(one.split(".")), reversed(other.split(".")), strict=False)
    return all(left == right for left, right in parts)
