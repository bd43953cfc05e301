"""What a check of a user's own SQL answers; plain values, free of any SQL library."""

from __future__ import annotations

from msgspec import Struct

from dbt_statsig.columns.verdicts import ColumnSet, Verdict

# The macros that Statsig's documentation names.
MACROS = frozenset(
    {
        "statsig_start_date",
        "statsig_end_date",
        "statsig_start_date_int",
        "statsig_end_date_int",
        "statsig_experiment_start_timestamp",
    }
)


class SqlProblem(Struct, frozen=True, kw_only=True):
    """One fault in a text of SQL: a finding code, what is wrong, the next step, and where (from 1; 0: not known)."""

    code: str
    message: str
    fix: str = ""
    line: int = 0
    column: int = 0


class SqlCheck(Struct, frozen=True, kw_only=True):
    """All faults of one text, in its order.

    `columns` is what a query gives (empty and open for predicates); `used` are the columns of the table that a
    predicate or formula reads and that are not proven absent.
    """

    problems: tuple[SqlProblem, ...] = ()
    columns: ColumnSet = ColumnSet(columns=(), closed=False)
    used: tuple[Verdict, ...] = ()
