"""What a sync did, as text: one line an object, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.report.escape import one_line
from dbt_statsig.report.text_brief import is_brief
from dbt_statsig.report.text_plan import changed_fields
from dbt_statsig.results import ENDINGS, Status
from dbt_statsig.yaml_text import two_in_yaml

if TYPE_CHECKING:
    from dbt_statsig.report.style import Style
    from dbt_statsig.results import ObjectOutcome, Outcome

_SIGNS = {
    Status.DONE: ("✓", "good"),
    Status.FAILED: ("✗", "error"),
    Status.REFUSED: ("✗", "error"),
    Status.UNKNOWN: ("?", "error"),
    Status.NOT_STARTED: ("·", "warning"),
}
_WIDTH = len("not started")


def _one(entry: ObjectOutcome, style: Style, *, brief: bool) -> list[str]:
    sign, look = _SIGNS[entry.status]
    confirmed = "  (confirmed by reading back)" if entry.reconciled else ""
    mark = style.paint(f"{style.sign(sign)} {entry.ending:<{_WIDTH}}", look)
    fields = changed_fields(entry.change) if brief else ""
    line = f"  {mark}  {entry.change.kind.label} {one_line(entry.change.name)}{confirmed}"
    lines = [f"{line}  {style.paint(fields, 'quiet')}" if fields else line]
    if entry.message:
        lines += style.prose(entry.message, indent=6)
    lines += style.fix(entry.fix, indent=6)
    for field in entry.echo:
        kept, sent = two_in_yaml(field.before, field.after)
        lines += style.prose(f"{field.field} was sent as {sent}, Statsig keeps {kept}", indent=6)
    return lines


def outcome_lines(outcome: Outcome, style: Style, *, heading: str = "Result") -> list[str]:
    """Object by object what happened; where the plan is not shown before it, with the fields that changed."""
    brief = style.quiet or is_brief(len(outcome.objects), style)
    lines = [line for entry in outcome.objects for line in _one(entry, style, brief=brief)]
    if outcome.stopped:
        lines += style.prose(outcome.stopped, indent=2, first="Stopped early: ")
    for note in outcome.notes:
        lines += style.prose(note, indent=2, first="Note: ")
    if not lines:
        return []
    return [style.paint(heading, "heading"), *lines, ""]


def outcome_summary(outcome: Outcome, *, unchanged: int, others: str = "") -> str:
    """`2 created, 1 failed, 5 unchanged`."""
    words = [entry.ending for entry in outcome.objects]
    parts = [f"{words.count(word):,} {word}" for word in ENDINGS if word in words]
    if unchanged:
        parts.append(f"{unchanged:,} unchanged")
    if others:
        parts.append(others)
    return ", ".join(parts) + "."
