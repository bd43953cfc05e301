"""What a query's own cast says of one column: a date, a point in time, a whole number, or nothing.

Only what is in the text itself is followed: CTEs, queries in FROM, and all branches of a set operation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.sql import SET_OPERATIONS, Node, arg, is_query, parse_statements, quiet, stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dbt_statsig.vocabulary.adapters import Adapter

_TYPES = {"date": "date", "date32": "date"}
_TIME = re.compile(r"timestamp.*|datetime.*|smalldatetime")
_WHOLE = re.compile(r"u?(tiny|small|medium|big)?int(128|256)?|u?int(8|16|32|64|128|256)")
_WRAPPERS = frozenset({"nullable", "lowcardinality"})
# By sqlglot's class, whose older versions do not have all. What may be a day or a point in time counts as the latter:
# a cast of a day to a day changes nothing.
_FUNCTIONS = {
    **dict.fromkeys(("CurrentDate", "Date", "StrToDate", "TsOrDsToDate"), "date"),
    **dict.fromkeys(("CurrentDatetime", "CurrentTimestamp", "ParseDatetime", "StrToTime", "Timestamp"), "timestamp"),
    **dict.fromkeys(("DateTrunc", "TimestampTrunc", "TsOrDsToDatetime", "UnixToTime"), "timestamp"),
}
# ClickHouse's own names, which sqlglot does not know.
_BY_NAME = (
    (re.compile(r"todate(32)?"), "date"),
    (re.compile(r"todatetime(64)?"), "timestamp"),
    (re.compile(r"tou?int(8|16|32|64|128|256)|toyyyymmdd"), "integer"),
)

_Queries = dict[str, tuple[Node, "_Queries"]]


def cast_of(adapter: Adapter, sql: str, column: str) -> str:
    """`date`, `timestamp` or `integer` where the query casts its column to one; else empty. Never raises.

    `column` is a stored name.
    """
    try:
        queries = [node for node in parse_statements(sql, adapter.dialect or "") if is_query(node)]
        with quiet():
            return _Casts(adapter).of(queries[-1], column, {}) if queries else ""
    except Unparsable:
        return ""


class _Casts:
    """The search in one text."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._found: dict[tuple[int, str], str] = {}

    def of(self, query: Node, column: str, ctes: _Queries) -> str:
        """What a query casts its column to; each query is read once for a column."""
        key = (id(query), column)
        if key not in self._found:
            self._found[key] = self._search(query, column, _with(query, ctes))
        return self._found[key]

    def _search(self, query: Node, column: str, ctes: _Queries) -> str:
        if isinstance(query, SET_OPERATIONS):
            branches = {self.of(query.this, column, ctes), self.of(query.expression, column, ctes)}
            return branches.pop() if len(branches) == 1 else ""
        if isinstance(query, (exp.Paren, exp.Subquery)):
            return self.of(query.this, column, ctes) if is_query(query.this) and not query.args.get("pivots") else ""
        if not isinstance(query, exp.Select) or query.args.get("pivots"):
            return ""
        named = [entry for entry in query.expressions if self._is(entry, column)]
        if len(named) > 1:
            return ""
        if named:
            entry = named[0].this if isinstance(named[0], exp.Alias) else named[0]
            return self._inner(query, entry, ctes) if isinstance(entry, exp.Column) else _type_of(entry, self._adapter)
        return self._starred(query, column, ctes)

    def _starred(self, query: Node, column: str, ctes: _Queries) -> str:
        """What is known of a column that only a query's star gives."""
        stars = [entry for entry in query.expressions if entry.is_star]
        if len(stars) != 1 or _changes(stars[0]):
            return ""
        table = stars[0].args.get("table") if isinstance(stars[0], exp.Column) else None
        return self._source(query, table.name if table is not None else "", column, ctes)

    def _is(self, entry: Node, column: str) -> bool:
        if isinstance(entry, exp.Alias):
            return self._adapter.same(stored(self._adapter, entry.args["alias"]), column)
        if isinstance(entry, exp.Column) and isinstance(entry.this, exp.Identifier):
            return self._adapter.same(stored(self._adapter, entry.this), column)
        return False

    def _inner(self, query: Node, entry: Node, ctes: _Queries) -> str:
        """What is known of a column that a query only passes on."""
        return self._source(query, entry.table, stored(self._adapter, entry.this), ctes)

    def _source(self, query: Node, table: str, column: str, ctes: _Queries) -> str:
        """The same of a column of one entry of FROM: the one called `table`, or (empty) the only one there is."""
        sources = list(_sources(query))
        if table:
            sources = [one for one in sources if one.alias_or_name.casefold() == table.casefold()]
        if len(sources) != 1 or sources[0].args.get("pivots"):
            return ""
        (source,) = sources
        if isinstance(source, exp.Table) and not source.args.get("db") and source.name.casefold() in ctes:
            return self.of(ctes[source.name.casefold()][0], column, ctes[source.name.casefold()][1])
        return self.of(source, column, ctes) if isinstance(source, exp.Subquery) else ""


def _with(query: Node, ctes: Mapping[str, tuple[Node, _Queries]]) -> _Queries:
    """The CTEs in force, each with those that it may read itself."""
    found = dict(ctes)
    clause = arg(query, "with")
    for cte in clause.expressions if clause is not None else ():
        found[cte.alias.casefold()] = (cte.this, dict(found))
    return found


def _sources(query: Node) -> Iterator[Node]:
    clause = arg(query, "from")
    if clause is not None:
        yield clause.this
    for join in (*(query.args.get("joins") or ()), *(query.args.get("laterals") or ())):
        yield join.this if isinstance(join, exp.Join) else join


def _changes(star: Node) -> bool:
    """Whether a star says more than all columns."""
    inner = star.this if isinstance(star, exp.Column) else star
    return any(inner.args.get(name) for name in ("except", "except_", "replace", "rename", "ilike", "like"))


def _type_of(node: Node, adapter: Adapter) -> str:
    while isinstance(node, exp.Paren) or type(node).__name__ == "SafeFunc":
        node = node.this
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return _category(node.args["to"])
    if isinstance(node, exp.Anonymous):
        name = node.name.casefold()
        return next((kind for pattern, kind in _BY_NAME if pattern.fullmatch(name)), "")
    kind = _FUNCTIONS.get(type(node).__name__, "")
    return "timestamp" if isinstance(node, exp.StrToDate) and adapter.str_to_date_has_time else kind


def _category(data_type: Node) -> str:
    """What a type is, as sqlglot names it."""
    name = getattr(data_type.this, "value", str(data_type.this)).lower()
    inside = data_type.expressions
    if name in _WRAPPERS and inside:
        return _category(inside[0])
    if name in {"decimal", "numeric"}:
        return "integer" if [part.name for part in inside[1:]] == ["0"] else ""
    if _TIME.fullmatch(name):
        return "timestamp"
    return "integer" if _WHOLE.fullmatch(name) else _TYPES.get(name, "")
