"""The catalogue of findings as text: one code at length, or all of them in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.report.run_findings import RULES, RUN_CODES

if TYPE_CHECKING:
    from dbt_statsig.report.text.style import Style


def known_codes() -> tuple[str, ...]:
    """Every code that a report may show, those of a plan or sync included."""
    return tuple(RULES)


def code_text(code: str, style: Style) -> str:
    """What one code means, what to do, and an example where there is one."""
    entry = RULES[code]
    lines = [
        f"{style.paint(code, 'heading')}  {style.severity(entry.severity)}",
        *style.prose(entry.meaning, indent=2),
        *style.fix(entry.remedy, indent=2),
    ]
    if entry.example:
        lines += ["", "  Example:", *(f"    {line}".rstrip() for line in entry.example.splitlines())]
    return "\n".join(lines) + "\n"


def all_codes_text(style: Style) -> str:
    """All codes in the order of the alphabet, with weight and meaning; first those of projects, then those of runs."""
    width = max(map(len, RULES))
    lines: list[str] = []
    for title, codes in (
        ("Findings about a project", RULES.keys() - RUN_CODES.keys()),
        ("Of plan and sync", RUN_CODES),
    ):
        lines.append(style.paint(title, "heading"))
        for code in sorted(codes):
            entry = RULES[code]
            lead = f"{code:<{width}}  {entry.severity.label:<{len('warning')}}  "
            lines += style.prose(entry.meaning, indent=2, first=lead)
        lines.append("")
    return "\n".join([*lines, "`dbt-statsig explain CODE` says what to do about one of them."]) + "\n"
