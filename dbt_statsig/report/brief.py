"""What changes in one object, in a line: the fields, and as much of each as has room. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.report.diff import Mark
from dbt_statsig.report.text.fields import entries_of, scalar
from dbt_statsig.vocabulary.changes import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dbt_statsig.report.field_diff import FieldDiff
    from dbt_statsig.vocabulary.changes import Change, FieldChange

MOST = 5
_LONGEST, _MOST_ENTRIES = 40, 3


class Brief(Struct, frozen=True, gc=False):
    """One field, or one entry of a mapping. With `moves` it goes from `gone` to `new`; else those leave and join.

    Both are empty where only the name has room.
    """

    label: str
    gone: str = ""
    new: str = ""
    moves: bool = False


def briefs(change: Change, diffs: Sequence[FieldDiff]) -> list[Brief]:
    """The fields of a change with its `diffs`; of a new object the columns that it maps."""
    if change.action is Action.CREATE:
        return list(_mapped(change))
    if len(change.fields) != len(diffs):
        return []
    return [brief for field, diff in zip(change.fields, diffs, strict=True) for brief in _of_field(field, diff)]


def _mapped(change: Change) -> Iterator[Brief]:
    for entry in getattr(change.desired, "id_type_mapping", None) or ():
        yield Brief(entry.statsig_unit_id, new=entry.column)
    timestamp = getattr(change.desired, "timestamp_column", None)
    if timestamp and isinstance(timestamp, str):
        yield Brief("timestamp", new=timestamp)


def _of_field(field: FieldChange, diff: FieldDiff) -> Iterator[Brief]:
    had, has = entries_of(field.before), entries_of(field.after)
    if had is not None or has is not None:
        yield from _of_entries(field.field, had or {}, has or {})
    elif diff.lines:
        marks = [line.mark for line in diff.lines]
        gone, new = marks.count(Mark.REMOVED), marks.count(Mark.ADDED)
        yield Brief(field.field, f"{gone:,}" if gone else "", f"{new:,}" if new else "")
    else:
        # What is shown for a character that cannot be printed is longer than it.
        has_room = max(len(str(value)) for value in (field.before, field.after)) <= _LONGEST
        before, after = (scalar(value) if has_room else "" for value in (field.before, field.after))
        yield Brief(field.field, before, after, moves=has_room)


def _of_entries(name: str, had: dict[str, str], has: dict[str, str]) -> Iterator[Brief]:
    changed = [key for key in {**had, **has} if had.get(key) != has.get(key)]
    if len(changed) > _MOST_ENTRIES:
        yield Brief(name, f"{sum(key in had for key in changed):,}", f"{sum(key in has for key in changed):,}")
    elif any(had.values()) or any(has.values()):
        for key in changed:
            yield _moved(key, had.get(key, ""), has.get(key, ""))
    else:
        gone, new = (", ".join(key for key in changed if key in some) for some in (had, has))
        yield _moved(name, gone, new, moves=False)


def _moved(label: str, gone: str, new: str, *, moves: bool = True) -> Brief:
    if max(len(label), len(gone), len(new)) > _LONGEST:
        return Brief(label[:_LONGEST])
    return Brief(label, gone, new, moves=moves and bool(gone and new))
