"""What a plan says of each object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from dbt_statsig.planning.matching import Action, Change, Desired, Live, Plan, Scope, build_plan
from dbt_statsig.planning.owned import absent, owned
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import Ownership, claim
from dbt_statsig.vocabulary.sources import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ASSIGNMENT, EVENT = Kind.ASSIGNMENT_SOURCE, Kind.QUALIFYING_EVENT


def source(
    name: str, node: str = "", *, kind: Kind = ASSIGNMENT, project: str = "shop", sql: str = "SELECT 1"
) -> Source:
    """A source that `node` of `project` owns; nobody's without a node."""
    description = claim("", Ownership(project, f"model.{project}.{node}")) if node else "By hand."
    return SPECS[kind].payload(name=name, description=description, sql=sql)


def wanted(name: str, node: str, *, kind: Kind = ASSIGNMENT, sql: str = "SELECT 1", blocked: str = "") -> Desired:
    """A declaration of `node`."""
    payload = source(name, node, kind=kind, sql=sql)
    return Desired(kind=kind, name=name, unique_id=f"model.shop.{node}", payload=payload, blocked=blocked)


def planned(
    desired: Sequence[Desired], live: Sequence[Source], *, kind: Kind = ASSIGNMENT, complete: bool = True, **scope: Any
) -> Plan:
    """The plan of one kind for the project `shop`."""
    return build_plan(desired, {kind: Live(items=tuple(live), complete=complete)}, Scope(project="shop", **scope))


def shown(plan: Plan) -> list[tuple[str, str]]:
    """Action and name of each change."""
    return [(change.action.value, change.name) for change in plan.changes]


def only(plan: Plan) -> Change:
    """The one change of a plan."""
    (change,) = plan.changes
    return change


def test_create() -> None:
    """What the console lacks is created."""
    assert shown(planned([wanted("A", "a")], [])) == [("create", "A")]


def test_unchanged() -> None:
    """What is as declared stays as it is."""
    assert shown(planned([wanted("A", "a")], [source("A", "a")])) == [("unchanged", "A")]


@pytest.mark.parametrize("live", [[], [source("A", "a")], [source("A", "a", sql="SELECT 2")]])
def test_every_change_names_its_model(live: list[Source]) -> None:
    """Whatever is done to a declared object, the change says which node declares it."""
    assert only(planned([wanted("A", "a")], live)).unique_id == "model.shop.a"


def test_update_names_the_fields() -> None:
    """What differs is updated, field by field."""
    change = only(planned([wanted("A", "a", sql="SELECT 2")], [source("A", "a")]))
    assert change.action is Action.UPDATE
    assert [(field.field, field.before, field.after) for field in change.fields] == [("sql", "SELECT 1", "SELECT 2")]


def test_another_node_of_ours_takes_the_object_over() -> None:
    """A model that was renamed keeps its source: the name is matched, and the ownership line follows."""
    change = only(planned([wanted("A", "new")], [source("A", "old")]))
    assert (change.action, [field.field for field in change.fields]) == (Action.UPDATE, ["description"])


@pytest.mark.parametrize("kind", [Kind.ASSIGNMENT_SOURCE, Kind.ENTITY_PROPERTY_SOURCE])
def test_rename(kind: Kind) -> None:
    """The same node under a new name is a rename where the kind allows one."""
    change = only(planned([wanted("B", "a", kind=kind)], [source("A", "a", kind=kind)], kind=kind))
    assert (change.action, change.live_name, change.name) == (Action.RENAME, "A", "B")
    assert [(field.field, field.before, field.after) for field in change.fields] == [("name", "A", "B")]


@pytest.mark.parametrize("kind", [Kind.QUALIFYING_EVENT, Kind.METRIC_SOURCE])
def test_rename_where_the_kind_has_none(kind: Kind) -> None:
    """Where a kind cannot be renamed, the new one is created and the old one reported with the reason."""
    plan = planned([wanted("B", "a", kind=kind)], [source("A", "a", kind=kind)], kind=kind)
    assert shown(plan) == [("orphan", "A"), ("create", "B")]
    assert '"B"' in plan.changes[0].reason
    assert '"A"' in plan.changes[1].reason


def test_rename_is_not_guessed() -> None:
    """Where a node has two new names or two old ones, nothing says which is which: create and report."""
    two_new = planned([wanted("B", "a"), wanted("C", "a")], [source("A", "a")])
    assert shown(two_new) == [("orphan", "A"), ("create", "B"), ("create", "C")]
    two_old = planned([wanted("C", "a")], [source("A", "a"), source("B", "a")])
    assert shown(two_old) == [("orphan", "A"), ("orphan", "B"), ("create", "C")]


def test_rename_beside_a_settled_one() -> None:
    """A node with two sources of a kind renames the one whose name is new."""
    plan = planned([wanted("A", "a"), wanted("C", "a")], [source("A", "a"), source("B", "a")])
    assert shown(plan) == [("unchanged", "A"), ("rename", "C")]


def test_rename_onto_a_name_that_gets_free() -> None:
    """Two nodes whose names move on in a chain are both renamed."""
    plan = planned([wanted("B", "a"), wanted("C", "b")], [source("A", "a"), source("B", "b")])
    assert shown(plan) == [("rename", "B"), ("rename", "C")]


def test_a_name_that_a_rename_frees() -> None:
    """A new source may take the old name of one that moves on: it is created, not made of the other's object."""
    plan = planned([wanted("B", "a"), wanted("A", "new")], [source("A", "a")])
    assert shown(plan) == [("create", "A"), ("rename", "B")]


def test_a_blocked_source_does_not_move() -> None:
    """A source that is blocked keeps its old name, so that nothing is planned onto it."""
    live = [source("A", "a"), source("X", "x")]
    plan = planned([wanted("B", "a", blocked="Errors."), wanted("A", "x")], live)
    assert shown(plan) == [("blocked", "A"), ("blocked", "B")]


def test_rename_onto_a_name_that_is_held() -> None:
    """A rename onto an object that stays is blocked, not forced."""
    plan = planned([wanted("B", "a")], [source("A", "a"), source("B", "gone")])
    assert shown(plan) == [("blocked", "B"), ("orphan", "B")]


def test_names_exchanged_in_a_circle_are_blocked() -> None:
    """The API cannot exchange names in one step, so both are blocked with the way out."""
    plan = planned([wanted("B", "a"), wanted("A", "b")], [source("A", "a"), source("B", "b")])
    assert shown(plan) == [("blocked", "A"), ("blocked", "B")]
    assert "circle" in plan.changes[0].reason


@pytest.mark.parametrize("project", ["", "other"])
def test_foreign(project: str) -> None:
    """An object that the console or another project owns is refused, and the way to adopt it is named."""
    live = source("A", "x", project="other") if project else source("A")
    change = only(planned([wanted("A", "a")], [live]))
    assert change.action is Action.FOREIGN
    assert '--adopt "A"' in change.fix
    assert (project or "without an ownership line") in change.reason


def test_adopt() -> None:
    """A foreign object that is named for adoption is updated, and reported as adopted."""
    change = only(planned([wanted("A", "a")], [source("A")], adopt=frozenset({"A"})))
    assert (change.action, change.adopted) == (Action.UPDATE, True)
    assert [field.field for field in change.fields] == ["description"]


@pytest.mark.parametrize(("project", "action"), [("", Action.UPDATE), ("other", Action.FOREIGN)])
def test_adopt_all(project: str, action: Action) -> None:
    """What nobody owns may all be adopted at once; another project's object has to be named."""
    live = source("A", "x", project="other") if project else source("A")
    assert only(planned([wanted("A", "a")], [live], adopt_all=True)).action is action


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda text: " ".join(text.split())])
def test_a_changed_line_of_another_project(change: Callable[[str], str]) -> None:
    """Where Statsig changed another project's line, its object is still that project's, and never adopted with all."""
    live = source("A", "x", project="other")
    changed = structs.replace(live, description=change(f"Words.\n{live.description}"))
    refused = only(planned([wanted("A", "a")], [changed], adopt_all=True))
    assert refused.action is Action.FOREIGN
    assert 'belongs to dbt project "other"' in refused.reason.replace("OTHER", "other")
    assert only(planned([wanted("A", "a")], [changed], adopt=frozenset({"A"}))).adopted


def test_a_marker_that_was_removed() -> None:
    """An object that is as declared but for its marker is reported as such; one that differs is the console's."""
    bare, other = source("A"), source("A", sql="SELECT 9")
    assert "without an ownership line" in only(planned([wanted("A", "a")], [bare])).reason
    assert "it has no ownership line" in only(planned([wanted("A", "a")], [other])).reason


def test_owned() -> None:
    """Only objects that bear this project's marker count as its own."""
    ours = (source("A", "a"), source("D", "d"))
    live = {
        ASSIGNMENT: Live(items=(*ours, source("B"), source("C", "c", project="other"))),
        EVENT: Live(items=()),
    }
    assert owned(Scope(project="shop"), live) == {ASSIGNMENT: 2, EVENT: 0}
    assert absent(Scope(project="shop"), live, {"model.shop.a"}.__contains__) == {"model.shop.d": 1}


def test_adopt_takes_nothing_else() -> None:
    """Adoption of one name leaves every other foreign object alone."""
    plan = planned([wanted("A", "a"), wanted("B", "b")], [source("A"), source("B")], adopt=frozenset({"A"}))
    assert shown(plan) == [("update", "A"), ("foreign", "B")]


def test_a_twin_in_other_case_is_refused() -> None:
    """A live name that differs only in case is not created a second time."""
    change = only(planned([wanted("checkout", "a")], [source("Checkout")]))
    assert change.action is Action.FOREIGN
    assert '"Checkout"' in change.reason


def test_orphan_and_prune() -> None:
    """Ours and no longer declared: shown, and deleted only with pruning."""
    assert shown(planned([], [source("A", "a")])) == [("orphan", "A")]
    assert shown(planned([], [source("A", "a")], prune=True)) == [("delete", "A")]


def test_an_incomplete_list_prunes_nothing() -> None:
    """Nothing is deleted on the strength of a list that may lack objects."""
    change = only(planned([], [source("A", "a")], prune=True, complete=False))
    assert change.action is Action.BLOCKED
    assert "incomplete" in change.fix


def test_foreign_objects_are_never_orphans() -> None:
    """What another project or the console owns does not show at all."""
    assert planned([], [source("A"), source("B", "b", project="other")], prune=True).changes == ()


def test_blocked() -> None:
    """A declaration with errors is blocked, and its live object is no orphan, whatever its name there."""
    plan = planned([wanted("B", "a", blocked="It has errors.")], [source("A", "a")], prune=True)
    assert shown(plan) == [("blocked", "B")]


def test_protected() -> None:
    """What a node owns whose block could not be read is neither changed nor an orphan."""
    protected = frozenset({(ASSIGNMENT, "model.shop.a")})
    assert planned([], [source("A", "a")], protected=protected, prune=True).changes == ()


def test_selection() -> None:
    """With a selection, objects of nodes that were not selected do not show."""
    live = [source("A", "a"), source("B", "b")]
    assert shown(planned([], live, selected_ids=frozenset({"model.shop.a"}), prune=True)) == [("delete", "A")]


def test_kinds_that_were_not_listed_are_left_out() -> None:
    """Only kinds whose live objects were read are planned."""
    desired = [wanted("A", "a"), wanted("E", "e", kind=EVENT)]
    assert shown(planned(desired, [])) == [("create", "A")]


def test_order() -> None:
    """Changes come by kind, then by name without case."""
    desired = [wanted("b", "b"), wanted("A", "a"), wanted("E", "e", kind=EVENT)]
    live = {EVENT: Live(items=()), ASSIGNMENT: Live(items=())}
    assert shown(build_plan(desired, live, Scope(project="shop"))) == [
        ("create", "A"),
        ("create", "b"),
        ("create", "E"),
    ]
