"""Which answers are good, and which exit code they have."""

from __future__ import annotations

import pytest
from msgspec import structs

from dbt_statsig.vocabulary.changes import Change, Plan
from dbt_statsig.vocabulary.inspections import Diagnosis
from dbt_statsig.vocabulary.results import ObjectOutcome, Outcome, Planned, Status, Synced
from tests.unit.report import samples


def _planned(*changes: Change) -> Planned:
    return Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=changes), requests=0)


def _synced(*statuses: Status, stopped: str = "") -> Synced:
    objects = tuple(ObjectOutcome(change=samples.CREATE, status=status) for status in statuses)
    return Synced(planned=_planned(samples.CREATE), outcome=Outcome(objects=objects, stopped=stopped))


def test_validation() -> None:
    """An error gives 1; warnings and notes alone give 0."""
    assert samples.VALIDATION.exit_code == 1
    assert structs.replace(samples.VALIDATION, findings=samples.FINDINGS[::2]).exit_code == 0


@pytest.mark.parametrize(
    ("changes", "code", "pending"),
    [
        ((), 0, False),
        ((samples.UNCHANGED, samples.ORPHAN), 0, False),
        ((samples.CREATE,), 0, True),
        ((samples.UPDATE,), 0, True),
        ((samples.RENAME,), 0, True),
        ((samples.DELETE,), 0, True),
        ((samples.FOREIGN,), 1, False),
        ((samples.CREATE, samples.BLOCKED), 1, True),
    ],
)
def test_plan(changes: tuple[Change, ...], code: int, *, pending: bool) -> None:
    """Refusals give 1; what would be written is pending, which is no fault."""
    planned = _planned(*changes)
    assert (planned.exit_code, planned.ok(), planned.pending) == (code, code == 0, pending)


def test_plan_with_findings() -> None:
    """A plan of a project with errors gives 1 even where nothing is blocked."""
    assert structs.replace(_planned(samples.CREATE), validation=samples.VALIDATION).exit_code == 1


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ((Status.DONE,), 0),
        ((Status.DONE, Status.FAILED), 1),
        ((Status.NOT_STARTED,), 1),
        ((Status.FAILED, Status.UNKNOWN), 2),
    ],
)
def test_sync(statuses: tuple[Status, ...], code: int) -> None:
    """A failed object gives 1, an unknown outcome 2."""
    synced = _synced(*statuses)
    assert (synced.exit_code, synced.ok()) == (code, code == 0)


def test_sync_that_stopped() -> None:
    """A run that ended early gives 2, however much was done."""
    assert _synced(Status.DONE, stopped="The key was refused.").exit_code == 2


def test_sync_with_refusals() -> None:
    """A sync that did all it could, but had to leave an object alone, gives 1."""
    synced = Synced(planned=_planned(samples.FOREIGN), outcome=Outcome(objects=()))
    assert synced.exit_code == 1


def test_diagnosis() -> None:
    """A failed check gives 2; one that could not be made does not."""
    assert samples.DIAGNOSIS.exit_code == 2
    assert Diagnosis(checks=samples.DIAGNOSIS.checks[::2], settings=()).exit_code == 0


def test_problems() -> None:
    """What makes an exit code is reported in a line each: errors, what is blocked or refused, and failed writes."""
    planned = structs.replace(_planned(samples.CREATE, samples.FOREIGN), validation=samples.VALIDATION)
    assert len(planned.problems) == len(samples.VALIDATION.problems) + 1
    assert samples.FOREIGN.reason in planned.problems[-1]
    failed = ObjectOutcome(change=samples.CREATE, status=Status.FAILED, message="No.")
    synced = Synced(planned=planned, outcome=Outcome(objects=(failed,), stopped="The key was refused."))
    assert synced.problems[0] == "The key was refused."
    assert synced.problems[1].endswith(f"{samples.CREATE.name}: failed. No.")
    assert synced.problems[2:] == planned.problems
    assert _synced(Status.DONE).problems == ()
