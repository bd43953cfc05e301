"""Tests of values in one line, as YAML writes them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from dbt_statsig.vocabulary.sources import CustomField, IdType, Owner
from dbt_statsig.vocabulary.yaml_text import in_yaml, two_in_yaml


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "not set"),
        (UNSET, "not set"),
        (True, "true"),
        (7, "7"),
        (1e20, "1.0e+20"),
        (2.5e-07, "2.5e-07"),
        ("user_id", "user_id"),
        ("no", '"no"'),
        (" padded", '" padded"'),
        ("two\nlines \u202e", '"two\\nlines \\u202e"'),
        ((), "[]"),
        (("core", "a, b"), '[core, "a, b"]'),
        ((IdType(statsig_unit_id="userID", column="user_id"),), "{userID: user_id}"),
        ((CustomField(key="net", formula="a - b"),), "{net: a - b}"),
        (Owner(owner_id="1", owner_email=None), '{owner_id: "1", owner_email: null}'),
    ],
)
def test_a_value_is_written_as_in_yaml(value: Any, shown: str) -> None:
    """No value is shown as Python writes it."""
    assert in_yaml(value) == shown


@settings(max_examples=50)
@given(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=20),
        st.lists(st.text("ab:{}[],'\"#&* -\n", max_size=6)),
        st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_yaml_reads_it_as_the_same_value(value: Any) -> None:
    """What is shown reads back as the value."""
    assert yaml.safe_load(f"[{in_yaml(value)}]") == [value]


def test_long_texts_show_where_they_begin_to_differ() -> None:
    """Of two long texts the part around the first difference is shown, in one line."""
    same = "select a,\n" * 20
    one, other = two_in_yaml(f"{same}FROM t", f"{same}from t where {'x' * 100}")
    assert one == '"…select a,\\nselect a,\\nFROM t"'
    assert other.startswith('"…select a,\\nselect a,\\nfrom t where xxx')
    assert other.endswith('x…"')
    assert two_in_yaml("a" * 90, "a" * 100)[0] == f'"…{"a" * 20}"'
    assert two_in_yaml(("a",), None) == ("[a]", "not set")
