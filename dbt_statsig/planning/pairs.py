"""Which own object of a node a declared one is under a new name, where that is certain. Pure.

One new name and one old one are a pair, unless they may give other numbers. Of several, a metric is paired with the one
that computes exactly the same, if neither could be another. What is not certain is no rename, and the plan says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from dbt_statsig.planning.kept import suited
from dbt_statsig.planning.metrics import computes_other, computes_same, measures_other
from dbt_statsig.vocabulary.findings import listed
from dbt_statsig.vocabulary.yaml_text import in_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from dbt_statsig.planning.asked import Desired
    from dbt_statsig.vocabulary.sources import Source


class Pairs:
    """The pairs of one kind: `certain` has the live name of each new one that has a pair."""

    def __init__(
        self,
        new: Iterable[Desired],
        old: Mapping[str, Sequence[Source]],
        unread: Collection[str],
        moved: Collection[str],
    ) -> None:
        """Match what is declared under new names with the `old` objects of its node, which nothing declares.

        In nodes that are `unread`, a block that cannot be read may be any of them. What has `moved` gives what yet
        another object of the node does.
        """
        self.unread = unread
        self.certain: dict[str, str] = {}
        self._possible: dict[str, list[str]] = {}
        by_node: dict[str, list[Desired]] = defaultdict(list)
        declared = set()
        for item in new:
            by_node[item.unique_id].append(item)
            declared.add(item.name)
        for unique_id, items in by_node.items():
            olds = old.get(unique_id, ())
            found = {} if unique_id in unread else _matched(items, olds)
            found = {name: one for name, one in found.items() if name not in moved}
            self.certain |= found
            left = [live for live in olds if live.name not in {*found.values(), *declared}]
            for item in items:
                if item.name not in found:
                    self._possible[item.name] = [live.name for live in left if not _is_other(item, live)]

    def may_be(self, old: str) -> str:
        """A new object that may be this own one, which is not certain; empty where there is none."""
        return next((new for new, olds in self._possible.items() if old in olds), "")

    def note(self, name: str, prefix: str) -> tuple[str, str]:
        """That a new object may be an own one under a new name, and how to say that it is; empty where it is new."""
        olds = self._possible.get(name)
        if not olds:
            return "", ""
        named = listed([f'"{old}"' for old in olds])
        one = f"one of {named}" if len(olds) > 1 else named
        is_named = f"`adopt: {in_yaml(olds[0].removeprefix(prefix))}` in its block"
        return (
            f"It may be {one} under a new name, which is not certain.",
            f'To rename it and keep its history, write {is_named}, or run with --adopt "{olds[0]}={name}".',
        )


def _matched(items: Sequence[Desired], olds: Sequence[Source]) -> dict[str, str]:
    if len(items) == len(olds) == 1:
        return {items[0].name: olds[0].name} if _is_alike(items[0], olds[0]) else {}
    same = {item.name: [live.name for live in olds if _is_same(item, live)] for item in items}
    # What cannot be built may be any of them.
    takers = Counter(old for item in items for old in same[item.name])
    takers += Counter(live.name for item in items if item.payload is None for live in olds)
    return {name: found[0] for name, found in same.items() if len(found) == 1 and takers[found[0]] == 1}


def _is_other(item: Desired, live: Source) -> bool:
    """Whether it is no new name of that metric, but another metric of the node: that has a history of its own."""
    return item.payload is not None and computes_other(suited(item, item.payload, live).payload, live)


def _is_alike(item: Desired, live: Source) -> bool:
    """Whether the numbers are the same, as far as they are declared; of what cannot be built nothing else is known."""
    if item.payload is None:
        return True
    payload = suited(item, item.payload, live).payload
    return not (computes_other(payload, live) or measures_other(payload, live))


def _is_same(item: Desired, live: Source) -> bool:
    return item.payload is not None and computes_same(suited(item, item.payload, live).payload, live)
