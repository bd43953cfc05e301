"""How text looks: colours, signs and width, as one value that every renderer is given."""

from __future__ import annotations

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
_ASCII = {"→": "->", "✓": "ok", "✗": "x", "⋮": ":", "·": "-"}


class Style(Struct, frozen=True, kw_only=True):
    """`colour` adds ANSI colours, `unicode` allows signs beyond ASCII, `width` is where prose wraps.

    `quiet` leaves out all that needs no attention, `verbose` shortens nothing.
    """

    colour: bool = False
    unicode: bool = True
    width: int = 100
    quiet: bool = False
    verbose: bool = False

    def paint(self, text: str, look: str) -> str:
        """The text in one of the looks, or as it is when colours are off."""
        if not self.colour or not text:
            return text
        from click import style  # renderers without colours load no click

        return style(text, **_LOOKS[look])

    def severity(self, severity: Severity) -> str:
        """The word for it, in a look of its own."""
        return self.paint(severity.label, severity.label)

    def sign(self, character: str) -> str:
        """The sign itself, or its form in ASCII."""
        return character if self.unicode else _ASCII.get(character, character)

    def prose(self, text: str, *, indent: int, first: str = "") -> list[str]:
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

    def fix(self, text: str, *, indent: int) -> list[str]:
        """The next step, led by an arrow; nothing where there is none."""
        return self.prose(text, indent=indent, first=f"{self.sign('→')} ") if text else []


def error_text(message: str, fix: str, style: Style) -> str:
    """The message after a red word, the next step after an arrow; further lines of either are indented."""
    lines = [style.paint("Error:", "error") + " " + "\n  ".join(map(one_line, message.splitlines()))]
    if fix:
        lines.append(f"  {style.sign('→')} " + "\n    ".join(map(one_line, fix.splitlines())))
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
