"""Whether what Statsig has reads other schemas than the manifest has, as when it is of another dbt target. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt_statsig.project.artifacts.nodes import BUILT
from dbt_statsig.vocabulary.ownership import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dbt_statsig.planning.matching import Live, Scope
    from dbt_statsig.project.artifacts import Node
    from dbt_statsig.vocabulary.sources import Kind, Source

"""The resource types that dbt builds, each in the schema of its target."""

_QUOTES = str.maketrans("", "", '"`[]')


def relocated(live: Mapping[Kind, Live], node_of: Callable[[str], Node | None], scope: Scope) -> str:
    """Why the manifest seems to be of another target, or nothing.

    It does where all objects of a kind that this project owns, as far as their SQL can be read, read the tables of
    their nodes in another schema or database.
    """
    for kind, held in live.items():
        moved = []
        for item in held.items:
            owner = owner_of(item.description)
            node = node_of(owner.unique_id) if owner is not None and owner.owner == scope.owner else None
            if node is None or node.resource_type not in BUILT or not node.relation_name:
                continue
            here, table = _split(_plain(node.relation_name), _plain(node.identifier))
            places = _places(_text(item), table)
            if any(_is_same(there, here) for there in places):
                break
            moved += [(item.name, there, here) for there in places[:1]]
        else:
            if moved:
                name, there, here = moved[0]
                return (
                    f"every {kind.label} of this project in Statsig that could be compared reads another schema than "
                    f'the manifest has ("{name}": {there} in Statsig, {here} in the manifest).'
                )
    return ""


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
