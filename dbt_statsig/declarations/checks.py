"""What a merged block must hold, and which of its keys rule each other out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.conversion import Fault
from dbt_statsig.declarations.meta import REQUIRED, ROLE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.declarations.layers import Layer
    from dbt_statsig.declarations.places import KeyPath
    from dbt_statsig.sources import Kind

_BUILT = ("columns", "exclude_columns", "where", "partition_column")
_TABLE_ONLY = ("table_name", "date_partition_column")
_ROLES = {field: role for role, field in ROLE_FIELDS.items()}


def check(kind: Kind, block: Layer, path: KeyPath) -> Iterator[Fault]:
    """Every fault of a merged block whose keys are right each by itself."""
    yield from _missing(kind, block, path)
    yield from _ruled_out(block, path)
    if block.origins.get("partition_type", ())[:-1] == path and "partition_column" not in block.values:
        yield Fault(
            path=(*path, "partition_type"),
            code="key-not-allowed",
            message="says how to read a partition column, but the block has no partition_column.",
            fix="Add partition_column, or remove partition_type.",
        )
    # Where a timestamp is required, its absence has its own finding.
    fixed = "timestamp_column" not in {*REQUIRED[kind], *block.faulty} and not block.values.get("timestamp_column")
    if fixed and block.values.get("timestamp_as_day"):
        yield Fault(
            path=block.origins.get("timestamp_as_day", path),
            code="key-not-allowed",
            message="says how to read a timestamp, but the block has no timestamp_column.",
            fix="Add timestamp_column, or remove timestamp_as_day.",
        )


def _missing(kind: Kind, block: Layer, path: KeyPath) -> Iterator[Fault]:
    for key in REQUIRED[kind]:
        if block.values.get(key) is not None or key in block.faulty:
            continue
        fix = f"Add `{key}` to the block."
        if key == "id_type_mapping":
            fix = "Add `id_type_mapping: {userID: <column>}`, or mark the column with `unit_id`."
        elif key in _ROLES:
            fix = f"Add `{key}`, or mark the column with `role: {_ROLES[key]}`."
        message = f"is missing: every {kind.label} needs it."
        yield Fault(path=(*path, key), code="missing-key", message=message, fix=fix)


def _ruled_out(block: Layer, path: KeyPath) -> Iterator[Fault]:
    values = block.values
    table = values.get("source_type") == "table"
    if "sql" in values:
        for key in (key for key in _BUILT if key in values):
            yield _clash(block, path, key, "sql", "is part of the query that is built, but `sql` gives its own.")
    if table:
        for key in (key for key in ("sql", *_BUILT) if key in values):
            yield _clash(block, path, key, "source_type", "needs a query, but `source_type` is table.")
    else:
        for key in (key for key in _TABLE_ONLY if key in values):
            yield _clash(block, path, key, "source_type", "is only for `source_type: table`.")


def _clash(block: Layer, path: KeyPath, key: str, other: str, message: str) -> Fault:
    origin, against = block.origins.get(key, (*path, key)), block.origins.get(other, (*path, other))
    given = "" if against[:-1] == path or other not in block.values else f" ({against[0]} gives `{other}`.)"
    return Fault(path=origin, code="key-not-allowed", message=message + given, fix=f"Remove `{key}` or `{other}`.")
