"""Declarations and their payloads: the steps that every pipeline shares, also the one inside dbt's parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.payloads.building import Built, Context
from dbt_statsig.payloads.metrics import Payloads
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.artifacts.catalog import SeedHeaders
from dbt_statsig.project.declarations import Declared, declare
from dbt_statsig.project.declarations.semantic import NO_METRICS, SemanticLayer
from dbt_statsig.project.namespace import namespace_of, prefix_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dbt_statsig.columns.memory import Memory
    from dbt_statsig.columns.prover import Live, Prover
    from dbt_statsig.project.declarations import Declaration
    from dbt_statsig.project.declarations.declaring import MarkedNodes
    from dbt_statsig.project.inputs import Inputs
    from dbt_statsig.project.settings import Settings
    from dbt_statsig.vocabulary.sources import Kind


def declared_in(
    manifest: MarkedNodes,
    settings: Settings,
    target: str,
    *,
    places: Path | None,
    selected_ids: frozenset[str] | None = None,
    kinds: frozenset[Kind] | None = None,
) -> Declared:
    """What a manifest declares, under the names that the sources of this dbt target have.

    Without `places`, findings name files but no lines.
    """
    declared = declare(
        manifest,
        settings=settings,
        project_dir=places,
        selected_ids=selected_ids,
        kinds=kinds,
        semantic=_semantic_layer(manifest, settings),
    )
    prefix = prefix_of(settings, target)
    if not prefix:
        return declared
    findings = (
        structs.replace(found, source=prefix + found.source) if found.source else found for found in declared.findings
    )
    return structs.replace(
        declared,
        declarations=tuple(_prefixed(one, prefix) for one in declared.declarations),
        findings=tuple(findings),
        names=tuple(structs.replace(one, name=prefix + one.name) for one in declared.names),
        disabled=tuple(structs.replace(one, name=prefix + one.name) for one in declared.disabled),
    )


def _semantic_layer(manifest: MarkedNodes, settings: Settings) -> SemanticLayer:
    """What dbt's semantic layer declares; its code is loaded only where there is some."""
    is_marked = isinstance(manifest, Manifest) and manifest.marks_semantic_layer
    if not isinstance(manifest, Manifest) or not (is_marked or settings.semantic_layer.metrics == "all"):
        return NO_METRICS
    from dbt_statsig.semantic_layer import semantic_layer

    return semantic_layer(manifest, settings)


def _prefixed(one: Declaration, prefix: str) -> Declaration:
    """The declaration under its name in this target, with the sources of a metric under theirs."""
    return structs.replace(
        one,
        name=prefix + one.name,
        within=None if one.within is None else _prefixed(one.within, prefix),
        others={name: _prefixed(source, prefix) for name, source in one.others.items()},
    )


def prover_of(
    inputs: Inputs,
    memory: Memory | None,
    *,
    use_catalog_of_models: bool = True,
    with_seeds: bool = True,
    live: Live | None = None,
) -> Prover:
    """What proves the columns of a project; the memory keeps what it reads of SQL.

    `with_seeds` says that the CSV files in the project's folder are those of the manifest; `live` is what the
    warehouse itself gave.
    """
    from dbt_statsig.columns.prover import Prover  # loaded where columns are asked for

    return Prover(
        inputs.manifest,
        inputs.catalog,
        use_catalog_of_models=use_catalog_of_models,
        memory=memory,
        seeds=SeedHeaders(inputs.project_dir, inputs.manifest.project_name) if with_seeds else None,
        live=live,
    )


def payloads_of(
    declarations: Iterable[Declaration], prover: Prover, *, project: str, settings: Settings, target: str
) -> tuple[tuple[Declaration, Built], ...]:
    """Each declaration with its payload and the proof of its columns."""
    context = Context(
        project=project,
        namespace=namespace_of(settings, target),
        hidden_tags=frozenset(settings.hidden_tags),
        docs_url=settings.docs_url or "",
        read_only=settings.read_only,
    )
    return Payloads(prover, context).of(declarations)
