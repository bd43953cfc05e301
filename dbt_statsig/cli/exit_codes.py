"""Which exit code an answer has. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.errors import EXIT_CANNOT_RUN, EXIT_DONE, EXIT_FINDINGS, EXIT_PENDING
from dbt_statsig.report.text_plan import pending, refused
from dbt_statsig.results import Status

if TYPE_CHECKING:
    from dbt_statsig.results import Diagnosis, Planned, Synced, Validation


def validation_code(validation: Validation) -> int:
    """1 where a finding stands in the way."""
    return EXIT_DONE if validation.ok() else EXIT_FINDINGS


def plan_code(planned: Planned, *, check: bool = False) -> int:
    """1 for findings and refusals; else, with `check`, 3 where something would be written."""
    if validation_code(planned.validation) or refused(planned.plan):
        return EXIT_FINDINGS
    return EXIT_PENDING if check and pending(planned.plan) else EXIT_DONE


def sync_code(synced: Synced) -> int:
    """2 where an outcome is unknown or the run had to stop; 1 where an object failed or was refused."""
    statuses = {entry.status for entry in synced.outcome.objects}
    if synced.outcome.stopped or Status.UNKNOWN in statuses:
        return EXIT_CANNOT_RUN
    if statuses - {Status.DONE}:
        return EXIT_FINDINGS
    return plan_code(synced.planned)


def diagnosis_code(diagnosis: Diagnosis) -> int:
    """2 where a check failed: the program could not do its work."""
    return EXIT_CANNOT_RUN if any(check.ok is False for check in diagnosis.checks) else EXIT_DONE
