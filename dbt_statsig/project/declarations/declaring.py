"""A whole project's declarations."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from dbt_statsig.project.conversion import show
from dbt_statsig.project.declarations.layers import Defaults, read_defaults
from dbt_statsig.project.declarations.metrics import sources_of
from dbt_statsig.project.declarations.model import Declaration, Declared, DeclaredName, FaultyBlock
from dbt_statsig.project.declarations.places import SETTINGS, Places
from dbt_statsig.project.declarations.reading import NodeReader, settings_findings
from dbt_statsig.project.declarations.semantic import NO_METRICS, SemanticLayer
from dbt_statsig.vocabulary.findings import CODES, Finding, finding
from dbt_statsig.vocabulary.kinds import MetricMeta
from dbt_statsig.vocabulary.sources import Kind, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.declarations.semantic import SemanticFault
    from dbt_statsig.project.settings import Settings


class MarkedNodes(Protocol):
    """What is asked of a manifest: the nodes whose meta, or whose columns' meta, speaks of Statsig."""

    def marked(self) -> tuple[Node, ...]:
        """Marked models, snapshots, seeds and source tables, disabled ones included."""

    def unsupported_marked(self) -> tuple[Node, ...]:
        """Marked nodes of all other types."""


def declare(
    manifest: MarkedNodes,
    *,
    settings: Settings,
    project_dir: Path | None,
    selected_ids: frozenset[str] | None = None,
    kinds: frozenset[Kind] | None = None,
    semantic: SemanticLayer = NO_METRICS,
) -> Declared:
    """All sources that a project declares, and everything that is wrong with them.

    `semantic` is what dbt's semantic layer adds. `selected_ids` and `kinds` choose what is handed back; names are
    compared over the whole project all the same. Without `project_dir`, findings name files but no lines. A declaration
    with an error among the findings (same unique_id, kind and name; or without a name: the whole node) must not be
    pushed. Raises nothing.
    """
    places = Places(project_dir)
    defaults = read_defaults(settings.defaults, (SETTINGS, "defaults")) if settings.defaults else Defaults()
    findings = settings_findings(defaults, places)
    added = {block.node.unique_id: block for block in semantic.blocks}
    nodes = _nodes(manifest, (block.node for block in added.values()))
    readers = [NodeReader(node, defaults, places, added.get(node.unique_id)) for node in nodes if node.is_latest]
    for reader in readers:
        reader.read()
    older = [NodeReader(node, defaults, places) for node in nodes if not node.is_latest]
    latest = {_model(node): node.meta["statsig"] for node in nodes if node.is_latest and "statsig" in node.meta}
    for reader in older:
        if reader.node.enabled and reader.node.meta.get("statsig") not in (None, latest.get(_model(reader.node))):
            reader.note_version()
    rejected = [NodeReader(node, defaults, places) for node in manifest.unsupported_marked()]
    for reader in rejected:
        message = f"is on a node of the type {reader.node.resource_type}, which cannot be a source."
        fix = "Move the block to the model, snapshot, seed or source table that holds the rows."
        reader.reject("unsupported-node", message, fix)
    declarations = _with_others([found for reader in readers for found in reader.declarations])
    findings.extend(found for reader in (*readers, *older, *rejected) for found in reader.findings)
    findings.extend(_same_names(declarations))
    findings.extend(_semantic(fault, places) for fault in semantic.faults)
    findings = [found for found in findings if _chosen(found, selected_ids, kinds)]
    findings.extend(places.faults())
    return Declared(
        declarations=tuple(
            found
            for found in declarations
            if (selected_ids is None or found.node.unique_id in selected_ids) and (kinds is None or found.kind in kinds)
        ),
        findings=tuple(sorted(findings, key=lambda found: found.sort_key)),
        disabled=(
            *(block for reader in readers for block in reader.disabled),
            *(DeclaredName(kind=Kind.METRIC, unique_id=node, name=name) for node, name in semantic.disabled),
        ),
        faulty=(
            *(block for reader in (*readers, *rejected) for block in reader.faulty),
            *(FaultyBlock(kind=kind, unique_id=of, name=name, has_name=True) for kind, of, name in semantic.refused),
        ),
        names=tuple(
            DeclaredName(kind=found.kind, unique_id=found.node.unique_id, name=found.name) for found in declarations
        ),
    )


def _nodes(manifest: MarkedNodes, added: Iterable[Node]) -> list[Node]:
    """All marked nodes, and those that the semantic layer adds; a disabled one only where no enabled one has its ID."""
    found = {(node.unique_id, node.enabled): node for node in (*added, *manifest.marked())}
    nodes = [found[key] for key in sorted(found)]
    enabled = {node.unique_id for node in nodes if node.enabled}
    return [node for node in nodes if node.enabled or node.unique_id not in enabled]


def _semantic(fault: SemanticFault, places: Places) -> Finding:
    """What cannot be taken from a metric or semantic model, with its place."""
    return finding(
        fault.code,
        fault.message,
        fix=fault.fix or CODES[fault.code].remedy,
        unique_id=fault.unique_id,
        kind=(Kind.METRIC_SOURCE if fault.source else Kind.METRIC).value if fault.names else "",
        source=fault.source or next(iter(fault.names), ""),
        key=".".join(("statsig", *map(str, fault.path))) if fault.path else "",
        location=places.origin(fault.origin, fault.path[1:]) if fault.origin is not None else None,
    )


def _model(node: Node) -> tuple[str, str]:
    """What the versions of a model have in common."""
    return node.package_name, node.name


def _with_others(declarations: list[Declaration]) -> list[Declaration]:
    """The declarations, each metric with the other metric sources that it names and that are declared."""
    sources = {one.name: one for one in declarations if one.kind is Kind.METRIC_SOURCE}
    return [
        structs.replace(one, others={name: sources[name] for name in sources_of(one.meta) if name in sources})
        if isinstance(one.meta, MetricMeta)
        else one
        for one in declarations
    ]


def _chosen(found: Finding, selected_ids: frozenset[str] | None, kinds: frozenset[Kind] | None) -> bool:
    if selected_ids is not None and found.unique_id and found.unique_id not in selected_ids:
        return False
    return kinds is None or not found.kind or found.kind in {kind.value for kind in kinds}


def _same_names(declarations: list[Declaration]) -> Iterator[Finding]:
    """One finding for each source that shares its name, so that none of them is pushed."""
    groups: dict[tuple[Kind, str], list[Declaration]] = defaultdict(list)
    for declaration in declarations:
        groups[declaration.kind, folded(declaration.name)].append(declaration)
    for group in groups.values():
        for declaration in group:
            others = [other for other in group if other is not declaration]
            if not others:
                continue
            bearers = ", ".join(f"{other.node.unique_id} ({other.locate('name') or other.key})" for other in others)
            location = declaration.locate("name")
            yield structs.replace(
                finding(
                    "duplicate-name",
                    f"`name` {show(declaration.name)} is also used by another {declaration.kind.label}: {bearers}.",
                    fix="Rename one of them.",
                    location=location,
                ),
                unique_id=declaration.node.unique_id,
                kind=declaration.kind.value,
                source=declaration.name,
                key=f"{declaration.key}.name",
            )
