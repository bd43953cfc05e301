"""Expressions of dbt's semantic layer, parsed: what a measure reads, and how a derived metric combines others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct
from sqlglot import exp

from dbt_statsig.columns.references import Reference, first_over_rows, references
from dbt_statsig.columns.sql import Node, parse_condition, quiet

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.adapters import Adapter


class Expression(Struct, frozen=True, kw_only=True):
    """A measure's expression: `column` where it is one plain column, `reads` the columns in it (casefolded).

    `is_constant`: it is the same, and not NULL, in every row; `is_one`: the number 1. `aggregates`: it calls an
    aggregate function.
    """

    column: str = ""
    is_constant: bool = False
    is_one: bool = False
    reads: frozenset[str] = frozenset()
    aggregates: bool = False


class Operation(Struct, frozen=True):
    """Two terms of a derived metric, combined."""

    operator: Literal["+", "-", "/"]
    left: Term
    right: Term


Term: TypeAlias = str | Operation
"""A derived metric's expression: the name of another metric, or an operation."""


class Unsupported(Exception):
    """A derived metric's expression has what no metric of Statsig's does; `args[0]` says what."""


def measured(adapter: Adapter, text: str) -> Expression:
    """What a measure's expression is. Raises Unparsable."""
    tree = parse_condition(text, adapter.dialect or "")
    with quiet():
        while isinstance(tree, exp.Paren):
            tree = tree.this
        if isinstance(tree, exp.Star) or tree.is_star:
            return Expression(is_constant=True)
        if isinstance(tree, exp.Literal) or (isinstance(tree, exp.Boolean) and tree.this):
            return Expression(is_constant=True, is_one=_number(tree) == 1)
        found = [one for one in references(adapter, tree) if isinstance(one, Reference)]
        reads = frozenset(part.name.casefold() for one in found for part in one.parts)
        # Of several statements only the first is in the tree.
        is_column = isinstance(tree, exp.Column) and len(tree.parts) == 1 and ";" not in text
        over_rows = first_over_rows(tree)
        aggregates = over_rows is not None and not isinstance(over_rows.parent, exp.Window)
        return Expression(column=tree.name if is_column else "", reads=reads, aggregates=aggregates)


def derived(adapter: Adapter, text: str) -> Term:
    """How a derived metric combines its inputs. Raises Unparsable and Unsupported."""
    tree = parse_condition(text, adapter.dialect or "")
    with quiet():
        return _term(tree)


# A cast to one of these is for the sake of the division; one to another type would change the number.
_FRACTIONS = frozenset({"FLOAT", "DOUBLE", "DECIMAL", "BIGDECIMAL", "DECIMAL64", "DECIMAL128"})
_OPERATORS: dict[Any, Literal["+", "-", "/"]] = {exp.Add: "+", exp.Sub: "-", exp.Div: "/"}


def _term(node: Node) -> Term:
    node = _bare(node)
    for kind, operator in _OPERATORS.items():
        if isinstance(node, kind):
            return Operation(operator, _term(node.this), _term(node.expression))
    if isinstance(node, exp.SafeDivide):
        return Operation("/", _term(node.this), _term(node.expression))
    if isinstance(node, exp.Column) and len(node.parts) == 1:
        return str(node.name)
    if isinstance(node, exp.Mul):
        raise Unsupported("multiplies, which no metric in Statsig does")
    if isinstance(node, exp.Literal):
        raise Unsupported(f"has the constant {node.name}, which no metric in Statsig has")
    raise Unsupported(f"uses {node.key.upper()}, which no metric in Statsig does")


def _bare(node: Node) -> Node:
    """Without what changes nothing of a sum or ratio: brackets, casts, `* 1.0`, and guards for NULL and zero."""
    while (inner := _wrapped(node)) is not None:
        node = inner
    return node


def _wrapped(node: Node) -> Node | None:
    is_cast = type(node) in {exp.Cast, exp.TryCast} and node.to.this.name in _FRACTIONS
    is_guard = isinstance(node, exp.Nullif) and _number(node.expression) == 0
    is_guard = is_guard or (isinstance(node, exp.Coalesce) and [_number(one) for one in node.expressions] == [0])
    if is_cast or is_guard or isinstance(node, exp.Paren):
        return node.this
    if isinstance(node, exp.Mul) and 1 in (_number(node.this), _number(node.expression)):
        return node.expression if _number(node.this) == 1 else node.this
    return None


def _number(node: Node) -> float | None:
    is_number = isinstance(node, exp.Literal) and not node.is_string
    return float(node.name) if is_number else None
