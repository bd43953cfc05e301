"""What a row shows when it is opened, as compact JSON: built here, drawn by the page's own script when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig.changes import Action
from dbt_statsig.columns.verdicts import Evidence, Presence
from dbt_statsig.report.diff import DiffLine, Mark
from dbt_statsig.report.escape import clipped, lines_of, one_line
from dbt_statsig.report.fields import FieldDiff, field_diffs
from dbt_statsig.report.values import declared_fields, entries_of, entry_text, is_long, scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.changes import FieldChange
    from dbt_statsig.findings import Finding
    from dbt_statsig.report.html.rows import Row
    from dbt_statsig.results import ColumnUse, Lineage, SourceReport

TEXT_BUDGET = 2_000_000
# A browser may rest between two chunks, and parses one only when a row of it is opened.
CHUNK = 100
_LEAST_SHARE, _MOST_SHARE = 300, 40_000
_LONGEST_LINE = 500
_PRESENCES = list(Presence)
_EVIDENCES = list(Evidence)
_MAPPED = ("id_type_mapping.", "custom_field_mapping.")
_MAPPED_COLUMNS = (
    *("timestamp_column", "experiment_id_column", "group_id_column", "group_name_column"),
    "date_partition_column",
)


def details_json(rows: Sequence[Row], *, budget: int = TEXT_BUDGET) -> list[str]:
    """JSON arrays with one object for each row, `CHUNK` rows in each, safe inside of script elements.

    `budget` is about how many characters all long texts together may take; each row gets the same share.
    """
    share = min(max(budget // max(len(rows), 1), _LEAST_SHARE), _MOST_SHARE)
    chunks = (rows[place : place + CHUNK] for place in range(0, len(rows), CHUNK))
    return [_inert(msgspec.json.encode([_details(row, share) for row in chunk]).decode()) for chunk in chunks]


def _inert(text: str) -> str:
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _details(row: Row, share: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "n": row.name,
        "k": row.kind.label,
        "u": one_line(row.unique_id),
        "t": _notices(row),
        "w": [_finding(one) for one in row.findings],
        **(_source(row.source) if row.source else {}),
        **_fields(row, share),
    }
    return {key: value for key, value in found.items() if value not in ("", [], None)}


def _notices(row: Row) -> list[list[str]]:
    told: list[list[str]] = []
    if row.change and (row.change.reason or row.change.adopted):
        adopted = "Taken over from the console." if row.change.adopted else ""
        told.append([row.tone, *_lines(row.change.reason, adopted, row.change.fix)])
    if row.left:
        told.append(["calm", one_line(row.left.reason)])
    entry = row.outcome
    if entry and (entry.message or entry.echo or entry.reconciled):
        confirmed = "Confirmed by reading back." if entry.reconciled else ""
        echo = [
            f"{field.field}: sent {scalar(field.after)}, Statsig keeps {scalar(field.before)}" for field in entry.echo
        ]
        told.append([row.tone, *_lines(entry.message, confirmed, *echo, entry.fix)])
    return told


def _lines(*texts: str) -> list[str]:
    return [clipped(text, 2_000) for text in texts if text]


def _finding(found: Finding) -> list[str]:
    place = one_line(str(found.location)) if found.location else ""
    texts = (clipped(text, 2_000) for text in (found.message, found.fix))
    return [found.severity.label, found.code, place, one_line(found.key), *texts]


def _source(source: SourceReport) -> dict[str, Any]:
    listed = [use for use in source.columns if use.role != "columns" or use.verdict.presence is not Presence.PRESENT]
    return {
        "r": one_line(source.relation_name),
        "p": one_line(str(source.location)) if source.location else "",
        "c": [_column(use) for use in listed],
        "s": clipped(", ".join(source.selected), 1_000) if source.selected else "",
        "l": _lineage(source.lineage, source.unique_id) if source.lineage else [],
        "m": source.lineage.more if source.lineage and source.lineage.more else "",
    }


def _column(use: ColumnUse) -> list[Any]:
    verdict = use.verdict
    is_mapped = use.role in _MAPPED_COLUMNS or use.role.startswith(_MAPPED)
    return [
        clipped(use.role, 200),
        clipped(verdict.name, 200),
        clipped(verdict.stored, 200) if verdict.stored != verdict.name else "",
        _PRESENCES.index(verdict.presence),
        _EVIDENCES.index(verdict.evidence),
        clipped(verdict.data_type or "", 100),
        int(is_mapped),
    ]


def _lineage(lineage: Lineage, own: str) -> list[list[Any]]:
    """Name, type and readers of each node; a reader is a place in this list, -1 is the source's own node."""
    places = {own: -1, **{node.unique_id: place for place, node in enumerate(lineage.nodes)}}
    return [
        [clipped(node.name, 200), one_line(node.resource_type), [places[reader] for reader in node.feeds]]
        for node in lineage.nodes
    ]


def _fields(row: Row, share: int) -> dict[str, Any]:
    """`f` are the fields that change, `d` those in force, `q` the SQL in force where it does not change."""
    change = row.change
    payload = change.desired if change and change.desired else row.source.payload if row.source else None
    changing = field_diffs(change) if change and change.action in (Action.UPDATE, Action.RENAME) else []
    if payload is None and change and change.action in (Action.DELETE, Action.ORPHAN):
        payload = change.live
    shown: dict[str, Any] = {"f": _parts(changing, share)} if changing else {}
    in_force = declared_fields(payload) if payload else ()
    shown["d"] = [_in_force(field, share // 3) for field in in_force if field.field != "sql"]
    changes_sql = any(one.field == "sql" for one in changing)
    shown["q"] = [] if changes_sql or not payload or not payload.sql else _signed(lines_of(payload.sql), share)
    return shown


def _in_force(field: FieldChange, share: int) -> list[Any]:
    """One field as it is declared: its name and its value, or its lines."""
    value = field.after
    entries = entries_of(value)
    if entries is not None:
        return [field.field, _signed([entry_text(*entry) for entry in entries.items()], share)]
    return [field.field, _signed(lines_of(value), share)] if is_long(value) else [field.field, "", scalar(value)]


def _signed(lines: list[str], share: int) -> list[str]:
    """The lines with the sign that the page's script expects, as many of them as fit."""
    if sum(map(len, lines)) > share or max(map(len, lines), default=0) > _LONGEST_LINE:
        diff = tuple(DiffLine(Mark.SAME, line) for line in lines)
        return list(_marked(FieldDiff(field="", lines=diff), share)[1])
    return [f" {line}" for line in lines]


def _parts(fields: Iterable[FieldDiff], share: int) -> list[list[Any]]:
    return [_marked(field, share) if field.lines else [field.field, field.before, field.after] for field in fields]


def _marked(field: FieldDiff, share: int) -> list[Any]:
    """The field's name and its lines, each led by the sign that says what it is."""
    lines: list[str] = []
    for place, line in enumerate(field.lines):
        text = line.text if len(line.text) <= _LONGEST_LINE else clipped(line.text, _LONGEST_LINE)
        share -= len(text) + 4
        if share < 0 and place:
            lines.append(f"{Mark.FOLDED.value}{len(field.lines) - place:,} more lines")
            break
        lines.append(f"{line.mark.value}{text}")
    return [field.field, lines]
