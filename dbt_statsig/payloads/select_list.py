"""Which columns the SQL of a source selects. Pure.

What the SQL selects shows up in Statsig's console, so a column with a hidden tag is left out unless it is named or
used; and where the full list of columns is not known, nothing can be left out, which is told rather than guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.columns.verdicts import ColumnSet, Evidence, KnownColumn, Presence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.artifacts.nodes import Node
    from dbt_statsig.columns.adapters import Adapter


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
