"""What a hand-made query reads and gives: the tables that it names, and whether it is one plain SELECT over one.

A plain SELECT lists columns, or all of them, of one table, with a WHERE at most. Its parts say all that it does, so
that another query with the same parts means the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.date_filters import split_predicate
from dbt_statsig.columns.items import LiveQuery, PlainQuery, TableRead
from dbt_statsig.columns.lexing import lex
from dbt_statsig.columns.queries import only_selects
from dbt_statsig.columns.sql import Node, arg, parse_statements, quiet, stored
from dbt_statsig.vocabulary.verdicts import MACROS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dbt_statsig.columns.lexing import Lexed
    from dbt_statsig.vocabulary.adapters import Adapter


def read_query(adapter: Adapter, text: str) -> LiveQuery:
    """What one query reads and gives. Never raises."""
    if adapter.dialect is None:
        return LiveQuery(fault=adapter.note)
    lexed = lex(text, adapter.dialect, macros=MACROS, alone=False)
    if lexed.problems:
        problem = lexed.problems[0]
        return LiveQuery(fault=f"{problem.message} (line {problem.line})" if problem.line else problem.message)
    if "|>" in text:
        return LiveQuery(fault="pipe syntax is not read")
    try:
        statements = parse_statements(lexed.masked, adapter.dialect)
        if len(statements) != 1 or not only_selects(statements[0]):
            return LiveQuery(fault="It is not one SELECT.")
        with quiet():
            return _read(adapter, lexed, statements[0])
    except Unparsable as error:
        where = f" at line {error.line}" if error.line else ""
        return LiveQuery(fault=f"It does not parse{where}: {error.message}.")


def _read(adapter: Adapter, lexed: Lexed, query: Node) -> LiveQuery:
    tables = tuple(_tables(adapter, query))
    try:
        return LiveQuery(plain=_plain_query(adapter, lexed, query), tables=tables)
    except _NotPlainError as refused:
        return LiveQuery(not_plain=str(refused), tables=tables)


def _tables(adapter: Adapter, query: Node) -> Iterator[TableRead]:
    """The tables of the warehouse that a query names, each time that it does: no CTEs, functions and arrays."""
    ctes = {cte.alias.casefold() for cte in query.find_all(exp.CTE)}
    found = [table for table in query.find_all(exp.Table) if _name(table)]
    aliases = {table.alias.casefold() for table in found if table.alias}
    gives = _given(adapter, query)
    for table in found:
        names = _name(table)
        is_array = adapter.correlated_tables and len(names) > 1 and names[0].name.casefold() in aliases
        if is_array or (len(names) == 1 and names[0].name.casefold() in ctes):
            continue
        starts = [part.meta.get("start", -1) for part in names]
        ends = [part.meta.get("end", -1) for part in names]
        placed = min(starts) >= 0
        yield TableRead(
            parts=_stored_name(adapter, names),
            start=min(starts) if placed else -1,
            end=max(ends) + 1 if placed else -1,
            gives=gives.get(id(table), ()),
        )


def _given(adapter: Adapter, query: Node) -> dict[int, tuple[str, ...]]:
    """For each table in the outermost FROM, the columns that the SELECT takes from it by its name."""
    if not isinstance(query, exp.Select) or arg(query, "from") is None:
        return {}
    entries = [arg(query, "from").this, *(join.this for join in query.args.get("joins") or ())]
    names = {entry.alias_or_name.casefold(): entry for entry in entries if isinstance(entry, exp.Table)}
    found: dict[int, list[str]] = {}
    for item in query.expressions:
        column = item.this if isinstance(item, exp.Alias) else item
        entry = names.get(column.table.casefold()) if isinstance(column, exp.Column) and column.table else None
        if entry is not None and not isinstance(column.this, exp.Star):
            given = item.args["alias"] if isinstance(item, exp.Alias) else column.this
            found.setdefault(id(entry), []).append(stored(adapter, given))
    return {one: tuple(given) for one, given in found.items()}


def _name(table: Node) -> list[Node]:
    """The identifiers of a table's name, in order; empty for a function."""
    parts = [part for key in ("catalog", "db") if (part := arg(table, key)) is not None]
    last = table.this
    while isinstance(last, exp.Dot):  # more than three parts
        parts.append(last.this)
        last = last.expression
    names = [*parts, last]
    return names if all(isinstance(part, exp.Identifier) and part.name for part in names) else []


def _stored_name(adapter: Adapter, names: Sequence[Node]) -> tuple[str, ...]:
    return tuple(stored(adapter, part) for part in names)


_SELECT_PARTS = frozenset({"expressions", "from", "where", "operation_modifiers"})
_TABLE_PARTS = frozenset({"this", "db", "catalog", "alias"})
_PARTS = {
    "joins": "it joins",
    "laterals": "it joins",
    "with": "it has a CTE",
    "distinct": "it has DISTINCT",
    "group": "it groups",
    "having": "it groups",
    "qualify": "it has QUALIFY",
    "windows": "it has a window",
    "order": "it sorts",
    "limit": "it has a LIMIT",
}


class _NotPlainError(Exception):
    """A query is no plain SELECT; the text says why."""


def _plain_query(adapter: Adapter, lexed: Lexed, query: Node) -> PlainQuery:
    """The parts of a plain SELECT. Raises _NotPlainError."""
    if type(query) is not exp.Select:
        raise _NotPlainError("it is not a single SELECT")
    for name in sorted(_present(query) - _SELECT_PARTS):
        raise _NotPlainError(_PARTS.get(name, f"it has {name.upper()}"))
    clause = arg(query, "from")
    table = clause.this if clause is not None else None
    names = _name(table) if type(table) is exp.Table else []
    if table is None or not names:
        raise _NotPlainError("it reads no table by its name")
    if (more := _present(table) - _TABLE_PARTS) or _has_columns(table):
        raise _NotPlainError(f"its table has {', '.join(sorted(more)).upper() or 'a list of columns'}")
    qualifiers = frozenset({table.alias_or_name.casefold()})
    columns = _columns(adapter, query.expressions, qualifiers)
    where = arg(query, "where")
    if where is None:
        return PlainQuery(table=_stored_name(adapter, names), columns=columns)
    if where.find(exp.Query) is not None:
        raise _NotPlainError("its WHERE has a query of its own")
    for column in where.find_all(exp.Column):
        if _is_named_longer(_parts(column), names):
            raise _NotPlainError("its WHERE names columns with the table's schema")
    predicate = split_predicate(adapter, lexed, qualifiers)
    return PlainQuery(table=_stored_name(adapter, names), columns=columns, predicate=predicate)


def _present(node: Node) -> set[str]:
    """The names of a node's parts that hold something."""
    return {name.rstrip("_") for name, value in node.args.items() if value}


def _has_columns(table: Node) -> bool:
    alias = arg(table, "alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def _parts(column: Node) -> list[Node]:
    return [part for key in ("catalog", "db", "table", "this") if (part := arg(column, key)) is not None]


def _is_named_longer(parts: Sequence[Node], names: Sequence[Node]) -> bool:
    """Whether a column is named with more of the table's name than its last part."""
    before = [part.name.casefold() for part in parts[:-1]]
    table = [part.name.casefold() for part in names]
    return len(before) > 1 and len(table) > 1 and table[-1] in before[1:]


def _columns(adapter: Adapter, items: Sequence[Node], qualifiers: frozenset[str]) -> tuple[str, ...]:
    """The stored names of a SELECT list, empty for all columns. Raises _NotPlainError."""
    names: list[str] = []
    for item in items:
        column = item.this if isinstance(item, exp.Alias) else item
        star = column.this if isinstance(column, exp.Column) else column
        if isinstance(star, exp.Star):
            plain = not _present(star) and (star is column or column.table.casefold() in qualifiers)
            if plain and len(items) == 1:
                return ()
            raise _NotPlainError("it lists * beside other columns, or changes it")
        if not isinstance(column, exp.Column):
            raise _NotPlainError(f"its column {len(names) + 1} is computed")
        parts = _parts(column)
        if len(parts) > 1 and (len(parts) > 2 or parts[0].name.casefold() not in qualifiers):  # noqa: PLR2004
            raise _NotPlainError(f"its column {len(names) + 1} is a field")
        name = stored(adapter, column.this)
        if isinstance(item, exp.Alias) and stored(adapter, item.args["alias"]) != name:
            raise _NotPlainError(f"it gives {name} another name")
        names.append(name)
    if len({adapter.key(name) for name in names}) < len(names):
        raise _NotPlainError("it lists a column twice")
    return tuple(names)
