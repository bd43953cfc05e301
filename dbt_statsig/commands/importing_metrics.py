"""The metrics of an import: entries under `metrics` of sources that are imported, or that have a block already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.commands.proving import declared_in
from dbt_statsig.importing.judging import Candidate, judged, result_of
from dbt_statsig.importing.matching import Match
from dbt_statsig.importing.metric_blocks import MetricSetting, metric_block
from dbt_statsig.planning.matching import Live
from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.vocabulary.imports import Exactness, ImportedObject
from dbt_statsig.vocabulary.kinds import Metric, MetricMeta
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dbt_statsig.applying.console_state import Reading
    from dbt_statsig.commands.pipeline import DeclaredProject
    from dbt_statsig.project.declarations.declaring import MarkedNodes
    from dbt_statsig.vocabulary.adapters import Adapter
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.sources import Source

    Planned = tuple[Mapping[tuple[Kind, str], Change], Mapping[tuple[Kind, str], Sequence[Finding]]]

_SOURCES = Kind.METRIC_SOURCE.value


class _Home(Struct, frozen=True, kw_only=True):
    """A metric source that metrics can be written under; `block` is a new one, empty where the node has it already."""

    name: str
    node: Node
    block: Mapping[str, Any] = {}


class _Nodes:
    """The nodes of some metric sources, with metrics below these; nothing else that they declare."""

    def __init__(self, homes: Iterable[_Home], added: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        nodes: dict[str, Node] = {}
        blocks: dict[str, list[Any]] = {}
        for home in homes:
            unique_id = home.node.unique_id
            if unique_id not in nodes:
                nodes[unique_id], blocks[unique_id] = home.node, _held(home.node)
            blocks[unique_id] += [home.block] if home.block else []
        self._marked = tuple(
            structs.replace(
                node, meta={**node.meta, "statsig": {_SOURCES: [_with(one, added) for one in blocks[unique_id]]}}
            )
            for unique_id, node in sorted(nodes.items())
        )

    def marked(self) -> tuple[Node, ...]:
        """The nodes."""
        return self._marked

    def unsupported_marked(self) -> tuple[Node, ...]:
        """None: every node can be a source."""
        return ()


def _held(node: Node) -> list[Any]:
    """The blocks of metric sources that a node has."""
    statsig = node.meta.get("statsig")
    held = statsig.get(_SOURCES) if isinstance(statsig, dict) else None
    return list(held) if isinstance(held, list) else [] if held is None else [held]


def _with(block: Any, added: Mapping[str, Sequence[Mapping[str, Any]]]) -> Any:
    if not isinstance(block, dict) or not (more := added.get(str(block.get("name")))):
        return block
    return {**block, "metrics": [*(block.get("metrics") or ()), *more]}


class MetricImport:
    """One import's metrics.

    `taken` says what an object is that nobody may take, `plan` what a plan says of nodes and live objects.
    """

    def __init__(
        self,
        project: DeclaredProject,
        reading: Reading,
        *,
        prefix: str,
        adapter: Adapter,
        taken: Callable[[Kind, Source], ImportedObject | None],
        plan: Callable[[MarkedNodes, Mapping[Kind, Live]], Planned],
    ) -> None:
        self._project = project
        self._prefix = prefix
        self._adapter = adapter
        self._taken = taken
        self._plan = plan
        self._metrics = reading.live.get(Kind.METRIC, Live(items=())).items
        self._live = {one.name: one for one in reading.live.get(Kind.METRIC_SOURCE, Live(items=())).items}
        self._homes: dict[str, _Home] = {}

    def run(
        self, takes: Callable[[str], bool], sources: Iterable[ImportedObject], *, accept_changes: bool
    ) -> Iterable[ImportedObject]:
        """What becomes of each metric that is asked for, beside these sources."""
        self._homes = self._found(sources, accept_changes=accept_changes)
        candidates: list[Candidate] = []
        for live in self._metrics:
            if takes(live.name) and isinstance(live, Metric):
                found = self._taken(Kind.METRIC, live) or self._first_look(live)
                if isinstance(found, ImportedObject):
                    yield found
                else:
                    candidates.append(found)
        yield from self._proven(candidates)

    def _found(self, sources: Iterable[ImportedObject], *, accept_changes: bool) -> dict[str, _Home]:
        """The metric sources that have or get a block, by their names in Statsig."""
        homes: dict[str, _Home] = {}
        for declared in self._project.declared.names:
            name, node = declared.name.removeprefix(self._prefix), self._project.manifest.node(declared.unique_id)
            if declared.kind is Kind.METRIC_SOURCE and node is not None and node.package_name == self._package:
                listed = (block.get("name") for block in _held(node) if isinstance(block, dict))
                homes |= {declared.name: _Home(name=name, node=node)} if name in listed else {}
        for one in sources:
            is_written = one.exactness.is_proven or (accept_changes and one.exactness is Exactness.CHANGES)
            if one.kind is Kind.METRIC_SOURCE and one.block and is_written:
                node = self._project.manifest.node(one.unique_id)
                homes |= {one.name: _Home(name=str(one.block["name"]), node=node, block=one.block)} if node else {}
        return homes

    @property
    def _package(self) -> str:
        return self._project.manifest.project_name or self._project.inputs.project

    def _first_look(self, live: Metric) -> Candidate | ImportedObject:
        """A metric with the node of its source, or why it gets no entry."""
        reason = "" if live.sources else "It reads no metric source."
        for name in live.sources:
            if name not in self._homes:
                reason = f'Its metric source "{name}" has no block in this project, and none that is imported.'
        if reason:
            return ImportedObject(kind=Kind.METRIC, name=live.name, exactness=Exactness.NOT_IMPORTED, reason=reason)
        home = self._homes[live.sources[0]]
        match = Match(node=home.node, why=f'its metric source "{home.name}" is there')
        name = live.name.removeprefix(self._prefix)
        return Candidate(kind=Kind.METRIC, live=live, name=name, node=home.node, match=match)

    def _proven(self, candidates: Sequence[Candidate]) -> Iterable[ImportedObject]:
        """Each metric with its entry, and what a plan says of taking it over."""
        stubs = {one.key: {"name": one.name, "aggregation": "count"} for one in candidates}
        project = self._project
        nodes = self._nodes(candidates, stubs)
        found = declared_in(nodes, project.settings, project.target.name, places=None).declarations
        defaults = {one.name: one.meta for one in found if isinstance(one.meta, MetricMeta)}
        blocks = {one.key: self._block(one, defaults[one.live.name]) for one in candidates if one.live.name in defaults}
        there = tuple(live for name, live in self._live.items() if name in self._homes)
        metrics = tuple(one.live for one in candidates if one.key in blocks)
        changes, faults = self._plan(
            self._nodes(candidates, blocks),
            {Kind.METRIC_SOURCE: Live(items=there), Kind.METRIC: Live(items=metrics)},
        )
        for one in candidates:
            tried = judged(blocks.get(one.key, {}), changes.get(one.key), faults.get(one.key, ()))
            yield structs.replace(result_of(one, tried, None), within=self._home(one).name)

    def _home(self, one: Candidate) -> _Home:
        assert isinstance(one.live, Metric)  # noqa: S101 - only metrics become candidates here
        return self._homes[one.live.sources[0]]

    def _nodes(self, candidates: Sequence[Candidate], blocks: Mapping[tuple[Kind, str], Mapping[str, Any]]) -> _Nodes:
        added: dict[str, list[Mapping[str, Any]]] = {}
        for one in candidates:
            if one.key in blocks:
                added.setdefault(self._home(one).name, []).append(blocks[one.key])
        return _Nodes(self._homes.values(), added)

    def _block(self, one: Candidate, defaults: MetricMeta) -> dict[str, Any]:
        assert isinstance(one.live, Metric)  # noqa: S101 - only metrics become candidates here
        setting = MetricSetting(
            home=one.live.sources[0],
            names={name: home.name for name, home in self._homes.items()},
            defaults=defaults,
            spelled=self._spelled,
            read_only=self._project.settings.read_only,
        )
        return metric_block(one.live, setting, name=one.name)

    def _spelled(self, source: str, column: str) -> str:
        """A column's name as the project writes it, where the warehouse stores that in the live spelling."""
        fields: Any = getattr(self._live.get(source), "custom_field_mapping", None) or ()
        if any(field.key == column for field in fields):
            return column
        documented = {name.casefold(): name for name in self._homes[source].node.columns}
        for candidate in (documented.get(column.casefold(), column), column.lower()):
            if self._adapter.assumed(candidate) == column:
                return candidate
        return column
