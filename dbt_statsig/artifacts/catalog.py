"""dbt's catalog.json: the columns that the warehouse really had.

Facts: dbt's catalog schema v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Raw, Struct

from dbt_statsig.artifacts.reading import CATALOG, MAX_MB, Metadata, decode, decode_part, read_bytes

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from dbt_statsig.artifacts.manifest import Manifest


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
    nodes: dict[str, Raw] | None = None
    sources: dict[str, Raw] | None = None


class Catalog:
    """A catalog whose tables stay bytes until they are asked for; `load_catalog` and `from_bytes` make one."""

    def __init__(self, file: _File, path: Path | None) -> None:
        """Use `load_catalog` or `from_bytes`."""
        self.path = path
        self.generated_at: datetime | None = file.metadata.written_at
        self.invocation_id = file.metadata.invocation_id or ""
        self._where = str(path or CATALOG.label)
        self._tables: dict[str, Raw] = {**(file.nodes or {}), **(file.sources or {})}
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
