"""Names that move on among a project's own objects: C was A before, and A was B. Pure.

A name that is taken again at once looks like a change of the object that has it. Who had which name is known by the
`adopt` keys of blocks, or where all that objects of one node give is declared again, under other names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from dbt_statsig.planning.kept import suited
from dbt_statsig.planning.metrics import gives_same
from dbt_statsig.vocabulary.ownership import is_archived

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from dbt_statsig.planning.asked import Desired
    from dbt_statsig.vocabulary.sources import Source

    _Gives = Callable[[Desired, Source], bool]


def _gives(item: Desired, live: Source) -> bool:
    return item.payload is not None and gives_same(suited(item, item.payload, live).payload, live)


def chained(
    asked: Iterable[tuple[str, str]], declared: Collection[str], movable: Collection[str], own: Collection[str]
) -> dict[str, str]:
    """Of pairs of an old and a new name, those that can be: new names, each with the `movable` object that gets it.

    A new name is free, or gets free by another pair; what has the old name does not keep it.
    """
    pairs = sorted((old, new) for old, new in asked if old in movable and new in declared and old != new)
    found: dict[str, str] = {}
    while more := [(old, new) for old, new in pairs if new not in found and (new not in own or new in found.values())]:
        found |= {new: old for old, new in more}
    return _possible(found, declared, own)


def shifted(
    wanted: Iterable[Desired],
    movable: Mapping[str, str],
    live: Mapping[str, Source],
    declared: Collection[str],
    named: Mapping[str, str],
    *,
    gives: _Gives = _gives,
) -> dict[str, str]:
    """New names, each with the own object of its node that gives the very same, where names have moved on.

    `movable` are own objects that may get another name, with their nodes; what is `named` is settled. `gives` says
    what is the very same. A circle of names is found too.
    """
    items: dict[str, list[Desired]] = defaultdict(list)
    held: dict[str, dict[str, Source]] = defaultdict(dict)
    for item in wanted:
        if item.name not in named:
            items[item.unique_id].append(item)
    for name, unique_id in movable.items():
        if name not in named.values() and not is_archived(live[name].description):
            held[unique_id][name] = live[name]
    found: dict[str, str] = {}
    for unique_id, ours in held.items():
        if len(ours) > 1 and _has_changed(items[unique_id], ours, gives):
            moves = _possible(_same(items[unique_id], ours, gives), declared, live)
            # An old and a new name that have nothing to do with others are a plain rename, or none.
            found |= {new: old for new, old in moves.items() if new in live or old in declared}
    return found


def moved_from(wanted: Iterable[Desired], live: Mapping[str, Source], owners: Mapping[str, str]) -> set[str]:
    """New names that give what another own object of the node does, whose own name now stands for something else."""
    items: dict[str, list[Desired]] = defaultdict(list)
    for item in wanted:
        items[item.unique_id].append(item)
    found: set[str] = set()
    for ours in items.values():
        new = [item for item in ours if item.name not in owners]
        there = [item for item in ours if item.name in owners] if new else []
        changed = [live[item.name] for item in there if item.payload is not None and not _gives(item, live[item.name])]
        found |= {item.name for item in new if any(_gives(item, one) for one in changed)}
    return found


def _possible(moves: dict[str, str], declared: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """The moves to a name that is free or gets free, of objects whose old name is not declared, or goes to another."""

    def is_stuck(new: str, old: str) -> bool:
        return (new in taken and new not in moves.values()) or (old in declared and old not in moves)

    while stuck := [new for new, old in moves.items() if is_stuck(new, old)]:
        moves = {new: old for new, old in moves.items() if new not in stuck}
    return moves


def _has_changed(items: Iterable[Desired], live: Mapping[str, Source], gives: _Gives) -> bool:
    """Whether one gives something else than the object of its name, and nothing is unknown."""
    there = [(item, live[item.name]) for item in items if item.name in live]
    return all(item.payload is not None for item in items) and not all(gives(item, one) for item, one in there)


def _same(items: Iterable[Desired], live: Mapping[str, Source], gives: _Gives) -> dict[str, str]:
    """Declared names with the one object of another name that gives the very same, and that no other one gives."""
    same = {item.name: [name for name, one in live.items() if gives(item, one)] for item in items}
    takers = Counter(name for names in same.values() for name in names)
    certain = {new: names[0] for new, names in same.items() if len(names) == 1 and takers[names[0]] == 1}
    return {new: old for new, old in certain.items() if new != old}
