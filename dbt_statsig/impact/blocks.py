"""What a change does to what a source's block and its model's contract say: rows, queries, formulas, types. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from dbt_statsig.vocabulary.sources import Role, fields_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.project.artifacts import Node
    from dbt_statsig.vocabulary.adapters import Adapter
    from dbt_statsig.vocabulary.kinds import BlockMeta

_LONGEST = 120
_AROUND = re.compile(r" ?([(),<>]) ?")


def changed_keys(old: BlockMeta, new: BlockMeta) -> Iterator[tuple[str, str]]:
    """Each key of the block that now has another value, with the text about it.

    White space never counts as a change.
    """
    for key in fields_with(type(new), Role.ROWS):
        was, is_now = _declared_value(old, key), _declared_value(new, key)
        if was != is_now:
            yield key, f"now has {key} {_readable(is_now)} (was {_readable(was)})."
    for key in fields_with(type(new), Role.NESTED):
        if getattr(old, key, UNSET) != getattr(new, key, UNSET):
            yield key, f"has changed its `{key}`."
    was, is_now = _declared_value(old, "sql"), _declared_value(new, "sql")
    if was != is_now:
        verb = "no longer has" if is_now is None else "now has" if was is None else "has changed"
        yield "sql", f"{verb} its own `sql`."
    before, after = _formulas(old), _formulas(new)
    for field in sorted(before.keys() | after.keys()):
        if before.get(field) != after.get(field):
            text = f"computes the custom field {field} as {_readable(after.get(field))} instead of "
            yield f"custom_field_mapping.{field}", f"{text}{_readable(before.get(field))}."


def changed_types(old: Node, new: Node, adapter: Adapter) -> dict[str, tuple[str, str]]:
    """The types of columns that both enforced contracts have and give another type, by the column's key."""
    before, after = _types(old, adapter), _types(new, adapter)
    return {
        key: (before[key], after[key])
        for key in before.keys() & after.keys()
        if _normal_type(before[key]) != _normal_type(after[key])
    }


def _types(node: Node, adapter: Adapter) -> dict[str, str]:
    if not node.contract_enforced:
        return {}
    return {
        adapter.key(adapter.stored(column.name, quoted=column.quote)): column.data_type
        for column in node.columns.values()
        if column.data_type
    }


def _normal_type(data_type: str) -> str:
    return _AROUND.sub(r"\1", " ".join(data_type.casefold().split()))


def _declared_value(meta: BlockMeta, key: str) -> Any:
    value = getattr(meta, key, UNSET)
    if value is UNSET:
        return None
    return " ".join(value.split()) if isinstance(value, str) else value


def _formulas(meta: BlockMeta) -> dict[str, str]:
    mapping: Any = getattr(meta, "custom_field_mapping", UNSET)
    return {} if mapping is UNSET else {field: " ".join(formula.split()) for field, formula in mapping.items()}


def _readable(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if len(value) <= _LONGEST else f'"{value[:_LONGEST]}..."'
