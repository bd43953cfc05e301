"""`validate`: what the project declares, and whether it can be pushed. The last step of the pipeline. Offline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.commands.pipeline import ProvenProject, declare_project, load_project, prove_project
from dbt_statsig.commands.proving import prover_of
from dbt_statsig.errors import ArtifactError
from dbt_statsig.payloads.role_checks import RoleFacts, role_findings
from dbt_statsig.project.lineage import upstream
from dbt_statsig.project.newer_yaml import outdated
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.findings import CODES, Finding, Severity, did_you_mean, finding, listed
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import SourceReport, Validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.impact.downstream import State
    from dbt_statsig.payloads.building import Built
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.project.request import Request


# What a word of a selection has around a node's name.
_OPERATORS = re.compile(r"^(?:@|\d*\+)|\+\d*$")


class ValidatedProject(ProvenProject, frozen=True, kw_only=True):
    """The same with all findings."""

    validation: Validation


def validate(request: Request, *, manifest: Manifest | None = None) -> Validation:
    """What the project declares and all findings about it, from dbt's files alone: no key, no network, no dbt.

    A manifest that is given is taken in place of the file. Raises SettingsError, ArtifactError and UsageError (a
    selection that cannot be answered, run results that say nothing of tables). With `state`, what has changed for
    the sources since those artifacts is reported too; with `warehouse`, what the warehouse says of them, and
    QueryFailed is raised where it cannot be asked.
    """
    project = prove_project(declare_project(load_project(request, manifest)))
    if request.warehouse:
        from dbt_statsig.commands.warehouse import check_in_warehouse  # only where it is asked for

        project = check_in_warehouse(project)
    validation = compared(validate_project(project)).validation
    if validation.impact is None:
        return validation
    from dbt_statsig.impact.experiments import with_unchecked  # only where it is asked for

    return with_unchecked(validation)


def to_compile(request: Request, *, manifest: Manifest | None = None) -> tuple[str, ...]:
    """The nodes in scope whose columns cannot be known because SQL above them is not compiled.

    Empty for a run that follows no dbt command: there `validate` reports it. Raises as `validate`.
    """
    loaded = load_project(request, manifest)
    return () if loaded.inputs.results is None else tuple(sorted(prove_project(declare_project(loaded)).uncompiled))


def validate_project(project: ProvenProject) -> ValidatedProject:
    """All findings about the project."""
    findings = [*project.declared.findings, *_project_findings(project)]
    findings += [found for _, result in project.built for found in result.findings]
    for one, result in project.built:
        if SPECS[one.kind].within is not None:
            continue  # what its columns must be follows from the aggregation
        guides = project.settings.guides
        known = RoleFacts.of(project.manifest, one.node, uses=result.uses, selected=result.selected, guides=guides)
        findings += role_findings(one, known, guides=guides)
    if project.strict:
        findings = [_promoted(found) for found in findings]
    errors = {(found.unique_id, found.kind, found.source) for found in findings if found.severity is Severity.ERROR}
    reports = tuple(_report(one, result, errors) for one, result in project.built)
    validation = Validation(
        project=project.inputs.project,
        adapter=project.manifest.adapter_type,
        dbt_version=project.manifest.dbt_version,
        manifest_path=str(project.inputs.manifest_path),
        sources=_drawn(project.manifest, reports) if project.request.lineage else reports,
        findings=tuple(sorted(findings, key=lambda found: found.sort_key)),
        unmatched=project.unmatched,
        namespace=project.namespace,
        manifest_at=project.manifest.generated_at,
    )
    return ValidatedProject(**structs.asdict(project), validation=validation)


def compared(project: ValidatedProject) -> ValidatedProject:
    """The project with what has changed for its sources since the artifacts in `request.state`, where there are any."""
    if project.request.state is None:
        return project
    from dbt_statsig.impact.downstream import base_request, with_impact  # only where it is asked for

    before = load_project(base_request(project.request, target=project.target.name))
    if before.inputs.project != project.inputs.project:
        raise ArtifactError(
            f'--state holds the dbt project "{before.inputs.project}", not "{project.inputs.project}": nothing in it '
            "can be compared.",
            fix="Give the artifacts of this project. Where it was renamed, run once without --state.",
        )
    base = validate_project(prove_project(declare_project(before)))
    now, then = _state(project), _state(base)
    validation = with_impact(now, then, whole=project.selected_ids is None)
    for memory in (project.memory, base.memory):
        if memory is not None:
            memory.save()
    return structs.replace(project, validation=validation)


def _state(project: ValidatedProject) -> State:
    """One side of a comparison, which goes by the code: contracts and compiled SQL."""
    from dbt_statsig.impact.downstream import State

    return State(
        validation=project.validation,
        declarations=project.declared.declarations,
        manifest=project.manifest,
        prover=prover_of(project.inputs, project.memory, use_catalog_of_models=False, with_seeds=False),
    )


def about(declaration: Declaration) -> tuple[tuple[str, str, str], ...]:
    """What a finding may be about that concerns this source: the whole project, its node, itself."""
    unique_id = declaration.node.unique_id
    return ("", "", ""), (unique_id, "", ""), (unique_id, declaration.kind.value, declaration.name)


def _project_findings(project: ProvenProject) -> Iterator[Finding]:
    """What concerns the whole project: how old the files are, and what they lack."""
    inputs, declared = project.inputs, project.declared
    if project.is_from_file:  # what dbt itself holds is never outdated
        severity = Severity.ERROR if project.request.require_fresh else Severity.WARNING
        yield from outdated(inputs.newer_yaml, inputs.shown_path, severity=severity)
    for word in project.unmatched:
        message = f'The selection "{word}" matches no node.'
        names = {head.name for head in project.manifest.summaries().values()} if ":" not in word else ()
        near = did_you_mean(_OPERATORS.sub("", word), names)
        yield finding("nothing-selected", message, fix=near or CODES["nothing-selected"].remedy)
    if not (declared.names or declared.faulty or declared.findings):
        yield finding("nothing-declared", "No model is marked for Statsig.", fix=CODES["nothing-declared"].remedy)
    nodes = {one.node.unique_id: one.node for one in declared.declarations}
    raw = [node for node in nodes.values() if node.resource_type in {"model", "snapshot"} and not node.compiled_code]
    sql = [node.name for node in raw if node.language == "sql"]
    if sql:
        message = f"The manifest holds no compiled SQL for {listed(sql)}."
        yield finding("not-compiled", message, fix=CODES["not-compiled"].remedy)
    if nodes and (note := adapter_for(inputs.manifest.adapter_type).note):
        yield finding("adapter-unknown", note, fix=CODES["adapter-unknown"].remedy)
    if nodes and inputs.catalog is not None and not inputs.catalog.is_fresh_for(inputs.manifest):
        yield finding(
            "catalog-stale",
            "The catalog is older than the manifest, so it is weaker evidence.",
            severity=Severity.NOTE,
            fix=CODES["catalog-stale"].remedy,
        )


def _promoted(found: Finding) -> Finding:
    return structs.replace(found, severity=Severity.ERROR) if found.severity is Severity.WARNING else found


def _drawn(manifest: Manifest, reports: tuple[SourceReport, ...]) -> tuple[SourceReport, ...]:
    """The reports with their lineage."""
    above = {one: upstream(manifest, one) for one in {report.unique_id for report in reports}}
    return tuple(structs.replace(report, lineage=above[report.unique_id]) for report in reports)


def _report(declaration: Declaration, built: Built, errors: set[tuple[str, str, str]]) -> SourceReport:
    return SourceReport(
        kind=declaration.kind,
        name=declaration.name,
        unique_id=declaration.node.unique_id,
        relation_name=declaration.node.relation_name or "",
        location=declaration.location,
        columns=built.uses,
        payload=built.payload,
        blocked=bool(built.unproven) or not errors.isdisjoint(about(declaration)),
        selected=built.selected,
        hidden=built.hidden,
        unproven=built.unproven,
    )
