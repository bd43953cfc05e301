"""What changes in one object, in a line."""

from __future__ import annotations

from msgspec import structs

from dbt_statsig.report.brief import Brief, briefs
from dbt_statsig.report.field_diff import field_diffs
from dbt_statsig.vocabulary.changes import Action, FieldChange
from dbt_statsig.vocabulary.sources import IdType
from tests.unit.report import samples


def of(*fields: FieldChange) -> list[Brief]:
    """The briefs of an update of these fields."""
    change = structs.replace(samples.UPDATE, fields=fields)
    return briefs(change, field_diffs(change))


def test_long_lists_are_counted() -> None:
    """Of a list or mapping with more than three changes only their numbers have room."""
    tags = FieldChange(field="tags", before=("a", "b"), after=("c", "d", "e"))
    assert of(tags) == [Brief("tags", "2", "3")]
    units = tuple(IdType(statsig_unit_id=f"u{number}", column="c") for number in range(4))
    assert of(FieldChange(field="id_type_mapping", before=None, after=units)) == [Brief("id_type_mapping", "0", "4")]


def test_long_values_are_only_named() -> None:
    """A value that has no room is named by its field alone."""
    assert of(FieldChange(field="team", before="x" * 41, after="y")) == [Brief("team")]
    long = (IdType(statsig_unit_id="userID", column="c" * 41),)
    assert of(FieldChange(field="id_type_mapping", before=(), after=long)) == [Brief("userID")]


def test_what_is_not_written_has_none() -> None:
    """An object that is not this project's shows no field, and a new one the columns that it maps."""
    change = structs.replace(samples.FOREIGN, fields=samples.UPDATE.fields)
    assert briefs(change, field_diffs(change)) == []
    assert briefs(samples.CREATE, ()) == [Brief("userID", new="user_id"), Brief("timestamp", new="exposed_at")]
    assert briefs(structs.replace(samples.CREATE, desired=None, action=Action.CREATE), ()) == []
