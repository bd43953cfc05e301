"""A Markdown report as the text of a comment: its hidden lines, its link, and no longer than a service takes. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from dbt_statsig.report.escape import is_web_address
from dbt_statsig.report.markdown import MARKER, SIGNS
from dbt_statsig.report.markdown_text import linked

if TYPE_CHECKING:
    from collections.abc import Callable

MARKS = 2
"""How many lines at the start make a comment known: what it is, and its key."""
_FENCE = re.compile(r"`{3,}")
_CUT = "The rest does not fit into a comment."
_ROOM = 200
"""For the sentence above, and to close what is open."""


def is_report(text: str) -> bool:
    """Whether this is a report of ours in Markdown."""
    return text.partition("\n")[0].rstrip() == MARKER


def asks_for_something(report: str) -> bool:
    """Whether its verdict is a bad one."""
    return any(line.startswith(f"### {SIGNS['bad']} ") for line in report.splitlines()[:6])


def comment_text(report: str, *, key: str, link: str, limit: int, written: Callable[[str], str]) -> str:
    """The report below its key, with the address of the HTML report at its end; at most `limit` UTF-16 units long.

    `written` makes of it what the service has to get.
    """
    rest = report.replace("\r\n", "\n").replace("\r", "\n").partition("\n")[2].rstrip()
    mark = quote(" ".join(key.split()), safe=" /._", errors="replace")
    text = written(f"{MARKER}\n<!-- comment-key: {mark} -->\n{rest}\n")
    end = f"\n{linked('The whole report as an HTML page', link)}\n" if is_web_address(link) else ""
    return _fitted(text, limit - _size(end)) + end


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def _fitted(text: str, room: int) -> str:
    """The text, or as many of its lines as there is room for, with what they leave open closed."""
    if _size(text) <= room:
        return text
    room -= _ROOM
    kept: list[str] = []
    fence, folds = "", 0
    for line in text.splitlines():
        room -= _size(line) + 1
        if room < 0:
            break
        kept.append(line)
        if fence:
            fence = "" if line == fence else fence
        elif found := _FENCE.match(line):
            fence = found[0]
        else:
            folds += line.count("<details>") - line.count("</details>")
    kept += [fence] if fence else []
    kept += ["", *(["</details>"] * folds), "", _CUT]
    return "\n".join(kept) + "\n"
