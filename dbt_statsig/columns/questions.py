"""What is asked about SQL text alone: plain values, so that another process may answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.adapters import adapter_for
from dbt_statsig.columns.evidence import Facts, decide, decide_in
from dbt_statsig.columns.verdicts import ColumnSet

if TYPE_CHECKING:
    from dbt_statsig.columns.items import Shape
    from dbt_statsig.columns.user_sql import SqlCheck
    from dbt_statsig.columns.verdicts import Verdict

QUERY = "The query"


class ShapesOf(Struct, frozen=True, kw_only=True, tag=True):
    """Asks for the shapes of compiled queries."""

    adapter: str
    texts: tuple[str, ...]

    def answer(self) -> tuple[Shape, ...]:
        """The shapes in the order of the texts."""
        from dbt_statsig.columns.shape import shape_of  # noqa: PLC0415 - sqlglot, only when needed

        adapter = adapter_for(self.adapter)
        return tuple(shape_of(adapter, text) for text in self.texts)


class FaultsOf(Struct, frozen=True, kw_only=True, tag=True):
    """Asks for the faults of a predicate or formula over a node (its `facts`) or a user's query (its `columns`)."""

    adapter: str
    sql: str
    macros: frozenset[str]
    tables: frozenset[str]
    facts: Facts | None = None
    columns: ColumnSet | None = None

    def answer(self) -> SqlCheck:
        """The faults, and the columns that it uses."""
        from dbt_statsig.columns.predicates import check_predicate  # noqa: PLC0415 - sqlglot, only when needed

        adapter = adapter_for(self.adapter)
        return check_predicate(adapter, self.sql, macros=self.macros, tables=self.tables, verdict=self._verdict)

    def _verdict(self, name: str) -> Verdict:
        adapter = adapter_for(self.adapter)
        if self.facts is not None:
            return decide(adapter, name, self.facts)
        return decide_in(adapter, name, self.columns or ColumnSet(columns=(), closed=False), QUERY)


Question = ShapesOf | FaultsOf
