"""Findings as text: file by file, each with weight, code, place, key, message and next step."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.findings import Severity
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.style import counted
from dbt_statsig.report.text_brief import brief_findings, is_brief

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.findings import Finding
    from dbt_statsig.report.style import Style

ALWAYS_SHOWN = frozenset({"manifest-outdated", "nothing-selected"})
"""Warnings that quiet style shows too: they concern all that the report says."""

_LOOKS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def _home(found: Finding) -> str:
    """The file that a finding belongs to, or the node where no file is known."""
    return found.location.path if found.location else found.unique_id


def _one(found: Finding, style: Style) -> list[str]:
    head = [
        style.paint(found.severity.label, _LOOKS[found.severity]),
        one_line(found.code),
        one_line(str(found.location or found.unique_id)),
        style.paint(one_line(found.key), "quiet"),
    ]
    return [
        "  " + "  ".join(part for part in head if part),
        *style.prose(found.message, indent=4),
        *style.fix(found.fix, indent=4),
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
        lines.append(style.paint(one_line(home) or "the project", "heading"))
        for found in group:
            lines += _one(found, style)
        lines.append("")
    return lines


def tally(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`; empty where there is none."""
    found = [entry.severity for entry in findings]
    numbers = ((found.count(severity), severity.label) for severity in sorted(Severity, reverse=True))
    return ", ".join(counted(number, label) for number, label in numbers if number)
