"""`init`: a first block for a model, or the models that look like sources. Offline.

A block is declared and validated in memory as any other, before it is shown or written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import structs

from dbt_statsig.columns.memory import memory_of
from dbt_statsig.commands.pipeline import DeclaredProject, declare_project, load_project, prove_project
from dbt_statsig.commands.proving import declared_in, prover_of
from dbt_statsig.commands.validate import validate_project
from dbt_statsig.errors import UsageError
from dbt_statsig.importing.guessing import Fact, Subject, guess
from dbt_statsig.importing.proposing import Proposal, ProposedNodes
from dbt_statsig.importing.yaml_files import BlockEdit, Noted, edit_files, write_files
from dbt_statsig.payloads.select import PartitionType, partition_type
from dbt_statsig.project.artifacts.nodes import BUILT
from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.imports import Candidate, FirstBlocks, Guess, Proposed
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.sources import folded
from dbt_statsig.vocabulary.verdicts import Presence

if TYPE_CHECKING:
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.sources import Kind

_TIMES = {PartitionType.DATE, PartitionType.TIMESTAMP}
_REF = re.compile(r"""(?:ref|source)\(.*?["']([\w.]+)["']\s*\)""")


def init(request: Request, model: str = "", *, kind: Kind | None = None, write: bool = False) -> FirstBlocks:
    """A block for the model (its name, or unique_id), written with `write`; without a model the candidates.

    Raises SettingsError, ArtifactError, UsageError for a model that is not there, is not certain or has such a block,
    and DbtStatsigError where its file cannot be written.
    """
    if kind is not None and kind not in BLOCK_KINDS:
        raise UsageError(
            f"`init` does not support the kind {kind.value}.",
            fix=f"Choose one of: {', '.join(one.value for one in BLOCK_KINDS)}.",
        )
    project = declare_project(load_project(request))
    guesses = _Guesses(project)
    if model:
        proposed = guesses.proposed(_node(project, model), kind, write=write)
        result = FirstBlocks(project=project.inputs.project, proposed=proposed)
    else:
        result = guesses.candidates(kind)
    if guesses.memory is not None:
        guesses.memory.save()
    return result


def _node(project: DeclaredProject, model: str) -> Node:
    """The node of a name, of `source.table`, or of a unique_id."""
    summaries = project.manifest.summaries()
    found, names = [], set()
    for unique_id, head in summaries.items():
        if head.resource_type not in {*BUILT, "source"}:
            continue
        name = f"{head.source_name}.{head.name}" if head.resource_type == "source" else head.name
        names.add(name)
        if model in {unique_id, name}:
            found.append(unique_id)
    nodes = [node for unique_id in found if (node := project.manifest.node(unique_id)) is not None and node.is_latest]
    if not nodes:
        fix = did_you_mean(model, names) or "Give the name of a model, seed, snapshot, or SOURCE.TABLE."
        raise UsageError(f'The manifest has no model "{model}".', fix=fix)
    if len(nodes) > 1:
        raise UsageError(
            f'"{model}" is not one node: {", ".join(sorted(node.unique_id for node in nodes))}.',
            fix="Give its unique_id.",
        )
    return nodes[0]


class _Guesses:
    """The guesses about one project's nodes."""

    def __init__(self, project: DeclaredProject) -> None:
        inputs = project.inputs
        self.project = project
        self.memory = memory_of(inputs.manifest_path, project.request.environ) if project.settings.cache else None
        self.prover = prover_of(inputs, self.memory)

    def _subject(self, node: Node) -> Subject:
        """The node with the columns that are proven to be there, as its YAML spells them."""
        tests = self.project.manifest.column_tests(node.unique_id)
        documented = {name.casefold(): name for name in node.columns}
        facts = []
        for column in self.prover.columns(node).columns:
            name = documented.get(column.name.casefold(), column.name)
            verdict = self.prover.verdict(node, name.lower())
            name = name.lower() if verdict.presence is Presence.PRESENT and verdict.stored == column.name else name
            if self.prover.verdict(node, name).presence is not Presence.PRESENT:
                continue
            own = [test for test in tests if test.column.casefold() == name.casefold() and not test.is_partial]
            refers = next((found[1] for test in own if (found := _REF.search(test.to))), "")
            facts.append(
                Fact(
                    name=name,
                    data_type=column.data_type or "",
                    is_time=partition_type(column.data_type) in _TIMES if column.data_type else None,
                    tests=frozenset(test.name for test in own),
                    refers_to=refers.rpartition(".")[2].casefold(),
                )
            )
        return Subject(name=node.name, columns=tuple(facts), event_time=node.event_time)

    def candidates(self, kind: Kind | None) -> FirstBlocks:
        """The nodes of the project that look like sources, of this kind if one is given."""
        project, manifest = self.project, self.project.manifest
        marked = {node.unique_id for node in manifest.marked()}
        nodes = [
            node
            for unique_id, head in manifest.summaries().items()
            if head.resource_type in BUILT and head.relation_name and unique_id not in marked
            if head.package_name == project.inputs.project
            if (node := manifest.node(unique_id)) is not None and node.enabled and node.is_latest
        ]
        self.prover.prepare(nodes, jobs=1)
        found, unread = [], 0
        for node in sorted(nodes, key=lambda one: one.unique_id):
            subject = self._subject(node)
            unread += not subject.columns
            made = guess(subject)
            if made is not None and kind in {None, made.kind}:
                found.append(Candidate(unique_id=node.unique_id, name=node.name, kind=made.kind, why=made.why))
        return FirstBlocks(project=project.inputs.project, candidates=tuple(found), unread=unread)

    def proposed(self, node: Node, kind: Kind | None, *, write: bool) -> Proposed:
        """A block for one node."""
        project, subject = self.project, self._subject(node)
        if not subject.columns:
            raise UsageError(
                f"No column of {node.unique_id} is known.",
                fix="Run `dbt compile`, or `dbt docs generate` once its table exists, and try again.",
            )
        made = guess(subject, kind)
        if made is None:
            raise UsageError(
                f"{node.unique_id} does not look like exposures, events or users.",
                fix="Choose with --kind, such as --kind metric_source.",
            )
        declared = [one for one in project.declared.names if one.unique_id == node.unique_id and one.kind is made.kind]
        if declared:
            raise UsageError(
                f'{node.unique_id} declares the {made.kind.label} "{declared[0].name}" already.',
                fix="Choose another kind with --kind.",
            )
        made = _with_free_name(project, made)
        edit = BlockEdit(
            node=node,
            kind=made.kind.value,
            block=_noted(made.block, made.reasons),
        )
        files, refusals = edit_files(project.inputs.project_dir, [edit])
        proposed = Proposed(
            unique_id=node.unique_id,
            guess=made,
            path=files[0].shown if files else "",
            diff=files[0].diff() if files else "",
            refusal=refusals[0].reason if refusals else "",
            findings=() if made.missing else _findings(project, node, made),
        )
        if write and FirstBlocks(project="", proposed=proposed).exit_code == 0:
            write_files(files)
            proposed = structs.replace(proposed, written=True)
        return proposed


def _noted(block: dict[str, Any], reasons: dict[str, str], above: str = "") -> dict[str, Any]:
    """The block with the reasons as comments."""
    return {
        key: _noted(value, reasons, f"{key}.") if isinstance(value, dict) else Noted(value, reasons[f"{above}{key}"])
        for key, value in block.items()
    }


def _with_free_name(project: DeclaredProject, made: Guess) -> Guess:
    """The guess under a name that no other source of the kind has."""
    taken = {folded(one.name) for one in project.declared.names if one.kind is made.kind}
    name = made.block["name"]
    numbers = iter(range(2, len(taken) + 3))
    while folded(name) in taken:
        name = f"{made.block['name']} {next(numbers)}"
    return structs.replace(made, block={**made.block, "name": name})


def _findings(project: DeclaredProject, node: Node, made: Guess) -> tuple[Finding, ...]:
    """What validating the block gives."""
    proposal = Proposal(kind=made.kind, node=node, block=made.block)
    declared = declared_in(ProposedNodes([proposal]), project.settings, project.target.name, places=None)
    validated = validate_project(prove_project(structs.replace(project, declared=declared)))
    return tuple(found for found in validated.validation.findings if found.unique_id == node.unique_id)
