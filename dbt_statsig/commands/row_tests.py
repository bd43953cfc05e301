"""`tests`: the test `fit_for_statsig` for every marked node that lacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.commands.pipeline import declare_project, load_project
from dbt_statsig.errors import UsageError
from dbt_statsig.importing.yaml_files import DataTestEdit, edit_files, write_files
from dbt_statsig.vocabulary.imports import FIT, PACKAGE, ImportedFile, NotAdded, RowTests

if TYPE_CHECKING:
    from dbt_statsig.commands.pipeline import DeclaredProject
    from dbt_statsig.project.request import Request


def add_tests(request: Request, *, write: bool = False) -> RowTests:
    """The declared nodes in scope without the test, and the files with it; `write` writes them.

    Raises SettingsError, ArtifactError, UsageError (`write` without the dbt package, which would break the project)
    and DbtStatsigError (files that cannot be written: then none is).
    """
    project = declare_project(load_project(request))
    nodes = {one.node.unique_id: one.node for one in project.declared.declarations}
    tested = frozenset(one for one in nodes if FIT in project.manifest.generic_tests(one))
    lacking = [node for unique_id, node in nodes.items() if unique_id not in tested]
    if write and lacking and not has_package(project):
        raise UsageError(
            f"The manifest has no test {PACKAGE}.{FIT}: the dbt package is not installed in this project.",
            fix="Add it to packages.yml (docs/dbt-package.md), run `dbt deps` and `dbt parse`, and run this again.",
        )
    files, refusals = edit_files(
        request.project_dir, [DataTestEdit(node=node, test=f"{PACKAGE}.{FIT}") for node in lacking]
    )
    if write:
        write_files(files)
    return RowTests(
        tested=tuple(sorted(tested)),
        untested=tuple(sorted(node.unique_id for node in lacking)),
        files=tuple(ImportedFile(path=one.shown, is_new=one.before is None, diff=one.diff()) for one in files),
        not_added=tuple(NotAdded(unique_id=one.edit.node.unique_id, reason=one.reason) for one in refusals),
        wrote=write,
        unmatched=project.unmatched,
    )


def has_package(project: DeclaredProject) -> bool:
    """Whether dbt knows the package's tests; a manifest without macros does not tell."""
    macros = project.manifest.macros
    return not macros or f"macro.{PACKAGE}.test_{FIT}" in macros
