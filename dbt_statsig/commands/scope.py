"""What of a project a plan is about: which kinds, which sources are asked for, which are skipped, and may it push."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from dbt_statsig.commands.proving import declared_in
from dbt_statsig.commands.validate import about
from dbt_statsig.planning.adoption import only_as_imported
from dbt_statsig.planning.asked import FIX_FINDINGS, Desired
from dbt_statsig.planning.matching import Scope
from dbt_statsig.planning.safety import FOR_LACK_OF_EVIDENCE, Limits
from dbt_statsig.project.artifacts import succeeded
from dbt_statsig.project.artifacts.nodes import BUILT
from dbt_statsig.project.import_list import LIST_FILE, ListedObject, read_list
from dbt_statsig.project.inputs import PROJECT_FILE, artifacts_dir, load_inputs, places_of
from dbt_statsig.project.lineage import uncompiled
from dbt_statsig.project.namespace import namespace_of, other_prefixes, prefix_of
from dbt_statsig.project.request import Request
from dbt_statsig.project.target import Place, elsewhere, other_target, refused_place
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.imports import Exactness
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS
from dbt_statsig.vocabulary.ownership import owner_name
from dbt_statsig.vocabulary.results import Skipped
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbt_statsig.commands.pipeline import DeclaredProject, ProvenProject
    from dbt_statsig.commands.validate import ValidatedProject
    from dbt_statsig.payloads.building import Built
    from dbt_statsig.planning.basis import Basis
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.declarations import Declaration, DeclaredName, FaultyBlock
    from dbt_statsig.project.settings import Settings
    from dbt_statsig.vocabulary.changes import Plan

_OTHER_PLACE = "Run `dbt compile --target …` for a target that may push, or change the list in dbt_statsig.yml."


def scope_of(project: ProvenProject) -> Scope:
    """What this run may touch."""
    request, settings, target = project.request, project.settings, project.target.name
    owners, declared_there = _to_adopt_from(project)
    selected = None if project.selected_ids is None else project.selected_ids - project.uncompiled.keys()
    unread = frozenset(_unread(project.declared.faulty, prefix_of(settings, target)))
    return Scope(
        project=project.inputs.project,
        namespace=project.namespace,
        adopt=words_to_adopt(project),
        adopt_all=request.adopt_all,
        adopt_from=owners,
        declared_there=declared_there,
        named=frozenset(_named(project)),
        renamed=frozenset(_renamed(project)),
        selected_ids=selected,
        protected=frozenset((kind, node) for kind, node, _ in unread),
        unread=unread,
        prune=request.prune,
        delete_metrics=request.delete_metrics,
        prefix=prefix_of(settings, target),
        prefixes=other_prefixes(settings, target),
        force=request.force,
    )


def words_to_adopt(project: DeclaredProject) -> frozenset[str]:
    """What `--adopt` names, with the sources of a node in place of its unique_id."""
    declared = defaultdict(set)
    for one in project.declared.names:
        declared[one.unique_id].add(one.name)
    return frozenset(name for word in project.request.adopt for name in declared.get(word, {word}))


def _named(project: ProvenProject) -> Iterator[tuple[Kind, str, str]]:
    """The objects that blocks, or the list of an import, name for adoption, each with the name that it gets."""
    if project.request.adopt_imported:
        yield from ((one.kind, one.name, one.name) for one in _imported(project))
    if project.namespace or prefix_of(project.settings, project.target.name):
        return
    for one in project.declared.declarations:
        if isinstance(one.meta.adopt, str):
            yield one.kind, one.meta.adopt, one.name


def _renamed(project: ProvenProject) -> Iterator[tuple[Kind, str, str]]:
    """The names that blocks had in this dbt target before, each with the one that it has now."""
    prefix = prefix_of(project.settings, project.target.name)
    for one in project.declared.declarations:
        if isinstance(one.meta.adopt, str):
            yield one.kind, prefix + one.meta.adopt, one.name


def _imported(project: DeclaredProject) -> tuple[ListedObject, ...]:
    return read_list(artifacts_dir(project.request) / LIST_FILE)


def as_imported(project: DeclaredProject, plan: Plan) -> Plan:
    """The plan in which imported objects are taken over only as they were, unless another option names them."""
    request = project.request
    if not request.adopt_imported or request.adopt_all:
        return plan
    proven = {one.value for one in Exactness if one.is_proven}
    words = words_to_adopt(project)
    exact = {(one.kind, one.name) for one in _imported(project) if one.exactness in proven and one.name not in words}
    return only_as_imported(plan, exact)


def _unread(faulty: Iterable[FaultyBlock], prefix: str) -> Iterator[tuple[Kind, str, str]]:
    """The blocks that cannot be read, by kind, node and name; with a source's block goes what may stand within."""
    for block in faulty:
        yield block.kind, block.unique_id, prefix + block.name if block.name and block.has_name else ""
        yield from ((kind, block.unique_id, "") for kind, spec in SPECS.items() if spec.within is block.kind)


def _to_adopt_from(project: ProvenProject) -> tuple[frozenset[str], frozenset[tuple[Kind, str]]]:
    """The owners to adopt from, and what those of them still declare that are given by their folders."""
    owners, declared = set(), set()
    for word in project.request.adopt_from:
        if not (Path(word) / PROJECT_FILE).is_file():
            owners.add(word)
            continue
        inputs = load_inputs(Request(project_dir=Path(word), environ=project.request.environ))
        settings, target = inputs.resolved.settings, project.target.name
        owners.add(owner_name(inputs.project, namespace_of(settings, target)))
        names = declared_in(inputs.manifest, settings, target, places=None).names
        declared |= {(one.kind, one.name) for one in names}
    return frozenset(owners), frozenset(declared)


def limits_of(settings: Settings) -> Limits:
    """How much may change or go at once."""
    return Limits(
        percent=settings.prune_threshold_percent,
        objects=settings.prune_threshold_objects,
        changes=settings.change_threshold_objects,
    )


def kinds_in(project: DeclaredProject) -> list[Kind]:
    """The kinds that the nodes in scope use; with pruning all, since what is no longer declared may be of any.

    Metrics are read only where the project declares one, or they are asked for by name: a console may have thousands.
    """
    selected, kinds = project.selected_ids, project.request.kinds or frozenset(Kind)
    used = {block.kind for block in _blocks(project) if selected is None or block.unique_id in selected}
    if project.request.prune:
        used |= set(Kind)
    named = Kind.METRIC in project.request.kinds
    if not named and not any(one.kind is Kind.METRIC for one in project.declared.names):
        used.discard(Kind.METRIC)
    return [kind for kind in Kind if kind in kinds and (kind in used or (named and kind is Kind.METRIC))]


def of_other_kinds(project: DeclaredProject) -> dict[str, str]:
    """The nodes that declare a source of a kind which this run leaves out, each with one such source."""
    kinds = project.request.kinds or frozenset(Kind)
    others = (one for one in _blocks(project) if one.name and one.kind not in kinds and one.kind in BLOCK_KINDS)
    return {one.unique_id: f'{one.kind.label} "{one.name}"' for one in others}


def _blocks(project: DeclaredProject) -> tuple[DeclaredName | FaultyBlock, ...]:
    return (*project.declared.names, *project.declared.faulty)


def other_target_reason(project: DeclaredProject) -> str:
    """Why the manifest cannot be of the target that was named; empty where nothing speaks against it."""
    request, target = project.request, project.target
    if target.is_certain and request.dbt_schema is None:
        return ""
    places = places_of(request)
    if request.dbt_schema is not None:
        place = places.get(target.name, Place())
        places[target.name] = structs.replace(place, schema=request.dbt_schema)
    nodes = [one.node for one in project.declared.declarations]
    return other_target(target.name, places, nodes, own_names=_has_own_names(project.manifest))


def _has_own_names(manifest: Manifest) -> bool:
    """Whether the project may have its own rule for the names of schemas; no manifest without macros shows it."""
    rules = (".generate_schema_name", ".generate_database_name")
    own = (one for one in manifest.macros if one.endswith(rules) and not one.startswith("macro.dbt."))
    return not manifest.macros or any(own)


def no_push_reason(project: DeclaredProject) -> str:
    """Why nothing of this target may be pushed: a plan then compares by node; empty where something may."""
    return elsewhere(project.target, project.settings, (one.node for one in project.declared.declarations))


def skipped(project: ProvenProject) -> Iterator[Skipped]:
    """The declared sources that the dbt command before did not build, or did not compile enough for."""
    for name in project.declared.names:
        if project.chosen is not None and name.unique_id not in project.chosen:
            continue
        if project.request.kinds and name.kind not in project.request.kinds:
            continue
        if reason := _why_skipped(project, name.unique_id):
            yield Skipped(kind=name.kind, name=name.name, unique_id=name.unique_id, reason=reason)


def _why_skipped(project: ProvenProject, unique_id: str) -> str:
    results = project.inputs.results or {}
    if unique_id in project.uncompiled:
        return f"Its columns depend on SQL that this dbt command did not compile: {project.uncompiled[unique_id]}."
    if unique_id in project.held and (unique_id not in results or succeeded({unique_id: results[unique_id]})):
        return project.held[unique_id]
    if unique_id not in results or unique_id in (project.selected_ids or frozenset()):
        return ""
    status = results[unique_id]
    if succeeded({unique_id: status}):
        return "Another node failed (`after_failure: skip`)."
    return f"dbt ended with the status {status} for its node."


def desired_of(project: ValidatedProject, *, by_node: bool = False) -> Iterator[Desired]:
    """What each declaration in scope asks for, and why one must not be pushed.

    With `by_node` it does not matter in which place a node is that dbt builds.
    """
    for name in project.declared.disabled:
        chosen = not project.request.kinds or name.kind in project.request.kinds
        if chosen and (project.selected_ids is None or name.unique_id in project.selected_ids):
            yield Desired(kind=name.kind, name=name.name, unique_id=name.unique_id, payload=None, disabled=True)
    faults: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for found in project.validation.findings:
        if found.severity is Severity.ERROR:
            faults[found.unique_id, found.kind, found.source].add(found.code)
    for (declaration, built), report in zip(project.built, project.validation.sources, strict=True):
        if report.unique_id in project.uncompiled:
            continue
        why = report.unproven or ("It has errors." if report.blocked else "")
        is_free = by_node and declaration.node.resource_type in BUILT
        place = "" if is_free else refused_place(declaration.node, project.settings)
        codes = {code for subject in about(declaration) for code in faults.get(subject, ())}
        yield Desired(
            kind=report.kind,
            name=report.name,
            unique_id=report.unique_id,
            payload=report.payload,
            blocked=why or place,
            fix=FIX_FINDINGS if why else _OTHER_PLACE,
            default_description=getattr(declaration.meta, "description", UNSET) is UNSET,
            basis=_basis(project.manifest, declaration, built),
            excused=not place and codes <= FOR_LACK_OF_EVIDENCE,
        )


def _basis(manifest: Manifest, declaration: Declaration, built: Built) -> Basis:
    """What the payload rests on, with the nodes whose SQL is missing where that is why it is weak."""
    missing = uncompiled(manifest, [declaration.node.unique_id]) if built.basis.is_weak else ()
    return structs.replace(built.basis, uncompiled=tuple(missing))
