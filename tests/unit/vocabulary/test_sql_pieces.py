"""Cutting SQL into quoted pieces, comments, white space and the rest."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.vocabulary.comparison import normal_sql
from dbt_statsig.vocabulary.sql_pieces import PieceKind, pieces
from tests.hostile import ENDLESS

_REST = r"\"[^\"]*\"|`[^`]*`|(?P<tag>\$\w*\$).*?(?P=tag)|(?P<comment>/\*.*?\*/|--[^\n]*(?:\n|$))|(?P<blank>\s+)"
# What the pieces are, as one would write it down; far too slow for texts of endless quotes.
READINGS = {
    False: re.compile(rf"'[^']*'|{_REST}", re.DOTALL),
    True: re.compile(rf"'(?:\\.|[^'\\])*'|{_REST}", re.DOTALL),
}
FRAGMENTS = ["'", '"', "`", "$", "$a$", "$$", "/*", "*/", "--", "-", "\n", " ", "\\", "a", "\t", "é"]


def expected(sql: str, *, escapes: bool) -> list[tuple[PieceKind, str]]:
    """The pieces by the pattern."""
    found, at = [], 0
    for match in READINGS[escapes].finditer(sql):
        kind = PieceKind.COMMENT if match["comment"] else PieceKind.BLANK if match["blank"] else PieceKind.QUOTED
        found += [(PieceKind.OTHER, sql[at : match.start()]), (kind, match[0])]
        at = match.end()
    return [piece for piece in [*found, (PieceKind.OTHER, sql[at:])] if piece[1]]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join), st.booleans())
def test_pieces_are_those_of_the_pattern(sql: str, escapes: bool) -> None:  # noqa: FBT001 - hypothesis hands it in
    """Every text is cut exactly as the pattern cuts it, and nothing of it is lost."""
    assert list(pieces(sql, escapes=escapes)) == expected(sql, escapes=escapes)


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_no_text_takes_for_ever(name: str) -> None:
    """Texts of quotes, tags and comments that do not end are compared in linear time."""
    started = time.process_time()
    normal_sql(ENDLESS[name](300_000))
    assert time.process_time() - started < 10
