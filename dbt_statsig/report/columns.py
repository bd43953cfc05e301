"""A list of columns as text, and as the JSON of `dbt-statsig columns`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from dbt_statsig.report.escape import one_line
from dbt_statsig.report.style import Style, counted

if TYPE_CHECKING:
    from dbt_statsig.results import ListedNode, Listing

PLAIN = Style()


class ListedColumnDocument(Struct, frozen=True, kw_only=True):
    """One column as the warehouse stores it, and what proves it."""

    name: str
    evidence: str


class ListedNodeDocument(Struct, frozen=True, kw_only=True):
    """One node; `closed` says that it has no other columns, `reasons` why that is not known.

    `complete` says that all columns which its SQL gives are listed.
    """

    unique_id: str
    closed: bool
    complete: bool
    columns: tuple[ListedColumnDocument, ...]
    reasons: tuple[str, ...]


def columns_json(listing: Listing) -> str:
    """The answer of `columns`: a list with one object for each node."""
    nodes = [_document(node) for node in listing.nodes]
    try:
        return msgspec.json.format(msgspec.json.encode(nodes), indent=2).decode() + "\n"
    except UnicodeEncodeError:
        # Lone surrogates have no UTF-8 form; as \\ud800 escapes they are still JSON.
        return json.dumps(msgspec.to_builtins(nodes), indent=2) + "\n"


def _document(node: ListedNode) -> ListedNodeDocument:
    columns = node.columns.columns
    return ListedNodeDocument(
        unique_id=node.unique_id,
        closed=node.columns.closed,
        complete=node.columns.is_complete,
        columns=tuple(ListedColumnDocument(name=one.name, evidence=one.evidence.value) for one in columns),
        reasons=node.columns.reasons,
    )


def columns_text(listing: Listing, style: Style = PLAIN) -> str:
    """Every node (in quiet style: every one with an open list) with its columns, and the sums."""
    lines: list[str] = []
    for node in listing.nodes:
        if not (style.quiet and node.columns.closed):
            lines += _lines(node, style)
    still_open = sum(not node.columns.is_complete for node in listing.nodes)
    said = f"{counted(len(listing.nodes), 'node')}, all lists complete."
    if still_open:
        said = f"{counted(len(listing.nodes), 'node')}, {still_open:,} of them with a list that may not be complete."
    return "\n".join([*lines, style.paint(said if listing.nodes else "No node is selected.", "heading")]) + "\n"


def _lines(node: ListedNode, style: Style) -> list[str]:
    found = node.columns
    mark = style.paint(style.sign("✓"), "good") if found.closed else style.paint("?", "warning")
    width = max((len(one_line(column.name)) for column in found.columns), default=0)
    lines = [f"{mark} {style.paint(one_line(node.unique_id), 'heading')}  {counted(len(found.columns), 'column')}"]
    for column in found.columns:
        kind = f"  {one_line(column.data_type)}" if column.data_type else ""
        lines.append(f"    {one_line(column.name):<{width}}  {style.paint(column.evidence.value + kind, 'quiet')}")
    for reason in () if found.closed else found.reasons:
        lines += style.prose(reason, indent=4, first="may have more: " if found.is_complete else "not complete: ")
    return [*lines, ""]
