"""What is no plan as text: lists of columns (as JSON too), the checks of `debug`, the catalogue of findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from dbt_statsig.report.escape import clipped, one_line
from dbt_statsig.report.run_findings import RULES, RUN_CODES, example_of, page_of
from dbt_statsig.report.text.style import Style, counted

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.inspections import Check, Diagnosis, ListedNode, Listing, SettingOrigin

PLAIN = Style()


class ListedColumnDocument(Struct, frozen=True, kw_only=True):
    """One column as the warehouse stores it, what proves it, and the declared metrics that read it."""

    name: str
    evidence: str
    metrics: tuple[str, ...]


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
        columns=tuple(
            ListedColumnDocument(name=one.name, evidence=one.evidence.value, metrics=node.metrics.get(one.name, ()))
            for one in columns
        ),
        reasons=node.columns.reasons,
    )


def columns_text(listing: Listing, style: Style = PLAIN) -> str:
    """Every node (in quiet style: every one with an open list) with its columns, and the sums."""
    lines: list[str] = []
    for node in listing.nodes:
        if not (style.quiet and node.columns.closed):
            lines += _lines(node, style)
    still_open = sum(not node.columns.is_complete for node in listing.nodes)
    more = sum(node.columns.is_complete and not node.columns.closed for node in listing.nodes)
    tables = f"; {counted(more, 'table')} may have more columns" if more else ""
    summary = f"{counted(len(listing.nodes), 'node')}, all lists complete{tables}."
    if still_open:
        summary = f"{counted(len(listing.nodes), 'node')}, {still_open:,} of them may be incomplete."
    return "\n".join([*lines, style.color(summary if listing.nodes else "No node is selected.", "heading")]) + "\n"


def _lines(node: ListedNode, style: Style) -> list[str]:
    found = node.columns
    mark = style.color(style.glyph("✓"), "good") if found.closed else style.color("?", "warning")
    width = max((len(one_line(column.name)) for column in found.columns), default=0)
    lines = [f"{mark} {style.color(one_line(node.unique_id), 'heading')}  {counted(len(found.columns), 'column')}"]
    for column in found.columns:
        kind = f"  {one_line(column.data_type)}" if column.data_type else ""
        lines.append(f"    {one_line(column.name):<{width}}  {style.color(column.evidence.value + kind, 'quiet')}")
        if metrics := node.metrics.get(column.name):
            lines += style.wrap(", ".join(metrics), indent=8, first="metrics: ")
    for reason in () if found.closed else found.reasons:
        lines += style.wrap(
            reason, indent=4, first="the table may have more: " if found.is_complete else "not complete: "
        )
    return [*lines, ""]


_SIGNS = {True: ("✓", "good"), False: ("✗", "error"), None: ("·", "quiet")}
_LONGEST_SETTING = 120


def _check(check: Check, style: Style, width: int) -> list[str]:
    sign, look = _SIGNS[check.ok]
    signs = len(style.glyph("✓"))
    mark = style.color(f"{style.glyph(sign):<{signs}}", look)
    lead = f"{one_line(check.name):<{width}}  "
    indent = 2 + signs + 1
    lines = style.wrap(check.message, indent=indent, first=lead)
    lines[0] = f"  {mark} {lines[0][indent:]}"
    return lines + style.fix(check.fix, indent=indent + len(lead))


def _setting(setting: SettingOrigin, style: Style, keys: int, values: int) -> list[str]:
    value = clipped(setting.value, _LONGEST_SETTING)
    line = f"  {one_line(setting.key):<{keys}}  {value:<{values}}  {style.color(one_line(setting.origin), 'quiet')}"
    return style.folded(line, hang=4)


def diagnosis_lines(diagnosis: Diagnosis, style: Style) -> list[str]:
    """The checks; and, unless the style is quiet, the settings."""
    checks = [check for check in diagnosis.checks if not style.quiet or check.ok is False]
    width = max((len(one_line(check.name)) for check in checks), default=0)
    lines = [line for check in checks for line in _check(check, style, width)]
    if lines:
        lines = [style.color("Checks", "heading"), *lines, ""]
    if not style.quiet and diagnosis.settings:
        keys = max(len(one_line(setting.key)) for setting in diagnosis.settings)
        values = min(max(len(one_line(setting.value)) for setting in diagnosis.settings), 40)
        lines.append(style.color("Settings", "heading"))
        for setting in diagnosis.settings:
            lines += _setting(setting, style, keys, values)
        lines.append("")
    return lines


def diagnosis_summary(diagnosis: Diagnosis) -> str:
    """Whether all is well, or how many checks failed."""
    failed = sum(check.ok is False for check in diagnosis.checks)
    if failed:
        return f"{failed:,} of {len(diagnosis.checks):,} checks failed."
    skipped = sum(check.ok is None for check in diagnosis.checks)
    return f"All checks passed, {skipped:,} skipped." if skipped else "All checks passed."


def known_codes() -> tuple[str, ...]:
    """Every code that a report may show, those of a plan or sync included."""
    return tuple(RULES)


def code_text(code: str, style: Style) -> str:
    """What one code means, what to do, what has it and what has not."""
    entry = RULES[code]
    lines = [
        f"{style.color(code, 'heading')}  {style.severity(entry.severity)}",
        *style.wrap(entry.meaning, indent=2),
        *style.fix(entry.remedy, indent=2),
    ]
    example = example_of(code)
    for title, text in (("Bad", example.bad), ("Good", example.good)) if example else ():
        lines += ["", f"  {title}:", *(f"    {line}".rstrip() for line in text.splitlines())]
    lines += ["", f"  More: {page_of(code)}"]
    return "\n".join(lines) + "\n"


def all_codes_text(style: Style) -> str:
    """All codes in the order of the alphabet, with weight and meaning; first those of projects, then those of runs."""
    width = max(map(len, RULES))
    lines: list[str] = []
    for title, codes in (
        ("Findings about a project", RULES.keys() - RUN_CODES.keys()),
        ("Of plan and sync", RUN_CODES),
    ):
        lines.append(style.color(title, "heading"))
        for code in sorted(codes):
            entry = RULES[code]
            lead = f"{code:<{width}}  {entry.severity.label:<{len('warning')}}  "
            lines += style.wrap(entry.meaning, indent=2, first=lead)
        lines.append("")
    return "\n".join([*lines, "`dbt-statsig explain CODE` says what to do about one of them."]) + "\n"
