"""--adopt for an object that has another name than the source which it is to become."""

from __future__ import annotations

import pytest

from dbt_statsig.vocabulary.changes import Action, Change, FieldChange
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.planning.test_matching import ASSIGNMENT, EVENT, only, planned, source, told, wanted

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
        'It is not certain which source "All orders" should become, so no assignment source is created.'
    )
    assert changes[0].fix == 'Name both: --adopt "All orders=A".'
    told_apart = adopting("All orders=B", names="A,B")
    assert [(change.action, change.name) for change in told_apart] == [(Action.CREATE, "A"), (Action.RENAME, "B")]


def test_another_kind_is_left_alone() -> None:
    """An object that is not of this kind, or that is ours already, changes nothing for new sources of the kind."""
    assert told(planned([wanted("A", "a")], [], adopt=frozenset({"All orders"}))) == [("create", "A")]
    ours = [source("A", "a"), source("B", "b")]
    plan = planned([wanted("A", "a"), wanted("C", "c")], ours, adopt=frozenset({"B"}))
    assert told(plan) == [("unchanged", "A"), ("orphan", "B"), ("create", "C")]


def test_nothing_is_new() -> None:
    """Without a source that is not there yet, the name concerns nobody."""
    plan = planned([wanted("A", "a")], [source("A", "a"), *LIVE], adopt=frozenset({"All orders"}))
    assert told(plan) == [("unchanged", "A")]


def test_the_same_command_again() -> None:
    """Once the object is taken over, the same words change nothing."""
    assert told(planned([wanted("A", "a")], [source("A", "a")], adopt=frozenset({"All orders=A"}))) == [
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
        (
            "Mine=A",
            [source("Mine", "m")],
            '"Mine" cannot become "A": it is, or becomes, another source of this project.',
            'Remove --adopt "Mine=A".',
        ),
    ],
)
def test_what_cannot_be_done(word: str, live: list[object], reason: str, fix: str) -> None:
    """A pair that does not fit is refused with the reason, and creates nothing."""
    change = next(one for one in adopting(word, live=live) if one.name == "A")
    assert (change.action, change.reason, change.fix) == (Action.BLOCKED, reason, fix)


def test_one_object_for_two() -> None:
    """One object cannot become two sources."""
    changes = adopting("All orders=A", "All orders=B", names="A,B")
    assert [(change.action, change.name) for change in changes] == [(Action.RENAME, "A"), (Action.BLOCKED, "B")]


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
    """An object cannot become a source that this project has already: that is said, and neither is touched."""
    change = next(one for one in adopting("All orders=A", live=live) if one.name == "A")
    assert change.action is Action.BLOCKED
    assert change.reason == '"All orders" cannot become "A": this project already has "A" in Statsig.'
    assert change.fix == 'Remove --adopt "All orders=A", or delete one of the two in Statsig.'
    (done,) = adopting("All orders=A", live=[source("A", "a")])
    assert done.action is Action.UNCHANGED
