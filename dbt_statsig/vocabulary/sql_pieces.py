"""A text of SQL cut into quoted pieces, comments, white space and the rest, in time that grows with its length. Pure.

No regular expression does this: one that looks for the end of each quote again is quadratic for a text of quotes that
do not end.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENER = re.compile(r"['\"`$]|/\*|--|\s+")
_TAG = re.compile(r"\$\w*\$")
_TAGS = re.compile(r"(?=(\$\w*\$))")
_ESCAPE_OR_END = re.compile(r"\\.|'", re.DOTALL)


class PieceKind(Enum):
    """What a piece of SQL is."""

    QUOTED = "quoted"
    COMMENT = "comment"
    BLANK = "blank"
    OTHER = "other"


class Piece(NamedTuple):
    """Some characters of the text; all pieces together are the text."""

    kind: PieceKind
    text: str


def pieces(sql: str, *, escapes: bool) -> Iterator[Piece]:
    r"""The pieces of a text in order; with `escapes`, a backslash escapes a quote within '…'.

    A quote, `$tag$` or comment that is not closed opens nothing.
    """
    closers = _Closers(sql, escapes=escapes)
    begin = at = 0
    while found := _OPENER.search(sql, at):
        start = found.start()
        kind, end = closers.piece(found[0], start, found.end())
        if end < 0:
            at = found.end()
            continue
        if start > begin:
            yield Piece(PieceKind.OTHER, sql[begin:start])
        yield Piece(kind, sql[start:end])
        begin = at = end
    if begin < len(sql):
        yield Piece(PieceKind.OTHER, sql[begin:])


class _Closers:
    """Where pieces end. What has no end from one place on has none from any later place, so it is not looked for."""

    def __init__(self, sql: str, *, escapes: bool) -> None:
        self._sql = sql
        self._escapes = escapes
        self._endless: set[str] = set()
        self._last_tags: dict[str, int] | None = None

    def piece(self, opener: str, start: int, after: int) -> tuple[PieceKind, int]:
        """The kind of the piece that an opener begins, and where it ends; -1 where it does not end."""
        if opener.isspace():
            return PieceKind.BLANK, after
        if opener == "--":
            return PieceKind.COMMENT, self._sql.find("\n", after) + 1 or len(self._sql)
        if opener == "$":
            return PieceKind.QUOTED, self._tag_end(start)
        kind, closer = (PieceKind.COMMENT, "*/") if opener == "/*" else (PieceKind.QUOTED, opener)
        if opener in self._endless:
            return kind, -1
        end = self._escaped_end(after) if opener == "'" and self._escapes else self._end(closer, after)
        if end < 0:
            self._endless.add(opener)
        return kind, end

    def _end(self, closer: str, after: int) -> int:
        at = self._sql.find(closer, after)
        return at if at < 0 else at + len(closer)

    def _escaped_end(self, after: int) -> int:
        found = _ESCAPE_OR_END.finditer(self._sql, after)
        return next((one.end() for one in found if one[0] == "'"), -1)

    def _tag_end(self, start: int) -> int:
        found = _TAG.match(self._sql, start)
        if found is None:
            return -1
        if self._last_tags is None:
            self._last_tags = {one[1]: one.start() for one in _TAGS.finditer(self._sql)}
        return self._end(found[0], found.end()) if self._last_tags[found[0]] >= found.end() else -1
