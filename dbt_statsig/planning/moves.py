"""Which declared name takes over which live name, and what has to move out of its way first. Pure.

Two names are twins where they differ only in case or in the Unicode form of the same characters: people, and perhaps
the server, take them for one, so that no name is given beside its twin.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dbt_statsig.vocabulary.sources import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Moves:
    """The renames of one kind: `renames` are declared names, each with the live name that it replaces."""

    def __init__(self, live_names: Iterable[str], renames: Mapping[str, str]) -> None:
        """Find the renames that can be made: whose new name is free, or gets free by another of them."""
        self._spellings: dict[str, list[str]] = defaultdict(list)
        for name in sorted(live_names):
            self._spellings[folded(name)].append(name)
        self._old = dict(renames)
        self.movable = self._movable()
        self._new = {old: new for new, old in self.movable.items()}
        self.freed_names = {old for new, old in self.movable.items() if not self.is_circle(new)}

    def occupants(self, name: str) -> list[str]:
        """The live names that are this name or a twin of it, but for the one that is renamed to it."""
        return [found for found in self._spellings[folded(name)] if found != self._old.get(name)]

    def in_the_way(self, name: str) -> list[str]:
        """The occupants that stay where they are."""
        return [found for found in self.occupants(name) if found not in self.freed_names]

    def waits_for(self, name: str) -> tuple[str, ...]:
        """The new names of the occupants that move out of the way first."""
        return tuple(self._new[found] for found in self.occupants(name) if found in self.freed_names)

    def is_circle(self, name: str) -> bool:
        """Whether moving each occupant on along the renames leads back to the name itself."""
        seen: set[str] = set()
        todo = [name]
        while todo:
            for found in self.occupants(todo.pop()):
                next_name = self._new.get(found)
                if next_name == name:
                    return True
                if next_name is not None and next_name not in seen:
                    seen.add(next_name)
                    todo.append(next_name)
        return False

    def _movable(self) -> dict[str, str]:
        movable = dict(self._old)
        given_up = set(movable.values())
        while stuck := [new for new in movable if not given_up.issuperset(self.occupants(new))]:
            given_up.difference_update(movable.pop(new) for new in stuck)
        return movable
