"""The answer of `tests`, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dbt_statsig.report.escape import lines_of, no_commands, one_line
from dbt_statsig.report.text.style import Style, counted
from dbt_statsig.vocabulary.imports import FIT

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.imports import RowTests

PLAIN = Style()
_LOOKS = {"+": "add", "-": "remove", "@": "note"}


def row_tests_text(found: RowTests, style: Style = PLAIN) -> str:
    """The changed files, the nodes that the test cannot be added to, and the sums."""
    lines: list[str] = []
    for file in found.files:
        if found.wrote:
            lines.append(f"{style.color(style.glyph('✓'), 'good')} {one_line(file.path)}")
        elif not style.quiet:
            shown = lines_of(file.diff.removesuffix("\n"))
            lines += [style.color(line, _LOOKS[line[:1]]) if line[:1] in _LOOKS else line for line in shown]
            lines.append("")
    for one in found.not_added:
        text = f"{one_line(one.unique_id)}: {one_line(one.reason)}"
        lines += style.wrap(text, indent=2, first=f"{style.glyph('!')} ")
    added = len(found.untested) - len(found.not_added)
    total = counted(len(found.tested) + len(found.untested), "marked node")
    said = f"{total}: {len(found.tested)} with {FIT}, {added} {'added' if found.wrote else 'to add'}."
    lines += style.wrap(said, indent=0)
    if found.not_added:
        lines += style.fix(f"Add `dbt_statsig.{FIT}` to the `data_tests` of the nodes above by hand.", indent=0)
    elif added:
        lines += style.fix("Run `dbt test`." if found.wrote else "`dbt-statsig tests --write` writes it.", indent=0)
    return no_commands("\n".join(lines) + "\n")


def row_tests_json(found: RowTests) -> str:
    """The same as one JSON object."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"
