"""Tests of writes whose answer was lost."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dbt_statsig.console.client import Waiting, Written
from dbt_statsig.console.writer import READ_BACK_DELAYS
from dbt_statsig.errors import Conflict, NotFound, OutcomeUnknown, Refused
from dbt_statsig.vocabulary.kinds import EntityPropertySource, MetricSource
from dbt_statsig.vocabulary.sources import IdType, Kind
from tests.unit.console.service import EXPOSURES, ORDERS, USERS, Opened, Reply, one, page, refused

OURS = {
    "name": "Orders",
    "sql": "select   1\n",
    "tags": ["a", "b"],
    "timestampColumn": "ordered_at",
    "idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id"}],
    "isVerified": False,
}
THEIRS = {**OURS, "sql": "select 'theirs'"}
BEFORE = MetricSource(
    name="Orders",
    sql="select 'before'",
    tags=("a", "b"),
    timestamp_column="ordered_at",
    id_type_mapping=(IdType(statsig_unit_id="userID", column="user_id"),),
)
AS_BEFORE = {**OURS, "sql": "select 'before'"}
ABSENT = refused(404)
LOST: list[Reply] = [
    httpx.ReadTimeout("late"),
    httpx.ReadError("reset"),
    httpx.WriteError("broken pipe"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.Response(500),
    httpx.Response(502, content=b"<html>"),
    httpx.Response(408),
    httpx.Response(200, content=b"<html>Log in</html>"),
    httpx.Response(200, content=b'{"message": "Crea'),
    httpx.Response(201, content=b""),
]


def methods(opened: Opened) -> str:
    """The requests as initials: P for a write, G for a read."""
    return "".join("G" if request.method == "GET" else "P" for request in opened.service.requests)


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_3_12_20_a_create_that_happened_is_recognised(lost: Reply) -> None:
    """Faults 3, 12 and 20: the answer is lost, the object is there and ours: success, without a second write."""
    opened = Opened(lost, one(OURS))
    written = opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert written.reconciled
    assert written.live is not None
    assert written.live.sql == "select   1\n"
    assert methods(opened) == "PG"


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_4_a_create_that_did_not_happen_is_tried_once_more(lost: Reply) -> None:
    """Fault 4: the answer is lost and the object stays absent: one more try, and its answer counts."""
    opened = Opened(lost, *[ABSENT] * len(READ_BACK_DELAYS), one(OURS, 201))
    assert not opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled
    assert methods(opened) == "P" + "G" * len(READ_BACK_DELAYS) + "P"
    assert sum(opened.clock.slept) == sum(READ_BACK_DELAYS)


def test_4_not_more_than_one_more_try() -> None:
    """Fault 4: when the second answer is lost too and nothing is there, the outcome is unknown."""
    lost = httpx.Response(500)
    opened = Opened(lost, *[ABSENT] * len(READ_BACK_DELAYS), lost, ABSENT)
    with pytest.raises(OutcomeUnknown, match="sent twice"):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert methods(opened).count("P") == 2


def test_4_a_second_lost_answer_is_looked_after_too() -> None:
    """Fault 4: the second write is read back as the first was."""
    lost = httpx.Response(500)
    opened = Opened(lost, *[ABSENT] * len(READ_BACK_DELAYS), lost, ABSENT, one(OURS))
    assert opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled


@pytest.mark.parametrize("reply", [httpx.Response(200, content=b"<html>"), refused(418), refused(401), (200, {})])
def test_5_a_failed_reading_back_leaves_it_unknown(reply: Reply) -> None:
    """Fault 5: where reading back fails, nothing is claimed, and a rerun is named as the next step."""
    opened = Opened(httpx.ReadTimeout("late"), reply)
    with pytest.raises(OutcomeUnknown, match="not known") as caught:
        opened.client.create(Kind.ASSIGNMENT_SOURCE, EXPOSURES)
    assert caught.value.exit_code == 2
    assert "Run it again" in caught.value.fix
    assert methods(opened).count("P") == 1


def test_5_no_connection_for_reading_back_leaves_it_unknown() -> None:
    """Fault 5: the same where the connection is gone for good."""
    opened = Opened(httpx.ReadTimeout("late"), httpx.ConnectError("down"))
    with pytest.raises(OutcomeUnknown, match="No connection"):
        opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS)


def test_6_a_late_commit_is_waited_for() -> None:
    """Fault 6: an object that shows only at the third look is recognised, and not written again."""
    opened = Opened(httpx.ReadTimeout("late"), ABSENT, ABSENT, one(OURS))
    assert opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled
    assert methods(opened) == "PGGG"
    assert "its answer was lost" in opened.waits[0].reason


def test_6_already_exists_on_the_second_try_is_compared() -> None:
    """Fault 6: the first write commits after all looks; the second is refused, and what is there is ours."""
    opened = Opened(
        httpx.ReadTimeout("late"), *[ABSENT] * len(READ_BACK_DELAYS), refused(400, "already in use"), one(OURS)
    )
    assert opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled


@pytest.mark.parametrize("taken", [refused(400, 'Metric source name "Orders" is already in use.'), refused(409)])
def test_55_a_name_that_is_taken_is_looked_for_within_the_budget(taken: Reply) -> None:
    """Fault 55: our own lost creation took the name: the object is waited for, however late it shows."""
    lost = httpx.ReadTimeout("late")
    opened = Opened(lost, *[ABSENT] * len(READ_BACK_DELAYS), taken, *[ABSENT] * 20, one(OURS))
    assert opened.client.create(Kind.METRIC_SOURCE, ORDERS).reconciled
    assert methods(opened).count("P") == 2


def test_55_a_name_that_stays_taken_is_unknown() -> None:
    """Fault 55: where the object never shows, the outcome is unknown when the budget is spent, and not a failure."""
    replies: list[Reply] = [
        httpx.ReadTimeout("late"),
        *[ABSENT] * len(READ_BACK_DELAYS),
        refused(400, "already in use"),
        ABSENT,
    ]
    opened = Opened(*replies, budget=60)
    with pytest.raises(OutcomeUnknown, match="its name was taken"):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert 30 < sum(opened.clock.slept) <= 60


def test_55_a_stop_ends_the_looking() -> None:
    """Fault 55: a run that ends does not wait for the budget; the outcome is unknown."""

    def stop(pause: Waiting) -> None:
        if pause.seconds > READ_BACK_DELAYS[-1]:
            opened.client.stop()

    replies: list[Reply] = [
        httpx.ReadTimeout("late"),
        *[ABSENT] * len(READ_BACK_DELAYS),
        refused(400, "already in use"),
        ABSENT,
    ]
    opened = Opened(*replies, on_wait=stop)
    with pytest.raises(OutcomeUnknown, match="its name was taken"):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert sum(opened.clock.slept) < 60


def test_6_already_exists_with_other_values_is_a_conflict() -> None:
    """Fault 6: what has appeared in between is not ours."""
    opened = Opened(
        httpx.ReadTimeout("late"), *[ABSENT] * len(READ_BACK_DELAYS), refused(409, "already in use"), one(THEIRS)
    )
    with pytest.raises(Conflict):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)


def test_a_refused_second_try_that_left_nothing_is_a_refusal() -> None:
    """When the second try is refused and nothing is there, the refusal is the outcome."""
    opened = Opened(httpx.ReadTimeout("late"), *[ABSENT] * len(READ_BACK_DELAYS), refused(400, "No such table"), ABSENT)
    with pytest.raises(Refused, match="No such table"):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)


def test_a_second_try_that_cannot_be_sent_leaves_it_unknown() -> None:
    """When the run loses its key between the tries, the first one's outcome is not claimed."""
    opened = Opened(httpx.ReadTimeout("late"), *[ABSENT] * len(READ_BACK_DELAYS), refused(401))
    with pytest.raises(OutcomeUnknown, match="not sent again"):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)


def test_a_create_that_meets_somebody_elses_object_is_a_conflict() -> None:
    """The answer is lost, and an object of that name holds other values: nobody's write is claimed or undone."""
    opened = Opened(httpx.Response(502), one(THEIRS))
    with pytest.raises(Conflict, match="not ours") as caught:
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert caught.value.exit_code == 1
    assert methods(opened) == "PG"


def test_7_an_update_that_happened_is_recognised() -> None:
    """Fault 7: the answer is lost, every declared field is as sent: success."""
    opened = Opened(httpx.ReadTimeout("late"), one(OURS))
    written = opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS, before=BEFORE)
    assert written.reconciled
    assert methods(opened) == "PG"


@pytest.mark.parametrize("reply", [one(THEIRS), ABSENT])
def test_7_somebody_elses_value_is_a_conflict(reply: tuple[int, Any]) -> None:
    """Fault 7: a third value, or nothing at all, is a conflict, and is not overwritten."""
    opened = Opened(httpx.ReadTimeout("late"), reply)
    with pytest.raises(Conflict):
        opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS, before=BEFORE)
    assert methods(opened) == "PG"


def test_7_an_update_that_did_not_happen_is_sent_again() -> None:
    """Fault 7: where the console still holds what was there before, the update is sent once more."""
    opened = Opened(httpx.ReadTimeout("late"), *[one(AS_BEFORE)] * len(READ_BACK_DELAYS), one(OURS))
    assert not opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS, before=BEFORE).reconciled
    assert methods(opened) == "P" + "G" * len(READ_BACK_DELAYS) + "P"


def test_7_without_the_value_before_another_value_is_unknown() -> None:
    """Fault 7: unless the caller says what was there before, another value may be old or somebody else's."""
    opened = Opened(httpx.ReadTimeout("late"), one(THEIRS))
    with pytest.raises(OutcomeUnknown, match="not what was sent"):
        opened.client.update(Kind.METRIC_SOURCE, "Orders", ORDERS)
    assert methods(opened) == "P" + "G" * len(READ_BACK_DELAYS)


def test_only_the_fields_of_a_patch_are_compared() -> None:
    """A partial update is recognised by its own fields, whatever the others hold."""
    live = {"name": "Users", "sql": "select 'other'", "timestampAsDay": True}
    opened = Opened(httpx.ReadTimeout("late"), one(live))
    written = opened.client.patch(
        Kind.ENTITY_PROPERTY_SOURCE, "Users", USERS, fields=frozenset({"timestamp_as_day"}), before=None
    )
    assert written.reconciled


def test_a_lost_rename_is_found_under_either_name() -> None:
    """After a lost rename the new name is looked up first, then the old one."""
    old = EntityPropertySource(name="Old", sql="select 1", timestamp_as_day=True)
    renamed = Opened(httpx.ReadTimeout("late"), one({"name": "Users", "sql": "select 1", "timestampAsDay": True}))
    assert renamed.client.update(Kind.ENTITY_PROPERTY_SOURCE, "Old", USERS, before=old).reconciled
    still_old = one({"name": "Old", "sql": "select 1", "timestampAsDay": True})
    done = one({"name": "Users", "sql": "select 1", "timestampAsDay": True})
    kept = Opened(httpx.ReadTimeout("late"), *[ABSENT, still_old] * len(READ_BACK_DELAYS), done)
    assert not kept.client.update(Kind.ENTITY_PROPERTY_SOURCE, "Old", USERS, before=old).reconciled
    assert methods(kept) == "P" + "GG" * len(READ_BACK_DELAYS) + "P"


def test_a_lost_deletion_is_read_back() -> None:
    """A deletion whose answer was lost is done when the object is gone, else tried once more."""
    gone = Opened(httpx.ReadTimeout("late"), ABSENT)
    gone.client.delete(Kind.METRIC_SOURCE, "Orders")
    assert methods(gone) == "PG"
    again = Opened(httpx.ReadTimeout("late"), *[one(OURS)] * len(READ_BACK_DELAYS), refused(404), ABSENT)
    assert again.client.delete(Kind.METRIC_SOURCE, "Orders").reconciled
    assert methods(again) == "P" + "G" * len(READ_BACK_DELAYS) + "PG"
    stays = Opened(httpx.ReadTimeout("late"), *[one(OURS)] * len(READ_BACK_DELAYS), refused(400, "In use"), one(OURS))
    with pytest.raises(Refused, match="In use"):
        stays.client.delete(Kind.METRIC_SOURCE, "Orders")


def test_an_empty_answer_to_a_deletion_is_a_success() -> None:
    """A deletion needs no body in its answer; an HTML page is still doubted."""
    Opened(httpx.Response(204), ABSENT).client.delete(Kind.METRIC_SOURCE, "Orders")
    doubted = Opened(httpx.Response(200, content=b"<html>"))
    with pytest.raises(OutcomeUnknown):
        doubted.client.delete(Kind.METRIC_SOURCE, "Orders")


def test_a_stop_does_not_break_off_what_is_under_way() -> None:
    """A write that was sent before the run was asked to stop is still read back; it is not sent again."""
    stopped: Opened = Opened(httpx.ReadTimeout("late"), ABSENT, on_wait=lambda _: stopped.client.stop())
    with pytest.raises(OutcomeUnknown, match="run is ending"):
        stopped.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert methods(stopped) == "P" + "G" * len(READ_BACK_DELAYS)


def test_without_budget_there_is_one_look() -> None:
    """When no waiting is left, what the first look shows is all that is known."""
    opened = Opened(httpx.ReadTimeout("late"), ABSENT, httpx.ReadTimeout("late"), ABSENT, budget=0.5)
    with pytest.raises(OutcomeUnknown):
        opened.client.create(Kind.METRIC_SOURCE, ORDERS)
    assert methods(opened) == "PGPG"


def test_the_callers_comparison_decides() -> None:
    """What counts as the same is the caller's to say."""
    opened = Opened(httpx.ReadTimeout("late"), one(THEIRS), same=lambda _payload, _live: True)
    assert isinstance(opened.client.create(Kind.METRIC_SOURCE, ORDERS), Written)


def test_a_kind_without_read_endpoint_is_read_back_from_its_list() -> None:
    """A lost creation of an assignment source is looked for in the list."""
    opened = Opened(
        httpx.ReadTimeout("late"), page({"name": "Exposures", "sql": "select 1", "experimentIDColumn": "e"}, total=1)
    )
    assert opened.client.create(Kind.ASSIGNMENT_SOURCE, EXPOSURES).reconciled


def test_a_missing_object_is_not_found_at_the_first_try() -> None:
    """A 404 that answers an update is no lost answer."""
    with pytest.raises(NotFound):
        Opened(ABSENT).client.update(Kind.METRIC_SOURCE, "Orders", ORDERS, before=BEFORE)
