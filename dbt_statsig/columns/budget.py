"""How much SQL is read, and in how many steps: texts that would never end count as not read.

Steps are counted, not seconds, so that the answer is the same on a busy machine.

sqlglot takes exponential time for some texts of a few words (`JOIN a JOIN a …` without a condition), and a gigabyte for
a megabyte of brackets.
"""

from __future__ import annotations

import re

from dbt_statsig.vocabulary.sql_pieces import PieceKind, pieces

MAX_CHARACTERS = 2_000_000
MAX_TOKENS = 200_000
"""The longest query of the projects that this was measured on has 5,000 tokens in 39,000 characters."""
MAX_STEPS_PER_TOKEN = 50
"""How often sqlglot may move on to another token; real projects need 1.4 times their number."""
MAX_JOINS = 1_000
"""In one FROM clause: following them takes the square of their number."""
# sqlglot's tokenizer is quadratic in the length of a word that begins like a number.
_MAX_NUMBER = 1_000
# Where sqlglot is compiled (`sqlglot[c]`), its steps cannot be counted, and deep nesting ends the process: these bounds
# hold before it reads anything. Python's own recursion limit allows less nesting, and a join without a condition
# doubles the time.
MAX_NESTING = 200
MAX_OPEN_JOINS = 12
_BRACKET_OR_JOIN = re.compile(
    r"[(\[{]|[)\]}]|\b(?:(?P<free>(?:cross|array|natural|asof)\s+)?join(?!\s+unnest\b)|on|using)\b", re.IGNORECASE
)
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Unparsable(Exception):
    """Text that is no SQL that sqlglot understands; `line` and `column` count from 1 (0: not known)."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        """`message` is one line without the text itself."""
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def check_size(sql: str) -> None:
    """Raise Unparsable for a text that is too long or nested too deeply to be read, before anything reads it."""
    if len(sql) > MAX_CHARACTERS:
        raise Unparsable(f"it is longer than {MAX_CHARACTERS:,} characters")
    if len(sql) > MAX_TOKENS:
        _check_tokens(sql)
    if sum(map(sql.count, "([{")) > MAX_NESTING or sql.casefold().count("join") > MAX_OPEN_JOINS:
        _check_nesting(sql)


def _check_tokens(sql: str) -> None:
    for count, token in enumerate(_TOKEN.finditer(sql)):
        if count == MAX_TOKENS:
            raise Unparsable(f"it has more than {MAX_TOKENS:,} words and signs")
        if token.end() - token.start() > _MAX_NUMBER and sql[token.start()].isdigit():
            raise Unparsable(f"it has a number of more than {_MAX_NUMBER:,} digits")


def _check_nesting(sql: str) -> None:
    depth = joins = 0
    bare = " ".join(piece.text for piece in pieces(sql, escapes=False) if piece.kind is PieceKind.OTHER)
    for found in _BRACKET_OR_JOIN.finditer(bare):
        word = found[0].casefold()
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth = max(0, depth - 1)
        elif word in {"on", "using"}:
            joins = max(0, joins - 1)
        elif not found["free"]:
            joins += 1
        if depth > MAX_NESTING:
            raise Unparsable("it is nested too deeply")
        if joins > MAX_OPEN_JOINS:
            raise Unparsable(f"it has more than {MAX_OPEN_JOINS} joins without a condition")
