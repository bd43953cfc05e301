"""One run's project: what dbt wrote and the settings say, what is declared, and the proof of it. Offline."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from dbt_statsig.columns.memory import memory_of
from dbt_statsig.payloads.building import Built, Context, build_payload
from dbt_statsig.payloads.role_checks import RoleFacts, role_findings
from dbt_statsig.planning.asked import FIX_FINDINGS, Desired
from dbt_statsig.planning.safety import Limits
from dbt_statsig.planning.uncompared import FOR_LACK_OF_EVIDENCE
from dbt_statsig.project.artifacts import failed, failed_tests, succeeded
from dbt_statsig.project.artifacts.nodes import BUILT
from dbt_statsig.project.artifacts.seed_files import SeedHeaders
from dbt_statsig.project.declarations import Declared, declare
from dbt_statsig.project.inputs import RUN_RESULTS_FILE, Inputs, artifacts_dir, load_inputs, places_of
from dbt_statsig.project.lineage import uncompiled, upstream
from dbt_statsig.project.namespace import namespace_of, prefix_of
from dbt_statsig.project.newer_yaml import outdated
from dbt_statsig.project.selection.selecting import choose
from dbt_statsig.project.target import Place, Target, elsewhere, known_target, other_target, refused_place
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, finding
from dbt_statsig.vocabulary.results import Left, SourceReport, Validation
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.columns.memory import Memory
    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.planning.basis import Basis
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.declarations import Declaration, DeclaredName, FaultyBlock
    from dbt_statsig.project.request import Request
    from dbt_statsig.project.settings import Settings

NAMED = 5


class Project:
    """One run's offline half: what was read, what is declared, and what follows from it.

    `only` are the nodes in scope (None: all). Proving waits until its result is asked for, so that the console can be
    read meanwhile. Raises SettingsError, ArtifactError and UsageError as `commands.validate` says.
    """

    def __init__(self, request: Request, manifest: Manifest | None) -> None:
        """Read and declare everything; a manifest that is given is taken in place of the file."""
        self.request = request
        self.inputs: Inputs = load_inputs(request, manifest)
        self._from_file = manifest is None
        self.settings: Settings = self.inputs.resolved.settings
        self.target: Target = known_target(
            request,
            self.inputs.manifest,
            artifacts_dir(request) / RUN_RESULTS_FILE,
            max_mb=self.settings.max_artifact_mb,
        )
        self.namespace: str = namespace_of(self.settings, self.target.name)
        self.chosen, self.unmatched = choose(self.inputs.manifest, request)
        self.only = self._only()
        declared = declare(
            self.inputs.manifest,
            settings=self.settings,
            project_dir=self.inputs.places,
            only=self.only,
            kinds=request.kinds or None,
        )
        self.declared: Declared = _prefixed(declared, prefix_of(self.settings, self.target.name))

    def against(self, state: Path | None) -> Validation:
        """The validation; where there are artifacts to compare with, with what has changed since."""
        if state is None:
            return self.validation
        from dbt_statsig.impact.downstream import State, base_request, with_impact  # only where it is asked for

        def as_state(project: Project) -> State:
            return State(
                validation=project.validation,
                inputs=project.inputs,
                declarations=project.declared.declarations,
                memory=project.memory,
            )

        base = Project(base_request(self.request, target=self.target.name), None)
        return with_impact(as_state(self), as_state(base), whole=self.only is None)

    @cached_property
    def other_target(self) -> str:
        """Why the manifest cannot be of the target that was named; empty where nothing speaks against it."""
        request, target = self.request, self.target
        if target.is_certain and request.known_schema is None:
            return ""
        places = places_of(request)
        if request.known_schema is not None:
            place = places.get(target.name, Place())
            places[target.name] = structs.replace(place, schema=request.known_schema)
        nodes = [one.node for one in self.declared.declarations]
        return other_target(target.name, places, nodes, own_names=_has_own_names(self.inputs.manifest))

    @cached_property
    def elsewhere(self) -> str:
        """Why nothing of this target may be pushed: a plan then compares by node; empty where something may."""
        return elsewhere(self.target, self.settings, (one.node for one in self.declared.declarations))

    @cached_property
    def memory(self) -> Memory | None:
        """What reading the manifest's SQL gave in earlier runs; None where nothing is to be kept."""
        return memory_of(self.inputs.manifest_path, self.request.environ) if self.settings.cache else None

    def _only(self) -> frozenset[str] | None:
        """The nodes in scope: as chosen, and built where this run follows a dbt command; None: all."""
        if self.inputs.results is None:
            return self.chosen
        built = succeeded(self.inputs.results) - self.held.keys()
        if failed(self.inputs.results) and self.settings.after_failure == "skip":
            return frozenset()
        return built if self.chosen is None else built & self.chosen

    @cached_property
    def held(self) -> dict[str, str]:
        """After a dbt command: the nodes whose sources are held back as data tests of theirs failed, and which."""
        if self.inputs.results is None or self.settings.on_test_failure == "push":
            return {}
        found: dict[str, list[str]] = {}
        for test_id in sorted(failed_tests(self.inputs.results)):
            for unique_id in self.inputs.manifest.tested_by(test_id):
                found.setdefault(unique_id, []).append(test_id.split(".")[2])
        return {unique_id: ", ".join(names[:NAMED]) for unique_id, names in found.items()}

    @cached_property
    def unproven(self) -> dict[str, str]:
        """After a dbt command that built a part: nodes that depend on uncompiled SQL, and whose that is."""
        if self.inputs.results is None:
            return {}
        weak = {declaration.node.unique_id for declaration, built in self.built if built.basis.is_weak}
        missing = {unique_id: uncompiled(self.inputs.manifest, [unique_id]) for unique_id in weak}
        return {unique_id: ", ".join(parents[:NAMED]) for unique_id, parents in missing.items() if parents}

    @property
    def strict(self) -> bool:
        """Whether warnings count as errors."""
        return self.request.strict or self.settings.strict

    @cached_property
    def prover(self) -> Prover:
        """What proves columns."""
        return _prover(self.inputs, self.memory)

    @cached_property
    def built(self) -> tuple[tuple[Declaration, Built], ...]:
        """Each declaration with its payload."""
        context = Context(
            project=self.inputs.project,
            namespace=self.namespace,
            hidden_tags=frozenset(self.settings.hidden_tags),
            docs_url=self.settings.docs_url or "",
            read_only=self.settings.read_only,
        )
        declarations = self.declared.declarations
        return tuple((one, build_payload(one, self.prover, context)) for one in declarations)

    @cached_property
    def validation(self) -> Validation:
        """The proof of every declaration, and all findings."""
        memory, built = self.memory, self.built
        findings = [*self.declared.findings, *self._project_findings(self.prover)]
        findings += [found for _, result in built for found in result.findings]
        for one, result in built:
            known = RoleFacts.of(self.inputs.manifest, one.node, uses=result.uses, selected=result.selected)
            findings += role_findings(one, known, guides=self.settings.guides)
        if memory is not None:
            memory.save()
        if self.strict:
            findings = [_promoted(found) for found in findings]
        errors = {(found.unique_id, found.kind, found.source) for found in findings if found.severity is Severity.ERROR}
        return Validation(
            project=self.inputs.project,
            adapter=self.inputs.manifest.adapter_type,
            dbt_version=self.inputs.manifest.dbt_version,
            manifest_path=str(self.inputs.manifest_path),
            sources=self._drawn(tuple(_report(one, result, errors) for one, result in built)),
            findings=tuple(sorted(findings, key=lambda found: found.sort_key)),
            unmatched=self.unmatched,
            namespace=self.namespace,
        )

    def _drawn(self, reports: tuple[SourceReport, ...]) -> tuple[SourceReport, ...]:
        """The reports with their lineage, where it is asked for."""
        if not self.request.lineage:
            return reports
        above = {one: upstream(self.inputs.manifest, one) for one in {report.unique_id for report in reports}}
        return tuple(structs.replace(report, lineage=above[report.unique_id]) for report in reports)

    def _outdated(self) -> Iterator[Finding]:
        """What is newer than the manifest's file; a manifest that dbt holds itself is never outdated."""
        if self._from_file:
            severity = Severity.ERROR if self.request.require_fresh else Severity.WARNING
            yield from outdated(self.inputs.newer_yaml, self.inputs.shown_path, severity=severity)

    def _project_findings(self, prover: Prover) -> Iterator[Finding]:
        yield from self._outdated()
        for word in self.unmatched:
            message = f'The selection "{word}" matches no node.'
            yield finding("nothing-selected", message, fix=CODES["nothing-selected"].remedy)
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

    def left(self) -> Iterator[Left]:
        """The declared sources that the dbt command before did not build, or did not compile enough for."""
        results = self.inputs.results or {}
        for name in self.declared.names:
            if self.chosen is not None and name.unique_id not in self.chosen:
                continue
            if self.request.kinds and name.kind not in self.request.kinds:
                continue
            reason = ""
            if name.unique_id in self.unproven:
                missing = self.unproven[name.unique_id]
                reason = f"Its columns depend on SQL that this dbt command did not compile: {missing}."
            elif name.unique_id in results and name.unique_id not in (self.only or frozenset()):
                status = results[name.unique_id]
                reason = f"dbt ended with the status {status} for its node."
                if name.unique_id in self.held:
                    reason = f"A data test of its node failed: {self.held[name.unique_id]} (on_test_failure is hold)."
                elif succeeded({name.unique_id: status}):
                    reason = "Another node failed, and after_failure is skip."
            if reason:
                yield Left(kind=name.kind, name=name.name, unique_id=name.unique_id, reason=reason)

    @property
    def limits(self) -> Limits:
        """How much may change or go at once."""
        settings = self.settings
        return Limits(
            percent=settings.prune_threshold_percent,
            objects=settings.prune_threshold_objects,
            changes=settings.change_threshold_objects,
        )

    def kinds(self) -> list[Kind]:
        """The kinds that the nodes in scope use; with pruning all, since what is no longer declared may be of any."""
        blocks: tuple[DeclaredName | FaultyBlock, ...] = (*self.declared.names, *self.declared.faulty)
        used = {block.kind for block in blocks if self.only is None or block.unique_id in self.only}
        if self.request.prune:
            used = set(Kind)
        return [kind for kind in Kind if kind in used and (not self.request.kinds or kind in self.request.kinds)]

    def of_other_kinds(self) -> dict[str, str]:
        """The nodes that declare a source of a kind which this run leaves out, each with one such source."""
        kinds = self.request.kinds or frozenset(Kind)
        names: tuple[DeclaredName | FaultyBlock, ...] = (*self.declared.names, *self.declared.faulty)
        return {one.unique_id: f'{one.kind.label} "{one.name}"' for one in names if one.name and one.kind not in kinds}

    def desired(self, *, by_node: bool = False) -> Iterator[Desired]:
        """What each declaration in scope asks for, and why one must not be pushed.

        With `by_node` it does not matter in which place a node is that dbt builds.
        """
        for name in self.declared.disabled:
            chosen = not self.request.kinds or name.kind in self.request.kinds
            if chosen and (self.only is None or name.unique_id in self.only):
                yield Desired(kind=name.kind, name=name.name, unique_id=name.unique_id, payload=None, disabled=True)
        faults: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for found in self.validation.findings:
            if found.severity is Severity.ERROR:
                faults[found.unique_id, found.kind, found.source].add(found.code)
        for (declaration, built), report in zip(self.built, self.validation.sources, strict=True):
            if report.unique_id in self.unproven:
                continue
            why = report.unproven or ("Its declaration has errors." if report.blocked else "")
            is_free = by_node and declaration.node.resource_type in BUILT
            place = "" if is_free else refused_place(declaration.node, self.settings)
            codes = {code for about in _about(declaration) for code in faults.get(about, ())}
            yield Desired(
                kind=report.kind,
                name=report.name,
                unique_id=report.unique_id,
                payload=report.payload,
                blocked=why or place,
                fix=FIX_FINDINGS if why else _OTHER_PLACE,
                default_description=getattr(declaration.meta, "description", UNSET) is UNSET,
                basis=self._basis(declaration, built),
                excused=not place and codes <= FOR_LACK_OF_EVIDENCE,
            )

    def _basis(self, declaration: Declaration, built: Built) -> Basis:
        """What the payload rests on, with the nodes whose SQL is missing where that is why it is weak."""
        missing = uncompiled(self.inputs.manifest, [declaration.node.unique_id]) if built.basis.is_weak else ()
        return structs.replace(built.basis, uncompiled=tuple(missing))


_OTHER_PLACE = (
    "Let dbt write the manifest for the target that may push (`dbt compile --target …`), or change the list in "
    "dbt_statsig.yml."
)


def _has_own_names(manifest: Manifest) -> bool:
    """Whether the project may have its own rule for the names of schemas; a manifest without macros does not tell."""
    rules = (".generate_schema_name", ".generate_database_name")
    own = (one for one in manifest.macros if one.endswith(rules) and not one.startswith("macro.dbt."))
    return not manifest.macros or any(own)


def _prover(inputs: Inputs, memory: Memory | None) -> Prover:
    from dbt_statsig.columns.prover import Prover  # loaded where columns are asked for

    seeds = SeedHeaders(inputs.project_dir, inputs.manifest.project_name)
    return Prover(inputs.manifest, inputs.catalog, memory=memory, seeds=seeds)


def _prefixed(declared: Declared, prefix: str) -> Declared:
    """The declarations with the target's prefix before each name."""
    if not prefix:
        return declared
    renamed = tuple(structs.replace(one, name=prefix + one.name) for one in declared.declarations)
    findings = tuple(
        structs.replace(found, source=prefix + found.source) if found.source else found for found in declared.findings
    )
    names, disabled = (
        tuple(structs.replace(one, name=prefix + one.name) for one in names)
        for names in (declared.names, declared.disabled)
    )
    return structs.replace(declared, declarations=renamed, findings=findings, names=names, disabled=disabled)


def _promoted(found: Finding) -> Finding:
    return structs.replace(found, severity=Severity.ERROR) if found.severity is Severity.WARNING else found


def _about(declaration: Declaration) -> tuple[tuple[str, str, str], ...]:
    """What a finding may be about that concerns this source: the whole project, its node, itself."""
    unique_id = declaration.node.unique_id
    return ("", "", ""), (unique_id, "", ""), (unique_id, declaration.kind.value, declaration.name)


def _report(declaration: Declaration, built: Built, errors: set[tuple[str, str, str]]) -> SourceReport:
    unique_id = declaration.node.unique_id
    return SourceReport(
        kind=declaration.kind,
        name=declaration.name,
        unique_id=unique_id,
        relation_name=declaration.node.relation_name or "",
        location=declaration.location,
        columns=built.uses,
        payload=built.payload,
        blocked=bool(built.unproven) or not errors.isdisjoint(_about(declaration)),
        selected=built.selected,
        hidden=built.hidden,
        unproven=built.unproven,
    )
