"""The conductor: load, declare, prove, plan, apply. Every door calls one function of this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.declarations import Declared, declare
from dbt_statsig.diagnosis import diagnose
from dbt_statsig.errors import SettingsError
from dbt_statsig.findings import CODES, Finding, Severity, finding
from dbt_statsig.guard import check_target, known_target, refused_place
from dbt_statsig.inputs import Inputs, artifacts_dir, load_inputs
from dbt_statsig.payloads import Built, Context, build_payload
from dbt_statsig.plan import Desired, Live, Scope, build_plan
from dbt_statsig.progress import Progress, Silent
from dbt_statsig.results import Diagnosis, Outcome, Planned, SourceReport, Synced, Validation
from dbt_statsig.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.artifacts import Manifest, Node
    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.console.client import ConsoleClient, Waiting
    from dbt_statsig.console.key import ApiKey
    from dbt_statsig.declarations import Declaration
    from dbt_statsig.request import Request
    from dbt_statsig.settings import Settings

NAMED = 5
NO_KEY = "No Console API key is set."
NO_KEY_FIX = "Set STATSIG_CONSOLE_API_KEY to a Console API key of the Statsig project."


def validate(request: Request) -> Validation:
    """What the project declares and all findings about it, from dbt's files alone: no key, no network, no dbt.

    Raises SettingsError, ArtifactError and UsageError (a selection that cannot be answered).
    """
    return _Run(request).validation


def plan(request: Request, *, progress: Progress | None = None) -> Planned:
    """What a sync would change. Raises as `validate`, and ConsoleError where the console cannot be read."""
    run = _Run(request)
    with run.console(progress or Silent()) as client:
        return run.planned(client, progress or Silent())


def sync(request: Request, *, progress: Progress | None = None) -> Synced:
    """Plan and apply the plan (nothing is written with `dry_run`).

    Raises as `plan` before anything is written, and TargetRefused where this dbt target may not push; what happens
    to a single object after that is in the outcome.
    """
    from dbt_statsig.apply import WRITES, Applier  # noqa: PLC0415 - with it comes httpx

    told = progress or Silent()
    run = _Run(request)
    if not request.dry_run:
        check_target(run.target, run.settings)
    with run.console(told) as client:
        planned = run.planned(client, told)
        if request.dry_run:
            return Synced(planned=planned, outcome=Outcome(objects=()))
        total = sum(change.action in WRITES for change in planned.plan.changes)
        told.done(0, total)
        concurrency = run.settings.concurrency
        applier = Applier(client, concurrency=concurrency, on_done=lambda count: told.done(count, total))
        return Synced(planned=planned, outcome=applier.run(planned.plan))


class _Run:
    """One run: what was read, what is declared, and the parts that follow from it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.inputs: Inputs = load_inputs(request)
        self.settings: Settings = self.inputs.resolved.settings
        self.target = known_target(request.target, self.inputs.manifest, artifacts_dir(request) / "run_results.json")
        self.only, self.unmatched = _selected(self.inputs.manifest, request)
        declared = declare(
            self.inputs.manifest,
            settings=self.settings,
            project_dir=request.project_dir,
            only=self.only,
            kinds=request.kinds or None,
        )
        self.declared: Declared = _prefixed(declared, self.settings.name_prefix.get(self.target, ""))
        self.validation = self._validate()

    def _validate(self) -> Validation:
        prover = _prover(self.inputs)
        context = Context(
            project=self.inputs.project,
            hidden_tags=frozenset(self.settings.hidden_tags),
            docs_url=self.settings.docs_url or "",
        )
        built = [(one, build_payload(one, prover, context)) for one in self.declared.declarations]
        findings = [*self.declared.findings, *self._project_findings(prover)]
        findings += [found for _, result in built for found in result.findings]
        if self.request.strict or self.settings.strict:
            findings = [_promoted(found) for found in findings]
        errors = [found for found in findings if found.severity is Severity.ERROR]
        return Validation(
            project=self.inputs.project,
            adapter=self.inputs.manifest.adapter_type,
            dbt_version=self.inputs.manifest.dbt_version,
            manifest_path=str(self.inputs.manifest_path),
            sources=tuple(_report(one, result, errors) for one, result in built),
            findings=tuple(sorted(findings, key=lambda found: found.sort_key)),
            unmatched=self.unmatched,
        )

    def _project_findings(self, prover: Prover) -> Iterator[Finding]:
        if not (self.declared.names or self.declared.faulty or self.declared.findings):
            yield finding("nothing-declared", "No model is marked for Statsig.", fix=CODES["nothing-declared"].remedy)
        nodes = {one.node.unique_id: one.node for one in self.declared.declarations}
        raw = [
            node for node in nodes.values() if node.resource_type in {"model", "snapshot"} and not node.compiled_code
        ]
        sql = [node.name for node in raw if node.language == "sql"]
        if sql:
            listed = ", ".join(sql[:5]) + (f" and {len(sql) - 5} more" if len(sql) > 5 else "")  # noqa: PLR2004 - a line
            yield finding(
                "not-compiled", f"The manifest holds no compiled SQL for {listed}.", fix=CODES["not-compiled"].remedy
            )
        if nodes and prover.adapter.note:
            yield finding("adapter-unknown", prover.adapter.note, fix=CODES["adapter-unknown"].remedy)
        catalog = self.inputs.catalog
        if nodes and catalog is not None and not catalog.is_fresh_for(self.inputs.manifest):
            yield finding(
                "catalog-stale",
                "The catalog is older than the manifest; it counts as weaker evidence.",
                severity=Severity.NOTE,
                fix=CODES["catalog-stale"].remedy,
            )

    def console(self, told: Progress) -> ConsoleClient:
        """An open client. Raises SettingsError where there is no key, or one that cannot be used."""
        from dbt_statsig.console.client import ConsoleClient  # noqa: PLC0415 - with it comes httpx

        def waiting(pause: Waiting) -> None:
            told.say(f"Waiting {pause.seconds:.0f} s: {pause.reason}")

        return ConsoleClient(
            _key(self.request),
            base_url=self.settings.base_url,
            respect_review_settings=self.settings.respect_review_settings,
            write_timeout=self.settings.write_timeout,
            read_timeout=self.settings.read_timeout,
            budget=self.settings.wait_budget,
            on_wait=waiting,
        )

    def planned(self, client: ConsoleClient, told: Progress) -> Planned:
        warnings = []
        live = {}
        for kind in self._kinds():
            told.say(f"Reading {kind.label}s")
            listing = client.list(kind)
            live[kind] = Live(items=listing.items, complete=listing.complete)
            if not listing.complete:
                warnings.append(f"The list of {kind.label}s may lack some: {listing.doubt}")
        scope = Scope(
            project=self.inputs.project,
            adopt=self.request.adopt,
            only=self.only,
            protected=frozenset((block.kind, block.unique_id) for block in self.declared.faulty),
            prune=self.request.prune,
        )
        result = build_plan(self._desired(), live, scope)
        return Planned(validation=self.validation, plan=result, requests=client.requests, warnings=tuple(warnings))

    def _kinds(self) -> list[Kind]:
        """The kinds in use; with pruning all kinds, since what is no longer declared may be of any."""
        used = {name.kind for name in self.declared.names} | {block.kind for block in self.declared.faulty}
        if self.request.prune:
            used = set(Kind)
        return [kind for kind in Kind if kind in used and (not self.request.kinds or kind in self.request.kinds)]

    def _desired(self) -> Iterator[Desired]:
        reports = zip(self.declared.declarations, self.validation.sources, strict=True)
        for declaration, report in reports:
            why = "Its declaration has errors." if report.blocked else refused_place(declaration.node, self.settings)
            yield Desired(
                kind=report.kind,
                name=report.name,
                unique_id=report.unique_id,
                payload=report.payload,
                blocked=why,
            )


def _key(request: Request) -> ApiKey:
    from dbt_statsig.console.key import ApiKey  # noqa: PLC0415 - validate needs no key

    key = ApiKey.from_environment(request.environ)
    if key is None:
        raise SettingsError(NO_KEY, fix=NO_KEY_FIX)
    return key


def _prover(inputs: Inputs) -> Prover:
    from dbt_statsig.columns.prover import Prover  # noqa: PLC0415 - loaded where columns are asked for

    return Prover(inputs.manifest, inputs.catalog)


def _selected(manifest: Manifest, request: Request) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    if not request.select and not request.exclude:
        return None, ()
    from dbt_statsig.selection import select  # noqa: PLC0415 - only where something is selected

    selection = select(manifest, request.select, request.exclude)
    return selection.unique_ids, selection.unmatched


def _prefixed(declared: Declared, prefix: str) -> Declared:
    """The declarations with the target's prefix before each name."""
    if not prefix:
        return declared
    renamed = tuple(structs.replace(one, name=prefix + one.name) for one in declared.declarations)
    findings = tuple(
        structs.replace(found, source=prefix + found.source) if found.source else found for found in declared.findings
    )
    return structs.replace(declared, declarations=renamed, findings=findings)


def _lacks_sql(node: Node) -> bool:
    return node.resource_type in {"model", "snapshot"} and node.language == "sql" and not node.compiled_code


def _promoted(found: Finding) -> Finding:
    return structs.replace(found, severity=Severity.ERROR) if found.severity is Severity.WARNING else found


def _report(declaration: Declaration, built: Built, errors: list[Finding]) -> SourceReport:
    unique_id = declaration.node.unique_id
    mine = {(unique_id, "", ""), (unique_id, declaration.kind.value, declaration.name)}
    return SourceReport(
        kind=declaration.kind,
        name=declaration.name,
        unique_id=unique_id,
        relation_name=declaration.node.relation_name or "",
        location=declaration.location,
        columns=built.uses,
        payload=built.payload,
        blocked=any((found.unique_id, found.kind, found.source) in mine for found in errors),
        selected=built.selected,
    )


def debug(request: Request) -> Diagnosis:
    """Whether all that a sync needs is there: settings, dbt's files, key, connection, unit IDs."""
    return diagnose(request)
