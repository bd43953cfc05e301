"""Lists the columns of a project's nodes, marked or not, each with what proves it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.memory import memory_of
from dbt_statsig.columns.metric_expressions import measured
from dbt_statsig.commands.proving import declared_in, payloads_of, prover_of
from dbt_statsig.project.artifacts.nodes import SELECTABLE_TYPES
from dbt_statsig.project.declarations.metrics import parts_of
from dbt_statsig.project.inputs import load_inputs
from dbt_statsig.project.selection.selecting import choose
from dbt_statsig.vocabulary.inspections import ListedNode, Listing
from dbt_statsig.vocabulary.sources import Kind, natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.project.inputs import Inputs
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
        for unique_id, head in manifest.summaries().items()
        if head.resource_type in SELECTABLE_TYPES and (chosen is None or unique_id in chosen)
    ]
    nodes = [
        node
        for unique_id in sorted(listed, key=natural)
        if (node := manifest.node(unique_id)) is not None and node.enabled
    ]
    memory = memory_of(inputs.manifest_path, request.environ) if inputs.resolved.settings.cache else None
    prover = prover_of(inputs, memory, use_catalog_of_models=not only_inferred)
    prover.prepare(nodes, jobs=jobs)
    readers = _readers(inputs, prover)
    found = tuple(_listed(node, prover, readers.get(node.unique_id, {})) for node in nodes)
    if memory is not None:
        memory.save()
    return Listing(nodes=found, unmatched=unmatched)


def _listed(node: Node, prover: Any, readers: Mapping[str, Iterable[str]]) -> ListedNode:
    columns = prover.columns(node)
    named = {column.name: tuple(sorted(readers.get(column.name.casefold(), ()))) for column in columns.columns}
    return ListedNode(
        unique_id=node.unique_id, columns=columns, metrics={name: found for name, found in named.items() if found}
    )


def _readers(inputs: Inputs, prover: Any) -> dict[str, dict[str, set[str]]]:
    """The metrics that read a column: their names by the node of the metric source and the column (casefolded)."""
    settings, found = inputs.resolved.settings, dict[str, dict[str, set[str]]]()
    declared = declared_in(inputs.manifest, settings, "", places=None).declarations
    metrics = [one for one in declared if one.kind is Kind.METRIC]
    for metric, built in payloads_of(metrics, prover, project=inputs.project, settings=settings, target=""):
        parts = {".".join(map(str, path)): _source(metric, part) for path, part in parts_of(metric.meta)}
        read = [(use.role, use.verdict.stored.casefold()) for use in built.uses]
        for one in built.filters:
            with suppress(Unparsable):
                read += [(".".join(map(str, one.path)), name) for name in measured(prover.adapter, one.sql).reads]
        for role, column in read:
            head = next((path for path in parts if role.startswith(f"{path}.")), None)
            source = metric.within if head is None else parts[head]
            if source is not None:
                found.setdefault(source.node.unique_id, {}).setdefault(column, set()).add(metric.name)
    return found


def _source(metric: Declaration, part: Any) -> Declaration | None:
    name = part.metric_source_name
    return metric.within if name is UNSET else metric.others.get(name)
