"""`import`: what the console holds, as blocks in the project's YAML, each proven to change nothing.

The proof is the plan of taking all objects over: the blocks are declared, proven and compared as any others are. A
block built from keys that differs is tried again with the object's SQL as it is.
"""

from __future__ import annotations

import contextlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.applying.console_state import begin_reading, checked_live
from dbt_statsig.columns.items import PlainQuery
from dbt_statsig.columns.memory import memory_of
from dbt_statsig.commands.importing_metrics import MetricImport
from dbt_statsig.commands.pipeline import DeclaredProject, ProvenProject, declare_project, load_project
from dbt_statsig.commands.plan import open_console
from dbt_statsig.commands.proving import declared_in, payloads_of, prover_of
from dbt_statsig.commands.scope import desired_of, no_push_reason, scope_of
from dbt_statsig.commands.validate import validate_project
from dbt_statsig.commands.withholding import losses
from dbt_statsig.errors import UsageError
from dbt_statsig.importing.blocks import Setting, block_of
from dbt_statsig.importing.judging import Candidate, Tried, judged, result_of
from dbt_statsig.importing.matching import Match, Matcher
from dbt_statsig.importing.proposing import Proposal, ProposedNodes
from dbt_statsig.importing.writing import ModelMaker, NewModel, in_files, write_import
from dbt_statsig.planning.matching import Live, build_plan
from dbt_statsig.project.import_list import LIST_FILE, ListedObject, read_list
from dbt_statsig.project.inputs import artifacts_dir
from dbt_statsig.project.namespace import needs_target, other_prefixes, prefix_of
from dbt_statsig.project.target import NAME_TARGET
from dbt_statsig.vocabulary.findings import Severity, did_you_mean
from dbt_statsig.vocabulary.imports import Exactness, Imported, ImportedObject
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import likely_owner, owner_name
from dbt_statsig.vocabulary.progress import Progress, Silent
from dbt_statsig.vocabulary.sources import Kind, Source, folded, natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dbt_statsig.applying.console_state import Reading
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.declarations import DeclaredName, FaultyBlock
    from dbt_statsig.project.declarations.declaring import MarkedNodes
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.kinds import SourceMeta


class Chosen(Struct, frozen=True, kw_only=True):
    """Which objects an import is about, and what it may do.

    `names` and `pattern` (with `*` and `?`) choose objects by their name; neither: all. With `accept_changes`, blocks
    that change more than the ownership line are written too. With `models_path`, a folder of the project, queries that
    belong to no node become models there.
    """

    names: frozenset[str] = frozenset()
    pattern: str = ""
    write: bool = False
    accept_changes: bool = False
    models_path: str = ""

    def takes(self, name: str) -> bool:
        """Whether an object of this name is asked for."""
        if not (self.names or self.pattern):
            return True
        return name in self.names or bool(self.pattern and fnmatchcase(name, self.pattern.replace("[", "[[]")))


def import_objects(
    request: Request,
    chosen: Chosen,
    *,
    progress: Progress | None = None,
    manifest: Manifest | None = None,
) -> Imported:
    """The objects of the console as blocks; with `chosen.write` in the project's files. The console is only read.

    Raises as `plan`, and DbtStatsigError where the files cannot be written: then none is changed.
    """
    project = declare_project(load_project(request, manifest))
    _check_folder(chosen.models_path, project.inputs.project_dir)
    if not project.target.name and (setting := needs_target(project.settings)):
        raise UsageError(f"The dbt target is not known, and `{setting}` depends on it.", fix=NAME_TARGET)
    progress = progress or Silent()
    # A metric that is archived is hidden too, and nothing else in an answer says that it is archived.
    with open_console(project, progress, lists_hidden=False) as client:
        lists = begin_reading(client, _read_kinds(request), progress)
        reading = checked_live(client, lists.result(), ())
        warnings, requests = [*client.warnings, *reading.warnings], client.requests
    progress.say("Matching objects with dbt nodes")
    work = _Import(project, reading, chosen)
    result = work.run()
    warnings += _unknown_names(chosen, reading)
    if no_push := no_push_reason(project):
        warnings.append(f"This dbt target may not push, so objects may read other tables than its nodes are. {no_push}")
    result = structs.replace(result, warnings=tuple(warnings), requests=requests)
    result, files = in_files(
        result,
        project.inputs.project_dir,
        project.manifest.node,
        accept_changes=chosen.accept_changes,
        models=work.new,
    )
    if not chosen.write:
        return result
    path, earlier = artifacts_dir(request) / LIST_FILE, list[ListedObject]()
    with contextlib.suppress(UsageError):  # there is no list yet
        earlier += (one for one in read_list(path) if _is_waiting(one, reading))
    write_import(result, files, path, waiting=earlier)
    return structs.replace(result, wrote=True)


def _read_kinds(request: Request) -> list[Kind]:
    """The kinds that are asked for, and for metrics their sources."""
    asked = request.kinds or tuple(SPECS)
    return [kind for kind in SPECS if kind in asked or (kind is Kind.METRIC_SOURCE and Kind.METRIC in asked)]


def _is_waiting(listed: ListedObject, reading: Reading) -> bool:
    """Whether an object of an earlier import is still to be taken over, as far as this one has read."""
    if listed.kind not in reading.live:
        return True
    live = reading.live[listed.kind]
    found = next((one for one in live.items if one.name == listed.name), None)
    return not live.complete if found is None else likely_owner(found.description) is None


def _check_folder(models_path: str, project_dir: Path) -> None:
    """Raise UsageError for what is no folder of the project."""
    folder, root = (project_dir / models_path).resolve(), project_dir.resolve()
    if not (folder.is_dir() and folder.is_relative_to(root)):
        raise UsageError(
            f"{models_path} is not a folder of the project.", fix="Create it below the project's `model-paths`."
        )


def _unknown_names(chosen: Chosen, reading: Reading) -> Iterable[str]:
    there = {item.name for live in reading.live.values() for item in live.items}
    if chosen.pattern and not any(structs.replace(chosen, names=frozenset()).takes(name) for name in there):
        yield f'--name-pattern "{chosen.pattern}" matches no object in Statsig.'
    for name in sorted(chosen.names - there):
        yield f'--name "{name}": Statsig has no object of this name. {did_you_mean(name, there)}'.rstrip()


class _Import:
    """One import: what has been read, and the blocks that are tried."""

    def __init__(self, project: DeclaredProject, reading: Reading, chosen: Chosen) -> None:
        self.project = project
        self.reading = reading
        self.chosen = chosen
        self.memory = memory_of(project.inputs.manifest_path, project.request.environ) if _caches(project) else None
        self.prover = prover_of(project.inputs, self.memory)
        self.matcher = Matcher(self.prover, project.manifest.project_name or project.inputs.project)
        self.prefix = prefix_of(project.settings, project.target.name)
        self.others = other_prefixes(project.settings, project.target.name)
        declared = project.declared
        blocks: tuple[DeclaredName | FaultyBlock, ...] = (*declared.disabled, *declared.faulty, *declared.names)
        self.declared = {(one.kind, folded(one.name)): one.unique_id for one in blocks if one.name}
        self.undeclared: dict[tuple[str, ...], None] = {}
        names = frozenset(head.name for head in project.manifest.summaries().values())
        self.models = ModelMaker(self.prover, project.inputs.project, chosen.models_path.rstrip("/"), names)
        self.new: dict[str, NewModel] = {}

    def run(self) -> Imported:
        """Every object, with its block where it can have one."""
        objects: list[ImportedObject] = []
        candidates: list[Candidate] = []
        asked = self.project.request.kinds
        for kind, live in self.reading.live.items():
            for item in live.items if kind is not Kind.METRIC and kind in (asked or SPECS) else ():
                if self.chosen.takes(item.name):
                    found = self._first_look(kind, item)
                    (candidates if isinstance(found, Candidate) else objects).append(found)  # type: ignore[arg-type]
        objects += self._proven(candidates)
        metrics = MetricImport(
            self.project,
            self.reading,
            prefix=self.prefix,
            adapter=self.prover.adapter,
            taken=self._taken,
            plan=self._plan,
        )
        objects += metrics.run(self.chosen.takes, list(objects), accept_changes=self.chosen.accept_changes)
        if self.memory is not None:
            self.memory.save()
        order = {kind: index for index, kind in enumerate(Kind)}
        objects.sort(key=lambda one: (order[one.kind], natural(one.name)))
        return Imported(
            project=self.project.inputs.project,
            objects=tuple(objects),
            undeclared=tuple(self.undeclared),
        )

    def _first_look(self, kind: Kind, live: Source) -> Candidate | ImportedObject:
        """An object with its node, or why it gets no block."""
        if (taken := self._taken(kind, live)) is not None:
            return taken
        match = self.matcher.match(kind, live)
        self.undeclared.update(dict.fromkeys(match.undeclared))
        name = live.name.removeprefix(self.prefix)
        if match.node is None:
            return self._without_node(kind, live, match, name)
        return Candidate(kind=kind, live=live, name=name, node=match.node, match=match)

    def _without_node(self, kind: Kind, live: Source, match: Match, name: str) -> ImportedObject:
        """An object that no node is the one of: as a new model where one is asked for."""
        base = ImportedObject(kind=kind, name=live.name, exactness=Exactness.NOT_IMPORTED, reason=match.why)
        made = self.models.make(live, match)
        if isinstance(made, str):
            return structs.replace(base, reason=made)
        if not self.chosen.models_path:
            return structs.replace(base, fix="--models-path DIR makes a model of its SQL.")
        whole = structs.replace(match, plain=PlainQuery(table=()))
        one = Candidate(kind=kind, live=live, name=name, node=made.node, match=whole)
        meta = self._defaults([one]).get((kind, made.node.unique_id))
        if meta is None:
            return structs.replace(base, reason="The defaults in the settings disable its block.")
        self.new[made.node.unique_id] = made
        return structs.replace(
            base,
            exactness=Exactness.NEW_MODEL,
            unique_id=made.node.unique_id,
            reason="Taking it over makes it read the new model.",
            fix=f'Build the model, look at `plan --adopt "{live.name}"`, then sync with the same option.',
            block=block_of(live, whole, self._setting(one, meta, verbatim=False), name=name, verbatim=False),
        )

    def _taken(self, kind: Kind, live: Source) -> ImportedObject | None:
        """The object where it is somebody's, or cannot become this target's whatever it reads."""

        def ended(exactness: Exactness, reason: str, *, fix: str = "", unique_id: str = "") -> ImportedObject:
            return ImportedObject(
                kind=kind, name=live.name, exactness=exactness, reason=reason, fix=fix, unique_id=unique_id
            )

        owner = likely_owner(live.description)
        if owner is not None:
            own = owner_name(self.project.inputs.project, self.project.namespace)
            if owner.owner == own:
                return ended(Exactness.OWNED, "This project owns it.", unique_id=owner.unique_id)
            if owner.project == self.project.inputs.project:
                where = f'in the namespace "{owner.namespace}"' if owner.namespace else "without a namespace"
                return ended(Exactness.FOREIGN, f"This project owns it {where}: it belongs to another dbt target.")
            return ended(Exactness.FOREIGN, f'It belongs to the dbt project "{owner.owner}".')
        if (declared := self.declared.get((kind, folded(live.name)))) is not None:
            fix = f'To take it over, run `sync --adopt "{live.name}"`.'
            return ended(Exactness.DECLARED, f"{declared} declares this name.", fix=fix, unique_id=declared)
        if (fault := self.reading.unread.get(kind, {}).get(live.name)) is not None:
            return ended(Exactness.NOT_IMPORTED, f"It cannot be read: {fault}.")
        refused = self._misnamed(live.name)
        return ended(Exactness.NOT_IMPORTED, refused) if refused else None

    def _misnamed(self, name: str) -> str:
        """Why an object is not of this dbt target by its name; empty where it may be."""
        if self.prefix and not (name.startswith(self.prefix) and name != self.prefix):
            return f'In this dbt target, names begin with "{self.prefix}".'
        other = next((target for prefix, target in self.others.items() if name.startswith(prefix)), "")
        return f'Its name begins like the names of the dbt target "{other}".' if other and not self.prefix else ""

    def _proven(self, candidates: Sequence[Candidate]) -> Iterable[ImportedObject]:
        defaults = self._defaults(candidates)
        with_keys = [one for one in candidates if one.match.is_table or one.match.plain is not None]
        first = self._tried(with_keys, defaults, verbatim=False)
        queries = [one for one in candidates if not one.match.is_table]
        again = [one for one in queries if (done := first.get(one.key)) is None or not done.is_exact]
        second = self._tried(again, defaults, verbatim=True)
        for one in candidates:
            yield result_of(one, first.get(one.key), second.get(one.key))

    def _defaults(self, candidates: Iterable[Candidate]) -> dict[tuple[Kind, str], SourceMeta]:
        """What a block of a kind gets on a node without saying it."""
        wanted = {(one.kind, one.node.unique_id): one.node for one in candidates}
        nodes = [
            Proposal(kind=kind, node=node, block={"name": unique_id}) for (kind, unique_id), node in wanted.items()
        ]
        found = self._declared(ProposedNodes(nodes)).declarations
        return {(one.kind, one.node.unique_id): one.meta for one in found}

    def _declared(self, nodes: MarkedNodes) -> Any:
        project = self.project
        return declared_in(nodes, project.settings, project.target.name, places=None)

    def _tried(
        self, candidates: Sequence[Candidate], defaults: Mapping[tuple[Kind, str], SourceMeta], *, verbatim: bool
    ) -> dict[tuple[Kind, str], Tried]:
        """Each object's block with what a plan says of taking it over."""
        blocks: dict[tuple[Kind, str], dict[str, Any]] = {}
        for one in candidates:
            meta = defaults.get((one.kind, one.node.unique_id))
            if meta is not None:
                setting = self._setting(one, meta, verbatim=verbatim)
                blocks[one.key] = block_of(one.live, one.match, setting, name=one.name, verbatim=verbatim)
        proposals = [
            Proposal(kind=one.kind, node=one.node, block=blocks[one.key]) for one in candidates if one.key in blocks
        ]
        live = {
            kind: Live(items=tuple(one.live for one in candidates if one.kind is kind and one.key in blocks))
            for kind in dict.fromkeys(one.kind for one in candidates if one.key in blocks)
        }
        changes, faults = self._plan(ProposedNodes(proposals), live)
        found = {key: judged(block, changes.get(key), faults.get(key, ())) for key, block in blocks.items()}
        disabled = Tried(block={}, reason="The defaults of its node disable its blocks.")
        return {one.key: found.get(one.key, disabled) for one in candidates}

    def _setting(self, one: Candidate, meta: SourceMeta, *, verbatim: bool) -> Setting:
        prover, node = self.prover, one.node
        if verbatim:
            macros = SPECS[one.kind].macros
            columns = prover.check_query(node, str(one.live.sql), macros=macros).columns

            def verdict(name: str) -> Any:
                return prover.verdict_in(columns, name)
        else:

            def verdict(name: str) -> Any:
                return prover.verdict(node, name)

        def stored(name: str) -> str:
            found = verdict(name)
            documented = None if verbatim else node.columns.get(name)
            if found.spelling_proven or (documented is not None and documented.quote):
                return str(found.stored)
            return prover.adapter.assumed(found.stored)

        return Setting(
            kind=one.kind,
            node=node,
            defaults=meta,
            verdict=verdict,
            stored=stored,
            read_only=self.project.settings.read_only,
        )

    def _plan(
        self, nodes: MarkedNodes, live: Mapping[Kind, Live]
    ) -> tuple[dict[tuple[Kind, str], Change], dict[tuple[Kind, str], list[Finding]]]:
        """What a plan says of taking the objects over by these blocks, and the errors in each."""
        project = self.project
        declared = self._declared(nodes)
        built = payloads_of(
            declared.declarations,
            self.prover,
            project=project.inputs.project,
            settings=project.settings,
            target=project.target.name,
        )
        proposed = structs.asdict(structs.replace(project, declared=declared))
        validated = validate_project(ProvenProject(**proposed, built=built, uncompiled={}, memory=self.memory))
        scope = structs.replace(
            scope_of(validated), adopt=frozenset(), adopt_all=True, prune=False, force=False, selected_ids=None
        )
        plan = build_plan(desired_of(validated, by_node=True), live, scope)
        faults: dict[tuple[Kind, str], list[Finding]] = {}
        errors = (one for one in validated.validation.findings if one.severity is Severity.ERROR and one.source)
        for found in (*errors, *losses(plan, self.reading)):
            faults.setdefault((Kind(found.kind), found.source), []).append(found)
        return {(change.kind, change.name): change for change in plan.changes}, faults


def _caches(project: DeclaredProject) -> bool:
    return project.settings.cache
