"""sqlglot, imported in one place: parsing, and the names that differ between its versions."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError

from dbt_statsig.columns.budget import MAX_STEPS_PER_TOKEN, Unparsable, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.vocabulary.adapters import Adapter

# sqlglot 30 made Expr the base of Expression; both names exist wherever the other end of the range is installed.
Node: TypeAlias = Any
# Its home differs between versions too.
Token: TypeAlias = Any

_CLASSES = re.compile(r" for <class| but got <Token")
SET_OPERATIONS: tuple[Any, ...] = (getattr(exp, "SetOperation", exp.Union), exp.Union)
EXPANDED_COLUMNS: type | None = getattr(exp, "Columns", None)
FINAL: type[Any] | None = getattr(exp, "Final", None)
ROWS_OF_FUNCTION: type | None = getattr(exp, "TableFromRows", None)

_quiet: ContextVar[bool] = ContextVar("dbt_statsig_quiet", default=False)


def _loud(_record: logging.LogRecord) -> bool:
    return not _quiet.get()


logging.getLogger("sqlglot").addFilter(_loud)


@contextmanager
def _guarded() -> Iterator[None]:
    """Without sqlglot's log lines, and with its errors (and what deep nesting does) as Unparsable."""
    token = _quiet.set(True)
    try:
        yield
    except ParseError as error:
        raise _unparsable(error) from None
    except SqlglotError as error:
        raise Unparsable(_first_line(str(error))) from None
    except RecursionError:
        raise Unparsable("it is nested too deeply") from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, AssertionError) as error:
        # Broken input reaches faults inside sqlglot itself; the input stays unknown, whatever the fault is called.
        raise Unparsable(f"sqlglot failed on it ({type(error).__name__})") from None
    finally:
        _quiet.reset(token)


def _unparsable(error: ParseError) -> Unparsable:
    first: dict[str, Any] = error.errors[0] if error.errors else {}
    message = str(first.get("description") or _first_line(str(error)))
    line, end, word = first.get("line") or 0, first.get("col") or 0, first.get("highlight") or ""
    # sqlglot gives the column at which the word ends.
    return Unparsable(_readable(message), line=line, column=max(1, end - len(word) + 1) if end else 0)


def _readable(message: str) -> str:
    """Without the names of sqlglot's own classes."""
    return _CLASSES.split(message, maxsplit=1)[0].replace("Invalid expression / ", "").rstrip(". ")


def _first_line(text: str) -> str:
    return _readable(text.splitlines()[0]) if text.strip() else "it does not parse"


def tokenize(sql: str, dialect: str) -> list[Token]:
    """The tokens of `sql`. Raises Unparsable."""
    check_size(sql)
    with _guarded():
        return list(Dialect.get_or_raise(dialect).tokenize(sql))


def parse_statements(sql: str, dialect: str) -> list[Node]:
    """The statements of `sql`, empty ones left out. Raises Unparsable."""
    check_size(sql)
    with _guarded():
        rules = Dialect.get_or_raise(dialect)
        tokens = rules.tokenize(sql)
        return [one for one in _parser(rules, len(tokens)).parse(tokens, sql) if one is not None]


def parse_condition(sql: str, dialect: str) -> Node:
    """`sql` as one expression, without an alias. Raises Unparsable."""
    check_size(sql)
    with _guarded():
        rules = Dialect.get_or_raise(dialect)
        tokens = rules.tokenize(sql)
        found = _parser(rules, len(tokens)).parse_into(exp.Condition, tokens, sql)
        if not found or not found[0]:
            raise Unparsable("it contains no expression")
        return found[0]


def _parser(rules: Dialect, tokens: int) -> Any:
    """A parser of the dialect that ends after so many steps; one that is compiled cannot be counted."""
    kind = _counting(rules.parser_class)
    if kind is None:
        return rules.parser()
    parser = kind(dialect=rules)
    parser.steps = MAX_STEPS_PER_TOKEN * (tokens + 10)
    return parser


@cache
def _counting(parser_class: Any) -> Any:
    if not isinstance(parser_class._advance, FunctionType):  # noqa: SLF001 - the one step that all of a parser takes
        return None

    class Counting(parser_class):  # type: ignore[misc]  # each dialect has its own
        steps = 0

        def _advance(self, times: int = 1) -> None:
            self.steps -= 1
            if self.steps < 0:
                raise Unparsable("it takes too many steps to read")
            super()._advance(times)

    return Counting


@contextmanager
def quiet() -> Iterator[None]:
    """Walk a parsed text: what deep nesting does comes out as Unparsable."""
    with _guarded():
        yield


def arg(node: Node, name: str) -> Any:
    """The argument `name`, which newer versions spell with an underscore behind it."""
    value = node.args.get(name)
    return node.args.get(f"{name}_") if value is None else value


def is_query(node: Node) -> bool:
    """Whether `node` gives rows: a SELECT, a set operation, one of these in brackets, VALUES, or DuckDB's PIVOT."""
    while isinstance(node, exp.Paren):
        node = node.this  # pragma: no cover - newer versions make these Subqueries
    return isinstance(node, (exp.Query, exp.Values, exp.Pivot, *SET_OPERATIONS))


def pivot_fields(pivot: Node) -> list[Node]:
    """The `x IN (…)` of a PIVOT; several of them in newer versions."""
    fields = pivot.args.get("fields")
    if fields is None:  # pragma: no cover - newer versions always have a list
        one = pivot.args.get("field")
        return [one] if one is not None else []
    return list(fields)


def stored(adapter: Adapter, identifier: Node) -> str:
    """The stored name of an identifier, or of what wraps one."""
    inner = identifier
    while not isinstance(inner, exp.Identifier) and isinstance(inner.this, exp.Expression):
        inner = inner.this
    quoted = bool(inner.args.get("quoted")) or isinstance(inner, exp.Literal)
    return adapter.stored(inner.name, quoted=quoted)
