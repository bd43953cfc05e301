"""The answer of `preview`, as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig.report.escape import clipped, no_commands, one_line
from dbt_statsig.report.text.style import Style, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.vocabulary.previews import Estimate, Preview, Previewed

PLAIN = Style()
_WIDEST = 32
_THOUSAND = 1_000


def previews_text(found: Previewed, style: Style = PLAIN) -> str:
    """Each source with its rows as a table, roles above the columns' names; then what was counted."""
    lines: list[str] = []
    for one in found.sources:
        title = f"{one.kind.label} {one_line(one.name)}"
        lines += [f"{style.color(title, 'heading')}  {one_line(one.unique_id)}", *_source(one, style), ""]
    failed = sum(bool(one.error) for one in found.sources)
    said = f"{counted(len(found.sources), 'source')}{f', {failed} failed' if failed else ''}."
    days = f"Statsig's date macros were {found.first_day} to {found.last_day}; SQL without them reads all rows."
    lines += style.wrap(f"{said} {days}" if found.sources else "No source is in scope.", indent=0)
    return no_commands("\n".join(lines) + "\n")


def _source(one: Preview, style: Style) -> list[str]:
    if one.error:
        return style.wrap(one_line(one.error), indent=2, first=f"{style.glyph('✗')} ")
    if one.estimate is not None:
        return _estimate(one.estimate, style)
    lines = []
    if one.rows:
        roles = [
            ", ".join(role.removesuffix("_column").removeprefix("id_type_mapping.") for role in column.roles)
            for column in one.columns
        ]
        lines += _table([roles, [column.name for column in one.columns]], one.rows, style)
    else:
        lines.append("  No rows.")
    if one.rows_read is not None:
        lines.append(f"  {counted(one.rows_read, 'row')}; newest timestamp: {_cell(one.newest)}")
    for unit in one.units:
        share = f" ({unit.empty_rows / one.rows_read:.1%})" if one.rows_read else ""
        empty = f"empty in {counted(unit.empty_rows, 'row')}{share}"
        lines.append(f"  {one_line(unit.unit_id)}: {counted(unit.units, 'unit')}, {empty}")
    if one.groups:
        lines += ["", *_table([["experiment", "group_id", "day", "units"]], one.groups, style)]
    return lines


def _estimate(found: Estimate, style: Style) -> list[str]:
    size = counted(found.rows, "row") if found.rows is not None else _bytes(found.bytes or 0)
    more = ", whatever the days. `partition_column` in its block would lower it" if found.could_filter else ""
    return style.wrap(f"Reads about {size}{more}.", indent=2)


def _bytes(number: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if number < _THOUSAND:
            return f"{number:,.0f} {unit}"
        number /= _THOUSAND
    return f"{number:,.1f} TB"


def _table(heads: Sequence[Sequence[str]], rows: Iterable[Sequence[Any]], style: Style) -> list[str]:
    """Columns side by side, numbers to the right; values that are too long are cut."""
    body = [[_cell(value) for value in row] for row in rows]
    shown = [[clipped(name, _WIDEST) for name in head] for head in heads]
    widths = [max(len(line[at]) for line in (*shown, *body)) for at in range(len(heads[0]))]
    lines = [style.color(_line(line, widths), "note") for line in shown if any(line)]
    return lines + [_line(line, widths) for line in body]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return ("  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))).rstrip()


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    text = one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def previews_json(found: Previewed) -> str:
    """The same as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
