"""--adopt for an object that has another name than the source which it is to become."""

from __future__ import annotations

import pytest

from dbt_statsig.planning.adoption import without_creations
from dbt_statsig.vocabulary.changes import Action, Change, FieldChange
from dbt_statsig.vocabulary.sources import Kind, Source
from tests.unit.planning.test_matching import ASSIGNMENT, EVENT, only, planned, shown, source, wanted

LIVE = [source("All orders")]


def adopting(*words: str, live: list[object] | None = None, kind: Kind = ASSIGNMENT, names: str = "A") -> list[Change]:
    """The changes of one plan in which these words are adopted."""
    desired = [wanted(name, name.lower(), kind=kind) for name in names.split(",")]
    held = [source("All orders", kind=kind)] if live is None else live
    return list(planned(desired, held, kind=kind, adopt=frozenset(words)).changes)  # type: ignore[arg-type]  # sources


@pytest.mark.parametrize("word", ["All orders", "All orders=A"])
@pytest.mark.parametrize("kind", [ASSIGNMENT, Kind.ENTITY_PROPERTY_SOURCE])
def test_it_is_taken_over_and_renamed(kind: Kind, word: str) -> None:
    """Where it is certain which source is meant, the object becomes that one under its new name."""
    (change,) = adopting(word, kind=kind)
    assert (change.action, change.adopted, change.live_name, change.name) == (Action.RENAME, True, "All orders", "A")
    assert change.fields[0] == FieldChange(field="name", before="All orders", after="A")


@pytest.mark.parametrize("word", ["All orders", "All orders=A"])
def test_a_kind_that_cannot_be_renamed(word: str) -> None:
    """Where the kind has no rename, nothing is created beside the object, and the message says what to declare."""
    (change,) = adopting(word, kind=EVENT)
    assert change.action is Action.BLOCKED
    assert change.reason == '"All orders" cannot become "A": Statsig cannot rename a qualifying event.'
    assert change.fix == 'Declare it as "All orders", or remove --adopt to create "A" as well.'


def test_more_than_one_source_could_be_meant() -> None:
    """Where two sources are new, neither is created, and the precise form is named."""
    changes = adopting("All orders", names="A,B")
    assert {change.action for change in changes} == {Action.BLOCKED}
    assert changes[0].reason == (
        'It is not certain which assignment source "All orders" should become, so none is created.'
    )
    assert changes[0].fix == 'Name both: --adopt "All orders=A".'
    distinct = adopting("All orders=B", names="A,B")
    assert [(change.action, change.name) for change in distinct] == [(Action.CREATE, "A"), (Action.RENAME, "B")]


def test_another_kind_is_left_alone() -> None:
    """An object that is not of this kind, or that is ours already, changes nothing for new sources of the kind."""
    assert shown(planned([wanted("A", "a")], [], adopt=frozenset({"All orders"}))) == [("create", "A")]
    ours = [source("A", "a"), source("B", "b")]
    plan = planned([wanted("A", "a"), wanted("C", "c")], ours, adopt=frozenset({"B"}))
    assert shown(plan) == [("unchanged", "A"), ("orphan", "B"), ("create", "C")]


def test_nothing_is_new() -> None:
    """Without a source that is not there yet, the name concerns nobody."""
    plan = planned([wanted("A", "a")], [source("A", "a"), *LIVE], adopt=frozenset({"All orders"}))
    assert shown(plan) == [("unchanged", "A")]


def test_the_same_command_again() -> None:
    """Once the object is taken over, the same words change nothing."""
    assert shown(planned([wanted("A", "a")], [source("A", "a")], adopt=frozenset({"All orders=A"}))) == [
        ("unchanged", "A")
    ]


@pytest.mark.parametrize(
    ("word", "live", "reason", "fix"),
    [
        (
            "All order=A",
            LIVE,
            'Statsig has no assignment source "All order" to take over.',
            'Did you mean "All orders"?',
        ),
        ("x=A", [], 'Statsig has no assignment source "x" to take over.', "Give its name as it is in Statsig."),
        (
            "All orders=A",
            [*LIVE, source("A")],
            '"All orders" cannot become "A": Statsig already has "A".',
            'Remove --adopt "All orders=A", or delete "A" in Statsig.',
        ),
    ],
)
def test_what_cannot_be_done(word: str, live: list[object], reason: str, fix: str) -> None:
    """A pair that does not fit is refused with the reason, and creates nothing."""
    change = next(one for one in adopting(word, live=live) if one.name == "A")
    assert (change.action, change.reason, change.fix) == (Action.BLOCKED, reason, fix)


def test_an_own_object_that_stays() -> None:
    """An own object that is declared does not become another one."""
    changes = adopting("Mine=A", live=[source("Mine", "mine")], names="A,Mine")
    (refused,) = [one for one in changes if one.name == "A"]
    reason = '"Mine" cannot become "A": it is, or becomes, another assignment source of this project.'
    assert (refused.action, refused.reason, refused.fix) == (Action.BLOCKED, reason, 'Remove --adopt "Mine=A".')


def test_one_object_for_two() -> None:
    """One object cannot become two sources, and nobody guesses which one it should become."""
    changes = adopting("All orders=A", "All orders=B", names="A,B")
    assert [(change.action, change.name) for change in changes] == [(Action.BLOCKED, "A"), (Action.BLOCKED, "B")]
    assert {change.reason for change in changes} == {'"All orders" cannot become all of "A", "B".'}


def test_an_equals_sign_in_a_name() -> None:
    """Names may hold an equals sign: a whole name is one, and of a pair the reading that exists counts."""
    assert only(planned([wanted("a=b", "a")], [source("a=b")], adopt=frozenset({"a=b"}))).action is Action.UPDATE
    change = only(planned([wanted("b=c", "a")], [source("a")], adopt=frozenset({"a=b=c"})))
    assert (change.action, change.live_name, change.name) == (Action.RENAME, "a", "b=c")
    change = only(planned([wanted("c", "a")], [source("a=b")], adopt=frozenset({"a=b=c"})))
    assert (change.action, change.live_name, change.name) == (Action.RENAME, "a=b", "c")


def test_a_foreign_twin_of_the_new_name() -> None:
    """An adoption under another name is refused where that would put it beside a twin."""
    changes = adopting("All orders=A", live=[*LIVE, source("a")])
    assert [(change.action, change.name) for change in changes] == [(Action.FOREIGN, "A")]


@pytest.mark.parametrize(
    "live", [[source("All orders"), source("A", "a")], [source("All orders", "x"), source("A", "a")]]
)
def test_the_source_is_there_already(live: list[object]) -> None:
    """An object cannot become a source that this project has already: that is reported, and neither is touched."""
    change = next(one for one in adopting("All orders=A", live=live) if one.name == "A")
    assert change.action is Action.BLOCKED
    assert change.reason == '"All orders" cannot become "A": this project already has "A" in Statsig.'
    assert change.fix == 'Remove --adopt "All orders=A", or delete one of the two in Statsig.'
    (done,) = adopting("All orders=A", live=[source("A", "a")])
    assert done.action is Action.UNCHANGED


NAMED = frozenset({(ASSIGNMENT, "All orders", "A")})


def test_a_block_names_the_object_to_take_over() -> None:
    """Where nobody owns it, the object gets the block's name; once that is done, the key changes nothing."""
    change = only(planned([wanted("A", "a")], LIVE, named=NAMED))
    assert (change.action, change.adopted, change.live_name) == (Action.RENAME, True, "All orders")
    assert shown(planned([wanted("A", "a")], [source("A", "a")], named=NAMED)) == [("unchanged", "A")]
    assert shown(planned([wanted("A", "a")], [source("All orders", "a")], named=NAMED)) == [("rename", "A")]


def test_a_block_takes_nothing_from_another_project() -> None:
    """An object that another project owns stays there, and no second one is created."""
    change = only(planned([wanted("A", "a")], [source("All orders", "x", project="other")], named=NAMED))
    assert (change.action, change.reason) == (
        Action.BLOCKED,
        '"All orders" cannot become "A": another dbt project owns it.',
    )
    assert change.fix == 'To take it over all the same, run with --adopt "All orders=A".'
    word = frozenset({"All orders=A"})
    live = [source("All orders", "x", project="other")]
    assert shown(planned([wanted("A", "a")], live, named=NAMED, adopt=word)) == [("rename", "A")]


@pytest.mark.parametrize(
    ("live", "reason", "fix"),
    [
        ([], 'Statsig has no assignment source "All orders" to take over.', "Give its name as it is in Statsig."),
        (
            [*LIVE, source("A", "a")],
            '"All orders" cannot become "A": this project already has "A" in Statsig.',
            "Remove `adopt` from its block, or delete one of the two in Statsig.",
        ),
    ],
)
def test_an_object_that_a_block_cannot_take(live: list[Source], reason: str, fix: str) -> None:
    """The reason is the one of --adopt, and the next step names the block's key."""
    change = only(planned([wanted("A", "a")], live, named=NAMED))
    assert (change.action, change.reason, change.fix) == (Action.BLOCKED, reason, fix)


def test_a_block_of_a_kind_without_renames() -> None:
    """Where the kind cannot be renamed, the message says what to declare."""
    live = [source("All orders", kind=EVENT)]
    named = frozenset({(EVENT, "All orders", "A")})
    change = only(planned([wanted("A", "a", kind=EVENT)], live, kind=EVENT, named=named))
    assert change.fix == 'Declare it as "All orders", or remove `adopt` to create "A" as well.'


def test_listed_objects_are_taken_over() -> None:
    """An object that is named under its own name is taken where nobody owns it, and no other object is."""
    named = frozenset({(ASSIGNMENT, "A", "A"), (EVENT, "B", "B")})
    live = [source("A"), source("B"), source("C", "x", project="other")]
    plan = planned([wanted("A", "a"), wanted("B", "b"), wanted("C", "c")], live, named=named)
    assert shown(plan) == [("update", "A"), ("foreign", "B"), ("foreign", "C")]
    named = frozenset({(ASSIGNMENT, "C", "C")})
    assert shown(planned([wanted("C", "c")], live[2:], named=named)) == [("foreign", "C")]


def test_objects_of_another_project_move_here() -> None:
    """With a project to adopt from, its declared objects are taken; with names, only these; nobody else's."""
    live = [source("A", "x", project="other"), source("B", "y", project="other"), source("C", "z", project="third")]
    desired = [wanted("A", "a"), wanted("B", "b"), wanted("C", "c"), wanted("D", "d")]
    every = planned(desired, [*live, source("D")], adopt_from=frozenset({"other"}))
    assert shown(every) == [("update", "A"), ("update", "B"), ("foreign", "C"), ("foreign", "D")]
    named = frozenset({(ASSIGNMENT, "D", "D")})
    both = planned(desired, [*live, source("D")], adopt_from=frozenset({"other"}), named=named)
    assert shown(both) == [("update", "A"), ("update", "B"), ("foreign", "C"), ("update", "D")]
    one = planned(desired, [*live, source("D")], adopt_from=frozenset({"other"}), adopt=frozenset("AD"))
    assert shown(one) == [("update", "A"), ("foreign", "B"), ("foreign", "C"), ("foreign", "D")]


def test_what_is_declared_there_stays() -> None:
    """An object that the other project still declares is not taken from it, and the next step is there."""
    live = [source("A", "x", project="other"), source("B", "y", project="other")]
    owners, there = frozenset({"other"}), frozenset({(ASSIGNMENT, "A")})
    plan = planned([wanted("A", "a"), wanted("B", "b")], live, adopt_from=owners, declared_there=there)
    kept, moved = plan.changes
    assert (kept.action, moved.action) == (Action.FOREIGN, Action.UPDATE)
    assert kept.reason == 'Not managed by this project: it belongs to dbt project "other", which declares it.'
    assert kept.fix == 'Remove its block in "other", and run `dbt parse` there.'


def test_a_word_that_matches_nothing_creates_nothing() -> None:
    """A misspelt name of an object may mean the source that is new, so it waits; what is there is still written."""
    plan = planned([wanted("A", "a"), wanted("B", "b", sql="SELECT 2")], [source("B", "b")])
    assert without_creations(plan, ()) is plan
    held = without_creations(plan, ["All ordres"])
    assert sorted(shown(held)) == [("blocked", "A"), ("update", "B")]
    (change,) = (one for one in held.changes if one.name == "A")
    assert change.reason == '--adopt "All ordres" matches nothing but may mean this source, so it is not created.'
