"""Single fields as text."""

from __future__ import annotations

import pytest
from msgspec import UNSET

from dbt_statsig.report.text.fields import LONGEST_NEW_TEXT, declared_fields, field_lines, scalar
from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.changes import FieldChange
from dbt_statsig.vocabulary.kinds import MetricSource
from dbt_statsig.vocabulary.kinds.metric import FunnelEvent
from dbt_statsig.vocabulary.sources import CustomField, Owner


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not set"),
        (UNSET, "not set"),
        (True, "true"),
        (12, "12"),
        ("", '""'),
        (" a", '" a"'),
        ("a b", "a b"),
        (Owner(owner_id="1", owner_name="Ann"), "owner_id: 1, owner_name: Ann"),
        (Owner(), "not set"),
        ("x" * 310, "x" * 300 + "... (10 more characters)"),
    ],
)
def test_scalar(value: object, text: str) -> None:
    """Values are spelt as in YAML; what could be overlooked is quoted or named."""
    assert scalar(value) == text


def test_records_have_lines_of_their_own() -> None:
    """Entries of several fields, as the steps of a funnel, are a line each, new or changed."""
    visit, order = (FunnelEvent(metric_source_name=name, name=name) for name in ("Visit", "Order"))
    new = FieldChange(field="funnel_events", before=None, after=(visit, order))
    entries = ["        + " + f"name: {name}, metric_source_name: {name}" for name in ("Visit", "Order")]
    assert field_lines((new,), Style(), new=True) == ["      funnel_events", *entries]
    change = FieldChange(field="funnel_events", before=(visit,), after=(order,))
    gone = entries[0].replace("+", "-")
    assert field_lines((change,), Style(), new=False) == ["      funnel_events", entries[1], gone]
    one = FieldChange(field="funnel_events", before=None, after=(visit,))
    assert field_lines((one,), Style(), new=True) == ["      funnel_events  name: Visit, metric_source_name: Visit"]


def test_mapping_from_nothing() -> None:
    """A mapping that the console does not have yet is shown entry by entry."""
    change = FieldChange(field="custom_field_mapping", before=None, after=(CustomField(key="net", formula="a - b"),))
    assert field_lines((change,), Style(), new=False) == ["      custom_field_mapping", "        + net: a - b"]


def test_tags_to_nothing() -> None:
    """Tags that go altogether are shown as removed."""
    change = FieldChange(field="tags", before=("a", "b"), after=None)
    assert field_lines((change,), Style(), new=False) == ["      tags  - a, - b"]


def test_long_new_sql_is_cut_with_a_count() -> None:
    """New SQL of many lines shows its beginning and how much more there is."""
    sql = "\n".join(f"line {number}" for number in range(40))
    lines = field_lines((FieldChange(field="sql", before=None, after=sql),), Style(), new=True)
    assert len(lines) == 1 + LONGEST_NEW_TEXT + 1
    assert lines[-1] == "        ⋮ 16 more lines"


@pytest.mark.parametrize("live", ["select 1\n" * 500_000, "select 1, " * 500_000], ids=["lines", "one line"])
def test_the_diff_of_megabytes_is_cut_with_a_count(live: str) -> None:
    """SQL that somebody made very long in the console shows the beginning of the diff and how much more there is."""
    change = FieldChange(field="sql", before=live, after="select 2")
    lines = field_lines((change,), Style(), new=False)
    assert sum(map(len, lines)) < 100_000
    assert any(line.endswith((" more lines", " more characters)")) for line in lines)
    assert lines[-1] == "        + select 2"


def test_short_sql_is_compared_as_lines() -> None:
    """Even SQL of one line is shown as a line diff."""
    change = FieldChange(field="sql", before="select 1", after="select 2")
    assert field_lines((change,), Style(), new=False) == ["      sql", "        - select 1", "        + select 2"]


def test_declared_fields_leave_out_what_is_only_sent_along() -> None:
    """The name is in the heading, write-only fields are no part of the object, and empty ones say nothing."""
    source = MetricSource(
        name="Orders", sql="select 1", all_columns=("a",), skip_validation=True, team=None, tags=(), description=""
    )
    assert [field.field for field in declared_fields(source)] == ["sql"]
