"""Sources that a plan leaves as they are because the evidence at hand does not tell whether they are right. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.results import Skipped

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.changes import Plan
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import SourceReport, Validation

FOR_LACK_OF_EVIDENCE = frozenset({"hidden-columns-open", "partition-type-unknown"})
"""Errors that say that not enough is known: they do not matter for a source that stays as it is."""


def without_uncompared(plan: Plan) -> tuple[Plan, tuple[Skipped, ...]]:
    """The plan without the sources that stay as they are for lack of evidence, and those sources."""
    left = [change for change in plan.changes if change.kept and change.action is Action.UNCHANGED]
    rest = tuple(change for change in plan.changes if not (change.kept and change.action is Action.UNCHANGED))
    return structs.replace(plan, changes=rest), tuple(
        Skipped(kind=one.kind, name=one.name, unique_id=one.unique_id, reason=one.reason) for one in left
    )


def excused(validation: Validation, plan: Plan) -> Validation:
    """The validation with a warning for each error that only says that too little is known of a source that stays."""
    kept = {(change.kind.value, change.name) for change in plan.changes if change.kept}

    def weighed(found: Finding) -> Finding:
        stays = found.code in FOR_LACK_OF_EVIDENCE and (found.kind, found.source) in kept
        return structs.replace(found, severity=Severity.WARNING) if stays else found

    def unblocked(source: SourceReport) -> SourceReport:
        return structs.replace(source, blocked=False) if (source.kind.value, source.name) in kept else source

    return structs.replace(
        validation,
        findings=tuple(map(weighed, validation.findings)),
        sources=tuple(map(unblocked, validation.sources)),
    )
