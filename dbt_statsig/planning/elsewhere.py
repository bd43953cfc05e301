"""Whether what Statsig has reads other schemas than the manifest has, and a plan of a target that may not push. Pure.

A pull request is built in another schema than what Statsig reads. So the payload of a node gets the relation that the
live object has for it, as far as that is the same table in another place, and what differs then is the change itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.planning.basis import read_list
from dbt_statsig.project.artifacts.nodes import BUILT
from dbt_statsig.vocabulary.ownership import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dbt_statsig.planning.asked import Desired, Live, Scope
    from dbt_statsig.project.artifacts import Node
    from dbt_statsig.vocabulary.sources import Kind, Source

_PART = r'(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|[\w$-]+)'
_RELATION = re.compile(rf"(?:{_PART}\.){{0,2}}{_PART}")
_FROM = re.compile(rf"FROM\s+({_RELATION.pattern})(?=\s|$)", re.IGNORECASE)
_LAST = re.compile(r".*\.", re.DOTALL)
_QUOTES = str.maketrans("", "", '"`[]')


def by_node(
    desired: Iterable[Desired], live: Mapping[Kind, Live], node_of: Callable[[str], Node | None], scope: Scope
) -> tuple[tuple[Desired, ...], tuple[str, ...]]:
    """What is declared, with the relations of this project's live objects in place of the manifest's.

    An alias may follow the target too, so an object of the same node may read a table of another name. That is not
    certain, so each pair of such names comes second.
    """
    moved: list[Desired] = []
    renamed: list[str] = []
    for item in desired:
        node = node_of(item.unique_id)
        held = _held(item, live, scope)
        there = "" if item.payload is None or node is None or held is None else _place(item, node, held)
        moved.append(structs.replace(item, **_moved(item, node, there)) if node is not None and there else item)
        if node is not None and there and not _pattern(node.identifier).fullmatch(there):
            renamed.append(f"{_name(there)} in Statsig is {node.identifier} here")
    return tuple(moved), tuple(sorted(set(renamed)))


def _held(item: Desired, live: Mapping[Kind, Live], scope: Scope) -> Source | None:
    """The own object that the item is about: of its name, else of its node."""
    items = live[item.kind].items if item.kind in live else ()
    lines = [(one, owner_of(one.description)) for one in items]
    own = [(one, line.unique_id) for one, line in lines if line is not None and line.owner == scope.owner]
    named = [one for one, _ in own if one.name == item.name]
    return next(iter(named or [one for one, unique_id in own if unique_id == item.unique_id]), None)


def _place(item: Desired, node: Node, held: Source) -> str:
    """The relation that the live object has for the node, where it is written otherwise than the payload has it."""
    mentions = _mentions(held, node.identifier)
    if not mentions:
        return _renamed(item, held)
    same = set(_mentions(item.payload, node.identifier))
    return next((one for one in mentions if one not in same), "")


def _renamed(item: Desired, held: Source) -> str:
    """The one relation that a live object of the same node reads; empty where that is uncertain."""
    line = owner_of(held.description)
    if line is None or line.unique_id != item.unique_id:
        return ""
    table = getattr(held, "table_name", None)
    if isinstance(table, str) and table:
        return table if _RELATION.fullmatch(table) else ""
    items, rest = read_list(held.sql) if isinstance(held.sql, str) else (None, "")
    found = _FROM.match(rest) if items else None
    return found[1] if found else ""


def _name(relation: str) -> str:
    """The last part of a relation."""
    return _LAST.sub("", relation).translate(_QUOTES)


def _mentions(item: Source | None, table: str) -> list[str]:
    texts = (getattr(item, "sql", None), getattr(item, "table_name", None))
    return [match[0] for text in texts if isinstance(text, str) for match in _pattern(table).finditer(text)]


def _pattern(table: str) -> re.Pattern[str]:
    """A table with what stands before it, quoted part by part or as a whole."""
    name = re.escape(table)
    quoted = rf'(?:"{name}"|`{name}`|\[{name}\]|{name})'
    whole = rf"`[^`\s]+\.{name}`"
    return re.compile(rf"(?<![\w$.\"`\]-])(?:{whole}|(?:{_PART}\.){{1,2}}{quoted})(?![\w$.-])", re.IGNORECASE)


def _moved(item: Desired, node: Node, there: str) -> dict[str, Any]:
    """The parts of the item that hold the node's relation, with the live one in its place."""
    pattern, here = _pattern(node.identifier), _caseless(node.relation_name or "")

    def moved(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        return pattern.sub(lambda match: there if f".{here}".endswith(f".{_caseless(match[0])}") else match[0], text)

    payload: Any = item.payload
    names = [name for name in ("sql", "table_name") if hasattr(payload, name)]
    values: dict[str, Any] = {
        "payload": structs.replace(payload, **{name: moved(getattr(payload, name)) for name in names})
    }
    if item.basis is not None and item.basis.query is not None:
        query = structs.replace(item.basis.query, after=moved(item.basis.query.after))
        values["basis"] = structs.replace(item.basis, query=query)
    return values


def _caseless(text: str) -> str:
    return text.translate(_QUOTES).casefold()


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
    count where another object reads what the manifest has in the same place.
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
        here, table = _split(_caseless(node.relation_name), _caseless(node.identifier))
        places = _places(_table_or_sql(item), table)
        same = (there for there in places if _is_same(there, here))
        if places:
            yield _Compared(name=item.name, there=next(same, places[0]), here=here)


def _table_or_sql(item: Source) -> str:
    parts = (getattr(item, "sql", None), getattr(item, "table_name", None))
    return _caseless("\n".join(part for part in parts if isinstance(part, str)))


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
