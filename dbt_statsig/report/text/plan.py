"""A plan as text: one line an object with a sign, then what changes in it."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.report.escape import lines_of, one_line
from dbt_statsig.report.run_findings import place_of
from dbt_statsig.report.text.fields import declared_fields, field_lines
from dbt_statsig.report.text.style import counted, counted_objects
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.results import ENDINGS, Status
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.yaml_text import two_in_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dbt_statsig.report.text.style import Style
    from dbt_statsig.vocabulary.changes import Change, Plan
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import ObjectOutcome, Outcome, Skipped

_SIGNS: dict[Action, tuple[str, str]] = {
    Action.CREATE: ("+", "add"),
    Action.UPDATE: ("~", "change"),
    Action.RENAME: (">", "note"),
    Action.DELETE: ("-", "remove"),
    Action.ARCHIVE: ("-", "remove"),
    Action.FOREIGN: ("!", "error"),
    Action.BLOCKED: ("!", "error"),
    Action.ORPHAN: ("?", "warning"),
}
_COUNTED = (
    *((action, f"to {action.value}") for action in Action if action.writes),
    *((action, action.label) for action in (Action.UNCHANGED, Action.FOREIGN, Action.BLOCKED, Action.ORPHAN)),
)


def _head(change: Change, style: Style, width: int, *, fields: bool = False) -> list[str]:
    sign, look = _SIGNS[change.action]
    notes = []
    if fields:
        notes.append(changed_fields(change))
    if change.action is Action.RENAME:
        notes.append(f'was "{one_line(change.live_name)}"')
    if change.adopted:
        notes.append("adopted")
    node = style.color(one_line(change.unique_id), "quiet")
    tail = "  ".join(part for part in (node, *notes) if part)
    name = one_line(change.name)
    return style.folded(f"  {style.color(f'{sign} {name}', look)}{' ' * (width - len(name))}  {tail}".rstrip(), hang=6)


def _body(change: Change, style: Style) -> list[str]:
    lines = style.wrap(change.reason, indent=6) if change.reason else []
    lines += _origin(change, style)
    lines += style.fix(change.fix, indent=6)
    if change.action is Action.CREATE:
        fields = declared_fields(change.desired) if change.desired else change.fields
        return lines + field_lines(fields, style, new=True)
    if change.action.writes or change.action is Action.BLOCKED:
        fields = tuple(field for field in change.fields if field.field != "name")
        return lines + field_lines(fields, style, new=False)
    return lines


def _origin(change: Change, style: Style) -> list[str]:
    """Who changed the object in Statsig, where the audit log says so."""
    return style.wrap(change.origin.text, indent=6) if change.origin is not None and change.origin.text else []


def changed_fields(change: Change) -> str:
    """The names of the fields that an update or a rename changes or would change, beside the name."""
    if change.action not in (Action.UPDATE, Action.RENAME, Action.BLOCKED):
        return ""
    return one_line(", ".join(field.field for field in change.fields if field.field != "name"))


def plan_lines(plan: Plan, style: Style, *, writes: bool = True) -> list[str]:
    """Every object that is not unchanged, grouped by kind; of many, and in quiet style, one line each.

    Without `writes` only those that are not written.
    """
    shown = [change for change in plan.changes if change.action in _SIGNS and (writes or not change.action.writes)]
    order = list(Kind)
    shown.sort(key=lambda change: order.index(change.kind))
    if style.quiet or is_brief(len(shown), style):
        return _grouped(shown, style, _brief)
    lines = _grouped(shown, style, _in_full)
    long = len(lines) > LONGEST_FULL and is_brief(len(plan.changes), style)
    return _grouped(shown, style, _brief) if long else lines


def legend_lines(plan: Plan, style: Style) -> list[str]:
    """What the signs mean that the plan shows; nothing in quiet style."""
    words: dict[str, list[str]] = {}
    for action in _SIGNS:
        if any(change.action is action for change in plan.changes):
            words.setdefault(_SIGNS[action][0], []).append(action.label)
    if style.quiet or not words:
        return []
    legend = ", ".join(f"{sign} {' or '.join(labels)}" for sign, labels in words.items())
    return [style.color(line, "quiet") for line in style.wrap(f"Signs: {legend}.", indent=0)]


def generated_lines(plan: Plan, style: Style) -> list[str]:
    """The SQL that Statsig generates for the metrics that it has, where it was asked for."""
    lines: list[str] = []
    for change in plan.changes:
        for unit, sql in change.generated:
            head = f'Statsig\'s SQL for the metric "{one_line(change.live_name)}", unit {one_line(unit)}'
            lines += [style.color(head, "heading"), *(f"    {line}".rstrip() for line in lines_of(sql)), ""]
    return lines


def _grouped(
    shown: Sequence[Change], style: Style, lines_of: Callable[[Sequence[Change], Style, int], list[str]]
) -> list[str]:
    lines: list[str] = []
    for kind, group in groupby(shown, key=lambda change: change.kind):
        changes = list(group)
        lines.append(style.color(f"{kind.label}s", "heading"))
        width = min(max(len(one_line(change.name)) for change in changes), 40)
        lines += [*lines_of(changes, style, width), ""]
    return lines


def _in_full(changes: Sequence[Change], style: Style, width: int) -> list[str]:
    return [line for change in changes for line in (*_head(change, style, width), *_body(change, style))]


def _brief(changes: Sequence[Change], style: Style, width: int) -> list[str]:
    lines = []
    for group, reason, fix in by_reason(changes):
        for change in group:
            lines += [*_head(change, style, width, fields=True), *_origin(change, style)]
        lines += reason_lines([one.kind for one in group], reason, fix, style)
    return lines


def left_lines(left: Sequence[Skipped], style: Style) -> list[str]:
    """The sources that were left as they are, with the reason."""
    if not left:
        return []
    lines = [style.color("Skipped", "heading")]
    groups: dict[str, list[Skipped]] = {}
    for one in left:
        groups.setdefault(one.reason, []).append(one)
    for reason, group in groups.items():
        names = (f"{one.kind.label} {one_line(one.name)}" for one in group)
        for name in names:
            lines += style.folded(style.color(f"  {style.glyph('·')} {name}", "warning"), hang=6)
        lines += reason_lines([one.kind for one in group], reason, "", style)
    return [*lines, ""]


def plan_summary(plan: Plan) -> str:
    """`2 to create, 1 to update, 5 unchanged`, or that there is nothing to do."""
    actions = [change.action for change in plan.changes]
    summary = ", ".join(f"{actions.count(action):,} {words}" for action, words in _COUNTED if action in actions)
    if any(action.writes for action in actions):
        there = sum(change.is_from_console for change in plan.changes)
        return (
            f"{summary}. {counted(there, 'object was', 'objects were')} changed in Statsig." if there else f"{summary}."
        )
    if set(actions) == {Action.UNCHANGED}:
        otherwise = sum(bool(change.not_kept) for change in plan.changes)
        but = f", except for fields that Statsig keeps differently ({otherwise:,})" if otherwise else ""
        return f"Nothing to do: {counted_objects(change.kind for change in plan.changes)} as declared{but}."
    return f"Nothing to write: {summary}." if summary else "Nothing to do: no source is declared."


_STATUS_SIGNS = {
    Status.DONE: ("✓", "good"),
    Status.FAILED: ("✗", "error"),
    Status.REFUSED: ("✗", "error"),
    Status.UNKNOWN: ("?", "error"),
    Status.NOT_STARTED: ("·", "warning"),
}
_WIDTH = len("not started")


def _object_lines(entry: ObjectOutcome, style: Style, *, brief: bool) -> list[str]:
    sign, look = _STATUS_SIGNS[entry.status]
    confirmed = "  (confirmed by reading back)" if entry.reconciled else ""
    mark = style.color(f"{style.glyph(sign)} {entry.ending:<{_WIDTH}}", look)
    fields = changed_fields(entry.change) if brief else ""
    line = f"  {mark}  {entry.change.kind.label} {one_line(entry.change.name)}{confirmed}"
    lines = style.folded(f"{line}  {style.color(fields, 'quiet')}" if fields else line, hang=6)
    if entry.message:
        lines += style.wrap(entry.message, indent=6)
    lines += style.fix(entry.fix, indent=6)
    for field in entry.echo:
        kept, sent = two_in_yaml(field.before, field.after)
        lines += style.wrap(f"{field.field} is declared as {sent}, Statsig keeps {kept}", indent=6)
    return lines


def outcome_lines(outcome: Outcome, style: Style, *, heading: str = "Result") -> list[str]:
    """Object by object what happened; where the plan is not shown before it, with the fields that changed."""
    brief = style.quiet or is_brief(len(outcome.objects), style)
    lines = [line for entry in outcome.objects for line in _object_lines(entry, style, brief=brief)]
    if outcome.stopped:
        lines += style.wrap(outcome.stopped, indent=2, first="Stopped early: ")
    for note in outcome.notes:
        lines += style.wrap(note, indent=2, first="Note: ")
    if not lines:
        return []
    return [style.color(heading, "heading"), *lines, ""]


def outcome_summary(outcome: Outcome, *, unchanged: int, others: str = "") -> str:
    """`2 created, 1 failed, 5 unchanged`."""
    words = [entry.ending for entry in outcome.objects]
    parts = [f"{words.count(word):,} {word}" for word in ENDINGS if word in words]
    if unchanged:
        parts.append(f"{unchanged:,} unchanged")
    if others:
        parts.append(others)
    return ", ".join(parts) + "."


BRIEF_FROM = 15
LONGEST_FULL = 80
SHOWN_PER_CODE = 3
"""How many warnings and notes of one code a brief plan shows; errors are never left out."""

_ANY_NAME = '"NAME"'


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


def reason_lines(kinds: Sequence[Kind], reason: str, fix: str, style: Style) -> list[str]:
    """The reason and the next step below the last of the changes that share them."""
    first = f"{counted_objects(kinds)}: " if len(kinds) > 1 else ""
    lines = style.wrap(reason, indent=6, first=first) if reason else []
    return lines + style.fix(fix, indent=6)


def _finding_line(found: Finding, style: Style, *, fix: bool) -> list[str]:
    place = one_line(place_of(found))
    parts = (place, style.color(one_line(found.key), "quiet"), one_line(found.message))
    line = "  ".join(part for part in parts if part)
    return style.folded(f"  {line} {one_line(found.fix)}".rstrip() if fix else f"  {line}", hang=6)


def brief_findings(findings: Sequence[Finding], style: Style, *, at_most: int | None) -> list[str]:
    """Findings by weight and code, one line each; a next step that all of a code share is below them.

    `at_most` limits the warnings and notes of each code; the number of those that are left out is given.
    """
    groups: dict[tuple[Severity, str], list[Finding]] = defaultdict(list)
    for found in findings:
        groups[found.severity, found.code].append(found)
    lines = []
    for (severity, code), group in sorted(groups.items(), key=lambda entry: -entry[0][0]):
        lines.append(f"{style.severity(severity)}  {one_line(code)}  ({len(group):,})")
        shared = len({found.fix for found in group}) == 1
        limited = at_most is not None and severity is not Severity.ERROR and len(group) > at_most + 1
        shown = group[:at_most] if limited else group
        lines += [line for found in shown for line in _finding_line(found, style, fix=not shared)]
        if limited:
            lines.append(f"  and {len(group) - len(shown):,} more; --verbose shows all")
        if shared:
            lines += style.fix(group[0].fix, indent=2)
        lines.append("")
    return lines
