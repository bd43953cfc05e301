"""What a command line, macro, hook or Python caller asks of a command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from dbt_statsig.project.dbt_command import DbtCommand
from dbt_statsig.vocabulary.sources import Kind


def _environment() -> Mapping[str, str]:
    return os.environ


class Request(Struct, frozen=True, kw_only=True):
    """One run's input. Paths that are not given are found from `project_dir` as dbt finds them.

    `kinds` empty means all. With `delete_metrics`, `prune` deletes metrics in place of archiving them. `flags` are
    settings given on the command line (`{"base_url": …}`); they win over the environment, which wins over
    dbt_statsig.yml. `adopt` names console objects that may become this project's.

    `adopt_all` lets in all that no other project owns, `adopt_from` what these projects own, `adopt_imported` what
    `import` has listed; `force` lifts the limits on how much may change at once.
    `saved_plan` is the file whose plan is to be applied; it brings its own selection and scope.

    `target` is what the user gave; `dbt_target` what dbt itself recorded for the very manifest of this run, and
    `dbt_schema` the schema of that target, where another dbt command gave both. `selected` are the nodes that dbt's
    own selection chose, in place of `select`, `exclude`, `selector` and `state`; `dbt` is the command that answers
    those which a manifest cannot. With `results` (unique_id to status) or `run_results` (dbt's file of them), only
    what that dbt command built is in scope.

    With `require_fresh`, YAML that is newer than the manifest is an error, not a warning. With `warehouse`, `validate`
    asks the warehouse too, through `dbt`.

    `show_sql` asks for the SQL that Statsig generates for metrics, `drift_only` for a plan without the changes that
    come from the project.

    `lineage` asks for what is above each source in dbt's graph, which pictures need.
    """

    project_dir: Path
    manifest: Path | None = None
    target_path: Path | None = None
    catalog: Path | None = None
    target: str | None = None
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    strict: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=_environment)
    adopt: frozenset[str] = frozenset()
    adopt_all: bool = False
    adopt_from: frozenset[str] = frozenset()
    adopt_imported: bool = False
    prune: bool = False
    delete_metrics: bool = False
    force: bool = False
    server_check: bool = False
    dry_run: bool = False
    saved_plan: Path | None = None
    dbt_target: str | None = None
    dbt_schema: str | None = None
    selected: frozenset[str] | None = None
    selector: str | None = None
    state: Path | None = None
    dbt: DbtCommand | None = None
    results: Mapping[str, str] | None = None
    run_results: Path | None = None
    lineage: bool = False
    require_fresh: bool = False
    warehouse: bool = False
    show_sql: bool = False
    drift_only: bool = False

    def __repr__(self) -> str:
        """Without the environment: it holds the key."""
        return f"Request(project_dir={self.project_dir!r})"
