"""What is not known of the console keeps back the writes that rest on it, and no others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from dbt_statsig.applying.console_state import checked_live
from dbt_statsig.commands.withholding import losses, withheld
from dbt_statsig.planning.matching import Desired, Scope, build_plan
from dbt_statsig.vocabulary.changes import Action, Change
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from dbt_statsig.vocabulary.ownership import Ownership, claim
from dbt_statsig.vocabulary.sources import IdType, Kind, Source
from tests.unit.console.service import Opened, one, page, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

WRONG = (
    "null", "7", '"a text"', "true", '["a"]', '[["a"]]', '{"a": 1}', "NaN", "9" * 400, '""', '"\\ud800"', "[null]"
)  # fmt: skip


def wanted(kind: Kind, name: str, node: str, **fields: Any) -> Desired:
    """A declaration of one source."""
    values: dict[str, Any] = {
        "description": claim("Ours.", Ownership("shop", f"model.shop.{node}")),
        "sql": "select 1",
        "timestamp_column": "ts",
        "id_type_mapping": (IdType(statsig_unit_id="userID", column="user_id"),),
        **fields,
    }
    payload = SPECS[kind].payload(name=name, **values)
    return Desired(kind=kind, name=name, unique_id=f"model.shop.{node}", payload=payload)


def live_object(desired: Desired) -> dict[str, Any]:
    """What the console holds of a declaration that was pushed."""
    assert desired.payload is not None
    return dict(msgspec.to_builtins(desired.payload))


def planned(kind: Kind, desired: Sequence[Desired], *replies: Any, **scope: Any) -> tuple[dict[str, Change], list[str]]:
    """The changes by name against a console that gives these replies, and all that is reported besides."""
    opened = Opened(*replies)
    reading = checked_live(opened.client, {kind: opened.client.list(kind)}, desired)
    plan = withheld(build_plan(desired, reading.live, Scope(project="shop", **scope)), reading)
    return {change.name: change for change in plan.changes}, [*reading.warnings, *reading.notes]


def listed(*entries: str) -> httpx.Response:
    """A page of these entries, which are JSON texts."""
    pagination = f'{{"nextPage": null, "totalItems": {len(entries)}}}'
    return httpx.Response(200, content=f'{{"data": [{", ".join(entries)}], "pagination": {pagination}}}'.encode())


def spoilt(item: dict[str, Any], field: str, value: str) -> str:
    """An object as JSON, one of its fields replaced by a text of JSON."""
    return json.dumps({**item, field: "@@"}).replace('"@@"', value)


def fields_of(kind: Kind) -> list[str]:
    """The names of all fields of a kind on the wire."""
    return [field.encode_name for field in msgspec.structs.fields(SPECS[kind].payload)]


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
@pytest.mark.parametrize("ours", [True, False])
def test_53_any_wrong_value_concerns_its_object_only(kind: Kind, *, ours: bool) -> None:
    """Fault 53: whatever is in any field of one object, the others are planned as ever, and nothing is lost."""
    good, odd = wanted(kind, "Good", "good", sql="select 2"), wanted(kind, "Odd", "odd")
    neighbour = live_object(odd) if ours else {**live_object(odd), "description": "By hand.", "name": "Theirs"}
    for field in fields_of(kind):
        for value in WRONG:
            if (field, value) == ("name", '"a text"'):
                continue
            replies = listed(json.dumps({**live_object(good), "sql": "select 1"}), spoilt(neighbour, field, value))
            desired = [good, odd] if ours else [good]
            changes, shown = planned(kind, desired, replies, prune=True)
            place = f"{field}: {value[:20]}"
            assert changes["Good"].action is Action.UPDATE, place
            assert not any(change.action is Action.DELETE for change in changes.values()), place
            if not ours:
                assert set(changes) == {"Good"}, place
                assert all("cannot be read" in text for text in shown), place
            elif field == "name":
                # Its ownership line still says whose it is, so that it is not created a second time.
                assert changes["Odd"].action is Action.BLOCKED, place


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_53_ours_that_cannot_be_read_is_blocked_with_the_reason(kind: Kind) -> None:
    """Fault 53: an object of ours with a value of a wrong type is neither written nor deleted; the reason is given."""
    odd = wanted(kind, "Odd", "odd", sql="select 2")
    entry = {**live_object(odd), "timestampColumn": 7}
    changes, _ = planned(kind, [odd], page(entry, total=1))
    assert changes["Odd"].action is Action.BLOCKED
    assert "timestampColumn" in changes["Odd"].reason
    for prune, action in ((True, Action.BLOCKED), (False, Action.ORPHAN)):
        changes, _ = planned(kind, [], page(entry, total=1), prune=prune)
        assert changes["Odd"].action is action
        assert "timestampColumn" in changes["Odd"].reason
        assert "--prune" not in changes["Odd"].fix


@pytest.mark.parametrize("adopt", [frozenset(), frozenset({"Odd"})])
def test_53_a_name_of_an_unreadable_object_is_not_taken(adopt: frozenset[str]) -> None:
    """Fault 53: a declared name that a foreign unreadable object has is refused, also where it is to be adopted."""
    odd = wanted(Kind.METRIC_SOURCE, "Odd", "odd")
    changes, _ = planned(Kind.METRIC_SOURCE, [odd], page({"name": "Odd", "sql": 7}, total=1), adopt=adopt)
    assert changes["Odd"].action in {Action.FOREIGN, Action.BLOCKED}
    assert "cannot be read" in changes["Odd"].reason


SHORT = page({"name": "Other"}, total=3)


@pytest.mark.parametrize("kind", [kind for kind in BLOCK_KINDS if SPECS[kind].can_read])
def test_54_what_a_short_list_lacks_is_looked_for(kind: Kind) -> None:
    """Fault 54: with an incomplete list an object is created only where it certainly is not there."""
    source = wanted(kind, "One", "one", sql="select 2")
    there = {**live_object(source), "sql": "select 1"}
    for reply, action in ((refused(404), Action.CREATE), (one(there), Action.UPDATE), (refused(418), Action.BLOCKED)):
        changes, shown = planned(kind, [source], SHORT, SHORT, reply)
        assert changes["One"].action is action
        assert shown == [f"The list of {kind.label}s may be incomplete: 1 entries came, 3 were announced"]
    assert "could not be asked for this object" in changes["One"].reason


def test_54_a_kind_that_can_only_be_listed_is_not_created_from_a_short_list() -> None:
    """Fault 54: assignment sources cannot be read one by one, so a creation could be a second one."""
    source = wanted(Kind.ASSIGNMENT_SOURCE, "One", "one")
    changes, _ = planned(Kind.ASSIGNMENT_SOURCE, [source], SHORT)
    assert changes["One"].action is Action.BLOCKED
    assert "a second time" in changes["One"].reason


def test_54_a_list_that_is_whole_at_the_second_reading_is_taken() -> None:
    """Fault 54: a list that others changed while it was read is read once more."""
    source = wanted(Kind.ASSIGNMENT_SOURCE, "One", "one")
    changes, shown = planned(Kind.ASSIGNMENT_SOURCE, [source], SHORT, page({"name": "Other"}, total=1))
    assert (changes["One"].action, shown) == (Action.CREATE, [])


def test_what_is_known_is_planned_as_ever() -> None:
    """Where every object can be read and the list is whole, the plan stays as it is."""
    source: Source = SPECS[Kind.METRIC_SOURCE].payload(name="One")
    entry = Desired(kind=Kind.METRIC_SOURCE, name="One", unique_id="model.shop.one", payload=source)
    blocked = Desired(kind=Kind.METRIC_SOURCE, name="Two", unique_id="model.shop.two", payload=None, blocked="No.")
    changes, shown = planned(Kind.METRIC_SOURCE, [entry, blocked], page(total=0), refused(404))
    assert [change.action for change in changes.values()] == [Action.CREATE, Action.BLOCKED]
    assert shown == []


def lost(kind: Kind, held: dict[str, Any], *, by_name: bool = False, **changed: Any) -> list[str]:
    """What a plan says of the loss of values that the console holds beside those of a pushed declaration."""
    before = wanted(kind, "A", "a")
    entry = {**live_object(before), **held}
    # An incomplete list does not have it: it is looked for by its name.
    short = page({"name": "B"}, total=2)
    replies = [short, short, one(entry)] if by_name else [page(entry)]
    opened = Opened(*replies)
    desired = [wanted(kind, "A", "a", **changed)]
    reading = checked_live(opened.client, {kind: opened.client.list(kind)}, desired)
    plan = withheld(build_plan(desired, reading.live, Scope(project="shop")), reading)
    found = list(losses(plan, reading))
    assert {(each.code, each.source, each.unique_id) for each in found} <= {("fields-lost", "A", "model.shop.a")}
    return [
        each.message.removeprefix('The update of "A" cannot send these values that Statsig has: ') for each in found
    ]


@pytest.mark.parametrize("by_name", [False, True])
def test_what_a_whole_update_cannot_send_is_named(by_name: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Values without a published field are named with their places, in YAML; what only Statsig writes is no loss."""
    held = {
        "retention": 30,
        "rollup": {"by": "day"},
        "label": "Grün",
        "empty": None,
        "none": [],
        "id": "1",
        "lastModifiedTime": 2,
        "isVerified": True,
        "idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id", "hashed": False}],
        "owner": {"ownerID": "a", "role": "x" * 500},
    }
    (shown,) = lost(Kind.METRIC_SOURCE, held, by_name=by_name, sql="select 2")
    assert shown == (
        'retention: 30, rollup: {"by": "day"}, label: "Grün", idTypeMapping[0].hashed: false, '
        f'owner.role: "{"x" * 199}….'
    )


def test_an_update_that_changes_nothing_or_sends_a_part_loses_nothing() -> None:
    """No word where nothing is written, and of a partial update only what stands inside the fields that it sends."""
    held = {
        "retention": 30,
        "idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id", "hashed": True}],
    }
    entity = Kind.ENTITY_PROPERTY_SOURCE
    mapping = (IdType(statsig_unit_id="userID", column="uid"),)
    assert lost(Kind.METRIC_SOURCE, held) == []
    assert lost(entity, held, tags=("core",)) == []
    assert lost(entity, held, id_type_mapping=mapping) == ["idTypeMapping[0].hashed: true."]
    assert lost(entity, {**held, "owner": {"role": "x"}}, sql="select 2") == [
        "retention: 30, idTypeMapping[0].hashed: true."
    ]
