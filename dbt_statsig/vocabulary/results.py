"""What the commands give back, for reports and for callers: values only."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from msgspec import Struct

from dbt_statsig.errors import EXIT_CANNOT_RUN, EXIT_DONE, EXIT_FINDINGS
from dbt_statsig.vocabulary.changes import PAST_TENSE, Change, FieldChange, Plan
from dbt_statsig.vocabulary.experiments import Experiment
from dbt_statsig.vocabulary.findings import Finding, KnownFinding, Location, Severity
from dbt_statsig.vocabulary.ownership import owner_name
from dbt_statsig.vocabulary.reloads import Reloaded
from dbt_statsig.vocabulary.run import Run
from dbt_statsig.vocabulary.sources import Kind, Source
from dbt_statsig.vocabulary.verdicts import Verdict


class ColumnUse(Struct, frozen=True, kw_only=True):
    """One column that a source uses: in which role (`timestamp_column`, `id_type_mapping.userID`), and the proof."""

    role: str
    verdict: Verdict


class Filter(Struct, frozen=True):
    """A predicate of a metric: its key, its SQL, and the source whose rows it is about."""

    path: tuple[str | int, ...]
    sql: str
    source: Source


class Upstream(Struct, frozen=True, kw_only=True):
    """One node above a source's own: `feeds` are the nodes of the same lineage that read it."""

    unique_id: str
    name: str
    resource_type: str
    feeds: tuple[str, ...]


class Lineage(Struct, frozen=True, kw_only=True):
    """What is upstream of a source's node, nearest first; `more` further nodes are not listed."""

    nodes: tuple[Upstream, ...]
    more: int = 0


class SourceReport(Struct, frozen=True, kw_only=True):
    """One declared source: where it comes from, its columns, and the payload (None where none could be built).

    `selected` are the names of all columns that the SQL selects, empty where it selects every column; `hidden` those
    that it excludes for their tags. `unproven` says what the payload needs without proof: it is not pushed.
    `lineage` is None where nobody asked for it.
    """

    kind: Kind
    name: str
    unique_id: str
    relation_name: str
    location: Location | None
    columns: tuple[ColumnUse, ...]
    payload: Source | None
    blocked: bool
    selected: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unproven: str = ""
    lineage: Lineage | None = None


class ColumnEffect(Struct, frozen=True, kw_only=True):
    """The columns of a source that the effect with these values loses, or gives another type or formula."""

    code: str
    kind: str
    source: str
    key: str
    columns: tuple[str, ...]


class ExperimentUse(Struct, frozen=True, kw_only=True):
    """How a running experiment (by its ID) uses a source: what for, and the names of the metrics through which."""

    experiment: str
    uses: tuple[str, ...]
    metrics: tuple[str, ...]


class Reached(Struct, frozen=True, kw_only=True):
    """A source, or a metric, that a change touches, with the running experiments that use it.

    `name` is what the project calls it now, `live_name` its name in Statsig.
    """

    kind: Kind
    name: str
    live_name: str
    unique_id: str
    experiments: tuple[ExperimentUse, ...]


class Impact(Struct, frozen=True, kw_only=True):
    """What a change does to the sources that the artifacts at `base` declared.

    `compared` is how many objects both sides have; `effects` are findings, which are among those of the validation
    too, and `columns` what some of them are about; `renamed` has kind, old and new name. `experiments` are the running
    ones that use a source which the change touches, None where nobody was asked; `reached` has how.
    """

    base: str
    compared: int
    effects: tuple[Finding, ...]
    columns: tuple[ColumnEffect, ...] = ()
    renamed: tuple[tuple[Kind, str, str], ...] = ()
    experiments: tuple[Experiment, ...] | None = None
    reached: tuple[Reached, ...] = ()

    def columns_of(self, effect: Finding) -> tuple[str, ...]:
        """The columns that an effect is about; none where it is about the whole source."""
        about = (effect.code, effect.kind, effect.source, effect.key)
        return next((x.columns for x in self.columns if (x.code, x.kind, x.source, x.key) == about), ())

    @property
    def summary(self) -> str:
        """What was compared, where no column changes; empty where an effect says otherwise, or cannot be known."""
        if any(found.code not in _COLUMNS_STAY for found in self.effects):
            return ""
        noun = "object" if self.compared == 1 else "objects"
        return f"No mapped or selected column changes ({self.compared:,} {noun} compared)."


_COLUMNS_STAY = frozenset({"impact-sql-changed", "impact-experiment", "impact-experiments-unchecked"})


class Baseline(Struct, frozen=True, kw_only=True):
    """What a baseline knew already: these findings are kept apart; `stale` are entries without a finding."""

    path: str
    known: tuple[Finding, ...]
    stale: tuple[KnownFinding, ...]


class Validation(Struct, frozen=True, kw_only=True):
    """What a manifest declares, and all findings about it, sorted by place.

    `namespace` is that of the dbt target, empty where it has none. `baseline` and `impact` are None where nobody asked
    for them. `manifest_at` is when dbt wrote the manifest, None where it does not say.
    """

    project: str
    adapter: str
    dbt_version: str
    manifest_path: str
    sources: tuple[SourceReport, ...]
    findings: tuple[Finding, ...]
    unmatched: tuple[str, ...] = ()
    baseline: Baseline | None = None
    impact: Impact | None = None
    namespace: str = ""
    manifest_at: datetime | None = None

    @property
    def owner(self) -> str:
        """Whose the sources are, as their ownership line names it: `shop`, or `shop@dev`."""
        return owner_name(self.project, self.namespace)

    def ok(self, *, strict: bool = False) -> bool:
        """True when no finding blocks a push."""
        limit = Severity.WARNING if strict else Severity.ERROR
        return all(found.severity < limit for found in self.findings)

    @property
    def exit_code(self) -> int:
        """1 where a finding blocks a push, else 0."""
        return EXIT_DONE if self.ok() else EXIT_FINDINGS

    @property
    def problems(self) -> tuple[str, ...]:
        """What blocks a push, a line each: the same that makes `exit_code`."""
        errors = (found for found in self.findings if found.severity is Severity.ERROR)
        return tuple(f"{found.source or found.unique_id or self.project}: {found.message}" for found in errors)


class Status(str, Enum):
    """How the write of one object ended."""

    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_STARTED = "not started"


ENDINGS = (*PAST_TENSE.values(), "adopted", "already applied", *(status.value for status in Status))
"""Every word for how a write can end."""


class ObjectOutcome(Struct, frozen=True, kw_only=True):
    """One change and what became of it; refused: not written, as the console is not as the plan needs it.

    `echo` holds the fields that the answer shows otherwise than they are declared; `reconciled` says that the outcome
    was learned by reading back after an unusable answer, `already` that it was so before.
    """

    change: Change
    status: Status
    message: str = ""
    fix: str = ""
    echo: tuple[FieldChange, ...] = ()
    reconciled: bool = False
    already: bool = False

    @property
    def ending(self) -> str:
        """How it ended, in a word of ENDINGS."""
        status: str = self.status.value
        if self.already or self.status is not Status.DONE:
            return "already applied" if self.already else status
        return "adopted" if self.change.adopted else PAST_TENSE.get(self.change.action, status)


class Outcome(Struct, frozen=True, kw_only=True):
    """All changes that were to be written, in order; `stopped` says why the run ended early, or is empty.

    `notes` are remarks that concern no single object.
    """

    objects: tuple[ObjectOutcome, ...]
    stopped: str = ""
    notes: tuple[str, ...] = ()


class Skipped(Struct, frozen=True, kw_only=True):
    """A declared source that this run skips, and why."""

    kind: Kind
    name: str
    unique_id: str
    reason: str


class Binding(Struct, frozen=True, kw_only=True):
    """What a plan depends on beside the live objects.

    `declared` has a digest of each declared source, by the source as people call it; `settings` is a digest too.
    """

    project: str
    target: str
    base_url: str
    declared: tuple[tuple[str, str], ...]
    settings: str
    namespace: str = ""


class Planned(Struct, frozen=True, kw_only=True):
    """A validation, the plan that follows from it, and how many requests the reading took.

    `skipped` are the sources whose nodes the dbt command before did not build, `notes` remarks that belong into every
    report, `conflict` says why a sync without `force` refuses all of it. `binding` is None only where a plan was made
    by hand.
    """

    validation: Validation
    plan: Plan
    requests: int
    warnings: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    binding: Binding | None = None
    conflict: str = ""

    @property
    def pending(self) -> bool:
        """Whether applying the plan would write something."""
        return any(change.action.writes for change in self.plan.changes)

    @property
    def exit_code(self) -> int:
        """1 for findings, and where something declared must not be written; else 0, whatever is pending."""
        refused = any(change.action.refuses for change in self.plan.changes)
        return EXIT_FINDINGS if refused else self.validation.exit_code

    @property
    def problems(self) -> tuple[str, ...]:
        """What blocks a push, a line each: the same that makes `exit_code`."""
        refused = (change for change in self.plan.changes if change.action.refuses)
        blocked = (f"{change.kind.label} {change.name}: {change.reason}" for change in refused)
        return (*self.validation.problems, *blocked)

    def ok(self) -> bool:
        """True when all that is declared can be pushed."""
        return self.exit_code == EXIT_DONE


class Synced(Struct, frozen=True, kw_only=True):
    """A plan and what became of it; `reloaded` is None where no results were to be loaded afterwards."""

    planned: Planned
    outcome: Outcome
    reloaded: Reloaded | None = None

    @property
    def exit_code(self) -> int:
        """2 where an outcome is unknown or the run had to stop; 1 where an object failed, was refused or blocked.

        That of the reload where it is higher.
        """
        return max(self._own_code, EXIT_DONE if self.reloaded is None else self.reloaded.exit_code)

    @property
    def _own_code(self) -> int:
        statuses = {entry.status for entry in self.outcome.objects}
        if self.outcome.stopped or Status.UNKNOWN in statuses:
            return EXIT_CANNOT_RUN
        return EXIT_FINDINGS if statuses - {Status.DONE} else self.planned.exit_code

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know beside the outcome, of the plan and of the reload."""
        return (*self.planned.warnings, *(() if self.reloaded is None else self.reloaded.warnings))

    @property
    def problems(self) -> tuple[str, ...]:
        """What failed or is blocked, a line each: the same that makes `exit_code`."""
        objects = (entry for entry in self.outcome.objects if entry.status is not Status.DONE)
        failed = (
            f"{entry.change.kind.label} {entry.change.name}: {entry.status.value}. {entry.message}".rstrip()
            for entry in objects
        )
        reload = () if self.reloaded is None else self.reloaded.problems
        return (*filter(None, [self.outcome.stopped]), *failed, *self.planned.problems, *reload)

    def ok(self) -> bool:
        """True when Statsig now holds all that is declared; after a dry run, when it could."""
        return self.exit_code == EXIT_DONE


class Failure(Struct, frozen=True, kw_only=True):
    """`type` is the class in the error tree; `root` the project's folder inside its repository (empty: the same).

    Message and next step hold no secret: who makes this has taken them out.
    """

    command: str
    type: str
    message: str
    fix: str
    exit_code: int
    root: str = ""
    run: Run = Run()

    @property
    def text(self) -> str:
        """The message and the next step, on lines of their own."""
        return f"{self.message}\n{self.fix}".rstrip()
