"""The text of many sources: one line each, and what several of them share only once.

From `BRIEF_FROM` entries of one sort on, and in quiet style, a report is brief; in verbose style it never is. A plan of
so many sources of which few change shows these in full, as long as that is not longer than `LONGEST_FULL` lines.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dbt_statsig.findings import Severity
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.style import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.changes import Change
    from dbt_statsig.findings import Finding
    from dbt_statsig.report.style import Style

BRIEF_FROM = 15
LONGEST_FULL = 80
SHOWN_PER_CODE = 3
"""How many warnings and notes of one code a brief plan shows; errors are never left out."""

_ANY_NAME = '"NAME"'
_LOOKS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def is_brief(count: int, style: Style) -> bool:
    """Whether so many entries of one sort get one line each."""
    return count >= BRIEF_FROM and not style.verbose


def by_reason(changes: Iterable[Change]) -> list[tuple[list[Change], str, str]]:
    """Changes with the reason and the next step that they share, in the order given; those without a reason first.

    A text that differs only by the object's own name counts as shared: it then says NAME instead.
    """
    groups: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        own = f'"{change.name}"'
        groups[change.reason.replace(own, _ANY_NAME), change.fix.replace(own, _ANY_NAME)].append(change)
    shared = [
        (group, group[0].reason, group[0].fix) if len(group) == 1 else (group, reason, fix)
        for (reason, fix), group in groups.items()
    ]
    return sorted(shared, key=lambda entry: bool(entry[1] or entry[2]))


def reason_lines(number: int, reason: str, fix: str, style: Style) -> list[str]:
    """The reason and the next step below the last of the changes that share them."""
    first = f"{counted(number, 'source')}: " if number > 1 else ""
    lines = style.prose(reason, indent=6, first=first) if reason else []
    return lines + style.fix(fix, indent=6)


def _one(found: Finding, style: Style, *, fix: bool) -> str:
    place = one_line(str(found.location or found.unique_id))
    parts = (place, style.paint(one_line(found.key), "quiet"), one_line(found.message))
    line = "  ".join(part for part in parts if part)
    return f"  {line} {one_line(found.fix)}".rstrip() if fix else f"  {line}"


def brief_findings(findings: Sequence[Finding], style: Style, *, at_most: int | None) -> list[str]:
    """Findings by weight and code, one line each; a next step that all of a code share stands below them.

    `at_most` limits the warnings and notes of each code; the number of those that are left out is given.
    """
    groups: dict[tuple[Severity, str], list[Finding]] = defaultdict(list)
    for found in findings:
        groups[found.severity, found.code].append(found)
    lines = []
    for (severity, code), group in sorted(groups.items(), key=lambda entry: -entry[0][0]):
        lines.append(f"{style.paint(severity.label, _LOOKS[severity])}  {one_line(code)}  ({len(group):,})")
        shared = len({found.fix for found in group}) == 1
        limited = at_most is not None and severity is not Severity.ERROR and len(group) > at_most + 1
        shown = group[:at_most] if limited else group
        lines += [_one(found, style, fix=not shared) for found in shown]
        if limited:
            lines.append(f"  and {len(group) - len(shown):,} more; --verbose shows all")
        if shared:
            lines += style.fix(group[0].fix, indent=2)
        lines.append("")
    return lines
