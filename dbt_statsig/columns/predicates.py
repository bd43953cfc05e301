"""Checks of predicates and formulas: texts that are placed inside of a larger query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.evidence import missing_field
from dbt_statsig.columns.lexing import fault, lex
from dbt_statsig.columns.references import Reference, first_over_rows, references
from dbt_statsig.columns.sql import parse_condition, quiet
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.verdicts import Presence, SqlCheck, SqlProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dbt_statsig.columns.lexing import Lexed
    from dbt_statsig.columns.sql import Node
    from dbt_statsig.vocabulary.adapters import Adapter
    from dbt_statsig.vocabulary.verdicts import Verdict


def check_predicate(
    adapter: Adapter,
    text: str,
    *,
    macros: frozenset[str],
    tables: frozenset[str],
    verdict: Callable[[str], Verdict],
    of_row: bool,
) -> SqlCheck:
    """The faults of one expression over a table, `of_row` where aggregate and window functions have no place in it.

    `tables` are names that may qualify a column (casefolded), `verdict` judges a column by its stored name.
    """
    dialect = adapter.dialect or ""
    lexed = lex(text, dialect, macros=macros, alone=True)
    if lexed.problems:
        return SqlCheck(problems=lexed.problems)
    try:
        tree = parse_condition(lexed.masked, dialect)
        if tree.is_star:
            return SqlCheck(problems=(fault(text, 0, "It names all columns, not one value.", fix="Name one column."),))
        with quiet():
            if of_row and (over_rows := first_over_rows(tree)) is not None:
                return SqlCheck(problems=(_of_many_rows(lexed, over_rows, dialect),))
            return _judge(adapter, lexed, tree, tables, verdict)
    except Unparsable as error:
        return SqlCheck(problems=(unparsable(error),))


def _of_many_rows(lexed: Lexed, function: Node, dialect: str) -> SqlProblem:
    """What is wrong with an aggregate or window function in a condition about one row."""
    name = function.sql(dialect).partition("(")[0]
    token = next((one for one in lexed.tokens if one.text.casefold() == name.casefold()), None)
    return fault(
        lexed.text,
        token.start if token else 0,
        f"It is a condition about one row, and {token.text if token else name} is an aggregate or window function.",
        fix="Compute it in the model, and filter on its column.",
    )


def unparsable(error: Unparsable) -> SqlProblem:
    """The parser's complaint as a problem."""
    return SqlProblem(
        code="bad-sql",
        message=f"It does not parse: {error.message}.",
        fix="Correct the SQL.",
        line=error.line,
        column=error.column,
    )


def _judge(
    adapter: Adapter, lexed: Lexed, tree: Node, tables: frozenset[str], verdict: Callable[[str], Verdict]
) -> SqlCheck:
    problems: list[SqlProblem] = []
    used: dict[str, Verdict] = {}
    for reference in references(adapter, tree):
        if not isinstance(reference, Reference):
            continue
        part = column_part(adapter, reference, tables, verdict)
        judged = _as_in_sql(adapter, part, verdict(stored_name(adapter, part)))
        if reference.may_be_word and judged.presence is not Presence.PRESENT:
            continue
        if judged.presence is not Presence.ABSENT and judged.code != "column-case":
            used.setdefault(judged.stored, judged)
        below = reference.parts[reference.parts.index(part) + 1 :]
        if judged.presence is Presence.PRESENT and (problem := field_problem(lexed, part, below, judged.fields)):
            problems.append(problem)
        if judged.code and (reference.is_bare or judged.presence is not Presence.UNKNOWN):
            problems.append(problem_of(adapter, lexed, part, judged))
    return SqlCheck(problems=in_order(problems), used=tuple(used.values()))


def field_problem(lexed: Lexed, column: Node, below: Sequence[Node], fields: Sequence[str]) -> SqlProblem | None:
    """What is wrong with the path below a column whose fields are listed."""
    missing = missing_field(fields, [part.name for part in below])
    if not missing:
        return None
    place = next(part for part in below if part.name == missing)
    near = did_you_mean(missing, [name for field in fields for name in field.split(".")])
    return fault(
        lexed.text,
        offset_of(lexed, place),
        f'"{column.name}" has no field "{missing}".',
        fix=near or f"It has {', '.join(fields[:12])}.",
        code="column-absent",
    )


def in_order(problems: list[SqlProblem]) -> tuple[SqlProblem, ...]:
    """Each problem once, in the order of the text."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column)))


def stored_name(adapter: Adapter, part: Node) -> str:
    """The stored spelling of an identifier in SQL."""
    return adapter.stored(part.name, quoted=bool(part.args.get("quoted")))


def column_part(
    adapter: Adapter, reference: Reference, tables: frozenset[str], verdict: Callable[[str], Verdict]
) -> Node:
    """The part of a qualified name that is the column: the first that is one, or that follows the table's name."""
    parts = reference.parts
    if len(parts) == 1 or verdict(stored_name(adapter, parts[0])).presence is Presence.PRESENT:
        return parts[0]
    for index, part in enumerate(parts[:-1]):
        if part.name.casefold() in tables and (index == 0 or parts[index - 1].name.casefold() in tables):
            following = parts[index + 1]
            if following.name.casefold() not in tables or index + 1 == len(parts) - 1:
                return following
    return parts[0]


def _as_in_sql(adapter: Adapter, part: Node, judged: Verdict) -> Verdict:
    """In SQL the spelling counts: what means another column than the text's own is a difference of case."""
    written = stored_name(adapter, part)
    if judged.presence is Presence.PRESENT and not adapter.same(judged.stored, written):
        return replace(judged, code="column-case")
    return replace(judged, message=judged.message.replace(f'"{written}"', f'"{part.name}"', 1))


def problem_of(adapter: Adapter, lexed: Lexed, part: Node, judged: Verdict) -> SqlProblem:
    """The finding for a column, at its place in the text."""
    offset = offset_of(lexed, part)
    if judged.code == "column-case":
        quoted = adapter.quote(judged.stored)
        message = f'There is no column "{part.name}"; one is stored as "{judged.stored}".'
        return fault(lexed.text, offset, message, fix=f"Write {quoted}.", code="column-absent")
    return fault(lexed.text, offset, judged.message, fix=judged.fix, code=judged.code)


def offset_of(lexed: Lexed, part: Node) -> int:
    """Where an identifier is; its first occurrence where this version of sqlglot does not say."""
    start = part.meta.get("start")
    if isinstance(start, int):
        return start
    quoted = bool(part.args.get("quoted"))
    return next(
        (
            token.start
            for token in lexed.tokens
            if token.text == part.name and quoted == (lexed.text[token.start : token.end + 1] != part.name)
        ),
        0,
    )
