"""Which answers have which exit code."""

from __future__ import annotations

import pytest
from msgspec import structs

from dbt_statsig.changes import Change, Plan
from dbt_statsig.cli.exit_codes import diagnosis_code, plan_code, sync_code, validation_code
from dbt_statsig.results import Diagnosis, ObjectOutcome, Outcome, Planned, Status, Synced
from tests.unit.report import samples


def _planned(*changes: Change) -> Planned:
    return Planned(validation=samples.CLEAN, plan=Plan(project="shop", changes=changes), requests=0)


def _synced(*statuses: Status, stopped: str = "") -> Synced:
    objects = tuple(ObjectOutcome(change=samples.CREATE, status=status) for status in statuses)
    return Synced(planned=_planned(samples.CREATE), outcome=Outcome(objects=objects, stopped=stopped))


def test_validation() -> None:
    """An error gives 1; warnings and notes alone give 0."""
    assert validation_code(samples.VALIDATION) == 1
    assert validation_code(structs.replace(samples.VALIDATION, findings=samples.FINDINGS[::2])) == 0


@pytest.mark.parametrize(
    ("changes", "code", "checked"),
    [
        ((), 0, 0),
        ((samples.UNCHANGED, samples.ORPHAN), 0, 0),
        ((samples.CREATE,), 0, 3),
        ((samples.UPDATE,), 0, 3),
        ((samples.RENAME,), 0, 3),
        ((samples.DELETE,), 0, 3),
        ((samples.FOREIGN,), 1, 1),
        ((samples.CREATE, samples.BLOCKED), 1, 1),
    ],
)
def test_plan(changes: tuple[Change, ...], code: int, checked: int) -> None:
    """Refusals give 1, with or without --check; pending writes give 3 with it."""
    assert plan_code(_planned(*changes)) == code
    assert plan_code(_planned(*changes), check=True) == checked


def test_plan_with_findings() -> None:
    """A plan of a project with errors gives 1 even where nothing is blocked."""
    assert plan_code(structs.replace(_planned(samples.CREATE), validation=samples.VALIDATION), check=True) == 1


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
    assert sync_code(_synced(*statuses)) == code


def test_sync_that_stopped() -> None:
    """A run that ended early gives 2, however much was done."""
    assert sync_code(_synced(Status.DONE, stopped="The key was refused.")) == 2


def test_sync_with_refusals() -> None:
    """A sync that did all it could, but had to leave an object alone, gives 1."""
    synced = Synced(planned=_planned(samples.FOREIGN), outcome=Outcome(objects=()))
    assert sync_code(synced) == 1


def test_diagnosis() -> None:
    """A failed check gives 2; one that could not be made does not."""
    assert diagnosis_code(samples.DIAGNOSIS) == 2
    assert diagnosis_code(Diagnosis(checks=samples.DIAGNOSIS.checks[::2], settings=())) == 0
