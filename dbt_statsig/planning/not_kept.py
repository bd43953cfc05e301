"""Findings about fields that Statsig keeps otherwise than it is sent them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.yaml_text import two_in_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.results import Outcome

NOT_KEPT = "not-kept"


def not_kept(changes: Iterable[Change], declarations: Sequence[Declaration], *, strict: bool) -> Iterator[Finding]:
    """One finding for each field that is known to be kept otherwise, at its key; an error if `strict`."""
    places = {(one.kind, one.name): one for one in declarations}
    for change in changes:
        declared = places.get((change.kind, change.name))
        for field in change.not_kept:
            has, wanted = two_in_yaml(field.before, field.after)
            yield finding(
                NOT_KEPT,
                f"Statsig keeps {field.field} as {has} (declared: {wanted}).",
                severity=Severity.ERROR if strict else None,
                fix=CODES[NOT_KEPT].remedy,
                unique_id=change.unique_id,
                kind=change.kind.value,
                source=change.name,
                key=f"{declared.key}.{field.field}" if declared else "",
                location=declared.locate(field.field) if declared else None,
            )


def written(outcome: Outcome) -> list[Change]:
    """The changes that were written, each with what its answer has shown to be kept otherwise."""
    done = (one for one in outcome.objects if one.status is Status.DONE and not one.already)
    return [structs.replace(one.change, not_kept=one.echo) for one in done]
