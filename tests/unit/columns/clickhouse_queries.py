"""Random queries that ClickHouse accepts, for comparing what we infer with what ClickHouse says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

TABLES = {
    "t": ("id", "a", "b"),
    "u": ("id", "c", "a"),
    "w": ("ID", "d", "b"),
    "nest": ("id", "n.k", "n.v", "tup", "m"),
}
CREATE = (
    *(
        f"create table {table} ({', '.join(f'{column} Int32' for column in TABLES[table])}) "
        "engine = ReplacingMergeTree order by tuple()"
        for table in ("t", "u", "w")
    ),
    "create table nest (id Int8, n Nested(k Int8, v Int8), tup Tuple(x Int8, y Int8), m Map(String, Int8)) engine=Log",
)
COLUMNS = {**TABLES, "nest": ("id", "n.k", "n.v", "tup.x", "m.keys", "tup")}
NAMES = ("id", "a", "x", "`b c`", "Z")


class Writer:
    """Writes one query."""

    def __init__(self, draw: DrawFn) -> None:
        self.draw: Any = draw
        self.count = 0

    def pick(self, *choices: str) -> str:
        """One of the choices."""
        return str(self.draw(st.sampled_from(choices)))

    def alias(self) -> str:
        """A new name."""
        self.count += 1
        return f"q{self.count}"

    def query(self, depth: int) -> str:
        """A query, with CTEs, unions and subqueries as deep as that."""
        kind = self.pick("select", "select", "select", "union", "with") if depth else "select"
        if kind == "union":
            return f"{self.select(depth - 1)} union all select 1, 2, 3"
        if kind == "with":
            name = self.alias()
            rest = self.pick(
                f"select * from {name}", f"select * from {name} join u on true", f"select {name}.* from {name}"
            )
            return f"with {name} as ({self.query(depth - 1)}) {rest}"
        return self.select(depth)

    def source(self, depth: int) -> tuple[str, str, tuple[str, ...]]:
        """One entry of FROM: text, alias, and columns that may be there."""
        alias = self.alias()
        if depth and self.pick("table", "query") == "query":
            return f"({self.query(depth - 1)}) as {alias}", alias, ("id", "a", "b")
        table = self.pick(*TABLES)
        final = self.pick("", " final") if table != "nest" else ""
        if self.pick("named", "bare") == "bare" and self.count % 2:
            return f"{table}{final}", table, COLUMNS[table]
        return f"{table} as {alias}{final}", alias, COLUMNS[table]

    def select(self, depth: int) -> str:
        """SELECT over one to three entries."""
        text, alias, columns = self.source(depth)
        entries = [(alias, columns)]
        for _ in range(self.draw(st.integers(0, 2))):
            right, right_alias, right_columns = self.source(depth)
            text += self.pick(
                f", {right}",
                f" join {right} on 1 = 1",
                f" left join {right} on {alias}.id = {right_alias}.id",
                f" left join {right} using (id)",
                f" cross join {right}",
            )
            entries.append((right_alias, right_columns))
        listed = ", ".join(self.projection(entries) for _ in range(self.draw(st.integers(1, 3))))
        return f"select {listed} from {text}"

    def projection(self, entries: list[tuple[str, tuple[str, ...]]]) -> str:
        """One entry of a SELECT list."""
        alias, columns = self.draw(st.sampled_from(entries))
        column = str(self.draw(st.sampled_from(columns)))
        name = self.pick(*NAMES)
        return self.pick(
            "*",
            f"{alias}.*",
            f"{alias}.{column}",
            f"{alias}.{column}",
            column,
            f"{alias}.{column} as {name}",
            f"* except ({column})",
            f"{alias}.* except ({column})",
            f"* replace (1 as {column})",
            f"{alias}.{column} + 1",
            f"toString({alias}.{column}) as {name}",
            "1",
            "columns('a')",
            f"(select max(id) from t) as {name}",
        )


@st.composite
def queries(draw: DrawFn) -> str:
    """A query that ClickHouse may accept."""
    return Writer(draw).query(draw(st.integers(0, 2)))
