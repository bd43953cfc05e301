"""Checks of a user's own query: one SELECT, sent as written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlglot import exp

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.expand import Known, expand
from dbt_statsig.columns.items import Opaque, TooWide
from dbt_statsig.columns.lexing import fault, lex
from dbt_statsig.columns.predicates import field_problem, in_order, offset_of, stored_name, unparsable
from dbt_statsig.columns.references import Reference, references
from dbt_statsig.columns.sql import Node, arg, is_query, parse_statements, quiet
from dbt_statsig.columns.walk import Walker
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn, SqlCheck, SqlProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dbt_statsig.columns.from_clause import Scope
    from dbt_statsig.columns.items import Items
    from dbt_statsig.columns.lexing import Lexed
    from dbt_statsig.vocabulary.adapters import Adapter

# The clauses of a SELECT that hold expressions over its FROM.
_CLAUSES = ("expressions", "distinct", "where", "group", "having", "qualify", "order", "windows", "connect", "prewhere")

_WRITING = (exp.DML, exp.Create, exp.Into)
"""What a SELECT may hold that writes: `WITH x AS (DELETE …)`, `SELECT … INTO`."""


def check_query(
    adapter: Adapter, text: str, *, macros: frozenset[str], tables: Callable[[tuple[str, ...]], Known]
) -> SqlCheck:
    """The faults of one query and the columns that it gives; `tables` gives the columns of a table by its parts."""
    dialect = adapter.dialect or ""
    lexed = lex(text, dialect, macros=macros, alone=False)
    if lexed.problems:
        return _failed(*lexed.problems)
    if "|>" in text:
        return SqlCheck(columns=_open("pipe syntax is not read"))
    try:
        statements = parse_statements(lexed.masked, dialect)
        if len(statements) != 1 or not only_selects(statements[0]):
            return _failed(fault(text, 0, "It is not one SELECT.", fix="Write one query that only reads."))
        with quiet():
            return _checked(adapter, lexed, statements[0], tables)
    except Unparsable as error:
        return _failed(unparsable(error))
    except TooWide:
        return SqlCheck(columns=_open("the query has more columns than any warehouse allows"))


def only_selects(query: Node) -> bool:
    """Whether a statement gives rows and writes nothing."""
    selects_nothing = isinstance(query, exp.Select) and not query.expressions
    return is_query(query) and not selects_nothing and query.find(*_WRITING) is None


def _failed(*problems: SqlProblem) -> SqlCheck:
    return SqlCheck(problems=problems, columns=_open("the query has faults"))


def _open(reason: str) -> ColumnSet:
    return ColumnSet(columns=(), closed=False, reasons=(reason,))


def _checked(adapter: Adapter, lexed: Lexed, query: Node, tables: Callable[[tuple[str, ...]], Known]) -> SqlCheck:
    checker = _Checker(adapter, lexed, tables)
    known = expand(adapter, checker.walker.query(query, {}), tables)
    columns = tuple(
        KnownColumn(name=name, evidence=Evidence.POSSIBLE if name in known.unsure else Evidence.INFERRED)
        for name in known.names
    )
    closed = known.closed and not known.dated
    reasons = known.reasons + known.others or (() if closed else ("the catalog is older than the manifest",))
    return SqlCheck(
        problems=in_order(checker.problems),
        columns=ColumnSet(columns=columns, closed=closed, complete=not known.reasons, reasons=reasons),
    )


class _Visible(Struct, frozen=True, kw_only=True):
    """What the expressions of one SELECT can name; `proves` is False where there may be more."""

    tables: dict[str, Known]
    keys: frozenset[str]
    names: tuple[str, ...]
    proves: bool


class _Checker:
    """Checks the columns that the SELECTs of one text read, from the inside out."""

    def __init__(self, adapter: Adapter, lexed: Lexed, tables: Callable[[tuple[str, ...]], Known]) -> None:
        self._adapter = adapter
        self._lexed = lexed
        self._tables = tables
        self._around: list[_Visible] = []
        self.problems: list[SqlProblem] = []
        self.walker = Walker(adapter, seen=self.seen)

    def seen(self, select: Node, scope: Scope, ctes: Mapping[str, Items]) -> None:
        """One SELECT: its own expressions, and the queries in them."""
        self._around.append(self._visible(select, scope))
        for expression in _expressions(select):
            for reference in references(self._adapter, expression):
                if isinstance(reference, Reference):
                    self._check(reference)
                else:
                    self.walker.query(reference, ctes)
        self._around.pop()

    def _visible(self, select: Node, scope: Scope) -> _Visible:
        known = {source.alias.casefold(): expand(self._adapter, source.items, self._tables) for source in scope.sources}
        names = [name for each in known.values() for name in each.names]
        aliases = [stored_name(self._adapter, entry.args["alias"]) for entry in select.expressions if _is_alias(entry)]
        more = select.find_ancestor(exp.Lateral) is not None or len(known) < len(scope.sources)
        more = more or any(isinstance(item, Opaque) for item in scope.everything)
        return _Visible(
            tables=known,
            keys=frozenset(self._adapter.key(name) for name in (*names, *aliases)),
            names=tuple(names),
            proves=all(each.closed and not each.dated for each in known.values()) and not more,
        )

    def _check(self, reference: Reference) -> None:
        first = reference.parts[0]
        for index, part in enumerate(reference.parts[:-1]):
            table = self._table(part.name.casefold())
            if table is not None:
                self._check_in(reference.parts[index + 1 :], part.name, table)
                return
        for visible in self._around:
            for table in visible.tables.values():
                self._check_fields(reference.parts, table)
        if reference.may_be_word or not all(visible.proves for visible in self._around):
            return
        key = self._adapter.key(stored_name(self._adapter, first))
        if any(key in visible.keys or first.name.casefold() in visible.tables for visible in self._around):
            return
        known = [name for visible in self._around for name in visible.names]
        what = "column" if reference.is_bare else "table or column"
        self._absent(first, f'There is no {what} "{first.name}" in what the query reads.', known)

    def _table(self, name: str) -> Known | None:
        return next((visible.tables[name] for visible in reversed(self._around) if name in visible.tables), None)

    def _check_in(self, parts: tuple[Node, ...], alias: str, table: Known) -> None:
        part = parts[0]
        key = self._adapter.key(stored_name(self._adapter, part))
        self._check_fields(parts, table)
        if not table.closed or table.dated or key in {self._adapter.key(name) for name in table.names}:
            return
        if self._adapter.is_pseudo(part.name):
            return
        self._absent(part, f'"{alias}" has no column "{part.name}".', list(table.names))

    def _check_fields(self, parts: tuple[Node, ...], table: Known) -> None:
        """The path below a column, where its table's fields are listed."""
        column = self._adapter.key(stored_name(self._adapter, parts[0]))
        listed = (field.partition(".") for field in table.fields)
        fields = [path for name, _, path in listed if self._adapter.key(name) == column]
        problem = field_problem(self._lexed, parts[0], parts[1:], fields) if fields and not table.dated else None
        if problem is not None:
            self.problems.append(problem)

    def _absent(self, part: Node, message: str, names: list[str]) -> None:
        near = did_you_mean(part.name, names)
        fix = near or f"There is: {', '.join(names[:12])}."
        self.problems.append(
            fault(self._lexed.text, offset_of(self._lexed, part), message, fix=fix, code="column-absent")
        )


def _expressions(select: Node) -> Iterator[Node]:
    """All expressions of a SELECT that are over its FROM, stars left out."""
    for clause in _CLAUSES:
        value = arg(select, clause)
        yield from (value if isinstance(value, list) else [value] if isinstance(value, exp.Expression) else [])
    for join in select.args.get("joins") or ():
        if isinstance(join.args.get("on"), exp.Expression):
            yield join.args["on"]


def _is_alias(entry: Node) -> bool:
    return isinstance(entry, exp.Alias) and isinstance(entry.args.get("alias"), exp.Identifier)
