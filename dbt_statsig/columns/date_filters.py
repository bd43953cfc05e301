"""Filters by Statsig's date macros in a WHERE: found by their tokens, and cut out of the text around them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from dbt_statsig.columns.items import DateFilter, Predicate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dbt_statsig.columns.items import DateKind
    from dbt_statsig.columns.lexing import Lexed
    from dbt_statsig.columns.sql import Token
    from dbt_statsig.vocabulary.adapters import Adapter


_NAME = r"""(?P<column>"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[^\W\d][\w$]*)"""
_CAST = rf"CAST \( {_NAME} AS DATE \)"
_AS_DAY = (_CAST, rf"(?:TO_)?DATE \( {_NAME} \)", rf"{_NAME} :: DATE")
_MACRO_FORMS = ("{}", r"CAST \( {} AS DATE \)", r"(?:TO_)?DATE \( {} \)", "DATE {}", "{} :: DATE")


def split_predicate(adapter: Adapter, lexed: Lexed, qualifiers: frozenset[str]) -> Predicate:
    """The WHERE of a plain SELECT.

    `qualifiers` are the names of its only table, casefolded: they are cut off where they stand before a column.
    """
    words = _Words(lexed.text, _after_where(lexed), qualifiers)
    parts = words.conjuncts()
    bounds = [(part, bound) for part in parts if (bound := _bound(adapter, words.plain(part)))]
    where = words.written(words.unwrapped(words.tokens))
    filters = {one for _, (_, one) in bounds}
    sides = sorted(side for _, (side, _) in bounds)
    if len(filters) != 1 or sides not in (["both"], ["end", "start"]):
        return Predicate(where=where, rest=where)
    cut = [part for part, _ in bounds]
    kept: list[Sequence[Token]] = [part for part in parts if part not in cut]
    kept = [words.unwrapped(part) for part in kept] if len(kept) == 1 else kept
    rest = " AND ".join(map(words.written, kept))
    return Predicate(where=where, rest=rest, date_filter=filters.pop())


def _after_where(lexed: Lexed) -> list[Token]:
    """The tokens behind the outermost WHERE, a semicolon at the end left out."""
    depth, found = 0, []
    inside = False
    for token in lexed.tokens:
        word = lexed.text[token.start : token.end + 1].upper()
        depth += (word == "(") - (word == ")")
        if inside and word != ";":
            found.append(token)
        inside = inside or (word == "WHERE" and not depth)
    return found


class _Words:
    """The tokens of a predicate without the table's name before its columns."""

    def __init__(self, text: str, tokens: Sequence[Token], qualifiers: frozenset[str]) -> None:
        self._text = text
        self._cuts: list[tuple[int, int]] = []
        self.tokens: list[Token] = []
        place = 0
        while place < len(tokens):
            name, dot = tokens[place], tokens[place + 1] if place + 1 < len(tokens) else None
            is_field = place > 0 and self._word(tokens[place - 1]) == "."
            if not is_field and dot is not None and self._word(dot) == "." and self._bare(name) in qualifiers:
                self._cuts.append((name.start, dot.end + 1))
                place += 2
                continue
            self.tokens.append(name)
            place += 1

    def _word(self, token: Token) -> str:
        return self._text[token.start : token.end + 1].upper()

    def _bare(self, token: Token) -> str:
        return self._text[token.start : token.end + 1].strip('"`[]').casefold()

    def written(self, tokens: Sequence[Token]) -> str:
        """The text from the first to the last token, as it stands but for the cuts."""
        if not tokens:
            return ""
        at, end = tokens[0].start, tokens[-1].end + 1
        pieces = []
        for start, stop in self._cuts:
            if at <= start < end:
                pieces.append(self._text[at:start])
                at = stop
        return "".join([*pieces, self._text[at:end]])

    def plain(self, tokens: Sequence[Token]) -> str:
        """The tokens with one blank between them, brackets around all of them taken off."""
        inner = self.unwrapped(tokens)
        return " ".join(self._text[token.start : token.end + 1] for token in inner)

    def conjuncts(self) -> list[list[Token]]:
        """The parts that AND joins; all in one where an OR stands beside them."""
        parts: list[list[Token]] = [[]]
        depth = ranges = 0
        tokens = self.unwrapped(self.tokens)
        for token in tokens:
            word = self._word(token)
            depth += (word in {"(", "[", "CASE"}) - (word in {")", "]", "END"})
            if not depth and word in {"OR", "XOR", "||", "&&"}:
                return [list(self.tokens)]
            ranges += not depth and word == "BETWEEN"
            if not depth and word == "AND" and not ranges:
                parts.append([])
                continue
            ranges -= not depth and word == "AND"
            parts[-1].append(token)
        return parts if all(parts) else [list(self.tokens)]

    def unwrapped(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """The tokens without brackets around all of them."""
        while tokens and self._word(tokens[0]) == "(" and self._closes(tokens) == len(tokens) - 1:
            tokens = tokens[1:-1]
        return tokens

    def _closes(self, tokens: Sequence[Token]) -> int:
        depth = 0
        for index, token in enumerate(tokens):
            depth += (self._word(token) == "(") - (self._word(token) == ")")
            if not depth:
                return index
        return -1


def _bound(adapter: Adapter, words: str) -> tuple[str, DateFilter] | None:
    """The side (start, end or both) to which a comparison keeps, and as which filter; None for all others."""
    if "{statsig_" not in words:
        return None
    for pattern, side, kind in _patterns(adapter.day, plain=adapter.date_has_time):
        if found := pattern.fullmatch(words):
            written = found["column"]
            quoted = written[0] in '"`['
            name = written[1:-1].replace('""', '"') if quoted else written
            return side, DateFilter(column=adapter.stored(name, quoted=quoted), kind=kind)
    return None


@cache
def _patterns(day: str, *, plain: bool) -> tuple[tuple[re.Pattern[str], str, DateKind], ...]:
    """Every comparison of a column with the macros. `day` is the warehouse's cast; `plain`: no other is the same."""
    own = day.replace("(", r" \( ").replace(")", r" \)").format(_NAME).strip()
    as_day = _AS_DAY if day.startswith("CAST") and not plain else (_CAST if day.startswith("CAST") else own,)
    found: list[tuple[re.Pattern[str], str, DateKind]] = []
    kinds: list[tuple[str, DateKind]] = [(one, "timestamp") for one in as_day]
    for column, kind in [*kinds, (_NAME, "date"), (_NAME, "integer")]:
        for side, text in _comparisons(column, integer=kind == "integer"):
            found.append((re.compile(text, re.IGNORECASE), side, kind))
    return tuple(found)


def _comparisons(column: str, *, integer: bool) -> Iterator[tuple[str, str]]:
    start, end = (_macro(side, integer=integer) for side in ("start", "end"))
    yield "both", f"{column} BETWEEN {start} AND {end}"
    yield "start", f"(?:{column} >= {start})"
    yield "start", f"(?:{start} <= {column})"
    yield "end", f"(?:{column} <= {end})"
    yield "end", f"(?:{end} >= {column})"


def _macro(side: str, *, integer: bool) -> str:
    name = r"\{{statsig_{}_date{}\}}".format(side, "_int" if integer else "")
    return f"(?:{'|'.join(form.format(name) for form in _MACRO_FORMS[: 1 if integer else None])})"
