"""The JSON documents that the commands print: a contract of its own, apart from the types used inside.

Within one `schema_version` keys are only ever added.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from dbt_statsig.report.experiment_documents import ExperimentDocument, ReachedDocument
from dbt_statsig.report.exposures import ExposuresDocument
from dbt_statsig.report.reloads import ReloadDocument

SCHEMA_VERSION = 1


class DeclaredFinding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or worth knowing; `path` is the file, relative to the project."""

    code: str
    severity: str
    message: str
    fix: str
    unique_id: str
    kind: str
    source: str
    key: str
    path: str | None


class FindingDocument(DeclaredFinding, frozen=True, kw_only=True):
    """One fault or remark; `line` and `column` count from 1, null where they are not known.

    `page` is the address of the page about the code.
    """

    line: int | None
    column: int | None
    page: str


class ColumnDocument(Struct, frozen=True, kw_only=True):
    """One column in one role; `stored` is the spelling sent to Statsig, `presence` present, absent or unknown."""

    role: str
    name: str
    stored: str
    presence: str
    evidence: str
    data_type: str | None


class SourceDocument(Struct, frozen=True, kw_only=True):
    """One declared source; `payload` is what Statsig should hold, by the API's own field names.

    `selected` are the columns that the SQL selects (empty: all), `hidden` those that it excludes for their tags.
    """

    kind: str
    name: str
    unique_id: str
    relation_name: str
    path: str | None
    line: int | None
    column: int | None
    blocked: bool
    columns: tuple[ColumnDocument, ...]
    selected: tuple[str, ...]
    hidden: tuple[str, ...]
    payload: Any


class KnownDocument(Struct, frozen=True, kw_only=True):
    """One entry of a baseline: what a finding is recognised by, and how many such findings there are."""

    code: str
    unique_id: str
    kind: str
    source: str
    key: str
    count: int


class BaselineDocument(Struct, frozen=True, kw_only=True):
    """Findings that a baseline knew, kept apart from the others; `stale` are its entries without a finding."""

    path: str
    counts: dict[str, int]
    known: tuple[FindingDocument, ...]
    stale: tuple[KnownDocument, ...]


class ImpactDocument(Struct, frozen=True, kw_only=True):
    """What a change does, against the manifest at `base`; `effects` are also among the validation's findings.

    `compared` is how many objects both sides have. `experiments` is null where the console was not asked; `reached` has
    how they use what the change touches.
    """

    base: str
    compared: int
    effects: tuple[FindingDocument, ...]
    experiments: tuple[ExperimentDocument, ...] | None
    reached: tuple[ReachedDocument, ...]


class ValidationDocument(Struct, frozen=True, kw_only=True):
    """What the manifest declares, and all findings; with --strict, warnings have become errors.

    `namespace` is empty where the dbt target has none. `manifest_generated_at` is null where dbt did not record it.
    """

    ok: bool
    project: str
    namespace: str
    adapter: str
    dbt_version: str
    manifest_path: str
    manifest_generated_at: str | None
    counts: dict[str, int]
    sources: tuple[SourceDocument, ...]
    findings: tuple[FindingDocument, ...]
    unmatched: tuple[str, ...]
    baseline: BaselineDocument | None
    impact: ImpactDocument | None


class FieldDocument(Struct, frozen=True, kw_only=True):
    """One field: what the console has and what it should have, in the API's form."""

    field: str
    before: Any
    after: Any


class OriginDocument(Struct, frozen=True, kw_only=True):
    """Where a difference was made, by the audit log: `where` is `console`, `project`, `both` or `unknown`.

    `who` and `when` are of the last change in Statsig, `fields` what was changed there, from what to what (null: it
    does not say). `gone` is `deleted`, `renamed`, `released` or empty; `review` in which state a review of it is.
    """

    where: str
    who: str
    when: str
    fields: tuple[FieldDocument, ...]
    gone: str
    reason: str
    review: str


class ChangeDocument(Struct, frozen=True, kw_only=True):
    """One object of the plan; for unchanged, foreign, orphaned and blocked ones nothing is written.

    `requires` names the changes of the same kind after which alone this one is written. `held` is the action that a
    limit holds back, null for all but such blocked objects. `origin` is null where nobody asked the audit log.
    `generated` is the SQL that Statsig generates for a metric, each with its unit ID, where `--show-sql` asks for it.
    """

    action: str
    kind: str
    name: str
    live_name: str
    unique_id: str
    adopted: bool
    reason: str
    fix: str
    held: str | None
    requires: tuple[str, ...]
    fields: tuple[FieldDocument, ...]
    payload: Any
    origin: OriginDocument | None
    generated: tuple[tuple[str, str], ...]


class LeftDocument(Struct, frozen=True, kw_only=True):
    """One declared source that was skipped, because the dbt command before did not build its node."""

    kind: str
    name: str
    unique_id: str
    reason: str


class StageDocument(Struct, frozen=True, kw_only=True):
    """One stage of the writing: tags that are created where they are missing, or the changes by kind and name."""

    stage: str
    tags: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]


class PlanDocument(Struct, frozen=True, kw_only=True):
    """Every object, `counts` by action, the `stages` of the writing in order, and how many requests reading took."""

    counts: dict[str, int]
    changes: tuple[ChangeDocument, ...]
    stages: tuple[StageDocument, ...]
    left: tuple[LeftDocument, ...]
    requests: int
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


class ObjectDocument(Struct, frozen=True, kw_only=True):
    """One write and how it ended; `echo` has what Statsig keeps (`before`) otherwise than declared (`after`).

    `already`: it was so before the run, and nothing was sent.
    """

    action: str
    kind: str
    name: str
    status: str
    message: str
    fix: str
    reconciled: bool
    already: bool
    echo: tuple[FieldDocument, ...]


class OutcomeDocument(Struct, frozen=True, kw_only=True):
    """Every write, `counts` by status, and why the run stopped early (or an empty text)."""

    dry_run: bool
    counts: dict[str, int]
    objects: tuple[ObjectDocument, ...]
    stopped: str
    notes: tuple[str, ...]


class CheckDocument(Struct, frozen=True, kw_only=True):
    """One check of `debug`; `ok` is null where it could not be made."""

    name: str
    ok: bool | None
    message: str
    fix: str


class SettingDocument(Struct, frozen=True, kw_only=True):
    """One setting in force and where its value came from."""

    key: str
    value: str
    origin: str


class DiagnosisDocument(Struct, frozen=True, kw_only=True):
    """What `debug` found."""

    checks: tuple[CheckDocument, ...]
    settings: tuple[SettingDocument, ...]


class ImportedDocument(Struct, frozen=True, kw_only=True):
    """One object of the console and what became of it.

    `exactness` is exact, sql, changes, new_model, declared, owned, foreign or not_imported. `block` is what is under
    its kind in the node's `config.meta.statsig`, empty where there is none; `written` says whether it is in a file.
    The block of a metric is an entry of `metrics` of its `metric_source`.
    """

    kind: str
    name: str
    exactness: str
    unique_id: str
    matched: str
    reason: str
    fix: str
    block: dict[str, Any]
    fields: tuple[FieldDocument, ...]
    written: bool
    metric_source: str


class ImportedFileDocument(Struct, frozen=True, kw_only=True):
    """One file of the project, with its change as a unified diff."""

    path: str
    new: bool
    diff: str


class ImportDocument(Struct, frozen=True, kw_only=True):
    """What `import` found, and wrote (or, with `wrote` false, would write).

    `undeclared` are the tables that queries read and that no node of the project is, each as the parts of its name.
    """

    project: str
    wrote: bool
    counts: dict[str, int]
    objects: tuple[ImportedDocument, ...]
    files: tuple[ImportedFileDocument, ...]
    undeclared: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...]
    requests: int


class CandidateDocument(Struct, frozen=True, kw_only=True):
    """A model that looks like a source of a kind, and why."""

    unique_id: str
    kind: str
    why: str


class ProposedDocument(Struct, frozen=True, kw_only=True):
    """A proposed block with the reason for each key. `missing` are required keys that no column is certain for.

    `diff` is the change of the file at `path`, `refusal` why no file can take the block.
    """

    unique_id: str
    kind: str
    why: str
    block: dict[str, Any]
    reasons: dict[str, str]
    missing: dict[str, str]
    path: str
    diff: str
    refusal: str
    findings: tuple[FindingDocument, ...]
    written: bool


class InitDocument(Struct, frozen=True, kw_only=True):
    """What `init` proposes for one model (`proposed`), or the models that look like sources (`candidates`)."""

    project: str
    proposed: ProposedDocument | None
    candidates: tuple[CandidateDocument, ...]


class CodeDocument(Struct, frozen=True, kw_only=True):
    """What one finding's code means; `about` is project or run, `page` is the address of the page about it.

    `bad` has the finding and `good` has not; `example` is the good one, as before there were two.
    """

    code: str
    severity: str
    about: str
    meaning: str
    remedy: str
    example: str
    bad: str
    good: str
    page: str


class ErrorDocument(Struct, frozen=True, kw_only=True):
    """Why a command could not run."""

    type: str
    message: str
    fix: str


class Document(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command's answer; parts that a command does not have are omitted. `exit_code` is that of the process."""

    schema_version: int
    version: str
    command: str
    exit_code: int
    validation: ValidationDocument | None = None
    plan: PlanDocument | None = None
    outcome: OutcomeDocument | None = None
    reload: ReloadDocument | None = None
    imported: ImportDocument | None = None
    init: InitDocument | None = None
    exposures: ExposuresDocument | None = None
    diagnosis: DiagnosisDocument | None = None
    codes: tuple[CodeDocument, ...] | None = None
    error: ErrorDocument | None = None


def report_schema() -> dict[str, Any]:
    """What `--output json` prints, version `SCHEMA_VERSION`; keys may be added within a version, never removed."""
    _, components = msgspec.json.schema_components([Document], ref_template="#/$defs/{name}")
    document = components.pop("Document")
    document["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document,
        "title": "An answer of dbt-statsig",
        "$defs": dict(sorted(components.items())),
    }
