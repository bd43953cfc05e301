"""Tests of request and answer bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from dbt_statsig.console.bodies import create_body, decoded, keep_fields, patch_body, update_body
from dbt_statsig.errors import ProtocolError, Refused
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS, AssignmentSource, EntityPropertySource, MetricSource
from dbt_statsig.vocabulary.sources import CustomField, IdType, Kind, Owner
from tests.unit.console.service import ORDERS


def test_only_what_was_declared_is_sent() -> None:
    """Undeclared fields are left out, declared nulls and empty values are sent, names are Statsig's own."""
    payload = AssignmentSource(
        name="a",
        description="",
        tags=(),
        team_id=None,
        is_read_only=False,
        experiment_id_column="e",
        id_type_mapping=(IdType(statsig_unit_id="u", column="c"),),
        owner=Owner(owner_id="me"),
    )
    assert json.loads(create_body(payload, dry_run=False)) == {
        "name": "a",
        "description": "",
        "tags": [],
        "teamID": None,
        "isReadOnly": False,
        "experimentIDColumn": "e",
        "idTypeMapping": [{"statsigUnitID": "u", "column": "c"}],
        "owner": {"ownerID": "me"},
    }


def test_a_dry_run_says_so() -> None:
    """With `dry_run` the body carries `dryRun`, in all three forms of body."""
    bodies = (
        create_body(ORDERS, dry_run=True),
        update_body("Orders", ORDERS, dry_run=True),
        patch_body(ORDERS, frozenset({"tags"}), dry_run=True),
    )
    assert [json.loads(body)["dryRun"] for body in bodies] == [True] * 3


def test_an_update_names_the_object_only_to_rename_it() -> None:
    """The name is in an update's body only where it changes."""
    payload = EntityPropertySource(name="new", sql="s")
    assert json.loads(update_body("new", payload, dry_run=False)) == {"sql": "s"}
    assert json.loads(update_body("old", payload, dry_run=False)) == {"name": "new", "sql": "s"}


def test_a_patch_holds_the_named_fields_only() -> None:
    """A partial update holds what was named, by Statsig's names, and `only` undeclares the rest."""
    payload = EntityPropertySource(name="n", sql="s", team_id="t", tags=("x",))
    fields = frozenset({"team_id", "tags"})
    assert json.loads(patch_body(payload, fields, dry_run=False)) == {"teamID": "t", "tags": ["x"]}
    assert keep_fields(payload, fields) == EntityPropertySource(name="n", team_id="t", tags=("x",))


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (MetricSource(name="x", sql="select '\ud800'"), "sql"),
        (MetricSource(name="x", tags=("ok", "\udfff")), r"tags\[1\]"),
        (MetricSource(name="x", custom_field_mapping=(CustomField(key="k", formula="\ud800"),)), "Mapping.*formula"),
        (MetricSource(name="x\ud800"), "name"),
    ],
)
def test_36_half_a_character_is_named_with_its_path(payload: MetricSource, path: str) -> None:
    """Fault 36: a lone surrogate is refused before sending, and the field that holds it is named."""
    with pytest.raises(Refused, match=path) as caught:
        create_body(payload, dry_run=False)
    assert caught.value.status == 0
    str(caught.value).encode()


def test_36_large_sql_is_sent_whole() -> None:
    """Fault 36: ten megabytes of SQL go into the body as they are."""
    sql = "select 1 -- " + "x" * 10_000_000
    assert json.loads(create_body(MetricSource(name="x", sql=sql), dry_run=False))["sql"] == sql


def test_odd_but_harmless_answers_are_read() -> None:
    """Null stands for absent everywhere, unknown keys and write-only fields are passed over."""
    data: dict[str, Any] = {
        "name": "x",
        "description": None,
        "tags": None,
        "idTypeMapping": [{"statsigUnitID": None, "column": "c"}],
        "customFieldMapping": [{"key": "k", "formula": None}],
        "owner": {"ownerID": None, "ownerType": "SDK_KEY"},
        "all_columns": None,
        "skip_validation": "whatever",
        "somethingNew": {"deep": [1]},
    }
    live = decoded(Kind.METRIC_SOURCE, data, "here")
    assert live == MetricSource(
        name="x",
        description=None,
        tags=None,
        id_type_mapping=(IdType(statsig_unit_id="", column="c"),),
        custom_field_mapping=(CustomField(key="k", formula=""),),
        owner=Owner(owner_type="SDK_KEY"),
    )


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"name": "x", "sql": 1}, r"\$\.sql"),
        ({"name": "x", "tags": [1]}, r"\$\.tags\[0\]"),
        ({"name": "x", "idTypeMapping": ["u"]}, r"\$\.idTypeMapping\[0\]"),
        ({"name": "x", "idTypeMapping": {}}, r"\$\.idTypeMapping"),
        ({"name": None}, r"\$\.name"),
        ({}, "name"),
        ([], "object"),
        (None, "object"),
    ],
)
def test_a_wrong_type_is_named_with_its_path(data: Any, path: str) -> None:
    """A value of a wrong type is a protocol error that names the list's place and the path in the object."""
    with pytest.raises(ProtocolError, match=f"page 3.*{path}"):
        decoded(Kind.METRIC_SOURCE, data, "The list, page 3")


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.sampled_from(list(BLOCK_KINDS)),
    _TEXTS,
    st.one_of(st.just(UNSET), st.none(), _TEXTS),
    st.one_of(st.just(UNSET), st.none(), st.lists(_TEXTS, max_size=3).map(tuple)),
    st.one_of(st.just(UNSET), st.none(), st.booleans()),
)
def test_what_is_sent_reads_back_the_same(kind: Kind, name: str, text: Any, tags: Any, flag: Any) -> None:
    """Any source, written as a body and read as an answer, is the same source."""
    payload = SPECS[kind].payload(name=name, sql=text, tags=tags, is_read_only=flag)
    assert decoded(kind, json.loads(create_body(payload, dry_run=False)), "here") == payload


@given(st.sampled_from(list(BLOCK_KINDS)), st.data())
def test_a_patch_never_holds_more_than_was_named(kind: Kind, data: st.DataObject) -> None:
    """Whatever fields are named, a partial update holds those that are declared and no other."""
    payload = SPECS[kind].payload(name="n", sql="s", tags=("t",), team="x")
    names = {field.name: field.encode_name for field in structs.fields(payload)}
    fields = frozenset(data.draw(st.sets(st.sampled_from(sorted(names)))))
    declared = {names[field] for field in fields if getattr(payload, field) is not UNSET}
    assert set(json.loads(patch_body(payload, fields, dry_run=False))) == declared
