"""Which live objects are a run's own, by their ownership lines. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dbt_statsig.vocabulary.ownership import Ownership, is_of, notes_of, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dbt_statsig.planning.asked import Desired, Live, Scope
    from dbt_statsig.vocabulary.sources import Kind, Source


def owned(scope: Scope, live: Mapping[Kind, Live], desired: Sequence[Desired] = ()) -> dict[Kind, int]:
    """How many live objects of each kind have the ownership line of this project and namespace."""
    return {kind: len(owners(held, scope, [one for one in desired if one.kind is kind])) for kind, held in live.items()}


def owned_nodes(live: Mapping[Kind, Live], is_ours: Callable[[Ownership], bool]) -> dict[tuple[Kind, str], str]:
    """The node of each live object, by kind and name, whose ownership line is ours."""
    lines = {(kind, item.name): owner_of(item.description) for kind, held in live.items() for item in held.items}
    return {key: line.unique_id for key, line in lines.items() if line is not None and is_ours(line)}


def absent(scope: Scope, live: Mapping[Kind, Live], has_node: Callable[[str], bool]) -> dict[str, int]:
    """The nodes of own objects that the manifest does not have, each with the number of its objects."""
    nodes = (unique_id for held in live.values() for unique_id in owners(held, scope).values())
    return Counter(unique_id for unique_id in nodes if not has_node(unique_id))


def owners(live: Live, scope: Scope, wanted: Iterable[Desired] = ()) -> dict[str, str]:
    """The names of the objects that are this run's own, each with its node."""
    lines = {item.name: Ownership(scope.project, item.unique_id, scope.namespace) for item in wanted}
    found = ((item.name, owner_of(item.description) or _changed_line(item, lines)) for item in live.items)
    return {name: line.unique_id for name, line in found if line is not None and line.owner == scope.owner}


def _changed_line(item: Source, lines: Mapping[str, Ownership]) -> Ownership | None:
    """The ownership line of what is declared, where Statsig changed its case or put it behind the text.

    Under another name it counts only where this program has noted that change.
    """
    is_noted = "description" in notes_of(item.description)
    likely = [lines[item.name]] if item.name in lines else []
    return next(
        (line for line in (*likely, *(lines.values() if is_noted else ())) if is_of(item.description, line)), None
    )
