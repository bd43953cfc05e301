"""The verdict: whether it is safe, and why not."""

from __future__ import annotations

import pytest
from msgspec import structs

from dbt_statsig.report.subject import Subject
from dbt_statsig.report.verdict import verdict
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.experiments import Experiment
from dbt_statsig.vocabulary.findings import Finding, Severity, finding
from dbt_statsig.vocabulary.results import Impact, ObjectOutcome, Outcome, Planned, Skipped, Status, Synced
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.report import many, samples

EFFECT = finding("impact-sql-changed", "Other SQL.", kind="metric_source", source="Orders")
UPDATE = structs.replace(samples.UPDATE, adopted=False)


def planned(*changes: Change, impact: Impact | None = None, **more: object) -> Subject:
    """A plan of these changes in a project without findings."""
    validation = structs.replace(samples.CLEAN, impact=impact)
    plan = Plan(project="shop", changes=changes)
    return Subject.of(structs.replace(Planned(validation=validation, plan=plan, requests=1), **more))


def impact(*effects: Finding, running: int | None = 0) -> Impact:
    """A comparison with these effects and so many experiments."""
    found = None if running is None else tuple(Experiment(id=str(number)) for number in range(running))
    return Impact(base="base", compared=2, effects=effects, experiments=found)


@pytest.mark.parametrize(
    ("subject", "tone", "text"),
    [
        (planned(samples.UNCHANGED), "good", "Safe to merge: nothing to write"),
        (planned(samples.CREATE), "good", "Safe to merge: 1 create"),
        (
            planned(UPDATE, impact=impact()),
            "good",
            "Safe to merge: 1 update, no running experiment reads what changes",
        ),
        (planned(UPDATE), "warn", "Check before you merge: running experiments were not checked, 1 update"),
        (
            planned(samples.UNCHANGED, impact=impact(EFFECT, running=None)),
            "warn",
            "Check before you merge: running experiments were not checked, nothing to write",
        ),
        (
            planned(samples.DELETE, impact=impact(running=2)),
            "warn",
            "Check before you merge: 2 running experiments read what changes, 1 deletion",
        ),
        (
            planned(samples.UNCHANGED, impact=impact(structs.replace(EFFECT, severity=Severity.WARNING), running=1)),
            "warn",
            "Check before you merge: 1 running experiment reads what changes, 1 effect to check, nothing to write",
        ),
        (
            planned(samples.UNCHANGED, warnings=("The list may be incomplete.",)),
            "warn",
            "Check before you merge: 1 warning about this run, nothing to write",
        ),
        (
            planned(UPDATE, conflict="Another target.", impact=impact()),
            "bad",
            "Not safe to merge: sync would refuse all of it",
        ),
        (
            planned(samples.FOREIGN, samples.BLOCKED, samples.DELETE),
            "bad",
            "Not safe to merge: 2 errors, 1 deletion",
        ),
    ],
)
def test_of_a_plan(subject: Subject, tone: str, text: str) -> None:
    """The worst decides: errors, then what somebody should look at; what is merely new is safe."""
    found = verdict(subject)
    assert (found.tone, found.text) == (tone, text)


def test_experiments_that_could_not_be_read() -> None:
    """A list of experiments that may be incomplete is a doubt; that Statsig publishes nothing about events is none."""
    doubt = finding("impact-experiments-unchecked", "Not checked.", severity=Severity.WARNING)
    text = "Check before you merge: running experiments were not checked, 1 update"
    assert verdict(planned(UPDATE, impact=impact(doubt))).text == text
    note = structs.replace(doubt, severity=Severity.NOTE)
    assert verdict(planned(UPDATE, impact=impact(note))).tone == "good"


def test_the_limit() -> None:
    """What the limit holds back is counted as that, not as errors, and may be read by experiments too."""
    held = structs.replace(UPDATE, action=Action.BLOCKED, held=Action.UPDATE, reason="4 of 9 at once.")
    text = "Not safe to merge: 1 change held by the limit, running experiments were not checked"
    assert verdict(planned(held)).text == text


def test_of_a_validation() -> None:
    """Without a plan the answer says that Statsig was not asked; errors are counted."""
    text = "No errors: 1 source ready, not compared with Statsig"
    assert verdict(Subject.of(samples.CLEAN)).text == text
    outdated = finding("manifest-outdated", "Older than the YAML.", severity=Severity.WARNING)
    found = verdict(Subject.of(structs.replace(samples.CLEAN, findings=(outdated,))))
    assert found.reasons[0] == "the manifest may not be the one to check"
    assert verdict(Subject.of(samples.VALIDATION)).text == "Not safe to merge: 1 error"


def test_of_a_sync() -> None:
    """A sync is judged by how each write ended, a dry run as the plan that it is."""
    clean = structs.replace(samples.PLANNED, validation=samples.CLEAN, plan=Plan(project="shop", changes=(UPDATE,)))
    done = ObjectOutcome(change=UPDATE, status=Status.DONE)

    def ended(*objects: ObjectOutcome, stopped: str = "", command: str = "sync") -> str:
        outcome = Outcome(objects=objects, stopped=stopped)
        return verdict(Subject.of(Synced(planned=clean, outcome=outcome), command=command)).text

    assert ended(done, done) == "Pushed: 2 updated"
    assert ended() == "Nothing to push"
    assert ended(done, command="release") == "Released: 1 updated"
    failed = structs.replace(done, status=Status.FAILED)
    assert ended(done, failed) == "Not everything was pushed: 1 failed"
    assert ended(stopped="The key was refused.") == "Nothing was pushed: the run stopped early"
    assert ended(done, stopped="The key was refused.") == "Not everything was pushed: the run stopped early"
    assert ended(failed, command="release") == "Nothing was released: 1 failed"
    assert ended(command="release") == "Nothing to release"
    unknown = structs.replace(done, status=Status.UNKNOWN)
    assert ended(failed, unknown) == "Nothing is known to be pushed: 1 failed, 1 unknown"
    assert ended(done, unknown) == "Not everything was pushed: 1 unknown"
    text = "Not everything was pushed: 1 failed, 1 not started, 3 errors, the run stopped early"
    assert verdict(Subject.of(samples.SYNCED)).text == text
    dry = Subject.of(Synced(planned=clean, outcome=Outcome(objects=())), dry_run=True)
    assert verdict(dry).lead == "Check before you merge"
    held = structs.replace(UPDATE, action=Action.BLOCKED, held=Action.UPDATE, reason="4 of 9 at once.")
    limited = Synced(planned=planned(held).planned, outcome=Outcome(objects=()))  # type: ignore[arg-type]
    assert verdict(Subject.of(limited)).text == "Not everything was pushed: 1 change held by the limit"


def test_what_is_skipped_is_counted() -> None:
    """Sources that a run skips are in the verdict, of a plan and of a sync."""
    skipped = Skipped(kind=Kind.METRIC_SOURCE, name="Visits", unique_id="model.shop.visits", reason="Not built.")
    plan = planned(samples.UNCHANGED, skipped=(skipped,))
    assert verdict(plan).text == "Safe to merge: nothing to write, 1 skipped"
    assert plan.planned is not None
    idle = Subject.of(Synced(planned=plan.planned, outcome=Outcome(objects=())))
    assert verdict(idle).text == "Nothing to push: 1 skipped"
    done = ObjectOutcome(change=UPDATE, status=Status.DONE)
    wrote = Subject.of(Synced(planned=plan.planned, outcome=Outcome(objects=(done,))))
    assert verdict(wrote).text == "Pushed: 1 updated, 1 skipped"


def test_what_a_validation_cannot_push() -> None:
    """A source that is blocked without an error, and a selection that matches nothing, are doubts of a validation."""
    source = structs.replace(samples.SOURCES[0], blocked=True, unproven="no proof")
    blocked = structs.replace(samples.CLEAN, sources=(source,))
    text = "Check before you merge: 1 object cannot be pushed, 0 sources ready, not compared with Statsig"
    assert verdict(Subject.of(blocked)).text == text
    nothing = finding("nothing-selected", "No match.", severity=Severity.WARNING)
    found = verdict(Subject.of(structs.replace(samples.CLEAN, findings=(nothing,))))
    assert found.reasons[0] == "the selection matches no declared source"


@pytest.mark.parametrize("count", [9, 60, 500])
def test_of_many(count: int) -> None:
    """The verdict stays one short line, however much changes."""
    assert len(verdict(Subject.of(many.compared(count))).text) < 120
