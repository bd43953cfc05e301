"""What dbt's facts say against the roles of columns: types, tests, constraints, materialisations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.columns.prover import Prover
from dbt_statsig.payloads.building import Context, build_payload
from dbt_statsig.payloads.role_checks import RoleFacts, role_findings
from dbt_statsig.project.artifacts import Catalog, Manifest
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

MODEL = "model.shop.fct"
BASE = {"name": "A", "timestamp_column": "at", "id_type_mapping": {"userID": "user_id"}}
TYPES = {"at": "TIMESTAMP", "user_id": "VARCHAR", "device_id": "VARCHAR", "exp": "VARCHAR", "grp": "VARCHAR"}


def not_null(column: str, **config: Any) -> dict[str, Any]:
    """A not_null test of one column."""
    return node(
        f"test.shop.not_null_{column}",
        test_metadata={"name": "not_null", "kwargs": {}},
        column_name=column,
        attached_node=MODEL,
        depends_on={"nodes": [MODEL]},
        config=config,
    )


def found(
    meta: dict[str, Any] | None = None,
    *tests: dict[str, Any],
    kind: Kind = Kind.METRIC_SOURCE,
    types: dict[str, str] | None = None,
    adapter: str = "duckdb",
    guides: bool = False,
    **fields: Any,
) -> list[Finding]:
    """What the checks find about one model with one source."""
    merged = {key: value for key, value in {**BASE, **(meta or {})}.items() if value is not None}
    config = {"materialized": "table", "meta": {"statsig": {kind.value: merged}}, **fields.pop("config", {})}
    model = node(MODEL, config=config, relation_name='"shop"."main"."fct"', **fields)
    manifest = Manifest.from_bytes(manifest_bytes(model, *tests, metadata={"adapter_type": adapter}))
    listed = {
        name: {"name": name, "type": data_type, "index": place}
        for place, (name, data_type) in enumerate({**TYPES, **(types or {})}.items(), start=1)
    }
    prover = Prover(manifest, Catalog.from_bytes(catalog_bytes({MODEL: listed})))
    declared = declare(manifest, settings=Settings(), project_dir=None)
    assert [one.message for one in declared.findings] == []
    (declaration,) = declared.declarations
    built = build_payload(declaration, prover, Context(project="shop"))
    facts = RoleFacts.of(manifest, declaration.node, uses=built.uses, selected=built.selected)
    return list(role_findings(declaration, facts, guides=guides))


def codes(*args: Any, **options: Any) -> list[str]:
    """The codes of what is found."""
    return [one.code for one in found(*args, **options)]


@pytest.mark.parametrize(
    ("data_type", "expected"),
    [
        *[(name, "timestamp-type") for name in ("VARCHAR", "character varying(255)", "text", "STRING", "BIGINT")],
        *[(name, "timestamp-type") for name in ("NUMBER(38,0)", "double precision", "UInt32", "boolean", "VARIANT")],
        *[(name, "timestamp-type") for name in ("LowCardinality(Nullable(String))", "time without time zone")],
        *[(name, "") for name in ("TIMESTAMP", "timestamp with time zone", "TIMESTAMP_NTZ", "DateTime64(3)")],
        *[(name, "") for name in ("datetime2(6)", "datetimeoffset", "Nullable(DateTime)", "a_type_of_2040", "")],
        *[(name, "timestamp-as-day") for name in ("DATE", "date", "Nullable(Date32)")],
    ],
)
def test_the_timestamps_type(data_type: str, expected: str) -> None:
    """A type that is no time is reported, and a DATE that nobody called a day; a type that is not known here is not."""
    assert codes(types={"at": data_type}) == ([expected] if expected else [])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_type_is_judged(data_type: str) -> None:
    """No name of a type makes a check fail."""
    assert {*codes(types={"at": data_type})} <= {"timestamp-type", "timestamp-as-day"}


def test_a_day_that_is_declared_as_one() -> None:
    """A DATE with the key, either way, is as somebody wanted it; of a TIMESTAMP the key is only noted."""
    assert codes({"timestamp_as_day": True}, types={"at": "DATE"}) == []
    assert codes({"timestamp_as_day": False}, types={"at": "DATE"}) == []
    (noted,) = found({"timestamp_as_day": True})
    assert (noted.code, noted.severity) == ("timestamp-as-day", Severity.NOTE)
    assert noted.key == "statsig.metric_source.timestamp_as_day"


def test_where_a_date_is_no_day() -> None:
    """Oracle's DATE has a time of day, and assignment sources know no days."""
    assert codes(types={"at": "DATE"}, adapter="oracle") == []
    exposures = {"experiment_id_column": "exp", "group_id_column": "grp"}
    assert codes(exposures, kind=Kind.ASSIGNMENT_SOURCE, types={"at": "DATE"}) == []


def test_columns_that_nothing_keeps_filled() -> None:
    """Experiment, group and unit columns without a not_null test are noted; partial and other tests do not count."""
    exposures = {"experiment_id_column": "exp", "group_id_column": "grp"}
    tests = [not_null("EXP"), not_null("grp", where="day > 1"), not_null("at")]
    notes = found(exposures, *tests, kind=Kind.ASSIGNMENT_SOURCE)
    assert [note.key.rpartition(".")[2] for note in notes] == ["group_id_column", "id_type_mapping"]
    assert {note.severity for note in notes} == {Severity.NOTE}
    assert '"grp"' in notes[0].message
    assert codes(exposures, *tests[:1], not_null('"grp"'), not_null("user_id"), kind=Kind.ASSIGNMENT_SOURCE) == []


def test_one_of_several_unit_ids_is_enough() -> None:
    """A row with any unit ID counts, so that one filled column is enough."""
    both = {"id_type_mapping": {"userID": "user_id", "stableID": "device_id"}}
    assert codes(both, not_null("device_id")) == []
    (note,) = found(both, not_null("at"))
    assert '"user_id", "device_id"' in note.message


def test_other_ways_to_keep_a_column_filled() -> None:
    """An enforced constraint and the source's own predicate count; a constraint that nothing enforces does not."""
    columns = {
        name: {"name": name, "data_type": kind, "constraints": [{"type": "not_null"}]} for name, kind in TYPES.items()
    }
    assert codes(None, not_null("at"), columns=columns, config={"contract": {"enforced": True}}) == []
    assert codes(None, not_null("at"), columns=columns) == ["not-null-untested"]
    assert codes({"where": '"user_id" IS  NOT NULL and 1 = 1'}, not_null("at")) == []
    assert codes({"where": "not_user_id is not null or true", "columns": ["at"]}, not_null("at")) == [
        "not-null-untested"
    ]


def test_where_nothing_is_known_of_tests() -> None:
    """Without any test in the manifest, or with a query of the user's, nothing is reported about tests."""
    assert codes() == []
    assert codes({"sql": "select at, user_id from shop.main.fct"}, not_null("at")) == []


def test_an_entity_without_properties() -> None:
    """An entity property source that selects nothing but unit IDs and timestamps is reported."""
    entity = {"kind": Kind.ENTITY_PROPERTY_SOURCE, "adapter": "duckdb"}
    assert codes({"columns": ["user_id"]}, **entity) == ["no-properties"]
    assert codes({"columns": ["user_id", "grp"]}, **entity) == []
    assert codes({"timestamp_column": None, "columns": ["user_id"]}, **entity) == ["no-properties"]


def test_what_the_guides_advise_against() -> None:
    """Views with joins and scans without a date filter are noted, only where that is asked for."""
    exposures = {"experiment_id_column": "exp", "group_id_column": "grp"}
    heavy = {"compiled_code": "select * from a join b using (x)", "config": {"materialized": "view"}}
    assert codes(exposures, kind=Kind.ASSIGNMENT_SOURCE, **heavy) == []
    noted = {"kind": Kind.ASSIGNMENT_SOURCE, "guides": True}
    assert codes(exposures, **noted, **heavy) == ["slow-view", "unfiltered-scan"]
    filtered = exposures | {"where": "at >= {statsig_start_date}"}
    assert codes(filtered, **noted, **heavy) == ["slow-view"]
    light = heavy | {"compiled_code": "select * from a -- join b"}
    assert codes(exposures | {"partition_column": "at"}, **noted, **light) == []
    assert codes({"source_type": "table"}, guides=True) == []
    assert codes({"timestamp_column": None}, kind=Kind.ENTITY_PROPERTY_SOURCE, guides=True) == []
