"""Random queries that DuckDB accepts, for comparing what we infer with what DuckDB says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn

TABLES = {
    "t": ("id", "a", "b"),
    "u": ("id", "c", "a"),
    "w": ("ID", "Mixed Name", "d"),
    "wide": ("k", "v1", "v2", "v3"),
}
NAMES = ("id", "a", "b", "x", "y", "Z", '"Mixed Name"', '"select"')


def connect() -> duckdb.DuckDBPyConnection:
    """A database with the tables, all columns integers."""
    connection = duckdb.connect()
    for table, columns in TABLES.items():
        connection.execute(f"create table {table} ({', '.join(quoted(column) + ' integer' for column in columns)})")
    connection.execute("create table nested (id integer, s struct(x integer, y integer), l integer[])")
    return connection


def quoted(name: str) -> str:
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


class Writer:
    """Writes one query, asking DuckDB which columns each part has."""

    def __init__(self, draw: DrawFn, connection: duckdb.DuckDBPyConnection) -> None:
        """Draw from hypothesis, ask `connection`."""
        self.draw: Any = draw
        self.connection = connection
        self.count = 0

    def columns(self, relation: str, prelude: str) -> list[str]:
        """The columns of something that can be in FROM; none where DuckDB refuses it."""
        try:
            rows = self.connection.execute(f"describe {prelude} select * from {relation}").fetchall()
        except duckdb.Error:
            return []
        return [row[0] for row in rows]

    def pick(self, *choices: str) -> str:
        """One of the choices."""
        return str(self.draw(st.sampled_from(choices)))

    def alias(self) -> str:
        """A new name."""
        self.count += 1
        return f"q{self.count}"

    def query(self, depth: int, prelude: str, ctes: list[str]) -> str:
        """A query; `prelude` is the WITH clause in force, for asking."""
        kind = self.pick("select", "select", "select", "set", "by name", "with", "brackets", "values", "from first")
        if depth <= 0 or kind == "select":
            return self.select(depth, prelude, ctes)
        write: dict[str, Callable[[int, str, list[str]], str]] = {
            "set": self.set_operation,
            "by name": self.by_name,
            "with": self.with_clause,
            "brackets": lambda depth, prelude, ctes: f"({self.query(depth - 1, prelude, ctes)})",
            "values": lambda _depth, _prelude, _ctes: "values (1, 2), (3, 4)",
            "from first": lambda depth, prelude, ctes: f"from {self.source(depth, prelude, ctes)[0]}",
        }
        return write[kind](depth, prelude, ctes)

    def set_operation(self, depth: int, prelude: str, ctes: list[str]) -> str:
        """Two queries of one width."""
        left = self.query(depth - 1, prelude, ctes)
        width = len(self.columns(f"({left})", prelude))
        right = "select " + ", ".join(f"{place} as r{place}" for place in range(max(width, 1)))
        return f"({left}) {self.pick('union', 'union all', 'except', 'intersect')} {right}"

    def by_name(self, depth: int, prelude: str, ctes: list[str]) -> str:
        """Two queries of any width."""
        left, right = (self.query(depth - 1, prelude, ctes) for _ in range(2))
        return f"({left}) {self.pick('union by name', 'union all by name')} ({right})"

    def with_clause(self, depth: int, prelude: str, ctes: list[str]) -> str:
        """A query over a CTE, which may hide a table's name or list its columns."""
        body = self.query(depth - 1, prelude, ctes)
        name = self.pick(self.alias(), "t", "U")
        listed = self.pick("", "", "(p)", "(p, q)")
        clause = f"{name}{listed} as ({body})"
        inner = f"{prelude}, {clause}" if prelude else f"with {clause}"
        if not self.columns(name, inner if not prelude else f"with {clause}"):
            return self.select(0, prelude, ctes)
        recursive = self.pick("", "recursive ") if not prelude else ""
        written = f"with {recursive}{clause} "
        return written + self.query(depth - 1, f"with {clause}", [*ctes, name])

    def source(self, depth: int, prelude: str, ctes: list[str]) -> tuple[str, str, list[str]]:
        """One entry of FROM: text, alias and columns."""
        alias = self.alias()
        kind = self.pick("table", "table", "query", "pivot", "unpivot", "values", "series", "lateral", "listed")
        table = self.pick(*TABLES, "nested", *ctes)
        text = f"{table} as {alias}"
        if kind == "query" and depth > 0:
            text = f"({self.query(depth - 1, prelude, ctes)}) {alias}"
        elif kind == "pivot":
            aggregate = self.pick("sum(v1)", "max(v1) as m", "sum(v1) as s, count(*) as n")
            text = f"wide pivot ({aggregate} for k in ({self.pick('1, 2', '7')})) {alias}"
        elif kind == "unpivot":
            text = f"wide unpivot (val for nam in ({self.pick('v1, v2', 'v3', 'V1')})) {alias}"
        elif kind == "values":
            text = f"(values (1, 2)) {alias}{self.pick('', '(p)', '(p, q)')}"
        elif kind == "series":
            text = f"generate_series(1, 3) {alias}(n)"
        elif kind == "lateral":
            text = f'lateral (select 1 as lat, 2 as "Lat2") {alias}'
        elif kind == "listed":
            text = f"{self.pick(*TABLES)} {alias}(p, q)"
        columns = self.columns(text, prelude)
        if not columns:
            return f"t as {alias}", alias, list(TABLES["t"])
        return text, alias, columns

    def from_clause(self, depth: int, prelude: str, ctes: list[str]) -> tuple[str, list[tuple[str, list[str]]]]:
        """One to three entries and how they are joined; with each visible entry's alias and columns."""
        text, alias, columns = self.source(depth, prelude, ctes)
        entries = [(alias, columns)]
        for _ in range(self.draw(st.integers(0, 2))):
            right, right_alias, right_columns = self.source(depth, prelude, ctes)
            kind = self.pick(
                ",", "join", "left join", "full join", "natural join", "semi join", "anti join", "positional join"
            )
            common = [name for name in right_columns if name.casefold() in {each.casefold() for each in columns}]
            on = "on true"
            if common and self.draw(st.booleans()):
                on = f"using ({quoted(self.draw(st.sampled_from(common)))})"
            plain = kind in {",", "natural join", "positional join"}
            joined = f"{text} {kind} {right}" if plain else f"{text} {kind} {right} {on}"
            found = self.columns(joined, prelude)
            if not found:
                continue
            text, columns = joined, found
            if kind not in {"semi join", "anti join"}:
                entries.append((right_alias, right_columns))
        return text, entries

    def select(self, depth: int, prelude: str, ctes: list[str]) -> str:
        """SELECT over a FROM clause."""
        text, entries = self.from_clause(depth, prelude, ctes)
        listed = ", ".join(self.projection(entries) for _ in range(self.draw(st.integers(1, 3))))
        query = f"select {listed} from {text}"
        return query if self.columns(f"({query})", prelude) else f"select * from {text}"

    def projection(self, entries: list[tuple[str, list[str]]]) -> str:
        """One entry of a SELECT list."""
        alias, columns = self.draw(st.sampled_from(entries))
        column = quoted(self.draw(st.sampled_from(columns)))
        name = self.pick(*NAMES)
        return self.pick(
            "*",
            f"{alias}.*",
            f"{alias}.* exclude ({column})",
            f"* exclude ({column})",
            f"* exclude ({alias}.{column})",
            f"* rename ({alias}.{column} as {name})",
            f"{alias}.* exclude ({alias}.{column})",
            f"{alias}.s.x",
            "s.y",
            f"{alias}.s",
            f"* replace (1 as {column})",
            f"* rename ({column} as {name})",
            f"{alias}.* rename ({column} as {name})",
            f"{alias}.{column}",
            f"({alias}.{column})",
            f"{alias}.{column} as {name}",
            f"{alias}.{column}::varchar",
            f"cast({alias}.{column} as varchar) as {name}",
            f"{name}: 1",
            f"(select max({alias}.{column})) as {name}",
            "1",
            "42 as x",
            f"coalesce({alias}.{column}, 1)",
            "columns('.*')",
            "unnest([1, 2]) as un",
            f"row_number() over (order by {alias}.{column}) as {name}",
        )


@st.composite
def queries(draw: DrawFn, connection: duckdb.DuckDBPyConnection) -> str:
    """A query that is likely to be accepted by DuckDB."""
    return Writer(draw, connection).query(draw(st.integers(0, 3)), "", [])
