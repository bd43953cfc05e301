"""Tests of the catalog: columns in order, and freshness."""

from __future__ import annotations

import pytest

from dbt_statsig.errors import ArtifactError
from dbt_statsig.project.artifacts import Catalog, CatalogColumn, Manifest
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes


def test_columns_come_in_the_order_of_the_warehouse() -> None:
    """Columns are ordered by their index, of nodes and of sources alike, and bear the stored name and type."""
    columns = {
        "B": {"name": "B", "type": "TEXT", "index": 2},
        "A": {"name": "A", "type": "NUMBER", "index": 1},
    }
    catalog = Catalog.from_bytes(catalog_bytes({"model.shop.a": columns, "source.shop.raw.t": columns}))
    expected = (
        CatalogColumn(name="A", type="NUMBER", index=1),
        CatalogColumn(name="B", type="TEXT", index=2),
    )
    assert catalog.columns("model.shop.a") == expected
    assert catalog.columns("source.shop.raw.t") == expected
    assert catalog.columns("source.shop.raw.t") is catalog.columns("source.shop.raw.t")
    assert repr(catalog) == "Catalog('catalog.json', 2 tables)"


def test_columns_without_index_keep_their_order() -> None:
    """A column without a usable index, name or type stands where the file has it."""
    catalog = Catalog.from_bytes(catalog_bytes({"model.shop.a": {"x": {"index": None}, "y": {"index": "2"}}}))
    assert catalog.columns("model.shop.a") == (
        CatalogColumn(name="x", type="", index=1),
        CatalogColumn(name="y", type="", index=2),
    )


def test_unknown_and_empty_tables_are_none() -> None:
    """A table that the catalog does not have, or has without any column, is not known."""
    catalog = Catalog.from_bytes(catalog_bytes({"model.shop.empty": {}}))
    assert catalog.columns("model.shop.a") is None
    assert catalog.columns("model.shop.empty") is None


def test_table_of_wrong_form_is_named() -> None:
    """A table that is not as dbt writes it is named."""
    catalog = Catalog.from_bytes(catalog_bytes({"model.shop.a": {"x": {"type": 3}}}))
    with pytest.raises(ArtifactError, match=r"model\.shop\.a is not as dbt writes it"):
        catalog.columns("model.shop.a")


@pytest.mark.parametrize(
    ("invocation", "when", "fresh"),
    [
        ("inv-1", "2020-01-01T00:00:00Z", True),
        ("inv-2", "2026-01-02T03:04:06Z", True),
        ("inv-2", "2026-01-02T03:04:04Z", False),
        ("inv-2", None, False),
        (None, None, False),
    ],
)
def test_fresh_means_same_command_or_later(invocation: str | None, when: str | None, fresh: bool) -> None:  # noqa: FBT001 (pytest gives it)
    """A catalog is fresh when the same dbt command wrote it, or when it is the younger; without a time it is not."""
    catalog = Catalog.from_bytes(catalog_bytes({}, {"invocation_id": invocation, "generated_at": when}))
    assert catalog.is_fresh_for(Manifest.from_bytes(manifest_bytes())) is fresh


def test_two_files_without_invocation_are_not_the_same_command() -> None:
    """Empty invocation ids are no match."""
    catalog = Catalog.from_bytes(catalog_bytes({}, {"invocation_id": "", "generated_at": None}))
    assert not catalog.is_fresh_for(Manifest.from_bytes(manifest_bytes(metadata={"invocation_id": ""})))
