"""Tests of writes that are answered, and of what may be written at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbt_statsig.console.client import Written
from dbt_statsig.errors import NotFound, OutcomeUnknown, Refused, UsageError
from dbt_statsig.sources import SPECS, AssignmentSource, EntityPropertySource, Kind, MetricSource
from tests.unit.console.service import EXPOSURES, ORDERS, USERS, Opened, one, page, refused

OLD = EntityPropertySource(name="Old", sql="select 0")


def sent(opened: Opened, index: int = 0) -> Any:
    """The JSON body of one request."""
    return json.loads(opened.service.requests[index].content)


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_is_written_at_its_own_paths(kind: Kind) -> None:
    """Create, full update and delete of every kind go to the published paths."""
    spec = SPECS[kind]
    payload = spec.payload(name="a b", sql="select 1")
    opened = Opened(one({"name": "a b", "sql": "select 1"}))
    assert opened.client.create(kind, payload) == Written(live=payload)
    assert opened.client.update(kind, "a b", payload).live == payload
    opened.client.delete(kind, "a b")
    path = f"{spec.object_root}/a%20b"
    assert opened.service.calls == [f"POST {spec.create_path}", f"POST {path}", f"DELETE {path}"]
    assert opened.service.requests[0].headers["content-type"] == "application/json"


def test_the_answers_object_is_handed_on() -> None:
    """What the answer holds comes back, also where it differs from what was sent."""
    written = Opened(one({"name": "Orders", "sql": "select 2", "tags": None}, 201)).client.create(
        Kind.METRIC_SOURCE, ORDERS
    )
    assert written == Written(live=MetricSource(name="Orders", sql="select 2", tags=None))


@pytest.mark.parametrize("data", [None, [], {"sql": 5}, "done"])
def test_a_success_without_a_usable_object_is_a_success(data: Any) -> None:
    """A 2xx in the published envelope is a success, even where its data cannot be read."""
    written = Opened(one(data, 201)).client.create(Kind.METRIC_SOURCE, ORDERS)
    assert written == Written(live=None)


def test_a_patch_sends_only_the_named_fields() -> None:
    """A partial update goes out as PATCH and holds nothing but the named fields."""
    opened = Opened(one({"name": "Users"}))
    opened.client.patch(Kind.ENTITY_PROPERTY_SOURCE, "Users", USERS, fields=frozenset({"timestamp_as_day"}))
    assert opened.service.calls == ["PATCH /console/v1/experiments/entity_property/Users"]
    assert sent(opened) == {"timestampAsDay": True}


def test_a_patch_can_rename() -> None:
    """The new name is in the body where it is among the fields, and the path holds the old one."""
    opened = Opened(one({"name": "Users"}))
    opened.client.patch(Kind.ENTITY_PROPERTY_SOURCE, "Old", USERS, fields=frozenset({"name"}), before=OLD)
    assert opened.service.calls == ["PATCH /console/v1/experiments/entity_property/Old"]
    assert sent(opened) == {"name": "Users"}


@pytest.mark.parametrize(
    ("kind", "fields", "fault"),
    [
        (Kind.METRIC_SOURCE, {"tags"}, "no partial update"),
        (Kind.QUALIFYING_EVENT, {"tags"}, "no partial update"),
        (Kind.ENTITY_PROPERTY_SOURCE, {"sql", "tags"}, "sql"),
        (Kind.ENTITY_PROPERTY_SOURCE, {"nonsense", "tags"}, "nonsense"),
        (Kind.ENTITY_PROPERTY_SOURCE, set(), "none named"),
    ],
)
def test_impossible_patches_are_usage_errors(kind: Kind, fields: set[str], fault: str) -> None:
    """What the API has no partial update for is refused before sending."""
    opened = Opened(one(None))
    payload = SPECS[kind].payload(name="a")
    with pytest.raises(UsageError, match=fault):
        opened.client.patch(kind, "a", payload, fields=frozenset(fields))
    assert opened.service.requests == []


def test_renames_go_where_the_api_has_them() -> None:
    """An update may rename an assignment source; a metric source's new name is refused before sending."""
    opened = Opened(one({"name": "Exposures"}))
    opened.client.update(Kind.ASSIGNMENT_SOURCE, "Old", EXPOSURES)
    assert sent(opened)["name"] == "Exposures"
    assert opened.service.calls == ["POST /console/v1/experiments/assignment_source/Old"]
    with pytest.raises(Refused, match="cannot rename a metric source"):
        opened.client.update(Kind.METRIC_SOURCE, "Old", ORDERS)
    assert len(opened.service.requests) == 1


@pytest.mark.parametrize("payload", [AssignmentSource(name=""), AssignmentSource(name="\ud800")])
def test_names_that_cannot_be_addressed_are_never_created(payload: AssignmentSource) -> None:
    """What could not be read again is not created, nor renamed to."""
    opened = Opened(one(None))
    with pytest.raises(Refused):
        opened.client.create(Kind.ASSIGNMENT_SOURCE, payload)
    with pytest.raises(Refused):
        opened.client.update(Kind.ASSIGNMENT_SOURCE, "Old", payload)
    assert opened.service.requests == []


def test_15_an_update_of_a_missing_object_recreates_nothing() -> None:
    """Fault 15: 404 on an update or a deletion is reported as such, with one request."""
    opened = Opened(refused(404, "Not here"))
    with pytest.raises(NotFound, match="Orders"):
        opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS)
    with pytest.raises(NotFound):
        opened.client.delete(Kind.METRIC_SOURCE, "Orders")
    assert [request.method for request in opened.service.requests] == ["POST", "DELETE"]


def test_a_tag_is_created_with_its_description() -> None:
    """A tag goes out with both of its required fields."""
    opened = Opened(one({"name": "core"}, 201))
    opened.client.create_tag("core", "From dbt.")
    assert opened.service.calls == ["POST /console/v1/tags"]
    assert sent(opened) == {"name": "core", "description": "From dbt."}


def test_a_tag_that_somebody_else_created_is_as_good() -> None:
    """A refusal counts only if the tag is not there afterwards."""
    Opened(refused(400, "already in use"), page({"name": "core"})).client.create_tag("core", "d")
    with pytest.raises(Refused, match="too short"):
        Opened(refused(400, "too short"), page({"name": "other"})).client.create_tag("core", "d")


def test_a_tag_whose_answer_was_lost_is_looked_up() -> None:
    """After a lost answer the list of tags decides."""
    Opened((500, {}), page({"name": "core"})).client.create_tag("core", "d")
    with pytest.raises(OutcomeUnknown, match="core"):
        Opened((500, {}), page({"name": "other"})).client.create_tag("core", "d")
