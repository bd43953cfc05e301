"""Tests of column marks."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

import pytest
from msgspec import UNSET

from dbt_statsig.vocabulary.findings import Location
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.project.declarations.project import FILE, declared, one_model

if TYPE_CHECKING:
    from pathlib import Path


def _mark(column: str, mark: str) -> str:
    return f"- {{name: {column}, config: {{meta: {{statsig: {mark}}}}}}}\n"


def test_a_model_marked_on_its_columns(tmp_path: Path) -> None:
    """Unit IDs and roles on columns complete a block, and each key is located at its column."""
    columns = (
        _mark("user_id", "{unit_id: [userID, customerID]}")
        + _mark("at", "{role: timestamp}")
        + _mark("exp", "{role: experiment_id}")
        + _mark("variant", "{role: [group_id, group_name]}")
    )
    found = one_model("statsig: {assignment_source: {name: A}}", tmp_path, columns=columns)
    assert found.findings == ()
    (block,) = found.declarations
    assert block.meta.id_type_mapping == {"userID": "user_id", "customerID": "user_id"}
    assert getattr(block.meta, "timestamp_column", UNSET) == "at"
    assert getattr(block.meta, "group_name_column", None) == "variant"
    assert block.locate("id_type_mapping", "userID") == Location(FILE, 7, 51)
    assert block.locate("id_type_mapping") == Location(FILE, 7, 51)
    assert block.locate("timestamp_column") == Location(FILE, 8, 46)
    assert block.locate("where") == Location(FILE, 5, 19)


def test_marks_and_block_make_one_mapping(tmp_path: Path) -> None:
    """Unit IDs of the block and of marks add up; the spelling of the block is kept where both agree."""
    meta = "statsig: {entity_property_source: {name: A, id_type_mapping: {userID: USER_ID, stableID: device}}}"
    columns = _mark("user_id", "{unit_id: userID}") + _mark("company", "{unit_id: companyID}")
    found = one_model(meta, tmp_path, columns=columns)
    assert found.findings == ()
    (block,) = found.declarations
    assert block.meta.id_type_mapping == {"userID": "USER_ID", "stableID": "device", "companyID": "company"}
    assert block.locate("id_type_mapping", "stableID") == Location(FILE, 5, 88)
    assert block.locate("id_type_mapping", "companyID") == Location(FILE, 8, 51)


def test_marks_replace_defaults(tmp_path: Path) -> None:
    """A mark is nearer than any default, the inherited mapping included."""
    meta = """
    statsig_defaults: {timestamp_column: loaded_at, id_type_mapping: {userID: uid}}
    statsig: {entity_property_source: A}
    """
    columns = _mark("at", "{role: timestamp}") + _mark("company", "{unit_id: companyID}")
    (block,) = one_model(meta, tmp_path, columns=columns).declarations
    assert getattr(block.meta, "timestamp_column", UNSET) == "at"
    assert block.meta.id_type_mapping == {"companyID": "company"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("timestamp_column: loaded", '`timestamp_column` is "loaded", but the column "at" has this mark.'),
        ("id_type_mapping: {userID: uid}", '`id_type_mapping.userID` is "uid", but the column "user_id" has this mark'),
    ],
)
def test_a_contradiction(tmp_path: Path, keys: str, message: str) -> None:
    """A block and a mark that say different things block the source."""
    columns = _mark("user_id", "{unit_id: userID}") + _mark("at", "{role: timestamp}")
    found = one_model(f"statsig: {{metric_source: {{name: A, {keys}}}}}", tmp_path, columns=columns)
    (fault,) = found.findings
    assert (fault.code, fault.source) == ("contradiction", "A")
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    ("marks", "code", "message"),
    [
        ([("a", "{unit_id: userID}"), ("b", "{unit_id: userID}")], "contradiction", "marks b as userID, but a is"),
        ([("a", "{role: timestamp}"), ("b", "{role: timestamp}")], "contradiction", "marks b as timestamp_column"),
        ([("a", "userID")], "wrong-type", 'takes a mapping, not "userID".'),
        ([("a", "null")], "wrong-type", "takes a mapping, not an empty value."),
        ([("a", "{role: timestmp}")], "wrong-type", "takes one of"),
        ([("a", "{unitid: userID}")], "unknown-key", "`columns.a.statsig.unitid`"),
        ([("a", "{unit_id: 12}")], "wrong-type", "takes a Statsig unit ID, not the number 12."),
        ([("a", "{unit_id: ['']}")], "wrong-type", "is empty."),
        ([("a", "{role: experiment_id}")], "key-not-allowed", "gives `experiment_id_column`, which no block"),
        ([("a", "{role: date_partition}")], "key-not-allowed", "gives `date_partition_column`, which no block"),
    ],
)
def test_wrong_marks(tmp_path: Path, marks: list[tuple[str, str]], code: str, message: str) -> None:
    """A fault in a mark concerns the whole node and stands at the column."""
    meta = "statsig: {metric_source: {name: A, timestamp_column: a, id_type_mapping: {userID: a}}}"
    if "userID" in marks[0][1]:
        meta = "statsig: {metric_source: {name: A, timestamp_column: a, id_type_mapping: {x: a}}}"
    found = one_model(meta, tmp_path, columns="".join(_mark(*mark) for mark in marks))
    (fault,) = (one for one in found.findings if one.kind == "")
    assert fault.code == code
    assert message in fault.message
    assert fault.location is not None
    assert fault.location.line >= 7
    assert fault.fix


def test_a_role_that_another_block_takes(tmp_path: Path) -> None:
    """With several blocks each takes the roles that it has; only a role that none takes is a fault."""
    meta = """
    statsig:
      assignment_source: {name: A}
      qualifying_event: {name: B, source_type: table}
    """
    columns = (
        _mark("user_id", "{unit_id: userID}")
        + _mark("at", "{role: [timestamp, date_partition]}")
        + _mark("exp", "{role: experiment_id}")
        + _mark("variant", "{role: group_id}")
    )
    found = one_model(meta, tmp_path, columns=columns)
    assert found.findings == ()
    partitions = {one.kind: getattr(one.meta, "date_partition_column", None) for one in found.declarations}
    assert partitions == {Kind.ASSIGNMENT_SOURCE: None, Kind.QUALIFYING_EVENT: "at"}


def test_marks_without_a_kind(tmp_path: Path) -> None:
    """Marked columns alone do not say what the model is."""
    text = "models:\n  - name: a\n    columns:\n      " + _mark("id", "{unit_id: userID}")
    found = declared(text, tmp_path)
    (fault,) = found.findings
    assert (fault.code, fault.key, str(fault.location)) == ("missing-key", "statsig", f"{FILE}:2:5")
    assert "no kind of source is named" in fault.message
    assert len(found.faulty) == 4


def test_an_inherited_meta_is_no_mark(tmp_path: Path) -> None:
    """The engine of dbt 2.x gives a column without meta the model's: that block is not taken for a mark."""
    block = "{metric_source: {name: A, timestamp_column: a, id_type_mapping: {x: a}}}"
    found = one_model(f"statsig: {block}", tmp_path, columns=_mark("a", block))
    assert found.findings == ()


def test_a_misspelt_mark(tmp_path: Path) -> None:
    """A key of a column that nearly says statsig is reported."""
    meta = "statsig: {metric_source: {name: A, timestamp_column: a, id_type_mapping: {x: a}}}"
    found = one_model(meta, tmp_path, columns="- {name: a, config: {meta: {statsig_: {unit_id: x}}}}")
    (fault,) = found.findings
    assert (fault.code, fault.key, fault.fix) == ("unknown-key", "columns.a.statsig_", 'Did you mean "statsig"?')


def test_marks_without_a_block_are_checked(tmp_path: Path) -> None:
    """Where columns are marked and the node has no block, faults in the marks are reported beside the missing block."""
    columns = indent(_mark("a", "{unit: userID}") + _mark("b", "{role: timestmp}"), " " * 6)
    found = declared(f"models:\n  - name: orders\n    statsig: {{}}\n    columns:\n{columns}", tmp_path)
    assert [(one.code, one.key) for one in found.findings] == [
        ("missing-key", "statsig"),
        ("unknown-key", "columns.a.statsig.unit"),
        ("wrong-type", "columns.b.statsig.role"),
    ]
    assert found.findings[0].location == Location(FILE, 3, 5)
