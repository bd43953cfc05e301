"""Metrics and semantic models of YAML that was changed after dbt wrote the manifest.

Only what Statsig's metrics are made of is compared, and only where dbt writes it as it stands in YAML: names, types,
aggregations, expressions, filters, and the blocks for Statsig. Windows, and Jinja anywhere but in filters, are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dbt_statsig.project.artifacts.semantic_models import build_metric, build_semantic_model
from dbt_statsig.project.yaml_nodes import lookup, plain
from dbt_statsig.project.yaml_values import JINJA, NOTHING, is_among, items_of, text_of, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import yaml

    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.semantic_models import Input, Metric, SemanticModel
    from dbt_statsig.project.settings import SemanticLayerSettings

_KEY = "statsig"
_IN_FILTERS = re.compile(r"\{\{-?\s*(?:Dimension|TimeDimension|Entity|Metric)\s*\(.*?-?\}\}", re.DOTALL)
_WORDS = re.compile(r"\W+|__")
_IS_NEWER = "semantic_model"
_NOT_READ = "{{ }}"
"""Stands for what may have another form in a manifest."""
_DISABLED = re.compile(rb"^(?:metrics|semantic-models)\s*:", re.MULTILINE)


class Semantics:
    """What the semantic layer's YAML is compared with; `files` are those that hold what is taken to Statsig."""

    def __init__(self, manifest: Manifest, settings: SemanticLayerSettings, project: bytes) -> None:
        """`project` is the text of dbt_project.yml."""
        self._takes_all = settings.metrics == "all"
        is_used = manifest.has_semantic_layer and (self._takes_all or manifest.marks_semantic_layer)
        name = manifest.project_name
        models = manifest.semantic_models if is_used else ()
        metrics = manifest.metrics if is_used else ()
        self._metrics = {one.name: one for one in metrics}
        self._models = {one.name: one for one in models}
        self._measures = {measure.name: model for model in models for measure in model.measures}
        self._has_old_configs = manifest.column_config is False
        self._excluded = frozenset(settings.exclude)
        self._project = project
        self._taken = self._with_inputs({one.name for one in metrics if self._is_taken(one)})
        taken = [self._metrics[one] for one in self._taken]
        self._used = {one.name for metric in taken for one in _measures(metric)}
        self._words = {word for one in taken for text in _filters(one) for word in _WORDS.split(text)}
        homes = {home.name for one in taken if (home := self._source_model(one)) is not None}
        self._own_metrics = {one.name: one for one in taken if one.package_name == name}
        self._own_models = {one: self._models[one] for one in homes if self._models[one].package_name == name}
        self.files = {one.path for one in self._own_metrics.values()} | {one.path for one in self._own_models.values()}

    def concern(self, path: str, content: bytes) -> bool:
        """Whether a file may hold what is compared."""
        return path in self.files or (bool(self._metrics) and self._takes_all and b"metrics" in content)

    def differ(self, root: yaml.Node | None, path: str) -> bool:
        """Whether a file says something else than the manifest. Raises YamlError where it cannot be read."""
        seen: set[str] = set()
        for entry, raw in _metrics(root):
            seen.add(raw["name"])
            has = self._own_metrics.get(raw["name"])
            if has is None:
                if self._is_new(entry, raw):
                    return True
            elif self._block_differs(entry, has) or _metric_differs(raw, has):
                return True
        models = {raw["name"]: (entry, raw) for entry, raw in _models(root)}
        for name, (entry, raw) in models.items():
            model = self._own_models.get(name)
            if model is not None and (self._block_differs(entry, model) or self._model_differs(raw, model)):
                return True
        return self._lacks(seen, models, path, root)

    def _block_differs(self, entry: yaml.Node, has: Metric | SemanticModel) -> bool:
        declared, written = values_of((entry,), _KEY), has.meta.get(_KEY, NOTHING)
        if not declared and written is not NOTHING and _KEY.encode() in self._project:
            return False
        # Before dbt 1.10 not all of these had a config.
        ignored = written is NOTHING and self._has_old_configs
        return not ignored and not is_among(written, declared)

    def _model_differs(self, raw: dict[str, Any], has: SemanticModel) -> bool:
        given = build_semantic_model(raw, "")

        def entities(model: SemanticModel) -> dict[str, tuple[str, ...]]:
            marks = {one.name: () if self._has_old_configs else one.unit_id for one in model.entities}
            return {one.name: (one.type, one.expr, *marks[one.name]) for one in model.entities}

        def dimensions(model: SemanticModel) -> dict[str, tuple[str, ...]]:
            used = {*self._words, given.time_dimension, has.time_dimension}
            return {
                one.name: (one.type, one.expr) for one in model.dimensions if one.name in used or JINJA.search(one.name)
            }

        def measures(model: SemanticModel) -> dict[str, tuple[str, ...]]:
            used = (one for one in model.measures if one.name in self._used)
            return {one.name: (one.agg, one.expr, str(one.percentile)) for one in used}

        # What has an aggregation of its own is a metric; dbt 2 writes it as a measure too.
        parts = (entities, dimensions) if _IS_NEWER in raw else (entities, dimensions, measures)
        times = ((given.time_dimension,), (has.time_dimension,))
        return _texts_differ(*times) or any(_parts_differ(part(given), part(has)) for part in parts)

    def _lacks(self, seen: set[str], models: Iterable[str], path: str, root: yaml.Node | None) -> bool:
        """Whether something that is taken was removed; of metrics that a measure creates, YAML says nothing."""
        created = {
            text_of(measure, "name")
            for model in items_of(root, "semantic_models")
            for measure in items_of(model, "measures")
            if lookup(measure, "create_metric") is not None
        }
        gone = {name for name, one in self._own_metrics.items() if one.path == path} - seen - created
        return bool(gone) or any(one.path == path and name not in models for name, one in self._own_models.items())

    def _is_taken(self, metric: Metric) -> bool:
        home = self._source_model(metric)
        if self._excluded & {metric.name, home.name if home is not None else metric.name}:
            return False
        is_marked = _KEY in metric.meta or (home is not None and _KEY in home.meta)
        return self._takes_all or is_marked

    def _source_model(self, metric: Metric | None, depth: int = 0) -> SemanticModel | None:
        """The semantic model of the first thing that a metric aggregates."""
        if metric is None or depth > len(self._metrics):
            return None
        if metric.aggregate is not None:
            return self._models.get(metric.aggregate.semantic_model)
        measures = [one.name for one in _measures(metric) if one.name in self._measures]
        if measures:
            return self._measures[measures[0]]
        names = [one.name for one in _inputs(metric)]
        return self._source_model(self._metrics.get(names[0]), depth + 1) if names else None

    def _with_inputs(self, names: set[str]) -> set[str]:
        """The metrics, and those that they are computed from."""
        todo, found = list(names), set(names)
        while todo:
            new = {one.name for one in _inputs(self._metrics[todo.pop()]) if one.name in self._metrics} - found
            found |= new
            todo += new
        return found

    def _is_new(self, entry: yaml.Node, raw: dict[str, Any]) -> bool:
        """Whether it is a metric for Statsig that dbt has not read, and would read: dbt 2 reads no older YAML."""
        if raw["name"] in self._metrics or raw["name"] in self._excluded or _DISABLED.search(self._project):
            return False
        config = lookup(entry, "config")
        if config is not None and lookup(config[1], "enabled") is not None:
            return False
        is_older = "type_params" in raw
        forms = {one.aggregate is None for one in self._metrics.values() if one.aggregate or one.measure}
        return is_older in forms and (self._takes_all or bool(values_of((entry,), _KEY)))


def _metrics(root: yaml.Node | None) -> Iterator[tuple[yaml.Node, dict[str, Any]]]:
    """Each metric with its values, of both forms."""
    lists = [items_of(root, "metrics"), *(items_of(model, "metrics") for model in items_of(root, "models"))]
    for entry in (one for found in lists for one in found):
        raw = _readable(plain(entry))
        if isinstance(raw, dict) and isinstance(raw.get("name"), str):
            yield entry, raw


def _models(root: yaml.Node | None) -> Iterator[tuple[yaml.Node, dict[str, Any]]]:
    """Each semantic model, with the YAML that holds its meta and its values in the form of a manifest."""
    for entry in items_of(root, "semantic_models"):
        raw = _readable(plain(entry))
        if isinstance(raw, dict) and isinstance(raw.get("name"), str):
            yield entry, raw
    for entry in items_of(root, "models"):
        own = lookup(entry, _IS_NEWER)
        raw = _readable(plain(entry)) if own is not None and text_of(entry, "name") else None
        if own is not None and isinstance(raw, dict):
            yield own[1], _in_manifest_form(raw)


def _in_manifest_form(raw: dict[str, Any]) -> dict[str, Any]:
    own, derived = raw[_IS_NEWER], raw.get("derived_semantics")
    parts = {
        kind: [
            {
                "name": column.get("name"),
                "expr": column.get("name"),
                **(part if isinstance(part, dict) else {"type": part}),
            }
            for column in _dicts(raw.get("columns"))
            if (part := column.get(key))
        ]
        + _dicts(derived.get(kind) if isinstance(derived, dict) else None)
        for key, kind in (("entity", "entities"), ("dimension", "dimensions"))
    }
    name = own.get("name", raw["name"]) if isinstance(own, dict) else raw["name"]
    return {"name": name, _IS_NEWER: True, "defaults": {"agg_time_dimension": raw.get("agg_time_dimension")}, **parts}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _readable(value: Any) -> Any:
    """The value with a mark in place of all that is neither a text nor a number."""
    if isinstance(value, dict):
        return {str(key): _readable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_readable(one) for one in value]
    is_plain = value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))
    return value if is_plain else _NOT_READ


def _given(raw: dict[str, Any]) -> Metric:
    """A metric of YAML, in the form that it has in a manifest."""
    if "type_params" in raw:
        older = raw["type_params"] if isinstance(raw["type_params"], dict) else {}
        return build_metric({**raw, "type_params": {**older, "metrics": _named_each(older.get("metrics"))}}, "")
    conversion = {key: raw.get(key) for key in ("base_metric", "conversion_metric", "entity", "calculation")}
    params = {
        "expr": raw.get("expr"),
        "numerator": raw.get("numerator"),
        "denominator": raw.get("denominator"),
        "metrics": _named_each(raw.get("input_metrics")),
        "metric_aggregation_params": {
            "agg": raw.get("agg"),
            "agg_params": {"percentile": raw.get("percentile")},
        },
        "cumulative_type_params": {"metric": raw.get("input_metric")},
        "conversion_type_params": conversion if raw.get("base_metric") else {},
    }
    return build_metric({**raw, "type": raw.get("type") or "simple", "type_params": params}, "")


def _named_each(value: object) -> list[object]:
    return [{"name": one} if isinstance(one, str) else one for one in value] if isinstance(value, list) else []


def _metric_differs(raw: dict[str, Any], has: Metric) -> bool:
    given = _given(raw)
    if _texts_differ((given.type.lower(),), (has.type.lower(),)) or _filters_differ(given.filters, has.filters):
        return True
    if given.type == "derived" and _texts_differ((given.expr,), (has.expr,)):
        return True
    own, written = given.aggregate, has.aggregate
    if given.type == "simple" and own is not None and written is not None:
        texts = [(one.agg, one.expr, str(one.percentile)) for one in (own, written)]
        if _texts_differ(*texts):
            return True
    if given.conversion is not None and has.conversion is not None:
        kinds = [(one.entity, one.calculation.lower()) for one in (given.conversion, has.conversion)]
        if _texts_differ(*kinds):
            return True
    declared, found = (sorted((*_measures(one), *_inputs(one)), key=_named) for one in (given, has))
    return len(declared) != len(found) or any(map(_input_differs, declared, found))


def _named(one: Input) -> tuple[str, str]:
    return one.name, one.alias


def _input_differs(given: Input, has: Input) -> bool:
    return _texts_differ(_named(given), _named(has)) or _filters_differ(given.filters, has.filters)


def _measures(metric: Metric) -> list[Input]:
    """The measures that a metric of the older form names; of a conversion these may be metrics."""
    pair = (metric.conversion.base, metric.conversion.conversion) if metric.conversion is not None else ()
    return [one for one in (metric.measure, *pair) if one is not None]


def _inputs(metric: Metric) -> list[Input]:
    """The metrics that a metric is computed from."""
    pair = (metric.conversion.base, metric.conversion.conversion) if metric.conversion is not None else ()
    of_type = {"ratio": (metric.numerator, metric.denominator), "conversion": pair}.get(metric.type, metric.inputs)
    return [one for one in of_type if one is not None]


def _filters(metric: Metric) -> Iterator[str]:
    of_inputs = (one.filters for one in (*_measures(metric), *_inputs(metric)))
    return (text for filters in (metric.filters, *of_inputs) for text in filters if text is not None)


def _parts_differ(given: dict[str, tuple[str, ...]], has: dict[str, tuple[str, ...]]) -> bool:
    if any(JINJA.search(name) for name in given):
        return False
    return given.keys() != has.keys() or any(_texts_differ(given[name], has[name]) for name in given)


def _texts_differ(given: tuple[str, ...], has: tuple[str, ...]) -> bool:
    """Whether texts are others, apart from white space; what has Jinja counts as the same."""
    if any(map(JINJA.search, given)):
        return False
    return [one.split() for one in given] != [one.split() for one in has]


def _filters_differ(given: tuple[str | None, ...], has: tuple[str | None, ...]) -> bool:
    texts, written = [one or "" for one in given], [one or "" for one in has]
    is_unclear = "" in texts or any("var(" in one or JINJA.search(_IN_FILTERS.sub("", one)) for one in texts)
    return not is_unclear and sorted(one.split() for one in texts) != sorted(one.split() for one in written)
