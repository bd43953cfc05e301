"""Bodies against the published description of the four kinds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.validation import body_faults, columns_faults, table_faults, type_faults

ASSIGNMENT = KINDS["assignment_sources"]
METRIC = KINDS["metric_sources"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("description", "", []),
        ("description", None, ["description: must be a string"]),
        ("team", None, []),
        ("team", 1, ["team: must be a string or null"]),
        ("isReadOnly", False, []),
        ("isReadOnly", "true", ["isReadOnly: must be a boolean"]),
        ("tags", [], []),
        ("tags", "core", ["tags: must be a list of strings"]),
        ("tags", ["core", 1, None], ["tags[1]: must be a string", "tags[2]: must be a string"]),
        ("scheduledReloadHour", 0, []),
        ("scheduledReloadHour", 23, []),
        ("scheduledReloadHour", None, []),
        ("scheduledReloadHour", 24, ["scheduledReloadHour: must be a whole number from 0 to 23, or null"]),
        ("scheduledReloadHour", -1, ["scheduledReloadHour: must be a whole number from 0 to 23, or null"]),
        ("scheduledReloadHour", 5.0, ["scheduledReloadHour: must be a whole number from 0 to 23, or null"]),
        ("scheduledReloadHour", True, ["scheduledReloadHour: must be a whole number from 0 to 23, or null"]),
        ("owner", None, []),
        ("owner", {"ownerID": "a", "ownerType": "USER"}, []),
        ("owner", "me", ["owner: must be an object or null"]),
        ("owner", {"ownerID": 1}, ["owner.ownerID: must be a string"]),
        ("idTypeMapping", [], []),
        ("idTypeMapping", {}, ["idTypeMapping: must be a list of objects"]),
        ("idTypeMapping", ["userID"], ["idTypeMapping[0]: must be an object"]),
        ("idTypeMapping", [{"statsigUnitID": "userID"}], ["idTypeMapping[0].column: is required"]),
        (
            "idTypeMapping",
            [{"column": 1}],
            ["idTypeMapping[0].statsigUnitID: is required", "idTypeMapping[0].column: must be a string"],
        ),
        ("unheardOf", 1, []),
    ],
)
def test_values_of_an_assignment_source(field: str, value: Any, expected: list[str]) -> None:
    """Each type of the description takes its values and names what is wrong with others."""
    assert [f"{fault.property}: {fault.message}" for fault in type_faults(ASSIGNMENT, {field: value})] == expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("sourceType", "table", []),
        ("sourceType", "view", ["sourceType: must be one of: table, query"]),
        ("sourceType", ["table"], ["sourceType: must be one of: table, query"]),
        ("customFieldMapping", [{"key": "", "formula": ""}], []),
        ("customFieldMapping", [{"key": "net"}], ["customFieldMapping[0].formula: is required"]),
    ],
)
def test_values_of_a_metric_source(field: str, value: Any, expected: list[str]) -> None:
    """Enumerations and formulas are checked item by item."""
    assert [f"{fault.property}: {fault.message}" for fault in type_faults(METRIC, {field: value})] == expected


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_required_fields(kind: Any) -> None:
    """An empty body lacks exactly the fields that the description requires, all told at once."""
    assert [fault.property for fault in body_faults(kind, {}, kind.on_create)] == list(kind.on_create)
    assert "name" in kind.on_create
    assert "name" not in kind.on_update


def test_an_empty_name_is_refused() -> None:
    """A name that would address the collection is no name."""
    assert [fault.property for fault in body_faults(METRIC, {"name": ""}, ())] == ["name"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, []),
        ({"skip_validation": False}, []),
        ({"skip_validation": True}, ["all_columns", "column_types"]),
        ({"skip_validation": True, "all_columns": ["a"]}, ["column_types"]),
        ({"skip_validation": True, "all_columns": ["a", "b"], "column_types": ["text"]}, ["column_types"]),
        ({"skip_validation": True, "all_columns": ["a"], "column_types": ["text"]}, []),
    ],
)
def test_skipping_the_validation_needs_aligned_columns(body: dict[str, Any], expected: list[str]) -> None:
    """The two lists must be there and match."""
    assert [fault.property for fault in columns_faults(body)] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"sql": "select 1"}, []),
        ({"sql": ""}, ["sql"]),
        ({"sql": "", "sourceType": "query"}, ["sql"]),
        ({"sql": "", "sourceType": "table", "tableName": "t"}, []),
        ({"sql": "select 1", "sourceType": "table"}, ["tableName"]),
    ],
)
def test_a_table_needs_its_name_and_a_query_its_sql(source: dict[str, Any], expected: list[str]) -> None:
    """Empty SQL is for tables only."""
    assert [fault.property for fault in table_faults(source)] == expected


@given(body=st.fixed_dictionaries({}, optional=dict.fromkeys([*METRIC.fields, *ASSIGNMENT.fields], JSON)))
def test_any_json_is_judged(body: dict[str, Any]) -> None:
    """No value, however odd, makes the validation itself fail, and no fault is about an absent field."""
    for kind in KINDS.values():
        for fault in type_faults(kind, body):
            assert fault.property.split("[")[0].split(".")[0] in body
