"""What changes in one object, field by field, free of any format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.report.diff import DiffLine, Mark, diff_lines
from dbt_statsig.report.escape import lines_of
from dbt_statsig.report.text.fields import declared_fields, entries_of, entry_text, is_long, scalar
from dbt_statsig.vocabulary.changes import Action

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.changes import Change, FieldChange
    from dbt_statsig.vocabulary.sources import Source


class FieldDiff(Struct, frozen=True, kw_only=True):
    """One field: `before` and `after` for a scalar (`before` is empty for a new object), else the lines of a diff."""

    field: str
    before: str = ""
    after: str = ""
    lines: tuple[DiffLine, ...] = ()


def field_diffs(change: Change) -> list[FieldDiff]:
    """The fields that the change writes, or would if it were not blocked; of a new object all that are declared."""
    if change.action is Action.CREATE:
        return source_fields(change.desired) if change.desired else [_changed(field) for field in change.fields]
    if change.action in (Action.UPDATE, Action.RENAME, Action.BLOCKED):
        return [_changed(field) for field in change.fields]
    return []


def source_fields(source: Source) -> list[FieldDiff]:
    """All that a source declares, without its name."""
    return [_new(field.field, field.after) for field in declared_fields(source)]


def _new(name: str, value: Any) -> FieldDiff:
    entries = entries_of(value)
    if entries is not None:
        lines = [entry_text(*entry) for entry in entries.items()]
    elif is_long(value) or name == "sql":
        lines = lines_of(str(value))
    else:
        return FieldDiff(field=name, after=scalar(value))
    return FieldDiff(field=name, lines=tuple(DiffLine(Mark.ADDED, line) for line in lines))


def _changed(field: FieldChange) -> FieldDiff:
    before, after = field.before, field.after
    had, has = entries_of(before), entries_of(after)
    if had is not None or has is not None:
        return FieldDiff(field=field.field, lines=tuple(_set_lines(had or {}, has or {})))
    if is_long(before, after) or field.field == "sql":
        lines = diff_lines(lines_of(str(before or "")), lines_of(str(after or "")))
        return FieldDiff(field=field.field, lines=tuple(lines))
    return FieldDiff(field=field.field, before=scalar(before), after=scalar(after))


def _set_lines(had: dict[str, str], has: dict[str, str]) -> list[DiffLine]:
    gone = [DiffLine(Mark.REMOVED, entry_text(*entry)) for entry in had.items() if has.get(entry[0]) != entry[1]]
    new = [DiffLine(Mark.ADDED, entry_text(*entry)) for entry in has.items() if had.get(entry[0]) != entry[1]]
    return gone + new
