"""Lists the columns of a project's nodes, marked or not, each with what proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.columns.memory import memory_of
from dbt_statsig.commands.proving import prover_of
from dbt_statsig.project.artifacts.nodes import SELECTABLE_TYPES
from dbt_statsig.project.inputs import load_inputs
from dbt_statsig.project.selection.selecting import choose
from dbt_statsig.vocabulary.results import ListedNode, Listing

if TYPE_CHECKING:
    from dbt_statsig.project.request import Request


def list_columns(request: Request, *, only_inferred: bool = False, jobs: int = 1) -> Listing:
    """The columns of every enabled model, seed, snapshot and source table that is selected.

    With `only_inferred` the catalog speaks for seeds and source tables only, never for what a query builds. Much SQL
    is read by up to `jobs` processes. Raises SettingsError, ArtifactError and UsageError.
    """
    inputs = load_inputs(request, named=False)
    manifest = inputs.manifest
    chosen, unmatched = choose(manifest, request)
    listed = [
        unique_id
        for unique_id, head in manifest.heads().items()
        if head.resource_type in SELECTABLE_TYPES and (chosen is None or unique_id in chosen)
    ]
    nodes = [node for unique_id in sorted(listed) if (node := manifest.node(unique_id)) is not None and node.enabled]
    memory = memory_of(inputs.manifest_path, request.environ) if inputs.resolved.settings.cache else None
    prover = prover_of(inputs, memory, use_catalog_of_models=not only_inferred)
    prover.prepare(nodes, jobs=jobs)
    found = tuple(ListedNode(unique_id=node.unique_id, columns=prover.columns(node)) for node in nodes)
    if memory is not None:
        memory.save()
    return Listing(nodes=found, unmatched=unmatched)
