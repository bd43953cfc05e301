"""The answer of each command as one JSON object. Key order is that of `documents.py` and never varies."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from dbt_statsig import __version__
from dbt_statsig.planning.stages import stages_of
from dbt_statsig.report import documents as doc
from dbt_statsig.report import experiment_documents as uses
from dbt_statsig.report.exposures import exposures_document
from dbt_statsig.report.reloads import reload_document
from dbt_statsig.report.run_findings import RULES, RUN_CODES, Example, example_of, page_of
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.kinds.base import wire_form
from dbt_statsig.vocabulary.sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.planning.stages import Stage
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.changes import Change, FieldChange, Origin
    from dbt_statsig.vocabulary.exposures import DbtYaml
    from dbt_statsig.vocabulary.findings import Finding, Location
    from dbt_statsig.vocabulary.imports import FirstBlocks, Imported, Proposed
    from dbt_statsig.vocabulary.inspections import Diagnosis
    from dbt_statsig.vocabulary.reloads import Reloaded
    from dbt_statsig.vocabulary.results import (
        Baseline,
        Failure,
        Impact,
        ObjectOutcome,
        Outcome,
        Planned,
        SourceReport,
        Validation,
    )


def _place(location: Location | None) -> dict[str, Any]:
    if location is None:
        return {"path": None, "line": None, "column": None}
    return {"path": location.path, "line": location.line or None, "column": location.column or None}


def _wire(value: Any) -> Any:
    if isinstance(value, Source):
        return wire_form(value)
    return None if value is msgspec.UNSET else msgspec.to_builtins(value)


def _counts(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def declared_finding(found: Finding) -> doc.DeclaredFinding:
    """The finding with its file, as a document."""
    return doc.DeclaredFinding(
        code=found.code,
        severity=found.severity.label,
        message=found.message,
        fix=found.fix,
        unique_id=found.unique_id,
        kind=found.kind,
        source=found.source,
        key=found.key,
        path=found.location.path if found.location else None,
    )


def _finding(found: Finding) -> doc.FindingDocument:
    known = msgspec.structs.asdict(declared_finding(found)) | _place(found.location)
    return doc.FindingDocument(**known, page=page_of(found.code))


def _source(source: SourceReport) -> doc.SourceDocument:
    columns = tuple(
        doc.ColumnDocument(
            role=use.role,
            name=use.verdict.name,
            stored=use.verdict.stored,
            presence=use.verdict.presence.value,
            evidence=use.verdict.evidence.value,
            data_type=use.verdict.data_type,
        )
        for use in source.columns
    )
    return doc.SourceDocument(
        kind=source.kind.value,
        name=source.name,
        unique_id=source.unique_id,
        relation_name=source.relation_name,
        **_place(source.location),
        blocked=source.blocked,
        columns=columns,
        selected=source.selected,
        hidden=source.hidden,
        payload=_wire(source.payload),
    )


def _baseline(baseline: Baseline) -> doc.BaselineDocument:
    stale = tuple(doc.KnownDocument(**msgspec.structs.asdict(entry)) for entry in baseline.stale)
    return doc.BaselineDocument(
        path=baseline.path,
        counts={"known": len(baseline.known), "stale": len(stale)},
        known=tuple(map(_finding, baseline.known)),
        stale=stale,
    )


def _impact(impact: Impact) -> doc.ImpactDocument:
    running = impact.experiments
    return doc.ImpactDocument(
        base=impact.base,
        compared=impact.compared,
        effects=tuple(map(_finding, impact.effects)),
        experiments=None
        if running is None
        else tuple(
            uses.ExperimentDocument(
                id=one.id,
                name=one.name,
                status=one.status,
                assignment_source=one.assignment_source,
                entity_property_source=one.entity_property_source,
                owner=one.owner.name,
                owner_email=one.owner.email,
                permalink=one.permalink,
            )
            for one in running
        ),
        reached=tuple(
            uses.ReachedDocument(
                kind=reached.kind.value,
                name=reached.name,
                live_name=reached.live_name,
                unique_id=reached.unique_id,
                experiments=tuple(
                    uses.ExperimentUseDocument(**msgspec.structs.asdict(one)) for one in reached.experiments
                ),
            )
            for reached in impact.reached
        ),
    )


def _validation(validation: Validation) -> doc.ValidationDocument:
    severities = [found.severity for found in validation.findings]
    return doc.ValidationDocument(
        ok=validation.ok(),
        project=validation.project,
        namespace=validation.namespace,
        adapter=validation.adapter,
        dbt_version=validation.dbt_version,
        manifest_path=validation.manifest_path,
        manifest_generated_at=validation.manifest_at.isoformat() if validation.manifest_at else None,
        counts={
            "sources": len(validation.sources),
            "blocked": sum(source.blocked for source in validation.sources),
            **{f"{severity.label}s": severities.count(severity) for severity in sorted(Severity, reverse=True)},
        },
        sources=tuple(map(_source, validation.sources)),
        findings=tuple(map(_finding, validation.findings)),
        unmatched=validation.unmatched,
        baseline=None if validation.baseline is None else _baseline(validation.baseline),
        impact=None if validation.impact is None else _impact(validation.impact),
    )


def _field(field: FieldChange) -> doc.FieldDocument:
    return doc.FieldDocument(field=field.field, before=_wire(field.before), after=_wire(field.after))


def _origin(origin: Origin) -> doc.OriginDocument:
    return doc.OriginDocument(
        where=origin.where.value,
        who=origin.who,
        when=origin.when,
        fields=tuple(map(_field, origin.fields)),
        gone=origin.gone,
        reason=origin.reason,
        review=origin.review,
    )


def _change(change: Change) -> doc.ChangeDocument:
    return doc.ChangeDocument(
        action=change.action.value,
        kind=change.kind.value,
        name=change.name,
        live_name=change.live_name,
        unique_id=change.unique_id,
        adopted=change.adopted,
        reason=change.reason,
        fix=change.fix,
        held=change.held.value if change.held else None,
        requires=change.requires,
        fields=tuple(map(_field, change.fields)),
        payload=_wire(change.desired),
        origin=None if change.origin is None else _origin(change.origin),
        generated=change.generated,
    )


def _stage(stage: Stage) -> doc.StageDocument:
    changes = tuple((change.kind.value, change.name) for change in stage.changes)
    return doc.StageDocument(stage=stage.kind.value, tags=stage.tags, changes=changes)


def _plan(planned: Planned) -> doc.PlanDocument:
    return doc.PlanDocument(
        counts=_counts(change.action.value for change in planned.plan.changes),
        changes=tuple(map(_change, planned.plan.changes)),
        stages=tuple(map(_stage, stages_of(planned.plan))),
        left=tuple(
            doc.LeftDocument(kind=one.kind.value, name=one.name, unique_id=one.unique_id, reason=one.reason)
            for one in planned.skipped
        ),
        requests=planned.requests,
        warnings=planned.warnings,
        notes=planned.notes,
    )


def _object(entry: ObjectOutcome) -> doc.ObjectDocument:
    return doc.ObjectDocument(
        action=entry.change.action.value,
        kind=entry.change.kind.value,
        name=entry.change.name,
        status=entry.status.value.replace(" ", "_"),
        message=entry.message,
        fix=entry.fix,
        reconciled=entry.reconciled,
        already=entry.already,
        echo=tuple(map(_field, entry.echo)),
    )


def _outcome(outcome: Outcome, *, dry_run: bool) -> doc.OutcomeDocument:
    return doc.OutcomeDocument(
        dry_run=dry_run,
        counts=_counts(entry.status.value.replace(" ", "_") for entry in outcome.objects),
        objects=tuple(map(_object, outcome.objects)),
        stopped=outcome.stopped,
        notes=outcome.notes,
    )


def _encoded(command: str, exit_code: int, **parts: Any) -> str:
    document = doc.Document(
        schema_version=doc.SCHEMA_VERSION, version=__version__, command=command, exit_code=exit_code, **parts
    )
    content = msgspec.to_builtins(document)
    try:
        return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"
    except UnicodeEncodeError:
        # Lone surrogates have no UTF-8 form; as \ud800 escapes they are still JSON.
        return json.dumps(content, indent=2) + "\n"


def render(subject: Subject) -> str:
    """The answer of `validate`, `plan` or `sync`: what there is of validation, plan and outcome."""
    parts: dict[str, Any] = {"validation": _validation(subject.validation)}
    if subject.planned is not None:
        parts["plan"] = _plan(subject.planned)
    if subject.outcome is not None:
        parts["outcome"] = _outcome(subject.outcome, dry_run=subject.dry_run)
    if subject.reloaded is not None:
        parts["reload"] = reload_document(subject.reloaded)
    return _encoded(subject.command, subject.exit_code, **parts)


def render_failure(failure: Failure) -> str:
    """The answer of any command that could not run."""
    error = doc.ErrorDocument(type=failure.type, message=failure.message, fix=failure.fix)
    return _encoded(failure.command, failure.exit_code, error=error)


def import_json(imported: Imported) -> str:
    """The answer of `import`."""
    objects = tuple(
        doc.ImportedDocument(
            kind=one.kind.value,
            name=one.name,
            exactness=one.exactness.value,
            unique_id=one.unique_id,
            matched=one.matched,
            reason=one.reason,
            fix=one.fix,
            block=dict(one.block),
            fields=tuple(map(_field, one.differences)),
            written=one.is_written,
            metric_source=one.within,
        )
        for one in imported.objects
    )
    parts = doc.ImportDocument(
        project=imported.project,
        wrote=imported.wrote,
        counts=_counts(one.exactness.value for one in imported.objects),
        objects=objects,
        files=tuple(doc.ImportedFileDocument(path=one.path, new=one.is_new, diff=one.diff) for one in imported.files),
        undeclared=imported.undeclared,
        warnings=imported.warnings,
        requests=imported.requests,
    )
    return _encoded("import", imported.exit_code, imported=parts)


def reload_json(reloaded: Reloaded) -> str:
    """The answer of `reload`."""
    return _encoded("reload", reloaded.exit_code, reload=reload_document(reloaded))


def exposures_json(result: DbtYaml) -> str:
    """The answer of `exposures`."""
    return _encoded("exposures", result.exit_code, exposures=exposures_document(result))


def init_json(result: FirstBlocks) -> str:
    """The answer of `init`."""
    proposed = None if result.proposed is None else _proposed(result.proposed)
    candidates = tuple(
        doc.CandidateDocument(unique_id=one.unique_id, kind=one.kind.value, why=one.why) for one in result.candidates
    )
    parts = doc.InitDocument(project=result.project, proposed=proposed, candidates=candidates)
    return _encoded("init", result.exit_code, init=parts)


def _proposed(one: Proposed) -> doc.ProposedDocument:
    return doc.ProposedDocument(
        unique_id=one.unique_id,
        kind=one.guess.kind.value,
        why=one.guess.why,
        block=one.guess.block,
        reasons=one.guess.reasons,
        missing=one.guess.missing,
        path=one.path,
        diff=one.diff,
        refusal=one.refusal,
        findings=tuple(map(_finding, one.findings)),
        written=one.written,
    )


def diagnosis_json(diagnosis: Diagnosis, *, exit_code: int = 0) -> str:
    """The answer of `debug`."""
    checks = tuple(
        doc.CheckDocument(name=check.name, ok=check.ok, message=check.message, fix=check.fix)
        for check in diagnosis.checks
    )
    settings = tuple(
        doc.SettingDocument(key=setting.key, value=setting.value, origin=setting.origin)
        for setting in diagnosis.settings
    )
    parts = doc.DiagnosisDocument(checks=checks, settings=settings)
    return _encoded("debug", exit_code, diagnosis=parts)


def codes_json(codes: Iterable[str]) -> str:
    """The answer of `explain`, in the order given."""

    def document(code: str) -> doc.CodeDocument:
        example = example_of(code) or Example(bad="", good="")
        return doc.CodeDocument(
            code=code,
            severity=RULES[code].severity.label,
            about="run" if code in RUN_CODES else "project",
            meaning=RULES[code].meaning,
            remedy=RULES[code].remedy,
            example=example.good,
            bad=example.bad,
            good=example.good,
            page=page_of(code),
        )

    return _encoded("explain", 0, codes=tuple(map(document, codes)))
