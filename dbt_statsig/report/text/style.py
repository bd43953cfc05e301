"""How text looks: colours, signs and width, as one value that every renderer is given."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.report.escape import no_commands, one_line
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.vocabulary.findings import Severity

_LOOKS: dict[str, dict[str, Any]] = {
    "heading": {"bold": True},
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "note": {"fg": "cyan"},
    "good": {"fg": "green"},
    "add": {"fg": "green"},
    "change": {"fg": "yellow"},
    "remove": {"fg": "red"},
    "quiet": {"dim": True},
}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_CELLS = re.compile(r" *(?:(?!  ).)+")
"""A cell of a table with the gap before it: two blanks or more."""
_ASCII = {"→": "->", "✓": "ok", "✗": "x", "⋮": ":", "·": "-"}


class Style(Struct, frozen=True, kw_only=True):
    """`colour` adds ANSI colours, `unicode` allows signs beyond ASCII, `width` is where prose wraps.

    `folds`: no line is wider, as on a terminal; elsewhere each row of a table is one line, however long. `quiet` leaves
    out all that needs no attention, `verbose` shortens nothing.
    """

    colour: bool = False
    unicode: bool = True
    width: int = 100
    folds: bool = False
    quiet: bool = False
    verbose: bool = False

    def color(self, text: str, look: str) -> str:
        """The text in one of the looks, or as it is when colours are off."""
        if not self.colour or not text:
            return text
        from click import style  # renderers without colours load no click

        return style(text, **_LOOKS[look])

    def severity(self, severity: Severity) -> str:
        """The word for it, in a look of its own."""
        return self.color(severity.label, severity.label)

    def glyph(self, character: str) -> str:
        """The sign itself, or its form in ASCII."""
        return character if self.unicode else _ASCII.get(character, character)

    def wrap(self, text: str, *, indent: int, first: str = "") -> list[str]:
        """A message wrapped to the width, each line indented, the first one led by `first`."""
        margin = " " * indent
        wrapped = textwrap.wrap(
            one_line(text),
            width=max(self.width, 40),
            initial_indent=margin + first,
            subsequent_indent=margin + " " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
        return wrapped or [(margin + first).rstrip()]

    def folded(self, line: str, *, hang: int) -> list[str]:
        """A line of a table; on a terminal in as many as it takes, broken between its cells or at blanks."""
        if not self.folds:
            return [line]
        lines, current = [], ""
        for cell in _CELLS.findall(line):
            for index, word in enumerate([cell] if self._has_room(" " * hang + cell.strip()) else cell.split(" ")):
                longer = f"{current} {word}" if index else current + word
                if current.strip() and word.strip() and not self._has_room(longer):
                    lines.append(current.rstrip())
                    longer = " " * hang + word.lstrip()
                current = longer
        return [*lines, current]

    def _has_room(self, line: str) -> bool:
        return len(_COLOURS.sub("", line)) <= max(self.width, 40)

    def sums(self, text: str, look: str) -> list[str]:
        """The sums that a report ends with."""
        return [self.color(line, look) for line in (self.wrap(text, indent=0) if self.folds else [text])]

    def fix(self, text: str, *, indent: int) -> list[str]:
        """The next step, led by an arrow; nothing where there is none."""
        return self.wrap(text, indent=indent, first=f"{self.glyph('→')} ") if text else []


def error_text(message: str, fix: str, style: Style) -> str:
    """The message after a red word, the next step after an arrow; further lines of either are indented."""
    lines = [style.color("Error:", "error") + " " + "\n  ".join(map(one_line, message.splitlines()))]
    if fix:
        lines.append(f"  {style.glyph('→')} " + "\n    ".join(map(one_line, fix.splitlines())))
    return no_commands("\n".join(lines) + "\n")


def counted_objects(kinds: Iterable[Kind]) -> str:
    """`9 sources`, `9 sources and 1 metric`, `3 metrics`."""
    listed = list(kinds)
    metrics = listed.count(Kind.METRIC)
    parts = [counted(len(listed) - metrics, "source")] if len(listed) > metrics or not metrics else []
    return " and ".join([*parts, counted(metrics, "metric")] if metrics else parts)


def counted(number: int, word: str, plural: str = "") -> str:
    """`1 source`, `2 sources`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {plural or word + 's'}"
