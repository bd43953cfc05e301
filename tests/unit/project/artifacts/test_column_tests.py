"""dbt's generic tests, found by the column that they are about."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.project.artifacts import ColumnTest, Manifest
from tests.unit.project.artifacts.build import manifest_bytes, node

MODEL = "model.shop.fct"


def generic(name: str = "not_null", column: str | None = "user_id", **fields: Any) -> dict[str, Any]:
    """A generic test as dbt 1.11 writes it."""
    return {
        **node(f"test.shop.{name}_{column}"),
        "test_metadata": {"name": name, "kwargs": {"column_name": column}, "namespace": None},
        "column_name": column,
        "attached_node": MODEL,
        "depends_on": {"macros": [], "nodes": [MODEL]},
        "config": {"enabled": True, "where": None},
        **fields,
    }


def found(*tests: dict[str, Any], child_map: dict[str, list[str]] | None = None) -> tuple[ColumnTest, ...]:
    """The tests of the model."""
    sections: dict[str, Any] = {} if child_map is None else {"child_map": child_map}
    return Manifest.from_bytes(manifest_bytes(node(MODEL), *tests, **sections)).column_tests(MODEL)


def test_by_the_map_of_children() -> None:
    """Tests are found through dbt's own map; what it names and the manifest lacks, or is no test, is passed over."""
    children = {MODEL: ["test.shop.not_null_user_id", "model.shop.other", "test.shop.gone"]}
    expected = ColumnTest(name="not_null", column="user_id", node=MODEL, is_partial=False)
    assert found(generic(), child_map=children) == (expected,)


def test_a_macro_that_dbt_did_not_find() -> None:
    """A test whose list of macros holds null, as dbt 1.5 wrote it, is read."""
    assert (
        found(generic(depends_on={"macros": [None, "macro.dbt.test_unique"], "nodes": [MODEL]}))[0].name == "not_null"
    )


def test_without_a_map_all_tests_are_looked_through() -> None:
    """A manifest without the map gives the same."""
    assert [test.name for test in found(generic(), generic("unique"))] == ["not_null", "unique"]
    assert found(generic(depends_on=None)) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"test_metadata": None},
        {"test_metadata": {"name": None}},
        {"config": {"enabled": False}},
        {"column_name": None, "test_metadata": {"name": "not_null", "kwargs": {}}},
        {"attached_node": "model.shop.other"},
        {"attached_node": None, "depends_on": {"nodes": [MODEL, "model.shop.other"]}},
    ],
)
def test_what_is_about_no_column_of_the_node(fields: dict[str, Any]) -> None:
    """Singular, disabled and other nodes' tests say nothing about the node's columns."""
    assert found(generic(**fields)) == ()


def test_older_manifests() -> None:
    """Without `attached_node` the only node that is read counts, and the column may be in the arguments alone."""
    tests = found(generic(attached_node=None, column_name=None, config={"where": "day > '2026-01-01'"}))
    assert tests == (ColumnTest(name="not_null", column="user_id", node=MODEL, is_partial=True),)


def test_a_manifest_without_tests_says_so() -> None:
    """Only a manifest that holds tests tells what is untested."""
    assert not Manifest.from_bytes(manifest_bytes(node(MODEL))).has_tests
    assert Manifest.from_bytes(manifest_bytes(node(MODEL), generic())).has_tests


def test_constraints_of_columns() -> None:
    """A not_null or primary key constraint of a column is read."""
    columns = {
        "a": {"name": "a", "constraints": [{"type": "not_null"}]},
        "b": {"name": "b", "constraints": [{"type": "primary_key"}, "odd"]},
        "c": {"name": "c", "constraints": None},
    }
    model = Manifest.from_bytes(manifest_bytes(node(MODEL, columns=columns))).node(MODEL)
    assert model is not None
    assert [column.not_null for column in model.columns.values()] == [True, True, False]


def test_what_a_test_is_about() -> None:
    """A data test is about the node that it is attached to, a singular one about all that it reads."""
    reads = {"macros": [], "nodes": [MODEL, "model.shop.other"]}
    tests = (generic("relationships", depends_on=reads), node("test.shop.singular", depends_on=reads))
    manifest = Manifest.from_bytes(manifest_bytes(node(MODEL), *tests))
    assert manifest.tested_by("test.shop.relationships_user_id") == (MODEL,)
    assert manifest.tested_by("test.shop.singular") == (MODEL, "model.shop.other")
    assert manifest.tested_by("test.shop.none") == ()
