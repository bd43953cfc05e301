"""Kinds: what a field's annotation says is all that is needed to declare, prove, send, compare and document it."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType, structs

from dbt_statsig.columns.prover import Prover
from dbt_statsig.console.bodies import create_body, decoded, update_body
from dbt_statsig.payloads.building import Built, Context, build_payload
from dbt_statsig.project.conversion import describe, field_types
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.declarations.marks import ColumnMark
from dbt_statsig.project.schema import meta_schema
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.comparison import differences
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS, column_roles
from dbt_statsig.vocabulary.kinds.metric_source import MetricSource, MetricSourceMeta
from dbt_statsig.vocabulary.sources import Flag, Kind, Owner, Role, Text, fields_with, roles_of
from tests.unit.payloads.warehouse_cases import MAPPING, project

BASE: dict[str, Any] = {"name": "A", "timestamp_column": "exposed_at", "id_type_mapping": MAPPING}
ROOT = Path(__file__).resolve().parents[3]


class WiderSource(MetricSource, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A metric source with three fields that Statsig does not have."""

    region_column: Annotated[Text, Role.COLUMN] = UNSET
    is_sampled: Annotated[Flag, Role.AS_DECLARED] = UNSET
    audiences: Annotated[tuple[str, ...] | UnsetType | None, Role.AS_DECLARED, Role.SET] = UNSET


class WiderMeta(MetricSourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The block with their keys."""

    region_column: Annotated[str | UnsetType, Meta(description="Where it happened.")] = UNSET
    is_sampled: bool | UnsetType = UNSET
    audiences: tuple[str, ...] | UnsetType = UNSET


@pytest.fixture
def wider(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry in which metric sources have these fields."""
    spec = structs.replace(SPECS[Kind.METRIC_SOURCE], payload=WiderSource, block=WiderMeta)
    monkeypatch.setitem(SPECS, Kind.METRIC_SOURCE, spec)


def build(kind: Kind, block: dict[str, Any]) -> Built:
    """What one block gives, its columns proven by a catalog."""
    manifest, evidence = project("duckdb", meta={kind.value: BASE | block})
    declared = declare(manifest, settings=Settings(), project_dir=None)
    assert [found.message for found in declared.findings] == []
    return build_payload(declared.declarations[0], Prover(manifest, evidence), Context(project="shop"))


@pytest.mark.usefixtures("wider")
def test_a_new_field_is_declared_proven_sent_and_compared() -> None:
    """Fields that a kind's types have are taken, proven as columns, sent under their names, and compared."""
    found = build(Kind.METRIC_SOURCE, {"region_column": "AMOUNT", "is_sampled": True, "audiences": ["b", "a"]})
    assert [use.verdict.stored for use in found.uses if use.role == "region_column"] == ["amount"]
    assert isinstance(found.payload, WiderSource)
    body = json.loads(create_body(found.payload, dry_run=False))
    assert (body["regionColumn"], body["isSampled"], body["audiences"]) == ("amount", True, ["b", "a"])
    live = decoded(Kind.METRIC_SOURCE, {**body, "audiences": ["a", "b", "a"]}, "x")
    assert differences(found.payload, live) == ()
    live = decoded(Kind.METRIC_SOURCE, {**body, "isSampled": False, "regionColumn": "city"}, "x")
    assert {one.field for one in differences(found.payload, live)} == {"region_column", "is_sampled"}


@pytest.mark.usefixtures("wider")
def test_a_new_column_field_is_proven_absent() -> None:
    """A column that the catalog lacks is an error under the new key, and of the new role."""
    found = build(Kind.METRIC_SOURCE, {"region_column": "no_such"})
    assert ("column-absent", "statsig.metric_source.region_column") in {(one.code, one.key) for one in found.findings}
    assert column_roles()["region"] == "region_column"


@pytest.mark.usefixtures("wider")
def test_a_new_field_is_documented() -> None:
    """The reference page and the JSON Schema of the meta block have the new keys."""
    page = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]["meta.md"]()
    assert re.search(r"\| .*`region_column`.* \| text \| Where it happened. \|", page)
    properties = meta_schema()["$defs"]["metric_source"]["properties"]
    assert {"region_column", "is_sampled", "audiences"} <= set(properties)


# A value for each key that goes to Statsig; beside it, the keys that it needs.
VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "description": ("text", {}),
    "tags": (["core"], {}),
    "id_type_mapping": (MAPPING, {}),
    "name": ("A", {}),
    "timestamp_column": ("exposed_at", {}),
    "experiment_id_column": ("experiment_key", {}),
    "group_id_column": ("variant", {}),
    "group_name_column": ("variant", {}),
    "is_read_only": (True, {}),
    "owner": ({"owner_id": "me"}, {}),
    "team": ("Growth", {}),
    "team_id": ("t1", {}),
    "sql": ("select user_id, device_id, exposed_at from x", {}),
    "timestamp_as_day": (True, {}),
    "is_verified": (True, {}),
    "scheduled_reload_hour": (3, {}),
    "source_type": ("query", {}),
    "table_name": ("a.b", {"source_type": "table"}),
    "date_partition_column": ("exposed_at", {"source_type": "table"}),
    "custom_field_mapping": ({"net": "amount * 2"}, {}),
    "disable_cure": (True, {}),
    "skip_validation": (True, {"columns": ["amount"]}),
}
NOT_SENT = {(Kind.ENTITY_PROPERTY_SOURCE, "owner")}


@pytest.mark.parametrize(
    ("kind", "key"),
    [(kind, key) for kind in BLOCK_KINDS for key in SPECS[kind].block.__struct_fields__],
)
def test_every_key_reaches_statsig_or_is_ours(kind: Kind, key: str) -> None:
    """Each key of a block gives its field of the payload, unless it is marked as only this program's."""
    if key in fields_with(SPECS[kind].block, Role.OURS):
        assert key not in SPECS[kind].payload.__struct_fields__
        return
    value, others = VALUES[key]
    needed = {"experiment_id_column": "experiment_key", "group_id_column": "variant"}
    block = (needed if kind is Kind.ASSIGNMENT_SOURCE else {}) | others | {key: value}
    payload = build(kind, block).payload
    assert payload is not None
    sent = json.loads(create_body(payload, dry_run=False))
    wire = dict(zip(payload.__struct_fields__, payload.__struct_encode_fields__, strict=True))[key]
    assert (wire in sent) is ((kind, key) not in NOT_SENT)


def test_roles_are_in_the_order_of_the_fields() -> None:
    """Lists made from the roles follow the order of the fields, also where a kind changes an inherited one."""
    for struct in (struct for spec in SPECS.values() for struct in (spec.payload, spec.block)):
        assert tuple(roles_of(struct)) == struct.__struct_fields__


def test_only_ours() -> None:
    """The keys that Statsig does not have, by name."""
    ours = {"enabled", "adopt", "columns", "exclude_columns", "where", "partition_column", "partition_type"}
    wanted = {kind: ours | ({"metrics"} if kind is Kind.METRIC_SOURCE else set()) for kind in BLOCK_KINDS}
    wanted[Kind.METRIC] = {"enabled", "adopt", "value_column", "where", "criteria", "numerator", "denominator", "steps"}
    assert {kind: set(fields_with(spec.block, Role.OURS)) for kind, spec in SPECS.items()} == wanted


def test_what_is_read_only_is_in_no_write() -> None:
    """An owner that was read with an entity property source is in no body, whole or partial; that of others is."""
    for kind in BLOCK_KINDS:
        source = SPECS[kind].payload(name="A", owner=Owner(owner_id="me"))
        bodies = (create_body(source, dry_run=False), update_body("B", source, dry_run=False))
        is_sent = kind is not Kind.ENTITY_PROPERTY_SOURCE
        assert [("owner" in msgspec.json.decode(body)) for body in bodies] == [is_sent, is_sent]


def test_marks_are_the_roles_of_columns() -> None:
    """The `role` of a column mark takes exactly the names of the fields that hold one column."""
    assert set(re.findall(r'"(\w+)"', describe(field_types(ColumnMark)["role"]))) == set(column_roles())
