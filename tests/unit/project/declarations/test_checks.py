"""Tests of what a whole block must hold, of nodes that cannot be sources, and of names."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.project.declarations import DeclaredName, declare
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.project.artifacts.build import manifest_bytes, node
from tests.unit.project.declarations.project import FILE, declared, one_model

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = "timestamp_column: at, id_type_mapping: {userID: id}"
META = {"statsig": {"metric_source": {"name": "A", "timestamp_column": "at", "id_type_mapping": {"userID": "id"}}}}


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("assignment_source", ["experiment_id_column", "group_id_column", "id_type_mapping", "timestamp_column"]),
        ("qualifying_event", ["id_type_mapping", "timestamp_column"]),
        ("entity_property_source", ["id_type_mapping"]),
        ("metric_source", ["id_type_mapping", "timestamp_column"]),
    ],
)
def test_what_each_kind_needs(tmp_path: Path, kind: str, missing: list[str]) -> None:
    """Every key that the API requires and nothing gives is named, at the block."""
    found = one_model(f"statsig: {{{kind}: {{name: A}}}}", tmp_path)
    assert [one.key.rsplit(".", 1)[-1] for one in found.findings] == missing
    assert {(one.code, one.kind, one.source, str(one.location)) for one in found.findings} == {
        ("missing-key", kind, "A", f"{FILE}:5:19")
    }


def test_a_block_without_a_name(tmp_path: Path) -> None:
    """A name is never guessed; its block is protected from counting as an orphan."""
    found = one_model(f"statsig: {{metric_source: {{{WHOLE}}}}}", tmp_path)
    (fault,) = found.findings
    assert (fault.code, fault.message) == ("missing-key", "`name` is missing: every metric source needs it.")
    assert [(one.kind, one.name) for one in found.faulty] == [(Kind.METRIC_SOURCE, "")]


@pytest.mark.parametrize(
    ("keys", "faults"),
    [
        ("sql: select 1, where: x > 1", ["where"]),
        (
            "sql: select 1, columns: [a], exclude_columns: [b], partition_column: d",
            ["columns", "exclude_columns", "partition_column"],
        ),
        ("source_type: table, where: x, columns: [a]", ["columns", "where"]),
        ("source_type: table, sql: select 1", ["sql"]),
        ("date_partition_column: d", ["date_partition_column"]),
        ("source_type: query, table_name: t", ["table_name"]),
        ("source_type: table, date_partition_column: d, table_name: t", []),
        ("sql: select 1", []),
        ("columns: [a], where: x, partition_column: d", []),
    ],
)
def test_keys_that_rule_each_other_out(tmp_path: Path, keys: str, faults: list[str]) -> None:
    """A key that could not have its effect beside another is refused, not ignored."""
    found = one_model(f"statsig: {{metric_source: {{name: A, {WHOLE}, {keys}}}}}", tmp_path)
    assert sorted(one.key.rsplit(".", 1)[-1] for one in found.findings) == faults
    assert {one.code for one in found.findings} <= {"key-not-allowed"}


def test_a_clash_with_a_default(tmp_path: Path) -> None:
    """A default never gives way in silence: the message says where it is."""
    meta = f"statsig_defaults: {{where: not test}}\nstatsig: {{metric_source: {{name: A, {WHOLE}, sql: select 1}}}}"
    (fault,) = one_model(meta, tmp_path).findings
    assert (fault.code, fault.key, fault.source) == ("key-not-allowed", "statsig_defaults.where", "A")
    meta = f"statsig_defaults: {{sql: select 1}}\nstatsig: {{metric_source: {{name: A, {WHOLE}, where: x}}}}"
    (fault,) = one_model(meta, tmp_path).findings
    assert "(statsig_defaults gives `sql`.)" in fault.message


def test_partition_type_without_a_partition(tmp_path: Path) -> None:
    """In the block it needs a partition column; as a default it applies to those that have one."""
    block = f"statsig: {{metric_source: {{name: A, {WHOLE}%s}}}}"
    (fault,) = one_model(block % ", partition_type: date", tmp_path).findings
    assert (fault.code, fault.key) == ("key-not-allowed", "statsig.metric_source.partition_type")
    assert one_model(block % ", partition_type: date, partition_column: d", tmp_path).findings == ()
    settings = Settings(defaults={"partition_type": "date"})
    assert one_model(block % ", sql: select 1", tmp_path, settings=settings).findings == ()


def test_timestamp_as_day_of_fixed_properties(tmp_path: Path) -> None:
    """In the block it needs a timestamp; as a default it applies to those that have one."""
    entity = "statsig: {entity_property_source: {name: A, id_type_mapping: {userID: id}%s}}"
    (fault,) = one_model(entity % ", timestamp_as_day: true", tmp_path).findings
    assert (fault.code, fault.key) == ("key-not-allowed", "statsig.entity_property_source.timestamp_as_day")
    found = one_model(entity % "", tmp_path, settings=Settings(defaults={"timestamp_as_day": True}))
    assert found.findings == ()
    assert not getattr(found.declarations[0].meta, "timestamp_as_day", None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"config": {"materialized": "ephemeral"}, "relation_name": None}, "is on an ephemeral model"),
        ({"relation_name": None}, "is on a node for which dbt names no table"),
    ],
)
def test_a_node_without_a_table(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    """What dbt does not build cannot be a source; the declaration stays, blocked."""
    found = one_model(f"statsig: {{metric_source: {{name: A, {WHOLE}}}}}", tmp_path, fields={"fct_orders": fields})
    (fault,) = found.findings
    assert (fault.code, fault.kind, fault.unique_id) == ("not-a-relation", "", "model.shop.fct_orders")
    assert message in fault.message
    assert [one.name for one in found.declarations] == ["A"]


def test_a_node_that_cannot_be_a_source() -> None:
    """A marked test or analysis is reported, and nothing of it is declared."""
    manifest = Manifest.from_bytes(manifest_bytes(node("analysis.shop.report", config={"meta": META})))
    found = declare(manifest, settings=Settings(), project_dir=None)
    (fault,) = found.findings
    assert (fault.code, fault.message) == (
        "unsupported-node",
        "`statsig` is on a node of the type analysis, which cannot be a source.",
    )
    assert found.declarations == ()
    assert len(found.faulty) == 4


def test_versions() -> None:
    """Only the latest version of a model is declared."""
    nodes = [
        node(
            f"model.shop.m.v{number}",
            version=number,
            latest_version=2,
            relation_name=f"m_v{number}",
            config={"meta": META},
        )
        for number in (1, 2, 3)
    ]
    found = declare(Manifest.from_bytes(manifest_bytes(*nodes)), settings=Settings(), project_dir=None)
    assert [one.node.unique_id for one in found.declarations] == ["model.shop.m.v2"]
    assert found.findings == ()


def test_a_block_on_another_version() -> None:
    """A block that only a version has which is not the latest is left out, and a note names it."""
    nodes = [
        node(
            f"model.shop.m.v{number}",
            name="m",
            version=number,
            latest_version=2,
            relation_name=f"m_v{number}",
            config={"meta": META if number == 3 else {}},
        )
        for number in (1, 2, 3)
    ]
    found = declare(Manifest.from_bytes(manifest_bytes(*nodes)), settings=Settings(), project_dir=None)
    assert found.declarations == ()
    (note,) = found.findings
    assert (note.code, note.severity, note.unique_id) == ("not-latest-version", Severity.NOTE, "model.shop.m.v3")
    assert "is on version 3 of m, whose latest version is 2" in note.message


TWO = f"""
models:
  - name: a
    config: {{meta: {{statsig: {{metric_source: {{name: Orders, {WHOLE}}}}}}}}}
  - name: b
    config:
      meta:
        statsig:
          metric_source: {{name: ORDERS, {WHOLE}}}
          qualifying_event: {{name: Orders, {WHOLE}}}
"""


def test_one_name_twice(tmp_path: Path) -> None:
    """Two sources of a kind with one name, compared without case, are both blocked, each naming the other's place."""
    found = declared(TWO, tmp_path)
    assert [(one.code, one.unique_id, one.source) for one in found.findings] == [
        ("duplicate-name", "model.shop.a", "Orders"),
        ("duplicate-name", "model.shop.b", "ORDERS"),
    ]
    assert f"model.shop.b ({FILE}:9:27)" in found.findings[0].message
    assert len(found.declarations) == 3


def test_one_name_in_two_unicode_forms(tmp_path: Path) -> None:
    """Names that differ only in the Unicode form of a character are one name."""
    composed, decomposed = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))  # type: ignore[arg-type]  # literals
    text = TWO.replace("name: Orders", f"name: {composed}", 1).replace("ORDERS", decomposed)
    assert [one.code for one in declared(text, tmp_path).findings] == ["duplicate-name", "duplicate-name"]


def test_choosing_hides_no_duplicate(tmp_path: Path) -> None:
    """A selection narrows what is handed back, never what names are compared with."""
    found = declared(TWO, tmp_path, selected_ids=frozenset({"model.shop.a"}), kinds=frozenset({Kind.METRIC_SOURCE}))
    assert [one.name for one in found.declarations] == ["Orders"]
    assert [(one.code, one.unique_id) for one in found.findings] == [("duplicate-name", "model.shop.a")]
    assert DeclaredName(kind=Kind.QUALIFYING_EVENT, unique_id="model.shop.b", name="Orders") in found.names
    found = declared(TWO, tmp_path, kinds=frozenset({Kind.QUALIFYING_EVENT}))
    assert ([one.name for one in found.declarations], found.findings) == (["Orders"], ())


def test_a_disabled_twin(tmp_path: Path) -> None:
    """A name on a disabled model does not count as taken."""
    found = declared(TWO, tmp_path, fields={"a": {"config": {"enabled": False}}})
    assert [(one.code, one.unique_id, one.severity) for one in found.findings] == [
        ("node-disabled", "model.shop.a", Severity.NOTE)
    ]
    assert {one.node.unique_id for one in found.declarations} == {"model.shop.b"}
    assert [(one.kind, one.unique_id) for one in found.faulty] == [(Kind.METRIC_SOURCE, "model.shop.a")]


class _Unmarked:
    """A manifest that hands out a node which says nothing of Statsig."""

    def marked(self) -> tuple[Node, ...]:
        """The node."""
        return (Node(unique_id="model.p.a", name="a", resource_type="model", package_name="p"),)

    def unsupported_marked(self) -> tuple[Node, ...]:
        """None."""
        return ()


def test_a_node_that_says_nothing() -> None:
    """A node without a block or mark declares nothing, and nothing is reported of it."""
    found = declare(_Unmarked(), settings=Settings(), project_dir=None)
    assert (found.declarations, found.findings, found.faulty) == ((), (), ())
