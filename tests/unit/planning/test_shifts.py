"""Names that move on: C was A, and A was B. No object gets what another one gave, and none another one's history."""

from __future__ import annotations

from itertools import permutations

import pytest
from msgspec import structs

from dbt_statsig.planning.matching import Action, Desired
from dbt_statsig.vocabulary.ownership import Ownership, archived, claim
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.planning.test_matching import ASSIGNMENT, EVENT, planned, shown, source, wanted
from tests.unit.planning.test_pairs import declared, metric, moves, named, plan_of

LIVE = [source("A", "a", sql="SELECT 1"), source("B", "a", sql="SELECT 2")]
MOVED = [wanted("C", "a", sql="SELECT 1"), wanted("A", "a", sql="SELECT 2")]
PAIRS = frozenset({(ASSIGNMENT, "A", "C"), (ASSIGNMENT, "B", "A")})


def test_metrics_whose_names_move_on() -> None:
    """Each metric keeps its history, and none gets other numbers; A is freed before B gets its name."""
    live = [metric("Apples", "a"), metric("Beans", "b")]
    plan = plan_of([metric("Cherries", "a"), metric("Apples", "b")], live)
    assert moves(plan) == [("rename", "Apples", "Beans"), ("rename", "Cherries", "Apples")]
    assert named(plan, "Apples").requires == ("Cherries",)
    assert {one.field for change in plan.changes for one in change.fields} == {"name"}


def test_sources_whose_names_move_on() -> None:
    """The same for sources, whatever the order of the lists; what else is declared is changed with it."""
    moved = [structs.replace(one, payload=structs.replace(one.payload, tags=("dbt",))) for one in MOVED if one.payload]
    for live in permutations([*LIVE, source("Z", "a", sql="SELECT 9")]):
        plan = planned([*moved, wanted("Z", "a", sql="SELECT 9")], live)
        assert moves(plan) == [("rename", "A", "B"), ("rename", "C", "A"), ("unchanged", "Z", "Z")]
        assert [[one.field for one in change.fields] for change in plan.changes[:2]] == [["name", "tags"]] * 2


def test_what_moved_from_elsewhere_takes_no_other_history() -> None:
    """Where C gives what A did, and A something new, C is not what B is called now: the plan asks."""
    plan = planned([MOVED[0], wanted("A", "a", sql="SELECT 3")], LIVE)
    assert moves(plan) == [("update", "A", "A"), ("orphan", "B", "B"), ("create", "C", "")]
    assert plan.changes[2].reason == 'It may be "B" under a new name, which is not certain.'
    copied = planned([wanted("A", "a"), wanted("C", "a")], LIVE)
    assert moves(copied) == [("unchanged", "A", "A"), ("rename", "C", "B")]


def test_two_that_exchange_their_names() -> None:
    """They are refused: which of the two an experiment means is not for us to guess."""
    plan = planned([wanted("A", "a", sql="SELECT 2"), wanted("B", "a", sql="SELECT 1")], LIVE)
    assert shown(plan) == [("blocked", "A"), ("blocked", "B")]
    assert "in a circle" in plan.changes[0].reason


@pytest.mark.parametrize(
    "desired",
    [
        pytest.param([wanted("A", "a", sql="SELECT 3"), wanted("B", "a", sql="SELECT 2")], id="other SQL"),
        pytest.param([wanted("A", "a", sql="SELECT 2"), wanted("B", "a", sql="SELECT 2")], id="two of the same"),
        pytest.param([wanted("A", "a", sql="SELECT 2"), wanted("B", "a", sql="SELECT 3")], id="nothing gives A's rows"),
        pytest.param([wanted("A", "a", sql="SELECT 2")], id="B is gone"),
    ],
)
def test_what_only_changes(desired: list[Desired]) -> None:
    """Without proof that a name has moved, a declared change is an update of the object that has the name."""
    assert ("update", "A", "A") in moves(planned(desired, LIVE))


def test_what_is_not_known_moves_nothing() -> None:
    """Beside an error, a block that cannot be read or an archived metric, no name is taken for another's."""
    broken = Desired(kind=ASSIGNMENT, name="D", unique_id="model.shop.a", payload=None, blocked="It has errors.")
    assert moves(planned([*MOVED, broken], LIVE))[0] == ("update", "A", "A")
    unread = frozenset({(ASSIGNMENT, "model.shop.a", "D")})
    assert moves(planned(MOVED, LIVE, unread=unread))[0] == ("update", "A", "A")
    away = structs.replace(
        metric("Beans", "b"), description=archived(claim("", Ownership("shop", "model.shop.orders")))
    )
    plan = plan_of([metric("Cherries", "a"), metric("Apples", "b")], [metric("Apples", "a"), away])
    assert named(plan, "Apples").action is Action.UPDATE


def test_a_name_that_is_taken_moves_nothing() -> None:
    """While another object has the new name, what would have to make room stays where it is."""
    foreign = source("C", "x", project="other", sql="SELECT 1")
    assert moves(planned(MOVED, [*LIVE, foreign]))[:1] == [("update", "A", "A")]


def test_blocks_name_what_has_moved_on() -> None:
    """`adopt` in both blocks is a chain of renames, also with other SQL; once it is done, the keys change nothing."""
    changed = [MOVED[0], wanted("A", "a", sql="SELECT 3")]
    plan = planned(changed, LIVE, renamed=PAIRS)
    assert moves(plan) == [("rename", "A", "B"), ("rename", "C", "A")]
    assert plan.changes[0].requires == ("C",)
    half = [source("C", "a", sql="SELECT 1"), LIVE[1]]
    assert moves(planned(changed, half, renamed=PAIRS)) == [("rename", "A", "B"), ("unchanged", "C", "C")]
    done = [source("C", "a", sql="SELECT 1"), source("A", "a", sql="SELECT 3")]
    assert {one.action for one in planned(changed, done, renamed=PAIRS).changes} == {Action.UNCHANGED}
    assert moves(planned(changed, LIVE, adopt=frozenset({"A=C", "B=A"}))) == moves(plan)


def test_a_chain_that_cannot_begin() -> None:
    """Where the first of a chain cannot be written, what needs its name is not written either."""
    broken = Desired(kind=ASSIGNMENT, name="C", unique_id="model.shop.a", payload=None, blocked="It has errors.")
    plan = planned([broken, wanted("A", "a", sql="SELECT 3")], LIVE, renamed=PAIRS)
    assert {one.action for one in plan.changes} == {Action.BLOCKED}
    assert len(plan.changes) == 2


def test_a_block_that_names_what_another_one_declares() -> None:
    """It is refused, and neither renamed nor created: its history would be another one's, or none."""
    renamed = frozenset({(ASSIGNMENT, "A", "C")})
    plan = planned([wanted("C", "a"), wanted("A", "a")], [source("A", "a")], renamed=renamed)
    assert moves(plan) == [("unchanged", "A", "A"), ("blocked", "C", "")]
    assert plan.changes[1].reason == (
        '"A" cannot become "C": it is, or becomes, another assignment source of this project.'
    )
    assert plan.changes[1].fix == "Remove `adopt` from its block."
    elsewhere = planned([wanted("C", "a"), wanted("A", "b")], [source("A", "a")], renamed=renamed)
    assert moves(elsewhere) == [("create", "A", ""), ("rename", "C", "A")]


def test_a_freed_name_takes_no_object_of_another_project() -> None:
    """A block that names another project's object does not get it because its own one moves on."""
    theirs = source("T", "t", project="other")
    renamed = frozenset({(ASSIGNMENT, "A", "C"), (ASSIGNMENT, "T", "A")})
    desired, live = [wanted("C", "a"), wanted("A", "a")], [source("A", "a"), theirs]
    plan = planned(desired, live, renamed=renamed, named=frozenset({(ASSIGNMENT, "T", "A")}))
    assert not any(one.live_name == "T" or one.adopted for one in plan.changes if one.action.writes)


def test_kinds_without_renames_keep_their_objects() -> None:
    """A qualifying event is updated under its name; what its name had before is created as what replaces it."""
    live = [source(one.name, "a", kind=EVENT, sql=str(one.sql)) for one in LIVE]
    desired = [wanted(one.name, "a", kind=EVENT, sql=str(one.payload.sql)) for one in MOVED if one.payload]
    plan = planned(desired, live, kind=EVENT, renamed=frozenset({(EVENT, "A", "C"), (EVENT, "B", "A")}))
    assert moves(plan) == [("update", "A", "A"), ("orphan", "B", "B"), ("create", "C", "")]


def test_a_metric_that_another_node_declares() -> None:
    """A metric that has moved to another model keeps its history there, whatever its old node declares now."""
    live = [metric("Apples", "a"), metric("Beans", "b")]
    moved = declared(metric("Apples", "a", node="model.shop.new"), "model.shop.new")
    plan = plan_of([moved, metric("Beans", "x"), metric("Cherries", "b")], live)
    assert named(plan, "Apples").live_name == "Apples"
    assert Kind.METRIC is named(plan, "Beans").kind
