"""Tests of the manifest: which nodes are marked, and what is known of the whole."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import Any

import pytest

from dbt_statsig.errors import ArtifactError
from dbt_statsig.project.artifacts import Manifest
from tests.unit.project.artifacts.build import MARK, manifest_bytes, node


def _marked(*nodes: dict[str, Any], **sections: Any) -> list[str]:
    manifest = Manifest.from_bytes(manifest_bytes(*nodes, **sections))
    return [found.unique_id for found in manifest.marked()]


def test_head_of_the_file_is_reported() -> None:
    """Versions, time, invocation, adapter and project are there as dbt wrote them."""
    manifest = Manifest.from_bytes(manifest_bytes())
    assert manifest.generated_at == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
    assert (manifest.dbt_version, manifest.schema_version, manifest.invocation_id) == ("1.11.16", 12, "inv-1")
    assert (manifest.adapter_type, manifest.project_name, manifest.path) == ("duckdb", "shop", None)
    assert repr(manifest) == "Manifest('manifest.json', dbt 1.11.16, 0 nodes)"


def test_what_the_file_does_not_say_is_empty() -> None:
    """Older manifests name neither project nor adapter: empty strings, never a guess."""
    absent = {"dbt_version": None, "adapter_type": None, "project_name": None, "generated_at": None}
    manifest = Manifest.from_bytes(manifest_bytes(metadata=absent))
    assert (manifest.dbt_version, manifest.adapter_type, manifest.project_name) == ("", "", "")
    assert manifest.generated_at is None
    assert manifest.marked() == ()


@pytest.mark.parametrize("unique_id", ["model.shop.a", "snapshot.shop.a", "seed.shop.a", "source.shop.raw.a"])
def test_four_types_can_be_marked(unique_id: str) -> None:
    """Models, snapshots, seeds and source tables with the key in config.meta are marked."""
    assert _marked(node(unique_id, config={"meta": MARK})) == [unique_id]


def test_older_meta_and_column_meta_mark_too() -> None:
    """The older meta marks a node, and so does the meta of one of its columns."""
    column = {"name": "id", "config": {"meta": {"statsig": {"unit_id": "userID"}}}}
    nodes = (node("model.shop.b", meta=MARK), node("model.shop.a", columns={"id": column}), node("model.shop.c"))
    assert _marked(*nodes) == ["model.shop.a", "model.shop.b"]


def test_word_elsewhere_does_not_mark() -> None:
    """The word as a tag, in SQL, deeper in meta or in an unrendered config marks nothing."""
    others = (
        node("model.shop.a", tags=["statsig"], compiled_code="select 1 as \"statsig\" -- 'statsig': {}"),
        node("model.shop.b", meta={"team": {"statsig": 1}}),
        node("model.shop.c", unrendered_config={"meta": MARK}),
        node("model.shop.d", meta={"statsig_defaults": {"tags": ["x"]}}),
    )
    assert _marked(*others) == []


def test_null_mark_is_a_mark() -> None:
    """A key without value is still a mark: whoever wrote it shall hear of it."""
    assert _marked(node("model.shop.a", config={"meta": {"statsig": None}})) == ["model.shop.a"]


@pytest.mark.parametrize("as_list", [True, False])
def test_disabled_nodes_are_marked_but_not_enabled(as_list: bool) -> None:  # noqa: FBT001 (pytest gives it)
    """Disabled nodes, a plain list in old manifests and a mapping of lists in newer ones, come with enabled=False."""
    off = node("model.shop.off", config={"enabled": False, "meta": MARK})
    plain = node("model.shop.plain", config={"enabled": False})
    disabled: Any = [off, plain] if as_list else {"model.shop.off": [plain, off], "model.shop.plain": [plain]}
    manifest = Manifest.from_bytes(manifest_bytes(disabled=disabled))
    assert [(found.unique_id, found.enabled) for found in manifest.marked()] == [("model.shop.off", False)]
    assert "model.shop.off" not in manifest.summaries()


def test_enabled_node_hides_a_disabled_one_of_its_name() -> None:
    """Where an enabled node has the same unique_id, the disabled one is not given."""
    off = node("model.shop.a", config={"enabled": False, "meta": MARK})
    assert _marked(node("model.shop.a"), disabled={"model.shop.a": [off]}) == []


def test_disabled_section_may_be_null_or_empty() -> None:
    """An absent, null or empty list of disabled nodes is none."""
    assert Manifest.from_bytes(manifest_bytes(disabled=None)).node("model.shop.x") is None
    assert Manifest.from_bytes(manifest_bytes(disabled={"model.shop.x": []})).node("model.shop.x") is None


def test_marks_on_other_types_are_distinguished() -> None:
    """Tests, analyses, exposures and macros with the key are not sources; they are listed on their own."""
    exposure = node("exposure.shop.board", meta=MARK)
    macro = {"unique_id": "macro.shop.m", "name": "m", "resource_type": "macro", "meta": MARK}
    manifest = Manifest.from_bytes(
        manifest_bytes(
            node("test.shop.t", config={"meta": MARK}),
            node("model.shop.a"),
            node("model.shop.ok", config={"meta": MARK}),
            exposures={"exposure.shop.board": exposure, "exposure.shop.other": node("exposure.shop.other")},
            macros={"macro.shop.m": macro},
        )
    )
    assert [found.unique_id for found in manifest.unsupported_marked()] == [
        "exposure.shop.board",
        "macro.shop.m",
        "test.shop.t",
    ]
    assert [found.unique_id for found in manifest.marked()] == ["model.shop.ok"]


def test_node_is_decoded_once() -> None:
    """Asking twice for a node gives the same object; asking for none gives None."""
    manifest = Manifest.from_bytes(manifest_bytes(node("model.shop.a")))
    assert manifest.node("model.shop.a") is manifest.node("model.shop.a")
    assert manifest.node("model.shop.b") is None


def test_node_of_wrong_form_is_named() -> None:
    """A node that is not as dbt writes it is named by its unique_id and the faulty place."""
    manifest = Manifest.from_bytes(manifest_bytes(node("model.shop.a", name=["x"])))
    with pytest.raises(ArtifactError, match=r"manifest.json: model.shop.a is not as dbt writes it: .*\$\.name"):
        manifest.node("model.shop.a")


def test_compiled_counts_sql_models_only() -> None:
    """Compiled are SQL models with SQL text; Python models, seeds and tests do not count."""
    nodes = (
        node("model.shop.a", language="sql", compiled_code="select 1"),
        node("model.shop.b", language="sql", compiled_code=None),
        node("model.shop.c", language="python", compiled_code="def model(): ..."),
        node("model.shop.d", compiled_sql="select 1"),
        node("model.shop.e", raw_code='"compiled_code": "x"'),
        node("model.shop.f", compiled_code=""),
        node("seed.shop.s"),
        node("test.shop.t", compiled_code="select 1"),
    )
    assert Manifest.from_bytes(manifest_bytes(*nodes)).compiled == (2, 5)


def test_heads_hold_the_whole_graph() -> None:
    """Heads are there for all that takes part in the graph, and are made once."""
    metric = {"unique_id": "metric.shop.m", "depends_on": {"nodes": ["model.shop.a"]}}
    manifest = Manifest.from_bytes(
        manifest_bytes(
            node("model.shop.a", tags="daily", version=2, relation_name='"db"."a"', patch_path="shop://models/x.yml"),
            node("source.shop.raw.t"),
            node("test.shop.t"),
            metrics={"metric.shop.m": metric},
            unit_tests=None,
        )
    )
    summaries = manifest.summaries()
    assert set(summaries) == {"model.shop.a", "source.shop.raw.t", "test.shop.t", "metric.shop.m"}
    model, found = summaries["model.shop.a"], summaries["metric.shop.m"]
    assert (model.tags, model.is_versioned, model.relation_name) == (("daily",), True, '"db"."a"')
    assert (model.path, model.patch_path) == ("models/a.sql", "models/x.yml")
    assert (found.name, found.resource_type, found.depends_on) == ("m", "metric", ("model.shop.a",))
    assert manifest.summaries() is summaries


def test_empty_means_no_node_at_all() -> None:
    """A manifest is empty when it has neither node nor source, and no disabled one."""
    assert Manifest.from_bytes(manifest_bytes()).is_empty
    assert not Manifest.from_bytes(manifest_bytes(node("test.shop.t"))).is_empty
    disabled = {"model.shop.off": [node("model.shop.off")]}
    assert not Manifest.from_bytes(manifest_bytes(disabled=disabled)).is_empty


@pytest.mark.parametrize("key", ["statsigs", "Statsig", "statsig_source"])
def test_a_misspelt_key_marks_too(key: str) -> None:
    """A key that was meant to be `statsig` is found, so that it can be reported."""
    assert _marked(node("model.shop.a", config={"meta": {key: {"metric_source": {}}}})) == ["model.shop.a"]


def test_defaults_alone_mark_nothing() -> None:
    """Defaults that a folder inherits make no source of every model in it."""
    assert _marked(node("model.shop.a", config={"meta": {"statsig_defaults": {"tags": ["x"]}}})) == []


def test_the_name_behind_a_hash() -> None:
    """Before dbt 1.6 a manifest gives the MD5 of its project's name, which one of the packages has."""
    nodes = [node("model.pkg.a"), node("model.shop.b")]
    hashed = {"project_name": None, "project_id": "2fdd9a98b38e24d6d4d2b5e2f8b6e1a6"}
    assert Manifest.from_bytes(manifest_bytes(*nodes, metadata=hashed)).project_name == ""
    hashed["project_id"] = hashlib.md5(b"shop", usedforsecurity=False).hexdigest()
    assert Manifest.from_bytes(manifest_bytes(*nodes, metadata=hashed)).project_name == "shop"
