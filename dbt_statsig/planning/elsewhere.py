"""A plan of a dbt target that may not push: relations are compared by node, without database and schema. Pure.

A pull request is built in another schema than what Statsig reads. So the payload of a node gets the relation that the
live object has for it, as far as that is the same table in another place, and what differs then is the change itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import structs

from dbt_statsig.vocabulary.ownership import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dbt_statsig.planning.asked import Desired, Live, Scope
    from dbt_statsig.project.artifacts import Node
    from dbt_statsig.vocabulary.sources import Kind, Source

_PART = r'(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|[\w$-]+)'
_QUOTES = str.maketrans("", "", '"`[]')


def by_node(
    desired: Iterable[Desired], live: Mapping[Kind, Live], node_of: Callable[[str], Node | None], scope: Scope
) -> Iterator[Desired]:
    """What is declared, with the relations of this project's live objects in place of the manifest's."""
    for item in desired:
        node = node_of(item.unique_id)
        held = _held(item, live, scope)
        if item.payload is None or node is None or held is None:
            yield item
            continue
        same = set(_mentions(item.payload, node.identifier))
        there = [one for one in _mentions(held, node.identifier) if one not in same]
        yield structs.replace(item, **_moved(item, node, there[0])) if there else item


def _held(item: Desired, live: Mapping[Kind, Live], scope: Scope) -> Source | None:
    """The own object that the item is about: of its name, else of its node."""
    items = live[item.kind].items if item.kind in live else ()
    lines = [(one, owner_of(one.description)) for one in items]
    own = [(one, line.unique_id) for one, line in lines if line is not None and line.owner == scope.owner]
    named = [one for one, _ in own if one.name == item.name]
    return next(iter(named or [one for one, unique_id in own if unique_id == item.unique_id]), None)


def _mentions(item: Source, table: str) -> list[str]:
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
    pattern, here = _pattern(node.identifier), _plain(node.relation_name or "")

    def moved(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        return pattern.sub(lambda match: there if f".{here}".endswith(f".{_plain(match[0])}") else match[0], text)

    payload: Any = item.payload
    names = [name for name in ("sql", "table_name") if hasattr(payload, name)]
    values: dict[str, Any] = {
        "payload": structs.replace(payload, **{name: moved(getattr(payload, name)) for name in names})
    }
    if item.basis is not None and item.basis.query is not None:
        query = structs.replace(item.basis.query, after=moved(item.basis.query.after))
        values["basis"] = structs.replace(item.basis, query=query)
    return values


def _plain(text: str) -> str:
    return text.translate(_QUOTES).casefold()
