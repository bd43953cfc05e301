"""One field of an object as text: scalars with an arrow, sets as what joins and leaves, long text line by line."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, structs

from dbt_statsig.report.diff import Mark, cut, diff_lines
from dbt_statsig.report.escape import clipped, lines_of, one_line
from dbt_statsig.report.text.style import counted
from dbt_statsig.vocabulary.changes import FieldChange
from dbt_statsig.vocabulary.sources import CustomField, IdType, Owner, Role, roles_of
from dbt_statsig.vocabulary.verdicts import Evidence, Presence
from dbt_statsig.vocabulary.yaml_text import NOT_SET, in_yaml

if TYPE_CHECKING:
    from dbt_statsig.report.text.style import Style
    from dbt_statsig.vocabulary.sources import Source
    from dbt_statsig.vocabulary.verdicts import Verdict

LONGEST_VALUE = 300
LONGEST_NEW_TEXT = 24
MOST_OF_A_TEXT, MOST_OF_A_RUN, MOST_OF_A_LINE = 200_000, 40_000, 10_000
"""So many characters of a diff, and of lines with one sign, are shown: SQL from the console may have megabytes."""
_UNPROVEN = {Evidence.DOCUMENTED: "documented only", Evidence.POSSIBLE: "possible: SQL and table may differ"}

_TEXTS = ("description", "sql")
_LOOKS = {Mark.ADDED: "add", Mark.REMOVED: "remove", Mark.FOLDED: "quiet"}


def proof_of(verdict: Verdict) -> str:
    """What proves that a column is there, or that it is not, in words."""
    known = "" if verdict.evidence is Evidence.NONE else verdict.evidence.value
    if verdict.presence is Presence.PRESENT:
        return known
    if verdict.presence is Presence.ABSENT:
        return f"absent ({known})" if known else "absent"
    return _UNPROVEN.get(verdict.evidence, "not proven")


def scalar(value: Any) -> str:
    """One value in YAML's spelling, safe to print, with quotes where blanks at its ends would be lost."""
    if value is None or value is UNSET:
        return NOT_SET
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Owner):
        parts = ((name, part) for name, part in structs.asdict(value).items() if part is not UNSET)
        return ", ".join(f"{name}: {scalar(part)}" for name, part in parts) or NOT_SET
    text = clipped(str(value), LONGEST_VALUE)
    return f'"{text}"' if text != text.strip() or not text else text


def entries_of(value: Any) -> dict[str, str] | None:
    """A tag list or a mapping as name → what it maps to (empty for tags); None for anything else."""
    if not isinstance(value, list | tuple):
        return None
    entries: dict[str, str] = {}
    for entry in value:
        if isinstance(entry, IdType):
            entries[entry.statsig_unit_id] = entry.column
        elif isinstance(entry, CustomField):
            entries[entry.key] = entry.formula
        else:
            entries[in_yaml(entry).strip("{}") if isinstance(entry, Struct) else str(entry)] = ""
    return entries


def _holds_records(*values: Any) -> bool:
    """Whether one of the values lists records of several fields, such as `metric_sources` or `funnel_events`."""
    listed = [entry for value in values if isinstance(value, list | tuple) for entry in value]
    return any(isinstance(entry, Struct) and not isinstance(entry, IdType | CustomField) for entry in listed)


def entry_text(name: str, target: str) -> str:
    """One entry of a tag list or a mapping."""
    return f"{scalar(name)}: {scalar(target)}" if target else scalar(name)


def _set_change(before: dict[str, str], after: dict[str, str], style: Style) -> list[str]:
    arrow = style.glyph("→")
    added = [style.color(f"+ {entry_text(name, after[name])}", "add") for name in after if name not in before]
    gone = [style.color(f"- {entry_text(name, before[name])}", "remove") for name in before if name not in after]
    moved = [
        style.color(f"~ {scalar(name)}: {scalar(before[name])} {arrow} {scalar(after[name])}", "change")
        for name in after
        if name in before and before[name] != after[name]
    ]
    return [*added, *moved, *gone]


def _text_change(before: str, after: str, style: Style) -> list[str]:
    lines = []
    changed = groupby(diff_lines(lines_of(before), lines_of(after)), lambda line: line.mark)
    runs = [line for _, run in changed for line in cut([*run], MOST_OF_A_RUN, longest=MOST_OF_A_LINE)]
    for line in cut(runs, MOST_OF_A_TEXT, longest=MOST_OF_A_LINE + 100):
        sign = style.glyph(line.mark.value)
        look = _LOOKS.get(line.mark)
        text = f"{sign} {line.text}".rstrip()
        lines.append(style.color(text, look) if look else text)
    return lines


def _new_text(text: str, style: Style) -> list[str]:
    lines = lines_of(text)
    hidden = len(lines) - LONGEST_NEW_TEXT
    shown = lines if hidden <= 1 else lines[:LONGEST_NEW_TEXT]
    result = [style.color(f"+ {clipped(line, MOST_OF_A_LINE)}".rstrip(), "add") for line in shown]
    if hidden > 1:
        result.append(style.color(f"{style.glyph('⋮')} {counted(hidden, 'more line')}", "quiet"))
    return result


def is_long(*values: Any) -> bool:
    """Whether one of the values is a text that wants lines of its own."""
    return any(isinstance(value, str) and ("\n" in value or len(value) > LONGEST_VALUE) for value in values)


def _changed(field: FieldChange, style: Style) -> tuple[str, list[str]]:
    """What is beside the field's name, and the lines below it."""
    before, after = field.before, field.after
    had, has = entries_of(before), entries_of(after)
    if had is not None or has is not None:
        changes = _set_change(had or {}, has or {}, style)
        is_mapping = any((had or {}).values()) or any((has or {}).values())
        return ("", changes) if is_mapping or _holds_records(before, after) else (", ".join(changes), [])
    if is_long(before, after) or field.field == "sql":
        return "", _text_change(str(before or ""), str(after or ""), style)
    return f"{scalar(before)} {style.glyph('→')} {scalar(after)}", []


def _new(field: FieldChange, style: Style) -> tuple[str, list[str]]:
    if (entries := entries_of(field.after)) is not None:
        texts = [entry_text(*entry) for entry in entries.items()]
        if len(texts) > 1 and _holds_records(field.after):
            return "", [style.color(f"+ {text}", "add") for text in texts]
        return ", ".join(texts), []
    if is_long(field.after) or field.field == "sql":
        return "", _new_text(str(field.after), style)
    return scalar(field.after), []


def field_lines(fields: tuple[FieldChange, ...], style: Style, *, new: bool) -> list[str]:
    """All fields of one object, names aligned, those with long text last.

    `new` is for an object that the console does not have: values without an arrow.
    """
    shown = [(field, *(_new if new else _changed)(field, style)) for field in fields]
    shown.sort(key=lambda entry: (bool(entry[2]), entry[0].field in _TEXTS))
    width = max((len(field.field) for field, beside, _ in shown if beside), default=0)
    margin = " " * 6
    lines = []
    for field, beside, below in shown:
        lines += style.folded(f"{margin}{one_line(field.field):<{width}}  {beside}".rstrip(), hang=10)
        # Code stays as it is: a break in it would be another text.
        is_code = is_long(field.before, field.after) or field.field in _TEXTS
        for line in below:
            lines += [f"{margin}  {line}"] if is_code else style.folded(f"{margin}  {line}", hang=12)
    return lines


def declared_fields(source: Source) -> tuple[FieldChange, ...]:
    """The fields that a new object is created with, without its name and what is only sent along."""
    return tuple(
        FieldChange(field=name, before=None, after=getattr(source, name))
        for name, roles in roles_of(type(source)).items()
        if name != "name" and Role.WRITE_ONLY not in roles and getattr(source, name) not in (UNSET, None, "", ())
    )
