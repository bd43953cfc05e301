"""Nodes with the blocks that an import proposes, in place of those that a manifest holds. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable


class Proposal(Struct, frozen=True, kw_only=True):
    """A block of a kind for a node."""

    kind: Kind
    node: Node
    block: dict[str, Any]


class ProposedNodes:
    """What declaring asks of a manifest, about nodes with proposed blocks alone."""

    def __init__(self, proposals: Iterable[Proposal]) -> None:
        """Several blocks of a node and kind are a list."""
        nodes: dict[str, Node] = {}
        blocks: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for one in proposals:
            nodes[one.node.unique_id] = one.node
            blocks[one.node.unique_id][one.kind.value].append(one.block)
        self._marked = tuple(
            structs.replace(node, meta={**node.meta, "statsig": dict(blocks[unique_id])})
            for unique_id, node in sorted(nodes.items())
        )

    def marked(self) -> tuple[Node, ...]:
        """The nodes with their blocks."""
        return self._marked

    def unsupported_marked(self) -> tuple[Node, ...]:
        """None: every node can be a source."""
        return ()
