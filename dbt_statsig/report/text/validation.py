"""A validation as text: each source with its columns and what proves them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.report.escape import clipped, one_line
from dbt_statsig.report.run_findings import example_of, place_of
from dbt_statsig.report.text.fields import proof_of
from dbt_statsig.report.text.plan import brief_findings, is_brief
from dbt_statsig.report.text.style import counted, counted_objects
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.verdicts import Presence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.report.text.style import Style
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import ColumnUse, SourceReport, Validation
    from dbt_statsig.vocabulary.verdicts import Verdict

_SIGNS = {Presence.PRESENT: ("✓", "good"), Presence.ABSENT: ("✗", "error"), Presence.UNKNOWN: ("?", "warning")}
_LONGEST_LIST = 400
_LONGEST_NAME = 40
_WEIGHT = (Presence.PRESENT, Presence.UNKNOWN, Presence.ABSENT)


def _name(verdict: Verdict) -> str:
    stored = f" (stored as {one_line(verdict.stored)})" if verdict.stored != verdict.name else ""
    return one_line(verdict.name) + stored


def _rows(uses: tuple[ColumnUse, ...]) -> list[tuple[Presence, str, str, str, str]]:
    """One row for each role; the columns of a list that share one proof stand in one row."""
    rows = []
    for (role, presence, proof), group in groupby(
        uses, key=lambda use: (use.role, use.verdict.presence, proof_of(use.verdict))
    ):
        verdicts = [use.verdict for use in group]
        kind = one_line(verdicts[0].data_type or "") if len(verdicts) == 1 else ""
        names = clipped(", ".join(map(_name, verdicts)), _LONGEST_LIST)
        rows.append((presence, one_line(role), names, proof, kind))
    return rows


def _columns(source: SourceReport, style: Style) -> list[str]:
    rows = _rows(source.columns)
    roles = max((len(role) for _, role, *_ in rows), default=0)
    # One very long list must not push the proofs of all other rows out of sight.
    names = max((len(name) for _, _, name, *_ in rows if len(name) <= style.width // 3), default=0)
    signs = max(len(style.glyph(sign)) for sign, _ in _SIGNS.values())
    lines = []
    for presence, role, name, proof, kind in rows:
        sign, look = _SIGNS[presence]
        mark = style.color(f"{style.glyph(sign):<{signs}}", look)
        line = style.color(proof, "quiet" if presence is Presence.PRESENT else look)
        row = f"    {mark} {role:<{roles}}  {name:<{names}}  {line}"
        lines += style.folded(f"{row}  {style.color(kind, 'quiet')}".rstrip() if kind else row, hang=8)
    return lines


def _source(source: SourceReport, style: Style) -> list[str]:
    blocked = f"  {style.color('cannot be pushed', 'error')}" if source.blocked else ""
    where = style.color(one_line(str(source.location)), "quiet") if source.location else ""
    place = "  ".join(part for part in (one_line(source.unique_id), where) if part)
    lines = style.folded(f"{source.kind.label} {style.color(one_line(source.name), 'heading')}{blocked}", hang=4)
    lines += style.folded(f"  {place}", hang=4)
    if source.relation_name:
        lines += style.folded(f"  reads {one_line(source.relation_name)}", hang=4)
    lines += _columns(source, style)
    if source.selected:
        names = clipped(", ".join(source.selected), _LONGEST_LIST)
        lines += style.wrap(f"selects {counted(len(source.selected), 'column')}: {names}", indent=4)
    if source.hidden:
        names = clipped(", ".join(source.hidden), _LONGEST_LIST)
        lines += style.wrap(f"excludes {counted(len(source.hidden), 'hidden column')}: {names}", indent=4)
    return [*lines, ""]


def source_lines(validation: Validation, style: Style) -> list[str]:
    """The project's line, then every declared source with its columns."""
    dbt = f", dbt {one_line(validation.dbt_version)}" if validation.dbt_version else ""
    adapter = f" ({one_line(validation.adapter)}{dbt})" if validation.adapter else ""
    project = style.color(one_line(validation.owner), "heading")
    declared = counted_objects(one.kind for one in validation.sources)
    lines = [*style.folded(f"{project}{adapter}: {declared} declared", hang=4), ""]
    if is_brief(len(validation.sources), style):
        width = min(max(len(one_line(source.name)) for source in validation.sources), _LONGEST_NAME)
        return [*lines, *(line for source in validation.sources for line in _in_brief(source, style, width)), ""]
    for source in validation.sources:
        lines += _source(source, style)
    return lines


def _in_brief(source: SourceReport, style: Style, width: int) -> list[str]:
    """One source in one line: the worst that is known of its columns, and which these are."""
    worst = max((use.verdict.presence for use in source.columns), key=_WEIGHT.index, default=Presence.PRESENT)
    names = [_name(use.verdict) for use in source.columns if use.verdict.presence is worst]
    words = {Presence.ABSENT: "absent: ", Presence.UNKNOWN: "not proven: "}
    proof = f"{counted(len(names), 'column')} proven"
    if worst in words:
        proof = words[worst] + clipped(", ".join(dict.fromkeys(names)), _LONGEST_LIST)
    sign, look = _SIGNS[Presence.ABSENT if source.blocked else worst]
    name = one_line(source.name)
    head = style.color(f"{style.glyph(sign)} {name}", look) + " " * (width - len(name))
    blocked = "  cannot be pushed" if source.blocked else ""
    return style.folded(f"  {head}  {source.kind.label}  {one_line(source.unique_id)}  {proof}{blocked}", hang=6)


def verdict_line(validation: Validation) -> tuple[str, str]:
    """The last line with its look: whether everything may be pushed, and if not, how much may not."""
    line = tally(validation.findings)
    if validation.ok():
        waiting = [source for source in validation.sources if source.blocked]
        unproven = sum(bool(source.unproven) for source in waiting)
        known = len(waiting) - unproven
        clean = f"{counted_objects(one.kind for one in validation.sources if not one.blocked)} ready"
        clean += f", {known:,} not, because of findings in the baseline" if known else ""
        clean += f", {unproven:,} not, because proof is missing" if unproven else ""
        look = "good" if validation.ok(strict=True) and not waiting else "warning"
        return (f"{clean}; {line}." if line else f"{clean}, no findings."), look
    blocked = sum(source.blocked for source in validation.sources)
    kinds = [source.kind for source in validation.sources]
    of = counted(len(kinds), "object") if 0 < kinds.count(Kind.METRIC) < len(kinds) else counted_objects(kinds)
    share = f" {blocked:,} of {of} cannot be pushed." if blocked else ""
    return f"{line}.{share}", "error"


ALWAYS_SHOWN = frozenset({"manifest-outdated", "nothing-selected"})
"""Warnings that quiet style shows too: they concern all that the report says."""


def _home(found: Finding) -> str:
    """The file that a finding belongs to, or the node where no file is known."""
    return found.location.path if found.location else found.unique_id


def _finding_lines(found: Finding, style: Style) -> list[str]:
    place, key = one_line(place_of(found)), one_line(found.key)
    head = [style.severity(found.severity), one_line(found.code), place, style.color(key, "quiet")]
    shown = (found.severity.label, one_line(found.code), place, key)
    # The key has a line of its own where the terminal would break it.
    fits = 2 + len("  ".join(shown)) <= style.width
    below = [] if fits or not key else [f"    {head.pop()}"]
    example = example_of(found.code) if found.code == "nothing-declared" else None
    return [
        "  " + "  ".join(part for part in head if part),
        *below,
        *style.wrap(found.message, indent=4),
        *style.fix(found.fix, indent=4),
        *(f"      {line}" for line in (example.good.splitlines() if example else ())),
    ]


def findings_lines(
    findings: Iterable[Finding], style: Style, *, least: Severity = Severity.NOTE, at_most: int | None = None
) -> list[str]:
    """Every finding of at least that weight, grouped by file in the order given; no line where there is none.

    Many are grouped by code, one line each; `at_most` then limits the warnings and notes of each code.
    """
    chosen = [found for found in findings if found.severity >= least or found.code in ALWAYS_SHOWN]
    if is_brief(len(chosen), style):
        return brief_findings(chosen, style, at_most=at_most)
    lines: list[str] = []
    for home, group in groupby(chosen, key=_home):
        lines.append(style.color(one_line(home) or "the project", "heading"))
        for found in group:
            lines += _finding_lines(found, style)
        lines.append("")
    return lines


def tally(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`; empty where there is none."""
    found = [entry.severity for entry in findings]
    numbers = ((found.count(severity), severity.label) for severity in sorted(Severity, reverse=True))
    return ", ".join(counted(number, label) for number, label in numbers if number)
