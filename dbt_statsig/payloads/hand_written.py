"""SQL that was written by hand, in the form in which this program builds it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.columns.relations import means, stored_parts
from dbt_statsig.payloads.select import PartitionType, date_filter, select_statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.project.artifacts.nodes import Node


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
