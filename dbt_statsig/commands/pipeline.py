"""The offline half of every command: loaded, declared, proven, validated (in `validate.py`), each a frozen result.

A result has all that the steps before it gave, so what takes an earlier one takes a later one too. Loading reads
dbt's files and the settings. Proving is the only step that reads SQL and writes the cache of what it read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.columns.memory import Memory, memory_of
from dbt_statsig.commands.proving import declared_in, payloads_of, prover_of
from dbt_statsig.payloads.building import Built
from dbt_statsig.project.artifacts import Manifest, failed, failed_tests, of_tests_alone, succeeded, unpassed_tests
from dbt_statsig.project.declarations import Declaration, Declared
from dbt_statsig.project.inputs import RUN_RESULTS_FILE, Inputs, artifacts_dir, load_inputs
from dbt_statsig.project.lineage import uncompiled
from dbt_statsig.project.namespace import namespace_of
from dbt_statsig.project.request import Request
from dbt_statsig.project.selection.selecting import choose
from dbt_statsig.project.target import Target, target_of
from dbt_statsig.vocabulary.findings import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.project.settings import Settings


class LoadedProject(Struct, frozen=True, kw_only=True):
    """What dbt wrote, what the settings say, and which nodes are in scope.

    `chosen` are the nodes that the user selected (None: all), `unmatched` the words of the selection that match no
    node. `selected_ids` are the nodes in scope (None: all): as chosen, and built where the run follows a dbt command.
    `held` are the nodes that such a run holds back as data tests of theirs failed, each with the reason.
    `is_from_file` is False where dbt itself holds the manifest.
    """

    request: Request
    inputs: Inputs
    is_from_file: bool
    target: Target
    namespace: str
    chosen: frozenset[str] | None
    unmatched: tuple[str, ...]
    held: Mapping[str, str]
    selected_ids: frozenset[str] | None

    @property
    def manifest(self) -> Manifest:
        """What dbt wrote."""
        return self.inputs.manifest

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.inputs.resolved.settings

    @property
    def strict(self) -> bool:
        """Whether warnings count as errors."""
        return self.request.strict or self.settings.strict


class DeclaredProject(LoadedProject, frozen=True, kw_only=True):
    """The same with what is declared, under the names that the sources have in this dbt target."""

    declared: Declared


class ProvenProject(DeclaredProject, frozen=True, kw_only=True):
    """The same with the payload of each declaration, and the proof of its columns.

    `uncompiled` are, after a dbt command that built a part, the nodes whose columns depend on SQL that it did not
    compile, each with the nodes of that SQL. `memory` is what reading SQL gave in this and in earlier runs, None where
    nothing is to be kept.
    """

    built: tuple[tuple[Declaration, Built], ...]
    uncompiled: Mapping[str, str]
    memory: Memory | None


def load_project(request: Request, manifest: Manifest | None = None) -> LoadedProject:
    """Read everything that the run starts from; a manifest that is given is taken in place of the file.

    Raises SettingsError, ArtifactError and UsageError (a selection that cannot be answered, run results that say
    nothing of tables).
    """
    inputs = load_inputs(request, manifest)
    settings = inputs.resolved.settings
    run_results = artifacts_dir(request) / RUN_RESULTS_FILE
    target = target_of(request, inputs.manifest, run_results, max_mb=settings.max_artifact_mb)
    namespace = namespace_of(settings, target.name)
    chosen, unmatched = choose(inputs.manifest, request)
    held = _held(inputs)
    return LoadedProject(
        request=request,
        inputs=inputs,
        is_from_file=manifest is None,
        target=target,
        namespace=namespace,
        chosen=chosen,
        unmatched=unmatched,
        held=held,
        selected_ids=_selected_ids(inputs, chosen, held),
    )


def declare_project(loaded: LoadedProject) -> DeclaredProject:
    """What the project declares."""
    declared = declared_in(
        loaded.manifest,
        loaded.settings,
        loaded.target.name,
        places=loaded.inputs.places,
        selected_ids=loaded.selected_ids,
        kinds=loaded.request.kinds or None,
    )
    return DeclaredProject(**structs.asdict(loaded), declared=declared)


def prove_project(project: DeclaredProject) -> ProvenProject:
    """The payload of each declaration; what is read of SQL on the way is kept for later runs."""
    memory = memory_of(project.inputs.manifest_path, project.request.environ) if project.settings.cache else None
    built = payloads_of(
        project.declared.declarations,
        prover_of(project.inputs, memory),
        project=project.inputs.project,
        settings=project.settings,
        target=project.target.name,
    )
    if memory is not None:
        memory.save()
    return ProvenProject(
        **structs.asdict(project), built=built, uncompiled=_uncompiled(project.inputs, built), memory=memory
    )


def _held(inputs: Inputs) -> dict[str, str]:
    """The nodes that are held back by a test, each with the reason."""
    results, settings = inputs.results or {}, inputs.resolved.settings
    required = frozenset(settings.require_tests)
    reasons: dict[str, str] = {}
    for test_ids, why, rule in (
        (failed_tests(results) if settings.on_test_failure == "hold" else (), "failed", "`on_test_failure: hold`"),
        (
            [one for one in unpassed_tests(results) if required and required & inputs.manifest.test_names(one)],
            "did not pass",
            "`require_tests`",
        ),
    ):
        found: dict[str, list[str]] = {}
        for test_id in sorted(test_ids):
            for unique_id in inputs.manifest.tested_by(test_id):
                found.setdefault(unique_id, []).append(test_id.split(".")[2])
        reasons |= {one: f"A data test of its node {why}: {listed(names)} ({rule})." for one, names in found.items()}
    return reasons


def _selected_ids(inputs: Inputs, chosen: frozenset[str] | None, held: Mapping[str, str]) -> frozenset[str] | None:
    if inputs.results is None:
        return chosen
    if failed(inputs.results) and inputs.resolved.settings.after_failure == "skip":
        return frozenset()
    if of_tests_alone(inputs.results):
        done = frozenset(node for test_id in inputs.results for node in inputs.manifest.tested_by(test_id))
    else:
        done = succeeded(inputs.results)
    done -= held.keys()
    return done if chosen is None else done & chosen


def _uncompiled(inputs: Inputs, built: Iterable[tuple[Declaration, Built]]) -> dict[str, str]:
    if inputs.results is None:
        return {}
    weak = {declaration.node.unique_id for declaration, result in built if result.basis.is_weak}
    missing = {unique_id: uncompiled(inputs.manifest, [unique_id]) for unique_id in weak}
    return {unique_id: listed(parents) for unique_id, parents in missing.items() if parents}
