"""The audit log as it is read: two requests at most, and whatever is odd in an entry is left out."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.errors import Refused
from dbt_statsig.vocabulary.sources import IdType, Kind
from tests.unit.console.service import Opened, page, refused

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.audit import AuditEntry, AuditLog

UPDATE = "update_echidna_metric_source"


def entry(name: str = "Orders", **more: Any) -> dict[str, Any]:
    """An entry in the published form."""
    return {
        "id": "25KP",
        "name": name,
        "changeLog": "Updated Metric Source",
        "actionType": UPDATE,
        "date": "Mon Sep 26 2022",
        "time": "23:46:14 GMT+0000 (Coordinated Universal Time)",
        "updatedBy": "Jane Doe",
        "updatedByUserID": "4eo",
        "modifierEmail": "jane@example.com",
        "changes": {},
        "tags": [],
        **more,
    }


def read(*replies: Any, enough: bool = True) -> tuple[AuditLog, Opened]:
    """The log that these answers give."""
    opened = Opened(*replies)
    return opened.client.audit_log([Kind.METRIC_SOURCE], lambda _log: enough), opened


def one(**more: Any) -> AuditEntry:
    """The only entry of a log."""
    (found,) = read(page(entry(**more)))[0].entries
    return found


def test_an_entry_in_the_published_form() -> None:
    """Name, time, person and the changed fields of an entry are read, and the filter names the kind's actions."""
    units = {"old": [{"statsigUnitID": "userID", "column": "a"}], "new": [{"statsigUnitID": "userID", "column": "b"}]}
    log, opened = read(page(entry(changes={"idTypeMapping": units, "isVerified": {"new": True}, "salt": {"new": 1}})))
    (found,) = log.entries
    assert log.whole
    assert found.at == datetime(2022, 9, 26, 23, 46, 14, tzinfo=timezone.utc)
    assert (found.by, found.when) == ("Jane Doe (jane@example.com)", "2022-09-26 23:46 UTC")
    assert found.fields == {"id_type_mapping", "is_verified"}
    assert found.before is not None
    assert found.before.id_type_mapping == (IdType(statsig_unit_id="userID", column="a"),)
    (call,) = opened.service.calls
    assert call.startswith("GET /console/v1/audit_logs?actionTypes%5B%5D=")
    assert f"={UPDATE}&" in call
    assert call.endswith("&limit=100&page=1")


def test_of_a_definition_only_what_differs() -> None:
    """A metric's definition is there as a whole on both sides: only its parts that differ were changed."""
    native = {"aggregation": "sum", "metricSources": [{"metricSourceName": "Orders", "criteria": []}]}
    changes = {"warehouseNative": {"old": {**native, "cap": 1}, "new": {**native, "rollupTimeWindow": "max"}}}
    opened = Opened(page(entry(actionType="custom_metric_definition_edit", changes=changes)))
    (found,) = opened.client.audit_log([Kind.METRIC], lambda _log: True).entries
    assert found.fields == {"cap", "rollup_time_window"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"time": "10:44:27 GMT-0700 (Pacific Daylight Time)"}, "2022-09-26 17:44 UTC"),
        ({"time": "10:44:27"}, "2022-09-26 10:44 UTC"),
        ({"time": None}, ""),
        ({"date": "2022-09-26"}, ""),
        ({"date": "Mon Sep 99 2022"}, ""),
    ],
)
def test_times(more: dict[str, Any], expected: str) -> None:
    """Any zone becomes UTC; a time of another form is no time."""
    assert one(**more).when == expected


@pytest.mark.parametrize(
    ("more", "by"),
    [
        ({"modifierEmail": None}, "Jane Doe"),
        ({"updatedBy": "", "modifierEmail": "j@x"}, "j@x"),
        ({"updatedBy": 3, "modifierEmail": {}}, "4eo"),
    ],
)
def test_who_it_was(more: dict[str, Any], by: str) -> None:
    """Name and address, or what there is of them."""
    assert one(**more).by == by


@pytest.mark.parametrize("changes", [None, [], {"sql": {"new": 3}}, {"sql": "x"}, {}])
def test_changes_of_another_form_say_nothing(changes: Any) -> None:
    """What cannot be read as fields of the object is not taken for some."""
    assert one(changes=changes).fields == set()


@pytest.mark.parametrize(
    "odd",
    [{"sql": {"new": 3}}, {"sql": "x"}, {"sql": {"from": "a", "to": "b"}}, {"idTypeMapping": {"old": 1, "new": [3]}}],
)
def test_an_entry_that_is_read_in_part_does_not_say_all_that_it_changed(odd: dict[str, Any]) -> None:
    """One value that cannot be read costs no other one, and no field counts as unchanged by such an entry."""
    found = one(changes={"tags": {"old": ["a"], "new": ["b"]}, **odd})
    assert found.fields == set()
    assert found.before is not None
    assert found.after is not None
    assert (found.before.tags, found.after.tags) == (("a",), ("b",))


def test_an_action_can_say_what_it_changed() -> None:
    """Without details, the name of some actions says which field it was."""
    assert one(actionType=f"{UPDATE}_name").fields == {"name"}
    assert one(actionType="update_echidna_source_owner").fields == {"owner"}
    assert one(actionType="something_else").fields == set()


def test_entries_without_name_or_action_are_left_out() -> None:
    """Only an entry that is about a named object counts."""
    assert read(page(entry(name=""), entry(actionType=None), 3, entry()))[0].entries == (one(),)


def test_newest_first() -> None:
    """The order is that of the times, whatever the answer's; without times it stays."""
    old, new = entry(name="old"), entry(name="new", date="Tue Sep 27 2022")
    assert [found.name for found in read(page(old, new))[0].entries] == ["new", "old"]
    assert [found.name for found in read(page(entry(name="a", date=""), new))[0].entries] == ["a", "new"]


def test_a_second_page_only_where_it_is_needed() -> None:
    """The next page is read where the first is not enough, and never a third."""
    pages = [page(entry(name=str(number)), following="/next") for number in range(4)]
    log, opened = read(*pages, enough=False)
    assert ([found.name for found in log.entries], log.whole, len(opened.service.calls)) == (["0", "1"], False, 2)
    assert len(read(*pages)[1].service.calls) == 1
    bare = (200, {"data": [entry()]})
    assert read(bare, enough=False)[0].whole


def test_an_api_that_does_not_know_the_filter() -> None:
    """After 400 it is read once more without the filter; a second refusal is the end."""
    log, opened = read(refused(400), page(entry()))
    assert (len(log.entries), opened.service.calls[1]) == (1, "GET /console/v1/audit_logs?limit=100&page=1")
    with pytest.raises(Refused):
        read(refused(400), refused(400))


def test_a_failure_is_not_repeated() -> None:
    """An explanation is not worth several requests."""
    opened = Opened(refused(500))
    with pytest.raises(Exception, match="audit log"):
        opened.client.audit_log([Kind.METRIC_SOURCE], lambda _log: True)
    assert len(opened.service.calls) == 1
