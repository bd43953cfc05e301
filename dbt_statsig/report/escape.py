"""Names and messages made safe to print: a terminal obeys what it is sent, a name in a project must not."""

from __future__ import annotations

import re
import unicodedata

# Joiners shape emoji and several scripts; every other format character can hide or reorder text.
_KEPT = frozenset("\u200c\u200d")
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_TAB_STOP = 4
# GitHub reads "::" after blanks at the start of a line, and "##[" anywhere; Azure "##vso[" and "##[" anywhere.
_COMMAND = re.compile(r"^((?:[ \t]|\x1b\[[0-9;]*m)*):(?=:)|(##(?:vso)?)(?=\[)", re.MULTILINE)

# Nothing in it can end an attribute or a link, and nothing but a page of the web is behind it.
_WEB = re.compile(r"https?://[A-Za-z0-9][\w.~!$&()*+,;=:@/?#%\[\]-]{0,3000}", re.ASCII)


def is_web_address(url: str) -> bool:
    """Whether a report may link to it."""
    return _WEB.fullmatch(url) is not None


def _shown(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape").decode("ascii")


def one_line(text: str) -> str:
    """The text with line breaks, control and direction characters, and lone surrogates as visible escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def lines_of(text: str) -> list[str]:
    """The text's lines, tabs as blanks, each safe to print; none for an empty text."""
    if not text:
        return []
    lines = text.replace("\r\n", "\n").split("\n")
    if text.isascii() and "".join(lines).isprintable():
        return lines
    return [one_line(line.expandtabs(_TAB_STOP)) for line in lines]


def no_commands(text: str) -> str:
    """The text with a blank in whatever a CI system would take from its log as a command."""
    return _COMMAND.sub(lambda found: f"{found[1]}: " if found[1] is not None else f"{found[2]} ", text)


def clipped(text: str, limit: int) -> str:
    """The text in one line, cut to `limit` characters with a note of how many more there are."""
    if len(text) <= limit:
        return one_line(text)
    return f"{one_line(text[:limit])}... ({len(text) - limit:,} more characters)"
