"""A plan as text: one line an object with a sign, then what changes in it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.changes import Action
from dbt_statsig.report.escape import one_line
from dbt_statsig.report.style import counted
from dbt_statsig.report.text_brief import LONGEST_FULL, by_reason, is_brief, reason_lines
from dbt_statsig.report.values import declared_fields, field_lines
from dbt_statsig.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dbt_statsig.changes import Change, Plan
    from dbt_statsig.report.style import Style
    from dbt_statsig.results import Left

_SIGNS: dict[Action, tuple[str, str]] = {
    Action.CREATE: ("+", "add"),
    Action.UPDATE: ("~", "change"),
    Action.RENAME: (">", "note"),
    Action.DELETE: ("-", "remove"),
    Action.FOREIGN: ("!", "error"),
    Action.BLOCKED: ("!", "error"),
    Action.ORPHAN: ("?", "warning"),
}
WRITES = tuple(action for action in Action if action.writes)
_COUNTED = (
    *((action, f"to {action.value}") for action in WRITES),
    (Action.UNCHANGED, "unchanged"),
    (Action.FOREIGN, "refused (not this project's)"),
    (Action.BLOCKED, "blocked"),
    (Action.ORPHAN, "no longer declared"),
)


def _head(change: Change, style: Style, width: int, *, fields: bool = False) -> str:
    sign, look = _SIGNS[change.action]
    notes = []
    if fields:
        notes.append(changed_fields(change))
    if change.action is Action.RENAME:
        notes.append(f'was "{one_line(change.live_name)}"')
    if change.adopted:
        notes.append("adopted")
    node = style.paint(one_line(change.unique_id), "quiet")
    tail = "  ".join(part for part in (node, *notes) if part)
    name = one_line(change.name)
    return f"  {style.paint(f'{sign} {name}', look)}{' ' * (width - len(name))}  {tail}".rstrip()


def _body(change: Change, style: Style) -> list[str]:
    lines = style.prose(change.reason, indent=6) if change.reason else []
    lines += style.fix(change.fix, indent=6)
    if change.action is Action.CREATE:
        fields = declared_fields(change.desired) if change.desired else change.fields
        return lines + field_lines(fields, style, new=True)
    if change.action in WRITES or change.action is Action.BLOCKED:
        fields = tuple(field for field in change.fields if field.field != "name")
        return lines + field_lines(fields, style, new=False)
    return lines


def changed_fields(change: Change) -> str:
    """The names of the fields that an update or a rename changes or would change, beside the name."""
    if change.action not in (Action.UPDATE, Action.RENAME, Action.BLOCKED):
        return ""
    return one_line(", ".join(field.field for field in change.fields if field.field != "name"))


def plan_lines(plan: Plan, style: Style, *, writes: bool = True) -> list[str]:
    """Every object that is not unchanged, grouped by kind; of many, and in quiet style, one line each.

    Without `writes` only those that are not written.
    """
    shown = [change for change in plan.changes if change.action in _SIGNS and (writes or change.action not in WRITES)]
    order = list(Kind)
    shown.sort(key=lambda change: order.index(change.kind))
    if style.quiet or is_brief(len(shown), style):
        return _grouped(shown, style, _brief)
    lines = _grouped(shown, style, _in_full)
    long = len(lines) > LONGEST_FULL and is_brief(len(plan.changes), style)
    return _grouped(shown, style, _brief) if long else lines


def _grouped(
    shown: Sequence[Change], style: Style, lines_of: Callable[[Sequence[Change], Style, int], list[str]]
) -> list[str]:
    lines: list[str] = []
    for kind, group in groupby(shown, key=lambda change: change.kind):
        changes = list(group)
        lines.append(style.paint(f"{kind.label}s", "heading"))
        width = min(max(len(one_line(change.name)) for change in changes), 40)
        lines += [*lines_of(changes, style, width), ""]
    return lines


def _in_full(changes: Sequence[Change], style: Style, width: int) -> list[str]:
    return [line for change in changes for line in (_head(change, style, width), *_body(change, style))]


def _brief(changes: Sequence[Change], style: Style, width: int) -> list[str]:
    lines = []
    for group, reason, fix in by_reason(changes):
        lines += [_head(change, style, width, fields=True) for change in group]
        lines += reason_lines(len(group), reason, fix, style)
    return lines


def left_lines(left: Sequence[Left], style: Style) -> list[str]:
    """The sources that were left as they are, with the reason."""
    if not left:
        return []
    lines = [style.paint("Left as they are", "heading")]
    groups: dict[str, list[Left]] = {}
    for one in left:
        groups.setdefault(one.reason, []).append(one)
    for reason, group in groups.items():
        names = (f"{one.kind.label} {one_line(one.name)}" for one in group)
        lines += [style.paint(f"  {style.sign('·')} {name}", "warning") for name in names]
        lines += reason_lines(len(group), reason, "", style)
    return [*lines, ""]


def plan_summary(plan: Plan) -> str:
    """`2 to create, 1 to update, 5 unchanged`, or that there is nothing to do."""
    actions = [change.action for change in plan.changes]
    told = ", ".join(f"{actions.count(action):,} {words}" for action, words in _COUNTED if action in actions)
    if any(action.writes for action in actions):
        return f"{told}."
    if set(actions) == {Action.UNCHANGED}:
        otherwise = sum(bool(change.not_kept) for change in plan.changes)
        but = f", but for fields that Statsig keeps otherwise ({otherwise:,})" if otherwise else ""
        return f"Nothing to do: {counted(len(actions), 'source')} as declared{but}."
    return f"Nothing to write: {told}." if told else "Nothing to do: no source is declared."
