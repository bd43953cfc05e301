"""What the conductor hands back, for reports and for callers: values only."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from dbt_statsig.changes import Change, FieldChange, Plan
from dbt_statsig.columns.verdicts import Verdict
from dbt_statsig.findings import Finding, Location, Severity
from dbt_statsig.sources import Kind, Source


class ColumnUse(Struct, frozen=True, kw_only=True):
    """One column that a source uses: in which role (`timestamp_column`, `id_type_mapping.userID`), and the proof."""

    role: str
    verdict: Verdict


class SourceReport(Struct, frozen=True, kw_only=True):
    """One declared source: where it comes from, its columns, and the payload (None where none could be built).

    `selected` are the names of all columns that the SQL selects, empty where it selects every column.
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


class Validation(Struct, frozen=True, kw_only=True):
    """What a manifest declares, and all findings about it, sorted by place."""

    project: str
    adapter: str
    dbt_version: str
    manifest_path: str
    sources: tuple[SourceReport, ...]
    findings: tuple[Finding, ...]
    unmatched: tuple[str, ...] = ()

    def ok(self, *, strict: bool = False) -> bool:
        """True when no finding stands in the way of a push."""
        limit = Severity.WARNING if strict else Severity.ERROR
        return all(found.severity < limit for found in self.findings)


class Status(str, Enum):
    """How the write of one object ended."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_STARTED = "not started"


class ObjectOutcome(Struct, frozen=True, kw_only=True):
    """One change and what became of it.

    `echo` holds the fields that the answer shows otherwise than they were sent; `reconciled` says that the outcome
    was learned by reading back after an unusable answer.
    """

    change: Change
    status: Status
    message: str = ""
    fix: str = ""
    echo: tuple[FieldChange, ...] = ()
    reconciled: bool = False


class Outcome(Struct, frozen=True, kw_only=True):
    """All changes that were to be written, in order; `stopped` says why the run ended early, or is empty.

    `notes` are remarks that concern no single object.
    """

    objects: tuple[ObjectOutcome, ...]
    stopped: str = ""
    notes: tuple[str, ...] = ()


class Planned(Struct, frozen=True, kw_only=True):
    """A validation, the plan that follows from it, and how many requests the reading took."""

    validation: Validation
    plan: Plan
    requests: int
    warnings: tuple[str, ...] = ()


class Synced(Struct, frozen=True, kw_only=True):
    """A plan and what became of it."""

    planned: Planned
    outcome: Outcome


class Check(Struct, frozen=True, kw_only=True):
    """One line of `debug`: `ok` is None where the check could not be made."""

    name: str
    ok: bool | None
    message: str
    fix: str = ""


class SettingOrigin(Struct, frozen=True, kw_only=True):
    """One setting in force, and where its value came from."""

    key: str
    value: str
    origin: str


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What `debug` found."""

    checks: tuple[Check, ...]
    settings: tuple[SettingOrigin, ...]
