"""Words made Markdown: whatever is in names and messages is text in a comment, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt_statsig.report.diff import Mark
from dbt_statsig.report.escape import clipped, is_web_address, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.report.diff import DiffLine
    from dbt_statsig.report.field_diff import FieldDiff


def html_code(name: str) -> str:
    """A name as code inside of an HTML block, where Markdown is not read."""
    shown = code(name)
    return f"<code>{shown[1:-1]}</code>" if shown.startswith("`") else shown


# After a zero-width space neither @name nor #1 is a reference any more.
_PROSE = {
    **{character: f"&#{ord(character)};" for character in "&<>|`\\*[]{}~$!"},
    "@": "@&#8203;",
    "#": "#&#8203;",
}
_PROSE_TABLE = str.maketrans(_PROSE)
_CODE_TABLE = str.maketrans({character: f"&#{ord(character)};" for character in "&<>|`\\*_[]{}~$!@#:\"'"})
_PLAIN_CODE = re.compile(r"[\w .,/()=;:+-]*")
_FENCE = re.compile(r"`+")
# Inside of a word it means nothing: fct_orders.
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINK = re.compile(r"(?i)\b(https?|ftp)://|\bwww\.")
# GH-1 of GitHub; !1, $1, &1, ~label and %milestone of GitLab, which reads them after the escapes.
_REFERENCE = re.compile(r"(?i)\bGH-(?=\d)|&#(?:33|36|38);(?=\d)|(?:%|&#126;)(?=[\w\"])")


def prose(text: str, limit: int = 1_000) -> str:
    """The text as one line of plain words: no markup, mention, reference or link comes of it."""
    shown = clipped(" ".join(text.splitlines()), limit).translate(_PROSE_TABLE)
    shown = _EMPHASIS.sub("&#95;", _REFERENCE.sub(r"\g<0>&#8203;", shown))
    return _LINK.sub(lambda found: found[0].replace(":", "&#58;").replace(".", "&#46;"), shown)


def code(text: str, limit: int = 200) -> str:
    """The text as code in a line, safe in a table's cell too."""
    shown = clipped(text, limit)
    if not shown.strip():
        return ""
    if _PLAIN_CODE.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    return f"<code>{shown.translate(_CODE_TABLE)}</code>"


_SPAN = re.compile(r"`([^`\n]+)`")


def message(text: str, limit: int = 1_000) -> str:
    """A sentence of ours: as prose, but what it has between backticks is code."""
    parts = _SPAN.split(clipped(" ".join(text.splitlines()), limit))
    return "".join(code(part) if index % 2 else prose(part, limit) for index, part in enumerate(parts))


def linked(shown: str, url: str) -> str:
    """The Markdown as a link; as it is where the address is none of the web."""
    return f"[{shown}](<{url}>)" if is_web_address(url) else shown


def fenced(lines: Iterable[str], language: str = "diff") -> str:
    """The lines as code in a fence that none of them can close."""
    body = "\n".join(map(one_line, lines))
    ticks = "`" * max(3, 1 + max((len(run) for run in _FENCE.findall(body)), default=0))
    return f"{ticks}{language}\n{body}\n{ticks}"


def diff_of(fields: Iterable[FieldDiff], *, limit: int) -> str:
    """Field after field as one fenced diff of at most about `limit` characters."""
    lines: list[str] = []
    room = limit
    for field in fields:
        lines.append(f"@@ {field.field} @@")
        for line in _lines(field):
            room -= len(line) + 1
            if room < 0:
                return fenced([*lines, "  (the rest is not shown)"])
            lines.append(line)
    return fenced(lines)


def _lines(field: FieldDiff) -> list[str]:
    if field.lines:
        return [_diff_line(line) for line in field.lines]
    return [f"- {field.before}", f"+ {field.after}"] if field.before else [f"+ {field.after}"]


def _diff_line(line: DiffLine) -> str:
    mark = " " if line.mark is Mark.FOLDED else line.mark.value
    text = f"({line.text})" if line.mark is Mark.FOLDED else line.text
    return f"{mark} {clipped(text, 500)}".rstrip()
