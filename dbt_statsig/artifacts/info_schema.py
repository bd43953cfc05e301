"""dbt 2's information schema: Parquet files that hold, among much else, the columns that the warehouse had.

Facts: dbt's documentation of the information schema (v1), written by dbt 2.0 and later with `--generate-info-schema`.
Only types that the warehouse itself gave count; what dbt inferred or the YAML declares is weaker than our own evidence.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig.artifacts.catalog import Catalog
from dbt_statsig.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

COLUMNS = "dbt.node_columns.parquet"
INVOCATIONS = "dbt_rt.invocations.parquet"
_SCHEMA = "https://schemas.getdbt.com/dbt/catalog/v1.json"
_READ_COLUMNS = "SELECT node_unique_id, column_name, column_index, data_type_actual FROM read_parquet(?)"
_READ_INVOCATIONS = "SELECT DISTINCT invocation_id FROM read_parquet(?)"


def load_info_schema(folder: Path) -> Catalog | None:
    """The information schema in a folder as a catalog; None where it tells no table's columns.

    None too where DuckDB, the extra `parquet`, is not installed: it is evidence that one can do without. Raises
    ArtifactError for a file that is no Parquet or lacks what dbt documents.
    """
    path = folder / COLUMNS
    if not path.is_file():
        return None
    try:
        duckdb = import_module("duckdb")
    except ImportError:
        return None
    rows: dict[str, list[tuple[str, int | None, str | None]]] = {}
    for unique_id, name, place, data_type in _rows(duckdb, _READ_COLUMNS, path):
        rows.setdefault(unique_id, []).append((name, place, data_type))
    tables = {unique_id: columns for unique_id, listed in rows.items() if (columns := _table(listed))}
    if not tables:
        return None
    metadata: dict[str, Any] = {"dbt_schema_version": _SCHEMA}
    invocations = folder / INVOCATIONS
    if invocations.is_file():
        found = [row[0] for row in _rows(duckdb, _READ_INVOCATIONS, invocations)]
        metadata["invocation_id"] = found[0] if len(found) == 1 else None
    return Catalog.from_bytes(msgspec.json.encode({"metadata": metadata, "nodes": tables}), path)


def _table(listed: Iterable[tuple[str, int | None, str | None]]) -> dict[str, Any]:
    """A table as a catalog holds it; empty unless the warehouse told all columns from the first to the last.

    Rows without a place are what the YAML documents, whether the table has it or not.
    """
    placed = sorted((place, name, data_type) for name, place, data_type in listed if place is not None)
    numbers = [place for place, *_ in placed]
    if not placed or numbers != list(range(numbers[0], numbers[0] + len(placed))) or numbers[0] not in {0, 1}:
        return {}
    if not all(name and data_type for _, name, data_type in placed):
        return {}
    columns = {name: {"name": name, "type": data_type, "index": place} for place, name, data_type in placed}
    return {"columns": columns}


def _rows(duckdb: Any, query: str, path: Path) -> list[Any]:
    try:
        with duckdb.connect(":memory:") as connection:
            rows: list[Any] = connection.execute(query, [str(path)]).fetchall()
    except duckdb.Error as error:
        raise ArtifactError(
            f"{path} cannot be read as dbt documents it: {str(error).splitlines()[0]}.",
            fix="Run dbt with --generate-info-schema again, or remove the folder.",
        ) from None
    return rows
