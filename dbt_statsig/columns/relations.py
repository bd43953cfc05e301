"""Relation names of dbt's manifest, taken apart and compared with the tables that SQL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.artifacts.nodes import Node

_QUOTES = {'"': '"', "`": "`", "[": "]"}


def parts_of(relation_name: str) -> tuple[str, ...]:
    """The parts of a relation name as dbt renders it, without their quotes; dots inside backticks part names too."""
    parts: list[str] = []
    text, position = relation_name, 0
    current = ""
    while position < len(text):
        character = text[position]
        closing = _QUOTES.get(character)
        if closing is not None and not current:
            current, position = _quoted(text, position + 1, closing)
            if character == "`" and "." in current:
                *before, current = current.split(".")
                parts.extend(before)
            continue
        if character == ".":
            parts.append(current)
            current = ""
        else:
            current += character
        position += 1
    return (*parts, current)


def _quoted(text: str, start: int, closing: str) -> tuple[str, int]:
    """The name that begins at `start`, and where the text goes on; a doubled closing character is one of the name."""
    position = start
    while (end := text.find(closing, position)) >= 0:
        if not text.startswith(closing, end + 1):
            return text[start:end].replace(closing * 2, closing), end + 1
        position = end + 2
    return text[start:].replace(closing * 2, closing), len(text)


def node_parts(node: Node) -> tuple[str, ...]:
    """The parts of a node's relation, from its relation name or from what dbt makes it of."""
    if node.relation_name:
        return parts_of(node.relation_name)
    if node.materialized == "ephemeral":
        return ()
    return tuple(part for part in (node.database, node.schema, node.identifier or node.name) if part)


def matches(table: tuple[str, ...], relation: tuple[str, ...]) -> int:
    """How well a table in SQL fits a relation: 0 not at all, 1 without regard to case, 2 exactly.

    A part that either leaves out in front is fine where two trailing parts agree.
    """
    shared = min(len(table), len(relation))
    if not shared or (shared == 1 and len(table) != len(relation)):
        return 0
    ours, theirs = table[-shared:], relation[-shared:]
    if ours == theirs:
        return 2
    folded = [part.casefold() for part in ours] == [part.casefold() for part in theirs]
    return 1 if folded else 0


def find(table: tuple[str, ...], candidates: Iterable[Node]) -> Node | None:
    """The one candidate that `table` names; None where none or several could be meant."""
    scored = [(matches(table, node_parts(node)), node) for node in candidates]
    best = max((score for score, _ in scored), default=0)
    if not best:
        return None
    found = [node for score, node in scored if score == best]
    relations = {node_parts(node) for node in found}
    return found[0] if len(relations) == 1 else None
