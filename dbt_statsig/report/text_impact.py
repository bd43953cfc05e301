"""What a change does to the sources, and what a baseline kept apart, as text."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.findings import Severity
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.style import counted
from dbt_statsig.report.text_findings import tally

if TYPE_CHECKING:
    from dbt_statsig.baseline import KnownFinding
    from dbt_statsig.findings import Finding
    from dbt_statsig.report.style import Style
    from dbt_statsig.results import Impact, Validation

_LOOKS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_MOST_STALE = 10


def own_findings(validation: Validation) -> tuple[Finding, ...]:
    """The findings that have no section of their own."""
    effects = set() if validation.impact is None else set(map(id, validation.impact.effects))
    return tuple(found for found in validation.findings if id(found) not in effects)


def impact_lines(impact: Impact | None, style: Style) -> list[str]:
    """Source by source what the change does to it, then what it does above them; no line where nobody asked."""
    if impact is None:
        return []
    effects = [found for found in impact.effects if not style.quiet or found.severity > Severity.NOTE]
    if style.quiet and not effects:
        return []
    base = style.paint(f"(against {one_line(impact.base)})", "quiet")
    lines = [f"{style.paint('What this change does', 'heading')}  {base}"]
    for home, group in groupby(sorted(effects, key=_order), key=_home):
        lines.append(f"  {home}")
        for found in group:
            lead = f"{found.severity.label}  "
            prose = style.prose(found.message, indent=4, first=lead)
            prose[0] = prose[0].replace(lead, style.paint(found.severity.label, _LOOKS[found.severity]) + "  ", 1)
            lines += [*prose, *style.fix(found.fix, indent=6)]
    if impact.summary:
        lines.append(f"  {impact.summary}")
    return [*lines, *_experiments(impact, style), ""]


def baseline_lines(validation: Validation, style: Style) -> list[str]:
    """How many findings the baseline knew, and its entries that may go."""
    baseline = validation.baseline
    if baseline is None:
        return []
    path = one_line(baseline.path)
    lines = [] if style.quiet else [f"Known by the baseline {path}, not shown: {tally(baseline.known) or 'nothing'}."]
    if baseline.stale:
        number = counted(len(baseline.stale), "entry", "entries")
        lines += style.prose(f"{number} of {path} match no finding any more. Write the file again.", indent=0)
        lines += [f"  {one_line(_entry(entry))}" for entry in baseline.stale[:_MOST_STALE]]
        if len(baseline.stale) > _MOST_STALE:
            lines.append(f"  and {len(baseline.stale) - _MOST_STALE:,} more")
    return [*lines, ""] if lines else []


def _experiments(impact: Impact, style: Style) -> list[str]:
    if impact.experiments is None:
        return []
    names = ", ".join(f"{one.name} ({one.status})" if one.status else one.name for one in impact.experiments)
    return style.prose(f"Running experiments that use what it touches: {names or 'none'}.", indent=2)


def _order(found: Finding) -> tuple[object, ...]:
    return (not found.source, found.kind, found.source, found.unique_id, -found.severity, found.code, found.message)


def _home(found: Finding) -> str:
    if found.source:
        return one_line(f"{found.kind.replace('_', ' ')} {found.source}")
    return "above the sources" if found.unique_id else "not compared"


def _entry(entry: KnownFinding) -> str:
    about = " ".join(part for part in (entry.unique_id, entry.kind, entry.source, entry.key) if part)
    times = f"  ({entry.count} times)" if entry.count > 1 else ""
    return f"{entry.code}  {about}{times}"
