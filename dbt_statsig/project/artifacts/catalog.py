"""dbt's catalog.json, the columns that the warehouse really had; and the header of the file that a seed was made from.

Facts: dbt's catalog schema v1. dbt hashes a seed's text without the white space around it, up to 1 MB; a larger file's
"hash" is its path (dbt-core's reading of files). It reads the file as UTF-8, with or without a byte order mark, and
takes the names of the first row as they are.
"""

from __future__ import annotations

import csv
import io
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw, Struct

from dbt_statsig.errors import ArtifactError
from dbt_statsig.project.artifacts.reading import CATALOG, MAX_MB, Key, Metadata, decode, decode_part, read_bytes
from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from dbt_statsig.project.artifacts.manifest import Manifest
    from dbt_statsig.project.artifacts.nodes import Node

PACKAGES = "dbt_packages"


class CatalogColumn(Struct, frozen=True, kw_only=True):
    """A column as the warehouse stores it; `index` as the adapter counts."""

    name: str
    type: str
    index: int


class _RawColumn(Struct, frozen=True, kw_only=True):
    name: str | None = None
    type: str | None = None
    index: Any = None


class _RawTable(Struct, frozen=True, kw_only=True):
    columns: dict[str, _RawColumn] | None = None


class _File(Struct, frozen=True, kw_only=True):
    metadata: Metadata = Metadata()
    nodes: dict[Key, Raw] | None = None
    sources: dict[Key, Raw] | None = None


class Catalog:
    """A catalog whose tables stay bytes until they are asked for; `load_catalog` and `from_bytes` make one."""

    def __init__(self, file: _File, path: Path | None) -> None:
        """Use `load_catalog` or `from_bytes`."""
        self.path = path
        self.generated_at: datetime | None = file.metadata.written_at
        self.invocation_id = file.metadata.invocation_id or ""
        self._where = str(path or CATALOG.label)
        parts = (file.nodes or {}, file.sources or {})
        self._tables: dict[str, Raw] = {str(unique_id): raw for part in parts for unique_id, raw in part.items()}
        self._columns: dict[str, tuple[CatalogColumn, ...]] = {}

    def __repr__(self) -> str:
        """Whose it is and how large."""
        return f"Catalog({self._where!r}, {len(self._tables)} tables)"

    @classmethod
    def from_bytes(cls, data: bytes, path: Path | None = None) -> Catalog:
        """The catalog in `data`, plain or gzip; raises ArtifactError where there is none that can be read."""
        file = decode(data, _File, kind=CATALOG, where=str(path or CATALOG.label))
        return cls(file, path)

    def columns(self, unique_id: str) -> tuple[CatalogColumn, ...] | None:
        """The table's columns in the warehouse's order; None where the catalog has no such table, or no column of it.

        An entry without any column proves nothing: no warehouse table is like that.
        """
        if unique_id not in self._columns and unique_id in self._tables:
            raw: _RawTable = decode_part(self._tables[unique_id], _RawTable, where=self._where, part=unique_id)
            numbered = enumerate((raw.columns or {}).items(), start=1)
            columns = [_column(key, column, position) for position, (key, column) in numbered]
            self._columns[unique_id] = tuple(sorted(columns, key=lambda column: column.index))
        return self._columns.get(unique_id) or None

    def is_fresh_for(self, manifest: Manifest) -> bool:
        """True when it was written by the same dbt command as the manifest, or later than the manifest."""
        if self.invocation_id and self.invocation_id == manifest.invocation_id:
            return True
        if self.generated_at is None or manifest.generated_at is None:
            return False
        return self.generated_at >= manifest.generated_at


def load_catalog(path: Path, *, max_mb: int = MAX_MB) -> Catalog:
    """The catalog at `path`, plain or gzip; raises ArtifactError where there is none that can be read."""
    return Catalog.from_bytes(read_bytes(path, CATALOG, max_mb=max_mb), path)


def _column(key: str, raw: _RawColumn, position: int) -> CatalogColumn:
    index = raw.index if isinstance(raw.index, int) else position
    return CatalogColumn(name=raw.name or key, type=raw.type or "", index=index)


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
    """A table as a catalog holds it; empty unless the warehouse listed all columns from the first to the last.

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


class SeedHeaders:
    """The headers of the seeds of a project and its packages."""

    def __init__(self, project_dir: Path, project: str) -> None:
        self._project_dir = project_dir
        self._project = project

    def names(self, node: Node) -> tuple[str, ...] | str:
        """The names in the file's first row; where they cannot be known the reason, as what follows "a seed"."""
        folder = self._project_dir
        if node.package_name != self._project:
            folder = folder / PACKAGES / node.package_name
        if not node.path or not node.file_hash:
            return "without an entry in the catalog"
        try:
            text = read_regular(folder / node.path).decode("utf-8").strip()
        except (OSError, ValueError):
            return "without an entry in the catalog, whose file cannot be read here"
        if sha256(text.encode()).hexdigest() != node.file_hash:
            return "without an entry in the catalog, whose file is not that of the manifest"
        delimiter = node.config.get("delimiter") or ","
        try:
            names = next(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter), [])
        except (csv.Error, TypeError):
            names = []
        # dbt renames what has no name or one that another has.
        folded = {name.casefold() for name in names}
        if not names or len(folded) < len(names) or any(name != name.strip() or not name for name in names):
            return "without an entry in the catalog, whose first row does not name its columns"
        return tuple(names)
