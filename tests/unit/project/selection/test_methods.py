"""Tests of each selection method."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.errors import ArtifactError, UsageError
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.selection.selecting import select
from tests.unit.project.artifacts.build import manifest_bytes, node


def _model(name: str, folder: str, *, package: str = "shop", config: Any = None, **fields: Any) -> dict[str, Any]:
    path = f"models/{folder}/{name}.sql"
    fqn = [package, *folder.split("/"), name]
    return node(f"model.{package}.{name}", original_file_path=path, fqn=fqn, config=config or {}, **fields)


NODES = (
    _model("orders", "marts", tags=["daily"], patch_path="shop://models/marts/props.yml"),
    _model("users", "marts/core", config={"materialized": "table", "meta": {"a": {"b": "c"}, "on": True, "n": 1}}),
    _model("stg_orders", "staging", tags=["nightly"], config={"tags": ["x", True], "materialized": "view"}),
    _model("stg.dots", "staging"),
    _model("orders_dep", "extra", package="dep"),
    node("model.shop.v.v1", version=1, fqn=["shop", "marts", "v", "v1"], original_file_path="models/marts/v_v1.sql"),
    node("model.shop.v.v2", version=2, fqn=["shop", "marts", "v", "v2"], original_file_path="models/marts/v_v2.sql"),
    node("seed.shop.countries", original_file_path="seeds/countries.csv"),
    node("source.shop.raw.events", original_file_path="models/staging/src.yml"),
    node("source.dep.raw.other", original_file_path="models/src.yml", tags=["daily"]),
)
MANIFEST = Manifest.from_bytes(manifest_bytes(*NODES, exposures={"exposure.shop.e": node("exposure.shop.e", fqn=[])}))


def _select(word: str, manifest: Manifest = MANIFEST) -> str:
    return " ".join(sorted(key.split(".", 2)[-1] for key in select(manifest, [word], []).unique_ids))


CASES = [
    # names
    ("orders", "orders"),
    ("fqn:orders", "orders"),
    ("shop.marts.orders", "orders"),
    ("marts.orders", "orders"),
    ("marts", "orders users v.v1 v.v2"),
    ("marts.core", "users"),
    ("shop.marts.core", "users"),
    ("*orders*", "orders orders_dep stg_orders"),
    ("stg_*", "stg_orders"),
    ("?sers", "users"),
    ("marts.*", "orders users v.v1 v.v2"),
    ("shop.*.users", "users"),
    ("stg.dots", "stg.dots"),
    ("v", "v.v1 v.v2"),
    ("v.v1", "v.v1"),
    ("v_v2", "v.v2"),
    ("v*", "v.v1 v.v2"),
    ("raw.events", ""),
    ("shop.marts.core.users.more", ""),
    # tags
    ("tag:daily", "orders raw.other"),
    ("tag:*ly", "orders raw.other stg_orders"),
    # paths
    ("path:models/marts", "orders users v.v1 v.v2"),
    ("models/marts/", "orders users v.v1 v.v2"),
    ("./models/marts/core", "users"),
    ("models/marts/orders.sql", "orders"),
    ("models/marts/props.yml", "orders"),
    ("models/marts/*.sql", "orders v.v1 v.v2"),
    ("models/*/core", "users"),
    ("**/stg_orders.sql", "stg_orders"),
    ("models/**/**/users.sql", "users"),
    ("models/staging/src.yml", "raw.events"),
    ("models/none", ""),
    ("models/extra", ""),
    ("seeds/countries.csv", "countries"),
    # files
    ("users.sql", "users"),
    ("file:users", "users"),
    ("file:countries.*", "countries"),
    # packages
    ("package:dep", "orders_dep raw.other"),
    ("package:this,source:*", "raw.events"),
    # config
    ("config.materialized:view", "stg_orders"),
    ("config.meta.a.b:c", "users"),
    ("config.meta.on:TRUE", "users"),
    ("config.meta.on:false", ""),
    ("config.meta.n:1", ""),
    ("config.meta.a.b.c:d", ""),
    ("config.tags:x", "stg_orders"),
    ("config.tags:true", "stg_orders"),
    # resource types and sources
    ("resource_type:seed", "countries"),
    ("resource_type:exposure", ""),
    ("source:raw", "raw.events raw.other"),
    ("source:raw.events", "raw.events"),
    ("source:dep.raw.*", "raw.other"),
]


@pytest.mark.parametrize(("word", "expected"), CASES)
def test_method(word: str, expected: str) -> None:
    """Each word selects exactly what dbt selects for it."""
    assert _select(word) == expected


def test_unknown_resource_type_is_refused() -> None:
    """A resource type that dbt does not have is a mistake, with the nearest name."""
    with pytest.raises(UsageError, match='Unknown resource type "models"') as caught:
        _select("resource_type:models")
    assert 'Did you mean "model"?' in caught.value.fix
    with pytest.raises(UsageError) as caught:
        _select("resource_type:zzz")
    assert "snapshot" in caught.value.fix


def test_source_with_too_many_parts_is_refused() -> None:
    """A source has at most a package, a name and a table."""
    with pytest.raises(UsageError, match="too many parts"):
        _select("source:a.b.c.d")


def test_paths_without_known_project_are_those_of_all_packages() -> None:
    """Where an old manifest does not name its project, the paths of all packages count."""
    manifest = Manifest.from_bytes(manifest_bytes(*NODES, metadata={"project_name": None}))
    assert _select("models/extra", manifest) == "orders_dep"
    assert _select("package:this", manifest) == ""


def test_null_config_says_nothing() -> None:
    """A node whose config is null meets no config criterion."""
    manifest = Manifest.from_bytes(manifest_bytes(node("model.shop.a", config=None)))
    assert _select("config.materialized:table", manifest) == ""


def test_damaged_config_names_its_node() -> None:
    """A config that does not decode is an error of the file, with the node's name."""
    data = manifest_bytes(node("model.shop.a", config={"x": "damaged"})).replace(b"damaged", b"dam\xffged")
    with pytest.raises(ArtifactError, match=r"config of model\.shop\.a"):
        _select("config.x:y", Manifest.from_bytes(data))
