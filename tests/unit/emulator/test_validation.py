"""Bodies against the published description of the four kinds; `test_contract.py` has it field by field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.emulator.kinds import KINDS
from dbt_statsig.emulator.validation import columns_faults, table_faults, type_faults

ASSIGNMENT = KINDS["assignment_sources"]
METRIC = KINDS["metric_sources"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


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
