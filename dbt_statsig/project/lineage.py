"""What is above a node in dbt's graph."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dbt_statsig.vocabulary.results import Lineage, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.nodes import NodeSummary

MOST_SHOWN = 14


def uncompiled(manifest: Manifest, unique_ids: Iterable[str]) -> list[str]:
    """The nodes among these and all that they read, directly or not, whose SQL is not compiled; sorted."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = list(unique_ids)
    while todo:
        current = todo.pop()
        node = None if current in seen else manifest.node(current)
        seen.add(current)
        if node is not None:
            found |= {current} if node.is_uncompiled else set()
            todo += node.depends_on
    return sorted(found)


def upstream(manifest: Manifest, unique_id: str, *, most: int = MOST_SHOWN) -> Lineage:
    """The nodes that this one reads, directly or not: the `most` nearest ones, and how many more there are."""
    summaries: dict[str, NodeSummary] = {}
    feeds: dict[str, list[str]] = {}
    todo = deque([unique_id])
    seen = {unique_id}
    while todo:
        current = todo.popleft()
        own = manifest.summary(current)
        for parent in dict.fromkeys(own.depends_on if own else ()):
            summary = manifest.summary(parent)
            if summary is None:
                continue
            summaries[parent] = summary
            feeds.setdefault(parent, []).append(current)
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    shown = list(feeds)[:most]
    known = {unique_id, *shown}
    return Lineage(
        nodes=tuple(
            Upstream(
                unique_id=one,
                name=f"{summaries[one].source_name}.{summaries[one].name}"
                if summaries[one].source_name
                else summaries[one].name,
                resource_type=summaries[one].resource_type,
                feeds=tuple(child for child in feeds[one] if child in known),
            )
            for one in shown
        ),
        more=len(feeds) - len(shown),
    )
