"""Tests of writes that are answered, and of what may be written at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbt_statsig.console.client import Written
from dbt_statsig.errors import NotFound, OutcomeUnknown, Refused, UsageError
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS, AssignmentSource, EntityPropertySource, MetricSource
from dbt_statsig.vocabulary.sources import Kind, Owner
from tests.unit.console.service import EXPOSURES, ORDERS, USERS, Opened, one, page, refused

OLD = EntityPropertySource(name="Old", sql="select 0")


def sent(opened: Opened, index: int = 0) -> Any:
    """The JSON body of one request."""
    return json.loads(opened.service.requests[index].content)


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_each_kind_is_written_at_its_own_paths(kind: Kind) -> None:
    """Create, full update and delete of every kind go to the published paths."""
    spec = SPECS[kind]
    payload = spec.payload(name="a b", sql="select 1")
    done = one({"name": "a b", "sql": "select 1"})
    opened = Opened(done, done, done, refused(404) if spec.can_read else page(total=0))
    assert opened.client.create(kind, payload) == Written(live=payload)
    assert opened.client.update(kind, "a b", payload).live == payload
    assert opened.client.delete(kind, "a b") == Written(live=None)
    path = f"{spec.object_root}/a%20b"
    look = path if spec.can_read else f"{spec.list_path}?limit=100&page=1"
    assert opened.service.calls == [f"POST {spec.create_path}", f"POST {path}", f"DELETE {path}", f"GET {look}"]
    assert opened.service.requests[0].headers["content-type"] == "application/json"


KEPT = {"name": "Orders", "sql": "select 2", "tags": None}
AS_SENT = {
    "name": "Orders",
    "sql": "select 1",
    "tags": ["a", "b"],
    "timestampColumn": "ordered_at",
    "idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id"}],
}
OTHER = {**AS_SENT, "name": "Refunds"}
BEFORE = MetricSource(name="Orders", sql="select 0")


def test_an_answer_that_holds_what_was_sent_needs_no_reading() -> None:
    """An answer with every declared field as sent is the whole outcome."""
    opened = Opened(one({**AS_SENT, "isVerified": True}, 201))
    assert not opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled
    assert len(opened.service.requests) == 1


def test_the_answers_object_is_handed_on() -> None:
    """What Statsig keeps otherwise than it was sent is handed on once reading back shows it too."""
    opened = Opened(one(KEPT, 201), one(KEPT))
    kept = MetricSource(name="Orders", sql="select 2", tags=None)
    assert opened.client.create(Kind.METRIC_SOURCE, ORDERS) == Written(live=kept)
    assert [request.method for request in opened.service.requests] == ["POST", "GET"]


@pytest.mark.parametrize("data", [None, [], {"sql": 5}, "done", {}, OTHER])
def test_50_a_success_without_the_object_is_read_back(data: Any) -> None:
    """Fault 50: an answer without the object, or with another one, counts only if reading back shows what was sent."""
    written = Opened(one(data, 201), one(AS_SENT)).client.create(Kind.METRIC_SOURCE, ORDERS)
    assert (written.live is not None, written.live == ORDERS) == (True, False)
    for after in (refused(404), one({**AS_SENT, "sql": "select 9"})):
        opened = Opened(one(data, 201), after)
        with pytest.raises(OutcomeUnknown, match="does not show what was sent") as caught:
            opened.client.create(Kind.METRIC_SOURCE, ORDERS)
        assert "review may be pending" in caught.value.fix
        assert [request.method for request in opened.service.requests] == ["POST", "GET", "GET", "GET"]


def test_50_the_old_object_as_an_answer_is_no_success() -> None:
    """Fault 50: an update whose answer and reading back show the object as it was is not claimed, nor sent again."""
    opened = Opened(one({"name": "Orders", "sql": "select 0"}))
    with pytest.raises(OutcomeUnknown, match="Statsig accepted this"):
        opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS, before=BEFORE)
    assert [request.method for request in opened.service.requests] == ["POST", "GET", "GET", "GET"]


def test_50_a_late_object_is_waited_for() -> None:
    """Fault 50: what shows at a later look is done."""
    opened = Opened((202, {}), refused(404), one(AS_SENT))
    assert opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled


def test_50_an_error_inside_a_success_is_a_refusal_unless_it_was_done() -> None:
    """Fault 50: a body with an error in it is a refusal, unless reading back shows what was sent."""
    body = (200, {"status": 400, "message": "No such table"})
    with pytest.raises(Refused, match="No such table"):
        Opened(body, refused(404)).client.create(Kind.METRIC_SOURCE, ORDERS)
    assert Opened(body, one(AS_SENT)).client.create(Kind.METRIC_SOURCE, ORDERS).reconciled
    with pytest.raises(Refused, match="No such table"):
        Opened(body).client.create(Kind.METRIC_SOURCE, ORDERS, dry_run=True)


def test_50_reading_back_that_fails_leaves_it_unknown() -> None:
    """Fault 50: nothing is claimed where the reading back gives nothing."""
    with pytest.raises(OutcomeUnknown, match="reading it back failed"):
        Opened((202, {}), refused(418)).client.create(Kind.METRIC_SOURCE, ORDERS)


def test_50_without_budget_there_is_one_look() -> None:
    """Fault 50: where no waiting is left, the first look decides."""
    opened = Opened((202, {}), refused(404), budget=0.5)
    with pytest.raises(OutcomeUnknown):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert len(opened.service.requests) == 2


def test_51_an_ignored_rename_is_no_success() -> None:
    """Fault 51: a rename is done only where the object has its new name."""
    old = EntityPropertySource(name="Old", sql="select 1", timestamp_as_day=True)
    still = one({"name": "Old", "sql": "select 1", "timestampAsDay": True})
    with pytest.raises(OutcomeUnknown):
        Opened(still, refused(404)).client.update(Kind.ENTITY_PROPERTY_SOURCE, "Old", USERS, before=old)


def test_50_a_deletion_is_done_when_the_object_is_gone() -> None:
    """Fault 50: a deletion that was accepted but left the object is not claimed."""
    with pytest.raises(OutcomeUnknown, match="the object is still there"):
        Opened(one({"name": "Orders"})).client.delete(Kind.METRIC_SOURCE, "Orders")
    with pytest.raises(Refused, match="Not now"):
        Opened((200, {"success": False, "message": "Not now"}), one({"name": "Orders"})).client.delete(
            Kind.METRIC_SOURCE, "Orders"
        )


def test_56_a_deletion_of_what_is_gone_is_done() -> None:
    """Fault 56: 404 (or an undocumented 400) is a success where nothing is there, and a refusal where it is."""
    assert Opened(refused(404)).client.delete(Kind.METRIC_SOURCE, "Orders").already
    assert Opened(refused(400), refused(400), page(total=0)).client.delete(Kind.METRIC_SOURCE, "Orders").already
    for still in (one({"name": "Orders"}), refused(418)):
        with pytest.raises(Refused, match="In use"):
            Opened(refused(400, "In use"), still).client.delete(Kind.METRIC_SOURCE, "Orders")
    with pytest.raises(Refused, match="Locked"):
        Opened(refused(423, "Locked")).client.delete(Kind.METRIC_SOURCE, "Orders")


def test_a_patch_sends_only_the_named_fields() -> None:
    """A partial update goes out as PATCH and holds nothing but the named fields."""
    opened = Opened(one({"name": "Users", "timestampAsDay": True}))
    opened.client.patch(Kind.ENTITY_PROPERTY_SOURCE, "Users", USERS, fields=frozenset({"timestamp_as_day"}))
    assert opened.service.calls == ["PATCH /console/v1/experiments/entity_property/Users"]
    assert sent(opened) == {"timestampAsDay": True}


def test_the_owner_of_an_entity_property_source_is_in_no_write() -> None:
    """An owner that was read is not sent back: the published contract refuses it for this kind."""
    owned = EntityPropertySource(name="Users", sql="select 1", owner=Owner(owner_id="me"))
    opened = Opened(one({"name": "Users", "sql": "select 1", "owner": {"ownerID": "me"}}))
    opened.client.create(Kind.ENTITY_PROPERTY_SOURCE, owned)
    opened.client.update(Kind.ENTITY_PROPERTY_SOURCE, "Users", owned, before=owned)
    assert ["owner" in sent(opened, index) for index in (0, 1)] == [False, False]


def test_a_patch_can_rename() -> None:
    """The new name is in the body where it is among the fields, and the path holds the old one."""
    opened = Opened(one({"name": "Users"}))
    opened.client.patch(Kind.ENTITY_PROPERTY_SOURCE, "Old", USERS, fields=frozenset({"name"}), before=OLD)
    assert opened.service.calls[0] == "PATCH /console/v1/experiments/entity_property/Old"
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
    opened = Opened(one({"name": "Exposures", "sql": "select 1", "experimentIDColumn": "e"}))
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
    """Fault 15: 404 on an update is reported as such, with one request."""
    opened = Opened(refused(404, "Not here"))
    with pytest.raises(NotFound, match="Orders"):
        opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS)
    assert [request.method for request in opened.service.requests] == ["POST"]


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
    """After a lost answer, or one that reports an error, the list of tags decides."""
    with pytest.raises(OutcomeUnknown, match="reports an error"):
        Opened((200, {"success": False}), page({"name": "other"})).client.create_tag("core", "d")
    Opened((500, {}), page({"name": "core"})).client.create_tag("core", "d")
    with pytest.raises(OutcomeUnknown, match="core"):
        Opened((500, {}), page({"name": "other"})).client.create_tag("core", "d")
