"""What a report is about: one command's result, as every renderer takes it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.report.text.style import Style
from dbt_statsig.vocabulary.reloads import Reloaded
from dbt_statsig.vocabulary.results import Outcome, Planned, Synced, Validation
from dbt_statsig.vocabulary.run import Run

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.changes import Change, Plan
    from dbt_statsig.vocabulary.experiments import Experiment
    from dbt_statsig.vocabulary.findings import Location
    from dbt_statsig.vocabulary.results import ExperimentUse


class Subject(Struct, frozen=True, kw_only=True):
    """`planned` is None for `validate`, `outcome` for all but `sync` and `release`.

    `reloaded` is None unless a sync was to load results afterwards.

    `root` is the dbt project's folder inside its repository, as CI systems need it to find a file (empty: the same);
    `run` is the run itself; `style` is for text alone.
    """

    command: str
    validation: Validation
    planned: Planned | None = None
    outcome: Outcome | None = None
    reloaded: Reloaded | None = None
    dry_run: bool = False
    exit_code: int = 0
    root: str = ""
    run: Run = Run()
    style: Style = Style()

    @classmethod
    def of(
        cls,
        result: Validation | Planned | Synced,
        *,
        command: str = "sync",
        exit_code: int = 0,
        dry_run: bool = False,
        root: str = "",
        run: Run | None = None,
    ) -> Subject:
        """The subject that a command's result is; `command` is the one that gave a `Synced`."""
        more: dict[str, Any] = {"dry_run": dry_run, "exit_code": exit_code, "root": root}
        more["run"] = run or Run()
        if isinstance(result, Validation):
            return cls(command="validate", validation=result, **more)
        if isinstance(result, Planned):
            return cls(command="plan", validation=result.validation, planned=result, **more)
        planned = result.planned
        more |= {"outcome": result.outcome, "reloaded": result.reloaded}
        return cls(command=command, validation=planned.validation, planned=planned, **more)

    @property
    def result(self) -> Validation | Planned | Synced:
        """The command's result again."""
        if self.planned is None:
            return self.validation
        if self.outcome is None:
            return self.planned
        return Synced(planned=self.planned, outcome=self.outcome, reloaded=self.reloaded)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the plan; none without a plan."""
        return self.planned.plan.changes if self.planned else ()

    def users_of(self, kind: str, name: str) -> tuple[tuple[Experiment, ExperimentUse], ...]:
        """The running experiments that use a source or metric which the change touches, and how."""
        impact = self.validation.impact
        if impact is None or not impact.experiments:
            return ()
        known = {one.id: one for one in impact.experiments}
        reached = (one for one in impact.reached if (one.kind.value, one.name) == (kind, name))
        return tuple(
            (known[use.experiment], use) for one in reached for use in one.experiments if use.experiment in known
        )

    def path_of(self, location: Location) -> str:
        """A place's file, seen from the repository."""
        return f"{self.root}/{location.path}" if self.root and location.path else location.path

    def url_of(self, location: Location) -> str:
        """The web address of a place, empty where it is not known."""
        return self.run.file_url(self.path_of(location), location.line)


def plan_hash(plan: Plan) -> str:
    """A digest of all that the plan would do: two plans that say the same have the same one."""
    parts = [
        (change.action.value, change.kind.value, change.name, change.live_name, change.fields, change.desired)
        for change in plan.changes
    ]
    return hashlib.sha256(repr((plan.owner, parts)).encode(errors="backslashreplace")).hexdigest()
