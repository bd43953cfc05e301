"""Paths below a column: dbt-bigquery lists each field of a struct as a column, the table has the struct. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.columns.adapters import Adapter
    from dbt_statsig.columns.verdicts import KnownColumn


def nested_path(adapter: Adapter, name: str) -> tuple[str, str] | None:
    """The column and the path below it that a listed name means; None where it is a column itself."""
    column, dot, path = name.partition(".")
    return (column, path) if adapter.lists_paths and dot else None


def tables_own(adapter: Adapter, listed: Iterable[KnownColumn]) -> tuple[KnownColumn, ...]:
    """The columns that the table has, each once, with the paths below them; all tags of a path are the column's."""
    if not adapter.lists_paths:
        return tuple(listed)
    found: dict[str, KnownColumn] = {}
    for column in listed:
        path = nested_path(adapter, column.name)
        key = adapter.key(path[0] if path else column.name)
        known = found.get(key)
        if path is None:
            below, tags = (known.fields, known.tags) if known else ((), ())
            found[key] = replace(column, fields=below, tags=tuple(dict.fromkeys((*column.tags, *tags))))
            continue
        known = known or replace(column, name=path[0], data_type=None, tags=())
        tags = tuple(dict.fromkeys((*known.tags, *column.tags)))
        found[key] = replace(known, fields=(*known.fields, path[1]), tags=tags)
    return tuple(found.values())


def missing_field(fields: Sequence[str], path: Sequence[str]) -> str:
    """The first part of a path below a column that the listed fields lack; empty where they have them all."""
    known = {field.casefold() for field in fields}
    if not known:
        return ""
    parents = {field.rpartition(".")[0] for field in known}
    for end in range(1, len(path) + 1):
        below = ".".join(path[:end]).casefold()
        if below not in known and not any(field.startswith(f"{below}.") for field in known):
            return path[end - 1]
        if below not in parents:
            # Nothing is listed below it: a JSON value, or a struct that was listed as a whole.
            return ""
    return ""
