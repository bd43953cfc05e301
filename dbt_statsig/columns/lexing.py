"""A user's SQL as tokens: macros masked at the same length, so that every place in it stays what it was."""

from __future__ import annotations

import re

from msgspec import Struct

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.sql import Token, tokenize
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.verdicts import MACROS, SqlProblem

_JINJA = re.compile(r"\{\{|\{%|\{#")
_MACRO = re.compile(r"\{(\s*[A-Za-z_]\w*\s*)\}")
MAX_FAULTS = 20
"""How many foreign macros of one text are listed: finding the line of each takes time that grows with the text."""
# Inside of these, {name} is part of a column's name. (A bracket alone is no quoted name: its token is one sign.)
_NAME_QUOTES = '"`['
_PAIRS = {")": "(", "]": "[", "}": "{"}
_BLOCK = re.compile(r"/\*|\*/")
_INK = re.compile(r"\S")
# Without a blank behind it, MySQL takes -- for two signs.
_LINE = re.compile(r"--\s")


class Lexed(Struct, frozen=True, kw_only=True):
    """A text ready to be parsed: `masked` has its macros as string literals of the same length.

    `problems` holds all faults that tokens tell; where there are any, parsing makes no sense.
    """

    text: str
    masked: str
    tokens: tuple[Token, ...] = ()
    problems: tuple[SqlProblem, ...] = ()


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def fault(text: str, offset: int, message: str, *, fix: str = "", code: str = "bad-sql") -> SqlProblem:
    """A problem at an offset of the text."""
    line, column = place(text, offset)
    return SqlProblem(code=code, message=message, fix=fix, line=line, column=column)


def lex(text: str, dialect: str, *, macros: frozenset[str], alone: bool) -> Lexed:
    """The text as tokens with all their faults; `alone` for a text that is placed inside of a larger query."""
    early = _early(text)
    if early is not None:
        return Lexed(text=text, masked=text, problems=(early,))
    blank = _MACRO.sub(lambda found: "_" + re.sub(r"\s", "_", found[1]) + "_", text)
    try:
        tokens = tokenize(blank, dialect)
    except Unparsable as error:
        problem = SqlProblem(code="bad-sql", message=_untold(error.message), line=error.line, column=error.column)
        return Lexed(text=text, masked=text, problems=(problem,))
    masked, problems = _macros(text, blank, tokens, macros)
    problems += _brackets(text, tokens)
    problems += _ends(text, tokens, alone=alone)
    if alone:
        problems += _comments(text, tokens)
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
    return Lexed(text=text, masked=masked, tokens=tuple(tokens), problems=tuple(ordered))


def _untold(message: str) -> str:
    """The tokenizer's message without the text that it quotes."""
    if message.startswith("Error tokenizing"):
        return "A string, a quoted name or a comment is not closed."
    return f"{message}."


def _early(text: str) -> SqlProblem | None:
    jinja = _JINJA.search(text)
    if jinja:
        message = f"It contains {jinja[0]}, which dbt did not render."
        fix = "Write the SQL, or quote the whole YAML value so that dbt renders it."
        return fault(text, jinja.start(), message, fix=fix, code="unrendered-jinja")
    if "\0" in text:
        return fault(text, text.index("\0"), "It contains a NUL character.", fix="Remove it.")
    if not text.strip():
        return SqlProblem(code="bad-sql", message="It is empty.", fix="Write SQL, or remove the key.")
    return None


def _macros(text: str, blank: str, tokens: list[Token], macros: frozenset[str]) -> tuple[str, list[SqlProblem]]:
    """The text with its macros as literals, and those that must not be there."""
    bare = {token.start: token.text for token in tokens}
    quoted = [token for token in tokens if text[token.start] in _NAME_QUOTES]
    masked = list(blank)
    problems: list[SqlProblem] = []
    for found in _MACRO.finditer(text):
        start, end = found.span()
        outside = bare.get(start) == blank[start:end]
        name = found[1]
        if len(problems) == MAX_FAULTS:
            problems.append(fault(text, start, "It has more errors that are not listed.", fix="Fix those above."))
            break
        if outside:
            masked[start], masked[end - 1] = "'", "'"
        if (outside or name.strip().lower().startswith("statsig_")) and name not in macros:
            problems.append(_foreign(text, start, name, macros))
    for token in quoted:
        masked[token.start : token.end + 1] = text[token.start : token.end + 1]
    return "".join(masked), problems


def _foreign(text: str, start: int, name: str, macros: frozenset[str]) -> SqlProblem:
    listed = ", ".join(f"{{{macro}}}" for macro in sorted(macros)) or "no macro"
    if name in MACROS:
        message, fix = f"The macro {{{name}}} is not allowed in this kind of source.", f"Allowed here: {listed}."
    else:
        near = did_you_mean(name.strip(), macros)
        message, fix = f"There is no macro {{{name}}}.", near or f"Allowed here: {listed}."
    return fault(text, start, message, fix=fix, code="unknown-macro")


def _brackets(text: str, tokens: list[Token]) -> list[SqlProblem]:
    """Brackets that are not balanced: such a text would take in, or break out of, what surrounds it."""
    opened: list[Token] = []
    for token in tokens:
        sign = text[token.start] if token.start == token.end else ""
        if sign and sign in "([{":
            opened.append(token)
        elif sign in _PAIRS:
            if not opened or text[opened[-1].start] != _PAIRS[sign]:
                return [fault(text, token.start, f'"{sign}" has no opening counterpart.')]
            opened.pop()
    return [fault(text, opened[-1].start, f'"{text[opened[-1].start]}" is not closed.')] if opened else []


def _ends(text: str, tokens: list[Token], *, alone: bool) -> list[SqlProblem]:
    """Semicolons: none in a text that is placed in a query, at most at the end of a query."""
    signs = [token for token in tokens if text[token.start : token.end + 1] == ";"]
    if not alone:
        while signs and tokens and signs[-1] is tokens[-1]:
            tokens, signs = tokens[:-1], signs[:-1]
    if not signs:
        return []
    return [fault(text, signs[0].start, 'It contains ";".' if alone else "It contains more than one statement.")]


def _comments(text: str, tokens: list[Token]) -> list[SqlProblem]:
    """Comments that could swallow what follows the text; a closed one, and `-- …` before a further line, are fine."""
    ends = [0, *(token.end + 1 for token in tokens)]
    starts = [*(token.start for token in tokens), len(text)]
    last = len(text.rstrip())
    for begin, end in zip(ends, starts, strict=True):
        place = _next(text, begin, end)
        while place < end:
            is_block = text.startswith("/*", place)
            behind = _block_end(text, place, end) if is_block else _line_end(text, place, min(end, last))
            if not behind:
                message = "It contains a comment that could hide the SQL after it."
                fix = "Remove the comment, write it as /* … */, or end it before the last line."
                return [fault(text, place, message, fix=fix)]
            place = _next(text, behind, end)
    return []


def _next(text: str, start: int, end: int) -> int:
    """Where the next character is that is no blank; `end` where there is none."""
    found = _INK.search(text, start, end)
    return found.start() if found else end


def _block_end(text: str, start: int, end: int) -> int:
    """Where the block comment at `start` ends; 0 where it is not closed, or is SQL to MySQL."""
    depth = 0
    for found in _BLOCK.finditer(text, start, end):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return 0 if "/*!" in text[start : found.end()] else found.end()
    return 0


def _line_end(text: str, start: int, end: int) -> int:
    """Where the line comment at `start` ends; 0 where it is none, or no further line follows."""
    return max(0, text.find("\n", start, end)) if _LINE.match(text, start) else 0
