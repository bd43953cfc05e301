"""Which metrics of dbt's are taken, and what they add to the blocks of nodes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dbt_statsig.project.conversion import show, unknown_key
from dbt_statsig.project.declarations.semantic import (
    COMPUTED,
    Origin,
    SemanticBlocks,
    SemanticFault,
    SemanticLayer,
)
from dbt_statsig.semantic_layer.blocks import Writer
from dbt_statsig.semantic_layer.shapes import Metrics, NoSource, NotMapped
from dbt_statsig.semantic_layer.sources import KIND, ModelSource, NodeMeta, node_of
from dbt_statsig.vocabulary.adapters import adapter_for
from dbt_statsig.vocabulary.findings import did_you_mean

if TYPE_CHECKING:
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.semantic_models import Metric, SemanticModel
    from dbt_statsig.project.settings import Settings

KEY = "metric"


def semantic_layer(manifest: Manifest, settings: Settings) -> SemanticLayer:
    """The metrics that are marked, or all, with the metric sources that they need."""
    if manifest.has_semantic_layer:
        return _Taking(manifest, settings).take()
    # dbt 2 reads no older YAML of the semantic layer: nothing is there to be taken.
    message = "The setting `semantic_layer.metrics` is all, but the manifest has no metrics."
    fix = "dbt 2 reads only the newer YAML of the semantic layer: check the warnings of `dbt parse`."
    return SemanticLayer(faults=(SemanticFault(code="metric-not-mapped", message=message, fix=fix),))


class _Taking:
    def __init__(self, manifest: Manifest, settings: Settings) -> None:
        self.manifest = manifest
        self.settings = settings
        self.adapter = adapter_for(manifest.adapter_type)
        self.found = Metrics(manifest.semantic_models, manifest.metrics, self.adapter)
        self.sources: dict[str, ModelSource] = {}
        self.nodes: dict[str, NodeMeta] = {}
        self.without_source: dict[str, tuple[NoSource, list[str]]] = {}
        self.disabled: list[tuple[str, str]] = []
        self.faults: list[SemanticFault] = []

    def take(self) -> SemanticLayer:
        for model in self.found.models.values():
            self._check_keys(model, (KEY, KIND), model.node)
        for metric in sorted(self.found.metrics.values(), key=lambda one: one.name):
            home = self.found.home(metric)
            node = home.node if home is not None else metric.unique_id
            overrides = {**(self._own(home) if home is not None else {}), **self._own(metric)}
            self._check_keys(metric, (KEY,), node, (str(overrides.get("name", metric.name)),))
            if not self._is_wanted(metric, home):
                continue
            if overrides.pop("enabled", True) is False:
                name = overrides.get("name", metric.name)
                self.disabled.append((node, str(name)))
            else:
                self._take(metric, home, overrides)
        self._check_excluded()
        self._note_missing_sources()
        return SemanticLayer(blocks=self._blocks(), disabled=tuple(self.disabled), faults=tuple(self.faults))

    def _is_wanted(self, metric: Metric, home: SemanticModel | None) -> bool:
        excluded = self.settings.semantic_layer.exclude
        if metric.name in excluded or (home is not None and home.name in excluded):
            return False
        is_marked = _is_marked(metric) or (home is not None and _is_marked(home))
        return is_marked or self.settings.semantic_layer.metrics == "all"

    def _take(self, metric: Metric, home: SemanticModel | None, overrides: dict[str, Any]) -> None:
        origin = _origin(metric)
        writer = Writer(self._source)
        try:
            source, fields = writer.block(self.found.shape(metric))
        except NotMapped as refused:
            for one in writer.used.values():
                one.fields = {}
            self._refuse(metric, refused, home, overrides.get("name", metric.name))
            return
        for one in writer.used.values():
            one.keep(origin)
        text = {"description": metric.description} if metric.description else {}
        source.add({"name": metric.name, **text, **fields, **overrides}, origin)

    def _source(self, model: SemanticModel) -> ModelSource:
        if model.name not in self.sources:
            try:
                node = node_of(model, self.manifest)
                shared = self.nodes.setdefault(node.unique_id, NodeMeta(node))
                self.sources[model.name] = ModelSource(model, shared, self.adapter, self.settings.unit_ids)
            except NotMapped as why:
                raise NoSource(why, model) from None
        return self.sources[model.name]

    def _blocks(self) -> tuple[SemanticBlocks, ...]:
        return tuple(
            SemanticBlocks(node=shared.node, meta=shared.meta, origins=shared.origins)
            for shared in self.nodes.values()
            if shared.origins
        )

    def _own(self, owner: Metric | SemanticModel) -> dict[str, Any]:
        """The keys that a metric, or a semantic model for all of its own, adds to what dbt says."""
        statsig = owner.meta.get("statsig")
        own = statsig.get(KEY) if isinstance(statsig, dict) else None
        if isinstance(own, str):
            return {"name": own}
        return {key: value for key, value in own.items() if key not in COMPUTED} if isinstance(own, dict) else {}

    def _check_keys(
        self, owner: Metric | SemanticModel, known: tuple[str, ...], unique_id: str, names: tuple[str, ...] = ()
    ) -> None:
        """Report what under `statsig` is no key of ours, or says again what dbt says."""
        if "statsig" not in owner.meta:
            return
        statsig = owner.meta["statsig"]
        fault = partial(SemanticFault, origin=_origin(owner), unique_id=unique_id, names=names)
        if not isinstance(statsig, dict):
            message = f"`statsig` takes a mapping, not {show(statsig)}."
            self.faults.append(fault(code="wrong-type", message=message, fix="Write `statsig: {metric: {}}`."))
            return
        for key, value in statsig.items():
            if key not in known:
                unknown = unknown_key(key, known)
                message = f"`statsig.{key}` {unknown.message}"
                self.faults.append(fault(code=unknown.code, message=message, fix=unknown.fix, path=(str(key),)))
            elif not isinstance(value, dict) and not (key == KEY and isinstance(value, str)):
                message = f"`statsig.{key}` takes a mapping, not {show(value)}."
                fix = f"Write `statsig: {{{key}: {{}}}}`."
                self.faults.append(fault(code="wrong-type", message=message, fix=fix, path=(str(key),)))
        own = statsig.get(KEY)
        for key in sorted(COMPUTED.intersection(own if isinstance(own, dict) else ())):
            message = f"`statsig.{KEY}.{key}` cannot be given here: dbt's metric defines what is computed."
            fix = "Remove it, or write the metric under `metrics` of the model's `metric_source` instead."
            self.faults.append(fault(code="key-not-allowed", message=message, fix=fix, path=(KEY, key)))

    def _check_excluded(self) -> None:
        known = {*self.found.metrics, *self.found.models}
        for name in self.settings.semantic_layer.exclude:
            if name not in known:
                message = f'The setting `semantic_layer.exclude` names "{name}": there is no such metric or model.'
                self.faults.append(SemanticFault(code="unknown-metric", message=message, fix=did_you_mean(name, known)))

    def _refuse(self, metric: Metric, refused: NotMapped, home: SemanticModel | None, name: object) -> None:
        name = name if isinstance(name, str) else metric.name
        if isinstance(refused, NoSource):
            self.without_source.setdefault(refused.model.name, (refused, []))[1].append(name)
            return
        self.faults.append(
            SemanticFault(
                code="metric-not-mapped",
                message=f'The metric "{metric.name}" cannot be a Statsig metric: {refused.reason}.',
                fix=refused.fix,
                origin=_origin(metric),
                unique_id=home.node if home is not None else metric.unique_id,
                names=(name,),
            )
        )

    def _note_missing_sources(self) -> None:
        """One fault for all metrics that a semantic model cannot give."""
        for refused, names in self.without_source.values():
            model = refused.model
            message = f'Semantic model "{model.name}" cannot be a metric source: {refused.reason}.'
            self.faults.append(
                SemanticFault(
                    code="metric-not-mapped",
                    message=f"{message} Not sent: {', '.join(names)}.",
                    fix=refused.fix,
                    origin=_origin(model),
                    unique_id=model.node or model.unique_id,
                    names=tuple(names),
                    source=model.name,
                )
            )


def _is_marked(owner: Metric | SemanticModel) -> bool:
    statsig = owner.meta.get("statsig")
    return isinstance(statsig, dict) and KEY in statsig


def _origin(owner: Metric | SemanticModel) -> Origin:
    section = owner.unique_id.split(".", 1)[0]
    return Origin(
        section="metrics" if section == "metric" else "semantic_models",
        name=owner.name,
        path=owner.path,
        package_name=owner.package_name,
    )
