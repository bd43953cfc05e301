"""The columns that an expression reads, and which of its bare words are no columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlglot import exp

from dbt_statsig.columns.sql import Node, arg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.vocabulary.adapters import Adapter

# Words that engines take bare as an argument of a date function.
_DATE_WORDS = """
    century day dayofweek dayofweek_iso dayofyear days dd decade dow doy dw epoch epoch_second hh hour hours isodow
    isoweek isoyear iso_week m mi microsecond microseconds mil millennium millisecond milliseconds min minute minutes mm
    mon month months ms nanosecond nanoseconds ns q qq qtr quarter quarters s sec second seconds ss timezone_hour
    timezone_minute us usec w week week_iso weekday weekiso weeks wk ww y yday year years yy yyyy hh24 mcs n sunday
    monday tuesday wednesday thursday friday saturday both leading trailing
"""
_DATE_PARTS = frozenset(_DATE_WORDS.split())
# Words that are values without being columns, and what functions in FROM add.
_VALUE_WORDS = """
    current_catalog current_database current_date current_datetime current_role current_schema current_session
    current_time current_timestamp current_user date getdate localtime localtimestamp now session_user
    sysdate system_user systimestamp today user null true false default infinity nan file_row_number filename
"""
_AGGREGATES = (
    *(exp.AnonymousAggFunc, exp.CombinedAggFunc, exp.ParameterizedAgg),
    *(exp.ArrayAgg, exp.Avg, exp.Count, exp.CountIf, exp.GroupConcat, exp.LogicalAnd, exp.LogicalOr, exp.Max, exp.Min),
    *(exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Sum, exp.Variance, exp.VariancePop),
)
_VALUES = frozenset(_VALUE_WORDS.split())


class Reference(Struct, frozen=True, kw_only=True):
    """A column as it is read: its parts from the qualifier to the last field.

    `may_be_word` is True for a bare word that is a column only if there is one of that name.
    """

    parts: tuple[Node, ...]
    may_be_word: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether there is no qualifier."""
        return len(self.parts) == 1


def references(adapter: Adapter, expression: Node) -> Iterator[Reference | Node]:
    """The columns that an expression reads, in the order of the text; nested queries come out as they are."""
    waiting: list[tuple[Node, frozenset[str]]] = [(expression, frozenset())]
    while waiting:
        node, bound = waiting.pop()
        if isinstance(node, exp.Query):
            yield node
            continue
        if isinstance(node, exp.Column):
            reference = _reference(adapter, node)
            if reference is not None and reference.parts[0].name.casefold() not in bound:
                yield reference
            continue
        if isinstance(node, exp.Lambda):
            bound = bound | {parameter.name.casefold() for parameter in node.expressions}
            waiting.append((node.this, bound))
            continue
        children = list(node.iter_expressions(reverse=True))
        skipped = _named_argument(node)
        waiting.extend((child, bound) for child in children if child is not skipped)


def _reference(adapter: Adapter, node: Node) -> Reference | None:
    parts = [part for name in ("catalog", "db", "table", "this") if (part := arg(node, name)) is not None]
    if not parts or not all(isinstance(part, exp.Identifier) and part.name for part in parts):
        return None
    word = parts[0].name.casefold()
    bare = len(parts) == 1 and not parts[0].args.get("quoted")
    date_part = word in _DATE_PARTS and isinstance(node.parent, exp.Func) and not isinstance(node.parent, exp.Connector)
    return Reference(parts=tuple(parts), may_be_word=bare and (date_part or word in _VALUES or adapter.is_pseudo(word)))


def _named_argument(node: Node) -> Node | None:
    """The left side of `name => value` and of a struct's `name: value`, which is no column."""
    if isinstance(node, (exp.Kwarg, exp.PropertyEQ)):
        left: Node = node.this
        return left
    return None


def first_over_rows(expression: Node) -> Node | None:
    """The first aggregate or window function that the expression calls outside of nested queries.

    Only what no warehouse, and hardly a function of the user's own, means otherwise.
    """
    waiting: list[Node] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (exp.Window, *_AGGREGATES)):
            return node.this if isinstance(node, exp.Window) else node
        if not isinstance(node, exp.Query):
            waiting.extend(node.iter_expressions(reverse=True))
    return None
