"""`validate`: what the project declares, and whether it can be pushed. Offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.commands.pipeline import Project

if TYPE_CHECKING:
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.results import Validation


def validate(request: Request, *, manifest: Manifest | None = None) -> Validation:
    """What the project declares and all findings about it, from dbt's files alone: no key, no network, no dbt.

    A manifest that is given is taken in place of the file. Raises SettingsError, ArtifactError and UsageError (a
    selection that cannot be answered, run results that say nothing of tables). With `state`, what has changed for
    the sources since those artifacts is told too.
    """
    project = Project(request, manifest)
    return project.against(request.state)


def to_compile(request: Request, *, manifest: Manifest | None = None) -> tuple[str, ...]:
    """The nodes in scope whose columns cannot be known because SQL above them is not compiled.

    Empty for a run that follows no dbt command: there `validate` tells. Raises as `validate`.
    """
    return tuple(sorted(Project(request, manifest).unproven))
