"""Which columns the SQL of a source selects, and SQL by hand in the form in which this program builds it. Pure.

What the SQL selects shows up in Statsig's console, so a column with a hidden tag is left out unless it is named or
used; and where the full list of columns is not known, nothing can be left out, which is reported rather than guessed.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.relations import means, stored_parts
from dbt_statsig.vocabulary.verdicts import ColumnSet, Evidence, KnownColumn, Presence, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.vocabulary.adapters import Adapter


class SelectList(Struct, frozen=True, kw_only=True):
    """The columns to select in the model's order, empty for every column.

    `cannot_leave_out` names what should be left out but cannot be, because the full list is not known. `only_used`:
    of the others it is not known which ones the table has.
    """

    columns: tuple[KnownColumn, ...] = ()
    only_used: bool = False
    cannot_leave_out: tuple[str, ...] = ()


def as_known(verdict: Verdict) -> KnownColumn:
    """The column that a verdict speaks of."""
    return KnownColumn(
        name=verdict.stored,
        evidence=verdict.evidence,
        data_type=verdict.data_type,
        spelling_proven=verdict.spelling_proven,
    )


def hidden_columns(
    node: Node, columns: ColumnSet, adapter: Adapter, hidden_tags: frozenset[str]
) -> tuple[KnownColumn, ...]:
    """The known columns, and those only documented in YAML, that bear a hidden tag."""
    known = {adapter.key(column.name) for column in columns.columns}
    documented = (
        KnownColumn(name=column.name, evidence=Evidence.DOCUMENTED, spelling_proven=False, tags=column.tags)
        for column in node.columns.values()
        if not columns.selectable and adapter.key(column.name) not in known
    )
    return tuple(column for column in (*columns.columns, *documented) if hidden_tags & set(column.tags))


def select_list(
    columns: ColumnSet,
    adapter: Adapter,
    *,
    used: Iterable[Verdict],
    wanted: Sequence[Verdict] | None,
    left_out: Sequence[str],
) -> SelectList:
    """The list for one source: `wanted` (else every known column), without `left_out`, and always what is `used`.

    Where the table may lack columns that the SQL gives, it is `*`; or only what is `used`, if others have to stay out.
    What is proven absent is in no list.
    """
    needed = _there(used)
    if wanted is not None:
        return SelectList(columns=_in_order([*_there(wanted), *needed], columns, adapter))
    if columns.selectable:
        without = {adapter.key(name) for name in left_out}
        kept = [column for column in columns.columns if adapter.key(column.name) not in without]
        return SelectList(columns=_in_order([*kept, *needed], columns, adapter))
    if columns.is_complete and left_out:
        return SelectList(columns=_in_order(needed, columns, adapter), only_used=True)
    return SelectList(cannot_leave_out=tuple(sorted(set(left_out))))


def _there(verdicts: Iterable[Verdict]) -> list[KnownColumn]:
    return [as_known(verdict) for verdict in verdicts if verdict.presence is not Presence.ABSENT]


def _in_order(chosen: Iterable[KnownColumn], columns: ColumnSet, adapter: Adapter) -> tuple[KnownColumn, ...]:
    """Each column once: first as the model orders them, then the others as they were named."""
    once: dict[str, KnownColumn] = {}
    for column in chosen:
        once.setdefault(adapter.key(column.name), column)
    known = [key for column in columns.columns if (key := adapter.key(column.name)) in once]
    return tuple(once[key] for key in dict.fromkeys([*known, *once]))


class PartitionType(Enum):
    """How a partition column is compared with Statsig's date macros."""

    DATE = "date"
    TIMESTAMP = "timestamp"
    INTEGER = "integer"
    TEXT = "text"
    UNKNOWN = "unknown"
    OTHER = "other"


_DATE = re.compile(r"date(32)?", re.IGNORECASE)
_TIMESTAMP = re.compile(r"(timestamp|datetime|smalldatetime|timestamp_?(n|l)?tz|time stamp)", re.IGNORECASE)
_INTEGER = re.compile(
    r"(tiny|small|medium|big|huge|byte|long)?u?int(eger)?(2|4|8|16|32|64|128|256)?|long|fixed", re.IGNORECASE
)
# Snowflake's catalog says NUMBER for every integer; where a precision stands alone, the scale is 0 in all warehouses.
_WHOLE_NUMBER = re.compile(r"number|(number|numeric|decimal)\(\s*\d+\s*(,\s*0\s*)?\)", re.IGNORECASE)
_TEXT = re.compile(r"\w*(char2?|character|text|string)\b.*", re.IGNORECASE)
_WRAPPER = re.compile(r"(?:nullable|lowcardinality)\((.*)\)", re.IGNORECASE)


# ClickHouse takes two; a text of thousands would take for ever.
_MOST_WRAPPERS = 4


def unwrapped(data_type: str) -> str:
    """The type inside of ClickHouse's `Nullable(…)` and `LowCardinality(…)`."""
    name = data_type.strip()
    for _ in range(_MOST_WRAPPERS):
        wrapped = _WRAPPER.fullmatch(name)
        if wrapped is None:
            break
        name = wrapped[1].strip()
    return name


def partition_type(data_type: str | None) -> PartitionType:
    """What a warehouse's type name means for a date filter; `UNKNOWN` only where no type is known."""
    if not data_type:
        return PartitionType.UNKNOWN
    name = unwrapped(data_type)
    if _DATE.fullmatch(name):
        return PartitionType.DATE
    if _TIMESTAMP.match(name):
        return PartitionType.TIMESTAMP
    if _INTEGER.fullmatch(name) or _WHOLE_NUMBER.fullmatch(name):
        return PartitionType.INTEGER
    return PartitionType.TEXT if _TEXT.fullmatch(name) else PartitionType.OTHER


def may_be(declared: PartitionType, known: PartitionType) -> bool:
    """Whether a column of a known type can be read as declared: not where the filter would lose rows or fail."""
    if known is PartitionType.UNKNOWN or declared is known:
        return True
    return (declared, known) in {
        (PartitionType.TIMESTAMP, PartitionType.DATE),
        (PartitionType.TIMESTAMP, PartitionType.TEXT),
        (PartitionType.DATE, PartitionType.TEXT),
        (PartitionType.INTEGER, PartitionType.OTHER),
    }


def date_filter(adapter: Adapter, name: str, kind: PartitionType) -> str:
    """A predicate that keeps the days that Statsig asks for; `name` is the column's stored name.

    A bare timestamp would lose the last day, so timestamps and text are cast to a day.
    """
    column = adapter.quote(name)
    if kind is PartitionType.INTEGER:
        return f"{column} BETWEEN {{statsig_start_date_int}} AND {{statsig_end_date_int}}"
    day = column if kind is PartitionType.DATE else adapter.as_day(column)
    return f"{day} BETWEEN {{statsig_start_date}} AND {{statsig_end_date}}"


def equal_filters(adapter: Adapter, kind: PartitionType) -> tuple[tuple[str, str], ...]:
    """What stands before and after the column in each date filter that means the same for a column of this type.

    A cast of a DATE to a day changes nothing; where the type is not known, any filter may be the right one.
    """
    same = {PartitionType.UNKNOWN: tuple(PartitionType), PartitionType.DATE: (kind, PartitionType.TIMESTAMP)}
    column = adapter.quote("\0")
    forms = {date_filter(adapter, "\0", each).partition(column) for each in same.get(kind, (kind,))}
    return tuple(sorted((before, after) for before, _, after in forms))


def select_statement(columns: Sequence[str], relation_name: str, predicates: Sequence[str]) -> str:
    """`SELECT … FROM … WHERE …`; `columns` are written already (empty: every column), predicates are joined by AND."""
    listed = ",\n".join(f"  {column}" for column in columns) if columns else "  *"
    return f"SELECT\n{listed}\n{from_where(relation_name, predicates)}"


def from_where(relation_name: str, predicates: Sequence[str]) -> str:
    """`FROM … WHERE …` alone."""
    where = "\n  AND ".join(predicates)
    return f"FROM {relation_name}" + (f"\nWHERE {where}" if predicates else "")


def hand_written(prover: Prover, node: Node) -> Callable[[str], tuple[str, ...]]:
    """For a node, what gives the forms of a SQL: with its WHERE as one predicate, and with its date filter apart.

    Only of a plain SELECT over the node's own relation; nothing of all others.
    """

    def forms(sql: str) -> tuple[str, ...]:
        plain = prover.live_query(sql).plain
        if plain is None or not _is_table_of(prover, plain.table, node):
            return ()
        columns = [prover.adapter.quote(name) for name in plain.columns]
        predicate, found = plain.predicate, []
        for text, kept in ((predicate.where, None), (predicate.rest, predicate.date_filter)):
            days = [] if kept is None else [date_filter(prover.adapter, kept.column, PartitionType(kept.kind))]
            predicates = [*([f"({text})"] if text else []), *days]
            found.append(select_statement(columns, node.relation_name or "", predicates))
        return tuple(found)

    return forms


def _is_table_of(prover: Prover, table: tuple[str, ...], node: Node) -> bool:
    relation = stored_parts(prover.adapter, node.relation_name or "")
    if not means(prover.adapter, table, relation):
        return False
    if len(table) == len(relation):
        return True
    # A name without its database must not be another table's too.
    others = (stored_parts(prover.adapter, other.relation_name or "") for other in prover.meant(table))
    return all(other == relation for other in others)
