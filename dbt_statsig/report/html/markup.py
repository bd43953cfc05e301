"""Words made markup: whatever is in names, messages and SQL is text in the page, and nothing else.

The rows of a large page are more than Jinja can write in the time that a report may take; its escaping is done here.
Optional end tags and the quotes around our own words are left out where a page has thousands of them.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from dbt_statsig.report.diff import LONGEST_LINE, DiffLine, Mark, cut
from dbt_statsig.report.escape import clipped, is_web_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Most words need nothing done to them; this is how that is seen at once.
_PLAIN = re.compile(r"[\w \"'.,:;/()=*+|{}\[\]-]*", re.ASCII)
_SPAN = re.compile(r"`([^`\n]+)`")
_LOOKS = {Mark.ADDED: " class=plus", Mark.REMOVED: " class=minus", Mark.SAME: "", Mark.FOLDED: " class=fold"}


def escaped(text: str) -> str:
    """The text as it is between tags, never in an attribute; it must be safe to print already."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


@functools.lru_cache(maxsize=20_000)
def worded(text: str, limit: int = 200) -> str:
    """A word of the project: made safe to print, cut to `limit` characters, escaped."""
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    return escaped(clipped(text, limit))


def linked(shown: str, url: str) -> str:
    """The markup as a link; as it is where the address is none that a browser opens as a page."""
    if not is_web_address(url):
        return shown
    return f'<a href="{escaped(url)}" rel="noreferrer">{shown}</a>'


def section(heading: str, *content: str) -> str:
    """A part of a row with its heading, which is ours."""
    return f"<section><h3>{heading}</h3>{''.join(content)}</section>"


def prose(text: str, limit: int = 2_000) -> str:
    """A sentence of ours with words of the project: what it has between backticks is code."""
    shown = _SPAN.sub(r"<code>\1</code>", worded(text, limit))
    # Of a text that was cut, the last code may have no end.
    return shown if len(text) <= limit or shown.count("`") != 1 else shown.replace("`", "")


def paragraphs(texts: Iterable[str]) -> str:
    """Each text as a paragraph."""
    return "".join(f"<p>{prose(text)}</p>" for text in texts if text)


def diff(lines: Sequence[DiffLine], share: int) -> str:
    """The lines with their signs, one below the other."""
    spans = (f"<span{_LOOKS[line.mark]}>{line.mark.value} {escaped(line.text)}\n</span>" for line in cut(lines, share))
    return code("".join(spans))


def code(shown: str, label: str = "") -> str:
    """Lines of code, which a keyboard can scroll."""
    return f'<pre class=code tabindex=0 role=group aria-label="{label or "Changes"}"><code>{shown}</code></pre>'


def listing(lines: Sequence[str], share: int) -> str:
    """The lines as they are; what has no room is counted."""
    lengths = list(map(len, lines))
    if not lengths or (max(lengths) <= LONGEST_LINE and sum(lengths) + 4 * len(lengths) <= share):
        return escaped("\n".join(lines))
    shown = cut([DiffLine(Mark.SAME, line) for line in lines], share)
    return "\n".join(escaped(one.text) if one.mark is Mark.SAME else f"{one.mark.value} {one.text}" for one in shown)
