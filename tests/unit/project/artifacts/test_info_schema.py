"""dbt 2's information schema as evidence; its files are made here as dbt documents them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from dbt_statsig.errors import ArtifactError
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.artifacts.catalog import COLUMNS, INVOCATIONS, load_info_schema
from dbt_statsig.project.inputs import load_inputs
from dbt_statsig.project.request import Request
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MODEL = "model.shop.fct"
TYPE = "node_unique_id varchar, column_name varchar, column_index integer, data_type_actual varchar"
ROWS = [(MODEL, "id", 0, "INTEGER"), (MODEL, "at", 1, "TIMESTAMP"), (MODEL, "documented_only", None, None)]


def write(folder: Path, rows: Sequence[tuple[object, ...]], *, invocations: tuple[str, ...] = ("inv-1",)) -> Path:
    """The two files that are read."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"create table columns ({TYPE}, data_type_inferred varchar)")
        connection.execute("create table invocations (invocation_id varchar)")
        for row in rows:
            connection.execute("insert into columns values (?, ?, ?, ?, 'VARCHAR')", row)
        for invocation in invocations:
            connection.execute("insert into invocations values (?)", [invocation])
        connection.execute(f"copy columns to '{folder / COLUMNS}' (format parquet)")
        connection.execute(f"copy invocations to '{folder / INVOCATIONS}' (format parquet)")
    return folder


def test_what_the_warehouse_reports(tmp_path: Path) -> None:
    """Columns with the warehouse's types are there, in order; what is only documented is not."""
    catalog = load_info_schema(write(tmp_path, ROWS))
    assert catalog is not None
    assert [(column.name, column.type) for column in catalog.columns(MODEL) or ()] == [
        ("id", "INTEGER"),
        ("at", "TIMESTAMP"),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [(MODEL, "id", 0, "INTEGER"), (MODEL, "at", 1, None)],
        [(MODEL, "id", 0, "INTEGER"), (MODEL, "at", 2, "DATE")],
        [(MODEL, "at", 2, "DATE")],
        [(MODEL, "documented_only", None, None)],
        [],
    ],
)
def test_a_list_with_gaps_proves_nothing(tmp_path: Path, rows: Sequence[tuple[object, ...]]) -> None:
    """A table of which the warehouse did not tell every column from the first on is left out."""
    assert load_info_schema(write(tmp_path, rows)) is None


def test_freshness(tmp_path: Path) -> None:
    """It is fresh when the very command wrote it that wrote the manifest, and never by a file's date."""
    manifest = Manifest.from_bytes(manifest_bytes(node(MODEL)))
    for invocations, fresh in ((("inv-1",), True), (("inv-0",), False), (("inv-0", "inv-1"), False)):
        catalog = load_info_schema(write(tmp_path, ROWS, invocations=invocations))
        assert catalog is not None
        assert catalog.is_fresh_for(manifest) is fresh
    (tmp_path / INVOCATIONS).unlink()
    catalog = load_info_schema(tmp_path)
    assert catalog is not None
    assert not catalog.is_fresh_for(manifest)


def test_what_is_no_information_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no DuckDB mean no evidence; a broken file is one clear error."""
    assert load_info_schema(tmp_path) is None
    (tmp_path / COLUMNS).write_bytes(b"PAR1 not at all")
    with pytest.raises(ArtifactError, match="cannot be read as dbt documents it"):
        load_info_schema(tmp_path)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert load_info_schema(tmp_path) is None


def test_catalog_json_comes_first(tmp_path: Path) -> None:
    """Beside a manifest it is used where there is no catalog.json."""
    write(tmp_path / "info_schema" / "v1", ROWS)
    (tmp_path / "manifest.json").write_bytes(manifest_bytes(node(MODEL)))
    request = Request(project_dir=tmp_path, manifest=tmp_path / "manifest.json", environ={})
    found = load_inputs(request).catalog
    assert found is not None
    assert len(found.columns(MODEL) or ()) == 2
    table = {MODEL: {"id": {"name": "id", "type": "INTEGER", "index": 1}}}
    (tmp_path / "catalog.json").write_bytes(catalog_bytes(table))
    found = load_inputs(request).catalog
    assert found is not None
    assert len(found.columns(MODEL) or ()) == 1
