"""The shape of one query: a pure function of the adapter and the SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.items import Items, Opaque, Shape, TooWide
from dbt_statsig.columns.sql import is_query, parse_statements, quiet
from dbt_statsig.columns.walk import Walker

if TYPE_CHECKING:
    from dbt_statsig.columns.adapters import Adapter

_NOT_READ = {"|>": "pipe syntax is not read", "\0": "the SQL holds a NUL character"}


def shape_of(adapter: Adapter, sql: str) -> Shape:
    """The shape of the last query in `sql`; one opaque item with the reason where it cannot be told. Never raises."""
    if adapter.dialect is None:
        return _unknown(adapter.note)
    for sign, reason in _NOT_READ.items():
        if sign in sql:
            return _unknown(reason)
    try:
        return Shape(items=_items(adapter, sql.lstrip("\ufeff"), adapter.dialect))
    except Unparsable as error:
        place = f" at line {error.line}" if error.line else ""
        return _unknown(f"the SQL does not parse{place}: {error.message}")
    except TooWide:
        return _unknown("the query gives more columns than any warehouse allows")


def _items(adapter: Adapter, sql: str, dialect: str) -> Items:
    queries = [node for node in parse_statements(sql, dialect) if is_query(node)]
    if not queries:
        return (Opaque("the SQL holds no query"),)
    with quiet():
        return Walker(adapter).query(queries[-1], {})


def _unknown(reason: str) -> Shape:
    return Shape(items=(Opaque(reason),))
