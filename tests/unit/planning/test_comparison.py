"""Whether two sources mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from dbt_statsig.vocabulary.comparison import differences, fill_undeclared_from, fingerprint, normal_sql
from dbt_statsig.vocabulary.kinds import AssignmentSource, EntityPropertySource, MetricSource, QualifyingEvent
from dbt_statsig.vocabulary.sources import CustomField, IdType, Owner

USER = IdType(statsig_unit_id="userID", column="user_id")
DEVICE = IdType(statsig_unit_id="stableID", column="device_id")


def _changed(desired: dict[str, Any], live: dict[str, Any]) -> list[str]:
    changes = differences(MetricSource(name="a", **desired), MetricSource(name="a", **live))
    return [change.field for change in changes]


@pytest.mark.parametrize(
    ("desired", "live"),
    [
        ({"tags": ("a", "b")}, {"tags": ("b", "a", "a")}),
        ({"tags": ()}, {}),
        ({"tags": ()}, {"tags": None}),
        ({"id_type_mapping": (USER, DEVICE)}, {"id_type_mapping": (DEVICE, USER)}),
        ({"custom_field_mapping": ()}, {"custom_field_mapping": (CustomField(key="", formula=""),)}),
        ({"is_verified": False}, {}),
        ({"timestamp_as_day": False}, {"timestamp_as_day": None}),
        ({"description": ""}, {"description": None}),
        ({"description": "One \nline"}, {"description": "One\r\nline\n"}),
        ({"source_type": "query"}, {}),
        ({"source_type": "table", "sql": ""}, {"source_type": "table", "sql": "SELECT * FROM t"}),
        ({"sql": "SELECT a\nFROM  t"}, {"sql": "SELECT a FROM t\n"}),
        ({"team": None}, {"team": ""}),
        ({"owner": None}, {}),
        ({"owner": Owner(owner_id="1")}, {"owner": Owner(owner_id="1", owner_name="Ann")}),
        ({"skip_validation": True, "all_columns": ("a",), "column_types": ("INT",)}, {}),
        ({}, {"description": "by hand", "tags": ("x",), "is_verified": True, "team": "growth"}),
    ],
)
def test_no_difference(desired: dict[str, Any], live: dict[str, Any]) -> None:
    """Order, blanks between tokens, server defaults and undeclared fields never show as a change."""
    assert _changed(desired, live) == []


@pytest.mark.parametrize(
    ("desired", "live", "field"),
    [
        ({"tags": ("a",)}, {"tags": ("A",)}, "tags"),
        ({"tags": ()}, {"tags": ("a",)}, "tags"),
        ({"id_type_mapping": (USER,)}, {"id_type_mapping": (USER, DEVICE)}, "id_type_mapping"),
        ({"is_verified": True}, {}, "is_verified"),
        ({"is_verified": False}, {"is_verified": True}, "is_verified"),
        ({"source_type": "table"}, {}, "source_type"),
        ({"sql": "SELECT 'a  b'"}, {"sql": "SELECT 'a b'"}, "sql"),
        ({"sql": 'SELECT "a  b"'}, {"sql": 'SELECT "a b"'}, "sql"),
        ({"sql": "SELECT a -- x\n, b"}, {"sql": "SELECT a -- x , b"}, "sql"),
        ({"sql": "SELECT $$a  b$$"}, {"sql": "SELECT $$a b$$"}, "sql"),
        ({"team": None}, {"team": "growth"}, "team"),
        ({"owner": None}, {"owner": Owner(owner_id="1")}, "owner"),
        ({"owner": Owner(owner_id="1")}, {"owner": Owner(owner_id="2")}, "owner"),
        ({"owner": Owner(owner_id="1")}, {}, "owner"),
        ({"description": "a"}, {}, "description"),
        (
            {"custom_field_mapping": (CustomField(key="k", formula="a + 1"),)},
            {"custom_field_mapping": (CustomField(key="k", formula="a + 2"),)},
            "custom_field_mapping",
        ),
    ],
)
def test_difference(desired: dict[str, Any], live: dict[str, Any], field: str) -> None:
    """A declared field that means something else is named."""
    assert _changed(desired, live) == [field]


def test_an_hour_of_zero_is_not_nothing() -> None:
    """Midnight is a value, and null means never."""
    midnight = AssignmentSource(name="a", scheduled_reload_hour=0)
    assert [change.field for change in differences(midnight, AssignmentSource(name="a"))] == ["scheduled_reload_hour"]
    assert differences(AssignmentSource(name="a", scheduled_reload_hour=None), AssignmentSource(name="a")) == ()


def test_a_backslash_quote_is_read_both_ways() -> None:
    r"""Blanks that are inside a string in one reading of \' are never taken for white space between tokens."""
    assert normal_sql(r"SELECT 'a\' ,  b, 'c'") != normal_sql(r"SELECT 'a\' , b, 'c'")


@given(st.text(alphabet=" \n\tab'\"`-/*$\\;", max_size=40))
def test_normal_sql_is_stable(sql: str) -> None:
    """Collapsing white space twice gives what collapsing once gave, under each reading."""
    for place, text in enumerate(normal_sql(sql)):
        assert normal_sql(text)[place] == text


def test_the_values_are_shown_as_they_are() -> None:
    """A change holds the console's own value (nothing as None) and the declared one."""
    (change,) = differences(MetricSource(name="a", sql="SELECT 1"), MetricSource(name="a"))
    assert (change.before, change.after) == (None, "SELECT 1")


def test_completed_keeps_what_was_not_declared() -> None:
    """A full update carries the undeclared fields back as they were read, and no nulls."""
    desired = EntityPropertySource(name="a", sql="SELECT 1")
    live = EntityPropertySource(name="a", sql="SELECT 0", team="growth", tags=("x",), timestamp_column=None)
    result = fill_undeclared_from(desired, live)
    assert (result.sql, result.team, result.tags) == ("SELECT 1", "growth", ("x",))
    assert result.timestamp_column is UNSET
    assert structs.replace(result, team=UNSET, tags=UNSET) == desired


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": ("b", "a"), "sql": "select  1\n"},
        {"tags": ("a", "b", "a"), "is_verified": False},
        {"tags": ("a", "b"), "description": None, "all_columns": ("x",)},
        {"tags": ("a", "b"), "owner": None},
    ],
)
def test_a_fingerprint_is_blind_to_what_servers_rearrange(fields: dict[str, Any]) -> None:
    """Objects that mean the same have one fingerprint."""
    base = MetricSource(name="A", sql="select 1", tags=("a", "b"))
    assert fingerprint(structs.replace(base, **fields)) == fingerprint(base)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a"},
        {"sql": "select 2"},
        {"team": "growth"},
        {"tags": ("a",)},
        {"owner": Owner(owner_id="1")},
        {"id_type_mapping": (USER,)},
        {"disable_cure": True},
    ],
)
def test_a_fingerprint_sees_every_edit(fields: dict[str, Any]) -> None:
    """An edit of any field changes it, declared or not."""
    base = MetricSource(name="A", sql="select 1", tags=("a", "b"))
    assert fingerprint(structs.replace(base, **fields)) != fingerprint(base)


def test_a_fingerprint_belongs_to_a_kind() -> None:
    """Two kinds with equal fields are two things."""
    assert fingerprint(MetricSource(name="A")) != fingerprint(QualifyingEvent(name="A"))


def test_a_fingerprint_of_half_a_character() -> None:
    """A text that cannot be encoded has one too."""
    assert fingerprint(MetricSource(name="\ud800")) != fingerprint(MetricSource(name="\ud801"))
