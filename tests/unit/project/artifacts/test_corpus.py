"""Tests over real manifests and catalogs of dbt 0.19 to 1.11."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.project.artifacts import Manifest, load_catalog, load_manifest
from tests.corpus import CORPUS_DIRS, needs_corpus
from tests.unit.project.artifacts.build import MARK

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.corpus, needs_corpus]

each_pair = pytest.mark.parametrize("folder", CORPUS_DIRS, ids=lambda folder: folder.name)


def _content(folder: Path) -> dict[str, dict[str, dict[str, object]]]:
    content: dict[str, dict[str, dict[str, object]]] = json.loads(gzip.decompress(_path(folder).read_bytes()))
    return content


def _path(folder: Path) -> Path:
    return folder / "manifest.json.gz"


def test_there_are_all_26() -> None:
    """The corpus is whole."""
    assert len(CORPUS_DIRS) == 26


@each_pair
def test_every_node_is_read(folder: Path) -> None:
    """Every node of every manifest decodes, agrees with its head, and none is marked."""
    manifest = load_manifest(_path(folder))
    content = _content(folder)
    members = {**content["nodes"], **content["sources"]}
    summaries = manifest.summaries()
    assert set(members) <= set(summaries)
    for unique_id, raw in members.items():
        found = manifest.node(unique_id)
        assert found is not None
        assert (found.unique_id, found.name, found.resource_type) == (unique_id, raw["name"], raw["resource_type"])
        assert set(found.columns) == set(raw["columns"])  # type: ignore[call-overload] # a mapping, as dbt writes it
        assert found.compiled_code == (raw.get("compiled_code") or raw.get("compiled_sql") or None)
        assert summaries[unique_id].depends_on == found.depends_on
    assert manifest.marked() == ()
    assert manifest.unsupported_marked() == ()
    assert 1 <= manifest.schema_version <= 12
    assert manifest.generated_at is not None


@each_pair
def test_catalog_belongs_to_its_manifest(folder: Path) -> None:
    """Every table of every catalog has its columns in the catalog's own order."""
    catalog = load_catalog(folder / "catalog.json.gz")
    content = json.loads(gzip.decompress((folder / "catalog.json.gz").read_bytes()))
    for unique_id, table in {**content["nodes"], **content["sources"]}.items():
        ordered = sorted(table["columns"].values(), key=lambda column: column["index"])
        assert [column.name for column in catalog.columns(unique_id) or ()] == [column["name"] for column in ordered]


@each_pair
def test_injected_mark_is_found(folder: Path) -> None:
    """One model given the mark in a copy of a real manifest of each version is the only one found."""
    content = _content(folder)
    unique_id = next(key for key in content["nodes"] if key.startswith("model."))
    content["nodes"][unique_id]["meta"] = MARK
    manifest = Manifest.from_bytes(json.dumps(content).encode())
    assert [found.unique_id for found in manifest.marked()] == [unique_id]
    assert manifest.marked()[0].meta == MARK
