"""An import as text: every object in one line with its reason, the changed files, and the sums."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.report.escape import lines_of, no_commands, one_line
from dbt_statsig.report.text.fields import field_lines
from dbt_statsig.report.text.plan import reason_lines
from dbt_statsig.report.text.style import Style, counted
from dbt_statsig.vocabulary.imports import Exactness
from dbt_statsig.vocabulary.yaml_text import in_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dbt_statsig.vocabulary.imports import Imported, ImportedObject

PLAIN = Style()
_LOOKS = {"+": "add", "-": "remove", "@": "note"}
_TITLES = {
    Exactness.EXACT: "Exact",
    Exactness.SQL: "Exact, as SQL",
    Exactness.CHANGES: "Not exact: written only with --accept-changes",
    Exactness.NEW_MODEL: "New models",
    Exactness.DECLARED: "Declared already",
    Exactness.FOREIGN: "Owned by another dbt project",
    Exactness.NOT_IMPORTED: "Not imported",
}
_SIGNS = {Exactness.EXACT: ("✓", "good"), Exactness.SQL: ("✓", "good"), Exactness.CHANGES: ("!", "warning")}


def import_text(imported: Imported, style: Style = PLAIN) -> str:
    """All objects but those that this project owns, the files' changes, and what to do next."""
    lines: list[str] = []
    for exactness, title in _TITLES.items():
        if (found := imported.of(exactness)) and not (style.quiet and exactness.is_proven):
            lines += [style.color(title, "heading"), *_objects(found, style), ""]
    if not style.quiet or not imported.wrote:
        lines += _files(imported, style)
    lines += _undeclared(imported, style)
    lines += style.wrap(_summary(imported), indent=0)
    return no_commands("\n".join([*lines, *style.fix(_next(imported), indent=0)]) + "\n")


def _objects(objects: Sequence[ImportedObject], style: Style) -> list[str]:
    lines: list[str] = []
    width = min(max(len(one_line(one.name)) for one in objects), 40)
    listed = sorted(objects, key=lambda one: (one.reason, one.fix))
    for (reason, fix), group in groupby(listed, key=lambda one: (one.reason, one.fix)):
        members = list(group)
        for one in members:
            sign, look = _SIGNS.get(one.exactness, ("·", "warning"))
            node = f" {style.glyph('→')} {one_line(one.unique_id)}" if one.unique_id else ""
            matched = f" ({one_line(one.matched)})" if one.matched and style.verbose else ""
            mark = style.color(style.glyph(sign), look)
            line = f"  {mark} {one.kind.label:<22} {one_line(one.name):<{width}}{node}{matched}".rstrip()
            lines += style.folded(line, hang=6)
            lines += field_lines(one.differences, style, new=False)
        lines += reason_lines([one.kind for one in members], reason, fix, style) if reason else []
    return lines


def _files(imported: Imported, style: Style) -> list[str]:
    if imported.wrote:
        shown = [f"  {'new ' if one.is_new else ''}{one_line(one.path)}" for one in imported.files]
        return [style.color("Written", "heading"), *shown, ""] if shown else []
    lines: list[str] = []
    for file in imported.files:
        lines += [
            style.color(line, _LOOKS.get(line[:1], "")) if line[:1] in _LOOKS else line for line in _diff(file.diff)
        ]
        lines.append("")
    return lines


def _diff(text: str) -> Iterator[str]:
    return iter(lines_of(text.removesuffix("\n")))


def _undeclared(imported: Imported, style: Style) -> list[str]:
    """The tables that no node is, as sources to paste; those named with their schema only can be."""
    schemas: dict[tuple[str, ...], list[str]] = {}
    for *where, table in imported.undeclared:
        if where:
            schemas.setdefault(tuple(where), []).append(table)
    if not schemas:
        return []
    lines = [style.color("Tables that queries read and that dbt does not declare, as sources", "heading"), "  sources:"]
    for parts, tables in schemas.items():
        lines.append(f"    - name: {in_yaml(parts[-1])}")
        lines += [f"      database: {in_yaml(parts[-2])}"] if len(parts) > 1 else []
        lines += ["      tables:", *(f"        - name: {in_yaml(table)}" for table in tables)]
    return [*lines, ""]


def _summary(imported: Imported) -> str:
    counts = {exactness: len(imported.of(exactness)) for exactness in Exactness}
    written = sum(one.is_written for one in imported.objects)
    parts = [
        f"{counts[Exactness.EXACT]:,} exact",
        f"{counts[Exactness.SQL]:,} as SQL",
        f"{counts[Exactness.NEW_MODEL]:,} as new models",
        f"{counts[Exactness.CHANGES]:,} with other differences",
        f"{counts[Exactness.NOT_IMPORTED]:,} not imported",
        f"{counts[Exactness.DECLARED]:,} declared already",
        f"{counts[Exactness.FOREIGN]:,} of other dbt projects",
        f"{counts[Exactness.OWNED]:,} owned already",
    ]
    verb = "written" if imported.wrote else "to write"
    files = f"{counted(written, 'block')} {verb} in {counted(len(imported.files), 'file')}"
    shown = ", ".join(part for index, part in enumerate(parts) if not index or part[0] != "0")
    return f"{counted(len(imported.objects), 'object')}: {shown}. {files}."


def _next(imported: Imported) -> str:
    written = {one.exactness for one in imported.objects if one.is_written}
    if written:
        if imported.wrote and written == {Exactness.NEW_MODEL}:
            return "Build the new models, look at `dbt-statsig plan --adopt NAME`, then sync with the same option."
        if imported.wrote:
            return "Run `dbt compile`, then `dbt-statsig sync --adopt-imported`."
        return "Run it again with --write to write the blocks."
    if imported.of(Exactness.CHANGES):
        return "--accept-changes writes blocks that would change more than the ownership line."
    return ""
