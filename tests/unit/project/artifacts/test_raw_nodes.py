"""Tests of a node's fields, over the versions of the manifest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.project.artifacts import Manifest
from tests.unit.project.artifacts.build import manifest_bytes, node, schema

if TYPE_CHECKING:
    from dbt_statsig.project.artifacts import Node


def _read(raw: dict[str, Any], dbt_version: str = "1.11.16", **sections: Any) -> Node:
    manifest = Manifest.from_bytes(manifest_bytes(raw, metadata={"dbt_version": dbt_version}, **sections))
    found = manifest.node(raw["unique_id"])
    assert found is not None
    return found


def test_config_meta_wins_key_by_key() -> None:
    """config.meta lies over meta: a key of both comes whole from config.meta, others stay."""
    raw = node("model.shop.a", meta={"a": {"x": 1}, "b": 1}, config={"meta": {"a": {"y": 2}, "c": 3}})
    assert _read(raw).meta == {"a": {"y": 2}, "b": 1, "c": 3}


INHERITED = {"name": "id", "meta": {"owner": "model"}, "tags": ["model_tag"], "config": {"tags": ["own"]}}


@pytest.mark.parametrize("dbt_version", ["1.10.0", "1.11.16", "2.0.0-preview.196", "2025.7.1+abc", "", "unknown"])
def test_columns_since_1_10_are_recognised_by_their_config_alone(dbt_version: str) -> None:
    """Since dbt 1.10 a column's meta and tags outside its config may be the model's own, so only config counts."""
    column = _read(node("model.shop.a", columns={"id": INHERITED}), dbt_version).columns["id"]
    assert (column.meta, column.tags) == ({}, ("own",))


@pytest.mark.parametrize("dbt_version", ["0.19.0", "1.8.10", "1.9.11"])
def test_columns_before_1_10_have_both(dbt_version: str) -> None:
    """Before dbt 1.10 a column's meta and tags count, and its config, where there is one, lies over them."""
    raw = {"name": "id", "meta": {"a": 1, "b": 1}, "tags": ["x"], "config": {"meta": {"b": 2}, "tags": ["x", "y"]}}
    column = _read(node("model.shop.a", columns={"id": raw}), dbt_version).columns["id"]
    assert (column.meta, column.tags) == ({"a": 1, "b": 2}, ("x", "y"))


@pytest.mark.parametrize(
    ("dbt_version", "meta", "tags"),
    [("1.11.16", {}, ()), ("2.0.0", {}, ()), ("2024.11.5+abc", {"a": 1}, ("x",)), ("", {"a": 1}, ("x",))],
)
def test_columns_without_config(dbt_version: str, meta: dict[str, int], tags: tuple[str, ...]) -> None:
    """A column without config has no marks of its own, unless the version does not tell whether dbt writes configs."""
    raw = {"name": "id", "meta": {"a": 1}, "tags": ["x"]}
    column = _read(node("model.shop.a", columns={"id": raw}), dbt_version).columns["id"]
    assert (column.meta, column.tags) == (meta, tags)


def test_column_fields() -> None:
    """A column has its name, its type where documented, and whether it is quoted."""
    columns = {"Id": {"name": "Id", "data_type": "integer", "quote": True}, "x": {"data_type": "", "quote": None}}
    found = _read(node("model.shop.a", columns=columns)).columns
    assert (found["Id"].name, found["Id"].data_type, found["Id"].quote) == ("Id", "integer", True)
    assert (found["x"].name, found["x"].data_type, found["x"].quote) == ("x", None, False)


def test_oldest_form() -> None:
    """A node of dbt 0.19: compiled_sql, no language, a patch path without project, tags as one word."""
    raw = node(
        "model.shop.a", compiled_sql="select 1", alias="a_x", patch_path="models/x.yml", tags="daily", group=None
    )
    raw["config"] = {"enabled": True, "materialized": "view"}
    found = _read(raw, "0.19.0")
    assert (found.compiled_code, found.language, found.identifier) == ("select 1", "sql", "a_x")
    assert (found.patch_path, found.tags, found.materialized) == ("models/x.yml", ("daily",), "view")


def test_newest_form_with_null_keys_left_out() -> None:
    """A node as dbt 2.x writes it may lack every key that has no value."""
    content = {
        "metadata": {"dbt_schema_version": schema("manifest", 12), "dbt_version": "2.0.0-preview.196"},
        "nodes": {"seed.shop.s": {"unique_id": "seed.shop.s", "name": "s", "package_name": "shop"}, "model.shop.e": {}},
    }
    manifest = Manifest.from_bytes(json.dumps(content).encode())
    seed, model = manifest.node("seed.shop.s"), manifest.node("model.shop.e")
    assert seed is not None
    assert model is not None
    assert (seed.resource_type, seed.materialized, seed.relation_name, seed.columns) == ("seed", "seed", None, {})
    assert (model.unique_id, model.name, model.resource_type, model.fqn) == ("model.shop.e", "e", "model", ())
    assert manifest.summaries()["model.shop.e"].name == "e"
    assert manifest.marked() == ()


def test_patch_path_loses_its_project() -> None:
    """The project before :// is dropped, and a path written on Windows reads like any other."""
    raw = node("model.shop.a", patch_path="shop://src\\models\\x.yml", original_file_path="src\\models\\a.sql")
    assert (_read(raw).patch_path, _read(raw).path) == ("src/models/x.yml", "src/models/a.sql")


def test_source_table_is_documented_where_it_is_defined() -> None:
    """A source table's YAML is its own file; its name in the warehouse is the identifier."""
    raw = node("source.shop.raw.orders", identifier="ORDERS_V1", original_file_path="models/src.yml", patch_path=None)
    found = _read(raw)
    assert (found.patch_path, found.identifier, found.source_name) == ("models/src.yml", "ORDERS_V1", "raw")


def test_python_model_has_no_sql() -> None:
    """The compiled code of a Python model is no SQL and is not given."""
    found = _read(node("model.shop.a", language="python", compiled_code="def model(): ..."))
    assert (found.language, found.compiled_code) == ("python", None)


@pytest.mark.parametrize(("version", "latest"), [(1, False), (2, True), ("2", True), (2.5, False)])
def test_versions(version: str | float, latest: bool) -> None:  # noqa: FBT001 (pytest gives it)
    """A version is the latest when it reads like latest_version; its name has no version in it."""
    found = _read(node(f"model.shop.a.v{version}", version=version, latest_version=2))
    assert (found.name, found.is_latest) == ("a", latest)


def test_contract_event_time_and_snapshot_names() -> None:
    """Contract, event_time and renamed snapshot columns come from the config; null names are left out."""
    config = {
        "contract": {"enforced": True},
        "event_time": "at",
        "snapshot_meta_column_names": {"dbt_valid_from": "since", "dbt_valid_to": None},
        "materialized": "snapshot",
    }
    found = _read(node("snapshot.shop.a", config=config))
    assert (found.contract_enforced, found.event_time) == (True, "at")
    assert found.snapshot_meta_column_names == {"dbt_valid_from": "since"}
    assert _read(node("model.shop.a", contract={"enforced": True})).contract_enforced
    assert not _read(node("model.shop.a", config={"contract": {"enforced": "true"}})).contract_enforced
