"""Where a difference was made: every case that the entries of an audit log can tell, and those that they cannot."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from dbt_statsig.planning.drift import enough, only_drift, suspects, with_origins
from dbt_statsig.planning.matching import Change, Desired, Plan, Scope
from dbt_statsig.vocabulary.audit import AuditEntry, AuditLog
from dbt_statsig.vocabulary.changes import FieldChange, Origin, Where
from dbt_statsig.vocabulary.kinds import AssignmentSource, QualifyingEvent
from dbt_statsig.vocabulary.ownership import Ownership, claim
from dbt_statsig.vocabulary.sources import Kind, Source
from tests.unit.planning.test_matching import planned

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 11, 27, tzinfo=timezone.utc)
LINE = claim("", Ownership("shop", "model.shop.a"))
KEY, OTHER_KEY, JANE, NOBODY = ("key", ""), ("key2", ""), ("jane", "jane@example.com"), ("", "")
BOB = ("bob", "bob@example.com")
CREATE, UPDATE, DELETE = (f"{verb}_echidna_assignment_source" for verb in ("create", "update", "delete"))


def made(**fields: Any) -> Source:
    """An assignment source, complete enough to be compared."""
    return AssignmentSource(**{"name": "A", "description": LINE, "sql": "SELECT 1", **fields})


def entry(
    by: tuple[str, str], action: str = UPDATE, *, name: str = "A", before: Any = None, after: Any = None
) -> AuditEntry:
    """An entry; `before` and `after` are the changed fields' values."""
    sides = [None if side is None else AssignmentSource(**{"name": "", **side}) for side in (before, after)]
    fields = frozenset({**(before or {}), **(after or {})})
    who, email = by
    return AuditEntry(
        name=name, action=action, who=who, who_id=who, email=email, fields=fields, before=sides[0], after=sides[1]
    )


CREATED = entry(KEY, CREATE, after={"name": "A", "description": LINE})
CREATED_BY_JANE = entry(JANE, CREATE, after={"name": "A", "description": LINE})


def plan_of(live: Source | None, *desired: Source) -> Plan:
    """The plan for these declarations against that object."""
    wanted = [
        Desired(kind=Kind.ASSIGNMENT_SOURCE, name=one.name, unique_id="model.shop.a", payload=one)
        for one in desired or (made(),)
    ]
    return planned(wanted, [live] if live is not None else [])


def log_of(*entries: AuditEntry, whole: bool = True) -> AuditLog:
    """A log, newest first, with a minute between two entries."""
    dated = [structs.replace(one, at=START - timedelta(minutes=place)) for place, one in enumerate(entries)]
    return AuditLog(entries=tuple(dated), whole=whole)


def origin(plan: Plan, *entries: AuditEntry, whole: bool = True) -> Origin:
    """The origin of the only change."""
    (change,) = with_origins(plan, log_of(*entries, whole=whole)).changes
    assert change.origin is not None
    return change.origin


EDITED = made(sql="SELECT 2")
CHANGED_AWAY: dict[str, Any] = {"before": {"sql": "SELECT 1"}, "after": {"sql": "SELECT 2"}}
CHANGED_ELSE: dict[str, Any] = {"before": {"sql": "SELECT 0"}, "after": {"sql": "SELECT 2"}}


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ([CREATED], Where.PROJECT),
        ([entry(KEY, **CHANGED_ELSE), CREATED], Where.PROJECT),
        ([entry(JANE, **CHANGED_AWAY), CREATED], Where.CONSOLE),
        ([entry(JANE, **CHANGED_ELSE), CREATED], Where.CONSOLE),
        ([entry(JANE), CREATED], Where.CONSOLE),
        ([entry(KEY), entry(JANE, **CHANGED_ELSE), CREATED], Where.PROJECT),
        # A key that is not known: only what it took away from just what is declared was changed there.
        ([entry(OTHER_KEY, **CHANGED_AWAY), CREATED], Where.CONSOLE),
        ([entry(OTHER_KEY, **CHANGED_ELSE), CREATED], Where.UNKNOWN),
        ([entry(OTHER_KEY), CREATED], Where.UNKNOWN),
        # Another field was changed there: this one in the project.
        ([entry(JANE, before={"tags": ()}, after={"tags": ("x",)}), CREATED], Where.PROJECT),
        # Nobody is known to be the sync.
        ([entry(JANE, **CHANGED_AWAY)], Where.CONSOLE),
        ([entry(JANE, **CHANGED_ELSE)], Where.UNKNOWN),
        ([entry(JANE)], Where.CONSOLE),
        ([entry(OTHER_KEY, **CHANGED_AWAY)], Where.CONSOLE),
        ([entry(OTHER_KEY, **CHANGED_ELSE)], Where.UNKNOWN),
        ([], Where.UNKNOWN),
        # Entries of other objects and kinds.
        ([entry(JANE, name="B", **CHANGED_AWAY), CREATED], Where.PROJECT),
        ([entry(JANE, "update_echidna_metric_source", **CHANGED_AWAY), CREATED], Where.PROJECT),
        # An object that an API key created, with no details.
        ([entry(KEY), entry(KEY, CREATE)], Where.PROJECT),
        ([entry(JANE), entry(KEY, CREATE)], Where.CONSOLE),
        # A person whose own key syncs: what was taken away from just what is declared may have been by hand.
        ([entry(JANE, **CHANGED_AWAY), CREATED_BY_JANE], Where.UNKNOWN),
        ([entry(JANE, before={"tags": ()}), entry(JANE, **CHANGED_AWAY), CREATED_BY_JANE], Where.UNKNOWN),
        ([entry(JANE, **CHANGED_ELSE), CREATED_BY_JANE], Where.PROJECT),
        ([entry(KEY, **CHANGED_ELSE), entry(JANE, **CHANGED_AWAY), CREATED_BY_JANE, CREATED], Where.PROJECT),
        ([entry(JANE), entry(BOB, **CHANGED_AWAY), CREATED_BY_JANE], Where.PROJECT),
        # Entries that do not say who it was are not those of one actor.
        ([entry(NOBODY, **CHANGED_AWAY), entry(NOBODY, CREATE, after={"description": LINE})], Where.CONSOLE),
        ([entry(NOBODY), entry(NOBODY, CREATE)], Where.UNKNOWN),
        # What a person created, and a sync took over.
        ([entry(JANE, CREATE)], Where.UNKNOWN),
    ],
)
def test_an_object_that_differs(entries: Sequence[AuditEntry], where: Where) -> None:
    """The newest entry that touches a field decides, and who made it."""
    assert origin(plan_of(EDITED), *entries).where is where


def test_only_the_newest_entries_are_known() -> None:
    """A field that no entry touches is the project's only where the entries reach back to a sync or the beginning."""
    other = entry(JANE, before={"tags": ()}, after={"tags": ("x",)})
    assert origin(plan_of(EDITED), other, whole=False).where is Where.UNKNOWN
    assert origin(plan_of(EDITED), other, CREATED, whole=False).where is Where.PROJECT
    assert "are not about it" in origin(plan_of(EDITED), whole=False).reason
    assert "no entry about it" in origin(plan_of(EDITED)).reason


def test_what_it_says() -> None:
    """Who, when, and of each field what it was there; of SQL and long values the name alone; both sides where so."""
    live = made(sql="SELECT 2", timestamp_column="b", group_id_column="g" * 200)
    desired = made(timestamp_column="a", group_id_column="h", experiment_id_column="e")
    before = {"sql": "SELECT 1", "timestamp_column": "a", "group_id_column": "h" * 100}
    after = {"sql": "SELECT 2", "timestamp_column": "b", "group_id_column": "g" * 200}
    found = origin(plan_of(live, desired), entry(JANE, before=before, after=after), CREATED)
    assert found.where is Where.BOTH
    assert found.text == (
        "Changed in Statsig by jane (jane@example.com) on 2026-11-27 00:00 UTC: sql, timestamp_column (was a), "
        "group_id_column. The other fields may be changes of the project."
    )
    assert FieldChange(field="sql", before="SELECT 1", after="SELECT 2") in found.fields
    assert Origin(where=Where.CONSOLE).text == "Changed in Statsig."
    assert Origin(where=Where.PROJECT).text == ""


@pytest.mark.parametrize(
    ("entries", "where", "gone"),
    [
        ([], Where.PROJECT, ""),
        ([entry(JANE, DELETE), CREATED], Where.CONSOLE, "deleted"),
        ([entry(JANE, DELETE), CREATED_BY_JANE], Where.UNKNOWN, ""),
        ([entry(KEY, DELETE), CREATED], Where.PROJECT, ""),
        ([entry(JANE, "update_echidna_assignment_source_name", name="B", before={"name": "A"}, after={"name": "B"})],
         Where.CONSOLE, "renamed"),
        ([entry(JANE, **CHANGED_AWAY)], Where.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_an_object_that_is_not_there(entries: Sequence[AuditEntry], where: Where, gone: str) -> None:
    """It was deleted or renamed in Statsig, or it is new in the project."""
    live = made(name="Kept", description=claim("", Ownership("shop", "model.shop.b")))
    kept = Desired(kind=Kind.ASSIGNMENT_SOURCE, name="Kept", unique_id="model.shop.b", payload=live)
    new = Desired(kind=Kind.ASSIGNMENT_SOURCE, name="A", unique_id="model.shop.a", payload=made())
    # The sync is known by the object that is still there.
    first = entry(KEY, CREATE, name="Kept", after={"name": "Kept", "description": live.description})
    plan = with_origins(planned([new, kept], [live]), log_of(*entries, first))
    found = plan.changes[0].origin
    assert found is not None
    assert (found.where, found.gone) == (where, gone)
    rest = with_origins(planned([new, kept], [live]), log_of(first, whole=False)).changes[0].origin
    assert rest is not None
    assert rest.where is Where.UNKNOWN


def test_a_new_name_in_statsig() -> None:
    """An object that was renamed there is renamed back; entries under its earlier name count."""
    renamed = entry(
        JANE, "update_echidna_assignment_source_name", name="New", before={"name": "A"}, after={"name": "New"}
    )
    found = origin(plan_of(made(name="New")), renamed, CREATED)
    assert (found.where, found.text.endswith("name (was A).")) == (Where.CONSOLE, True)
    both = origin(plan_of(made(name="New", sql="SELECT 2")), renamed, entry(JANE, **CHANGED_AWAY), CREATED)
    assert [one.field for one in both.fields] == ["name", "sql"]
    unsaid = entry(JANE, "update_echidna_assignment_source_name", name="New")
    unsaid = structs.replace(unsaid, fields=frozenset({"name"}))
    assert origin(plan_of(made(name="New")), unsaid, whole=False).where is Where.CONSOLE


def test_a_line_that_was_removed() -> None:
    """Who took the ownership line away is said; where no entry shows it, nothing is."""
    live = made(description="Mine.")
    gone = entry(JANE, before={"description": LINE}, after={"description": "Mine."})
    assert origin(plan_of(live), gone, CREATED).gone == "released"
    (change,) = with_origins(plan_of(live), log_of(CREATED)).changes
    assert change.origin is None


@pytest.mark.parametrize(
    ("verbs", "state"),
    [(["create"], "open"), (["accept", "create"], "accepted, but not committed"), (["commit", "create"], ""), ([], "")],
)
def test_reviews(verbs: Sequence[str], state: str) -> None:
    """A review that is open or only accepted is shown, with who and when."""
    reviews = [entry(JANE, f"{verb}_echidna_source_review") for verb in verbs]
    found = origin(plan_of(EDITED), *reviews, CREATED)
    assert found.review == (f"{state} by jane (jane@example.com) on 2026-11-27 00:00 UTC" if state else "")
    assert found.text == (f"A review of it is {found.review}." if state else "")


def test_without_a_log_the_origin_is_unknown() -> None:
    """The reason stands on each change that may come from Statsig."""
    (change,) = with_origins(plan_of(EDITED), "no right").changes
    assert change.origin == Origin(where=Where.UNKNOWN, reason="no right")
    assert (change.drifted, change.is_from_console) == (True, False)


def test_what_is_asked_about() -> None:
    """Changes that are sent, none where Statsig has nothing of the project, and none that take out of use or over."""
    assert suspects(plan_of(made())) == ()
    assert len(suspects(plan_of(EDITED))) == 1
    assert suspects(plan_of(None)) == ()
    assert len(suspects(plan_of(None), in_empty=True)) == 1
    assert suspects(planned([], [made()], prune=True)) == ()
    assert suspects(planned([], [made()])) == ()
    by_hand = made(description="By hand.", sql="SELECT 2")
    wanted = Desired(kind=Kind.ASSIGNMENT_SOURCE, name="A", unique_id="model.shop.a", payload=made())
    assert suspects(planned([wanted], [by_hand], adopt=frozenset({"A"}))) == ()


def test_a_kind_that_the_log_does_not_name() -> None:
    """For qualifying events the published actions have none: nothing is known, and nothing older is asked for."""
    kind = Kind.QUALIFYING_EVENT
    payload = QualifyingEvent(name="E", description=LINE, sql="SELECT 1")
    wanted = Desired(kind=kind, name="E", unique_id="model.shop.a", payload=payload)
    plan = planned([wanted], [structs.replace(payload, sql="SELECT 2")], kind=kind)
    assert enough(plan, log_of())
    (change,) = with_origins(plan, log_of()).changes
    assert change.origin is not None
    assert "qualifying events" in change.origin.reason


def test_when_no_older_entry_is_needed() -> None:
    """One entry for each object that can be in the log is enough."""
    plan = plan_of(EDITED)
    assert not enough(plan, log_of())
    assert enough(plan, log_of(CREATED))
    assert enough(plan_of(made()), log_of())


def test_the_plan_of_drift_alone() -> None:
    """Changes of the project and deletions are left out, what is not written stays."""
    drift = with_origins(plan_of(EDITED), log_of(entry(JANE, **CHANGED_AWAY), CREATED))
    assert only_drift(drift) == drift
    assert only_drift(with_origins(plan_of(EDITED), log_of(CREATED))).changes == ()
    assert only_drift(planned([], [made()], prune=True)).changes == ()
    assert len(only_drift(plan_of(made())).changes) == 1


LIVE = st.sampled_from([None, EDITED, made(), made(description="x")])
ENTRIES = st.lists(
    st.builds(
        entry,
        st.sampled_from([KEY, OTHER_KEY, JANE]),
        st.sampled_from([CREATE, UPDATE, DELETE, f"{UPDATE}_name", "create_echidna_source_review", "odd"]),
        name=st.sampled_from(["A", "B"]),
        before=st.sampled_from([None, {"sql": "SELECT 1"}, {"name": "B"}, {"description": LINE}]),
        after=st.sampled_from([None, {"sql": "SELECT 2"}, {"name": "A"}, {"description": LINE}]),
    ),
    max_size=6,
)


@given(log=st.builds(log_of, whole=st.booleans()), entries=ENTRIES, live=LIVE)
def test_any_log_changes_nothing_but_the_origins(log: AuditLog, entries: list[AuditEntry], live: Source | None) -> None:
    """Whatever the log says, the plan writes the same."""
    plan = plan_of(live)
    judged = with_origins(plan, log_of(*entries, whole=log.whole))

    def bare(change: Change) -> Change:
        return structs.replace(change, origin=None)

    assert tuple(map(bare, judged.changes)) == plan.changes
    assert {id(one) for one in suspects(plan, in_empty=True)} == {
        id(before)
        for before, after in zip(plan.changes, judged.changes, strict=True)
        if after.origin is not None or before.action.value == "foreign"
    }
    assert Scope(project="shop").owner == plan.owner
