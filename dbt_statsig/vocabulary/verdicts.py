"""The three-valued answers about columns, free of any SQL library."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Presence(str, Enum):
    """Whether a column exists. Absent only with proof."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Evidence(str, Enum):
    """What a verdict rests on, strongest first.

    `warehouse`: the warehouse itself was asked in this run (`validate --warehouse`).
    `possible`: the SQL gives the column, but the table may lack it, as an incremental table gets new columns only with
    `--full-refresh`; or an old catalog has it, and the SQL does not give it.
    """

    WAREHOUSE = "warehouse"
    CONTRACT = "contract"
    CATALOG = "catalog"
    INFERRED = "inferred"
    POSSIBLE = "possible"
    DOCUMENTED = "documented"
    NONE = "none"


class KnownColumn(Struct, frozen=True, kw_only=True):
    """A column of a node: its name as the warehouse stores it (or as written, where `spelling_proven` is False).

    `data_type` is given only by a contract or the catalog. `tags` are the tags that the project's YAML gives it.
    `fields` are the paths below it, where a contract or the catalog lists them (BigQuery).
    """

    name: str
    evidence: Evidence
    data_type: str | None = None
    spelling_proven: bool = True
    tags: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether the table has it, as far as the evidence goes."""
        return self.evidence is not Evidence.POSSIBLE


class ColumnSet(Struct, frozen=True, kw_only=True):
    """What is known of a node's columns, in order.

    `closed` means that the table has no others, so that a name which is not here is absent; `reasons` says why not,
    where it is False. `complete` means that every column which the SQL (or catalog, or contract) gives is here, though
    the table may be incomplete: old ones of an incremental table, or a custom materialization's. `closed` implies it.
    """

    columns: tuple[KnownColumn, ...]
    closed: bool
    reasons: tuple[str, ...] = ()
    complete: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every column that the SQL gives is here."""
        return self.closed or self.complete

    @property
    def selectable(self) -> bool:
        """Whether a SELECT may list them: none is left out, and the table has every one. Else it says `*`."""
        return self.is_complete and all(column.is_certain for column in self.columns)


class Verdict(Struct, frozen=True, kw_only=True):
    """The answer about one named column.

    `stored` is the spelling to send to Statsig: the warehouse's own where it is proven, else the user's.
    `code` is a finding code of `findings.CODES`, or empty where there is nothing to say; `message` and `fix`
    go with it.
    """

    name: str
    stored: str
    presence: Presence
    evidence: Evidence
    spelling_proven: bool = False
    data_type: str | None = None
    fields: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    fix: str = ""


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
