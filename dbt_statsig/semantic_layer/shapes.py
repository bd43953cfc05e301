"""What a metric of dbt's computes, taken apart: aggregations over the rows of semantic models, and how they combine.

Metrics are followed to their leaves. A filter holds for every leaf below the metric that has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.metric_expressions import Term, Unsupported, derived
from dbt_statsig.project.artifacts.semantic_models import Aggregate, Metric, SemanticModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.project.artifacts.semantic_models import Conversion, Input, Window
    from dbt_statsig.vocabulary.adapters import Adapter

_DAYS = {"day": 1, "week": 7}
_LONGEST = 120
BY_HAND = "Write the metric under `metrics` of the model's `metric_source`, or exclude it with `enabled: false`."


class Leaf(Struct, frozen=True, kw_only=True):
    """One aggregation over the rows of a semantic model, and the filters on it; `days` is a cumulative window."""

    model: SemanticModel
    aggregate: Aggregate
    filters: tuple[str | None, ...] = ()
    days: int = 0


class Sum(Struct, frozen=True):
    """Leaves, each added or taken off."""

    parts: tuple[tuple[str, Leaf], ...]


class Ratio(Struct, frozen=True):
    """One leaf by another."""

    numerator: Leaf
    denominator: Leaf


class Funnel(Struct, frozen=True, kw_only=True):
    """Two events of one unit; `days` between them (0: any time)."""

    base: Leaf
    conversion: Leaf
    entity: str
    days: int


Shape: TypeAlias = Sum | Ratio | Funnel


class Metrics:
    """All metrics and semantic models of a manifest, by name."""

    def __init__(self, models: Iterable[SemanticModel], metrics: Iterable[Metric], adapter: Adapter) -> None:
        self.models = {model.name: model for model in models}
        self.metrics = {metric.name: metric for metric in metrics}
        self.adapter = adapter
        self._measures = {
            measure.name: (measure, model) for model in self.models.values() for measure in model.measures
        }

    def home(self, metric: Metric) -> SemanticModel | None:
        """The semantic model of a metric's first leaf, whether or not the metric can be mapped."""
        seen: set[str] = set()
        waiting = [metric]
        while waiting:
            one = waiting.pop(0)
            if one.name in seen:
                continue
            seen.add(one.name)
            if one.aggregate is not None:
                return self.models.get(one.aggregate.semantic_model)
            pair = (one.conversion.base, one.conversion.conversion) if one.conversion else ()
            for taken in filter(None, (one.measure, one.numerator, *one.inputs, *pair)):
                if taken.name in self._measures and one.type in {"simple", "cumulative", "conversion"}:
                    return self._measures[taken.name][1]
                waiting.extend(found for found in (self.metrics.get(taken.name),) if found is not None)
        return None

    def shape(self, metric: Metric, *, filters: tuple[str | None, ...] = (), above: tuple[str, ...] = ()) -> Shape:
        """What a metric computes, below the `filters` of those `above` it. Raises NotMapped."""
        if metric.name in above:
            raise NotMapped(f"its definition is a cycle: {' → '.join((*above, metric.name))}", fix="Break the cycle.")
        below = (*above, metric.name)
        filters = (*filters, *metric.filters)
        if metric.type == "simple":
            return self._simple(metric, filters)
        if metric.type == "cumulative":
            return self._cumulative(metric, filters, below)
        if metric.type == "ratio":
            sides = (self._leaf(one, filters, below, "a ratio of") for one in (metric.numerator, metric.denominator))
            return Ratio(*sides)
        if metric.type == "derived":
            return self._derived(metric, filters, below)
        if metric.type == "conversion" and metric.conversion is not None:
            return self._conversion(metric.conversion, filters, below)
        known = "which dbt-statsig does not know" if metric.type else "as before dbt 1.6"
        raise NotMapped(f"it has the type {metric.type or 'none'}, {known}")

    def _simple(self, metric: Metric, filters: tuple[str | None, ...]) -> Shape:
        if metric.aggregate is not None:
            model = self.models.get(metric.aggregate.semantic_model)
            if model is None:
                raise NotMapped(f"there is no semantic model {metric.aggregate.semantic_model}")
            return _sum_of(Leaf(model=model, aggregate=metric.aggregate, filters=filters))
        return _sum_of(self._measure(metric.measure, filters))

    def _measure(self, taken: Input | None, filters: tuple[str | None, ...]) -> Leaf:
        if taken is None:
            raise NotMapped("it names no measure")
        if taken.name not in self._measures:
            raise NotMapped(f"no semantic model has the measure {taken.name}")
        if taken.fill_nulls_with:
            raise NotMapped(f"it counts days without rows as {taken.fill_nulls_with:g} (`fill_nulls_with`)")
        aggregate, model = self._measures[taken.name]
        return Leaf(model=model, aggregate=aggregate, filters=(*filters, *taken.filters))

    def _cumulative(self, metric: Metric, filters: tuple[str | None, ...], above: tuple[str, ...]) -> Shape:
        if metric.grain_to_date:
            raise NotMapped(
                f"it begins again each {metric.grain_to_date} (`grain_to_date`); windows in Statsig begin at exposure"
            )
        if metric.measure is not None:
            leaf = self._measure(metric.measure, filters)
        else:
            leaf = self._leaf(next(iter(metric.inputs), None), filters, above, "a cumulative metric of")
        return _sum_of(replace(leaf, days=_days(metric.window)))

    def _conversion(self, conversion: Conversion, filters: tuple[str | None, ...], above: tuple[str, ...]) -> Shape:
        if conversion.calculation != "conversion_rate":
            raise NotMapped(f"it gives {conversion.calculation}; a funnel in Statsig gives a rate")
        if conversion.constant_properties:
            raise NotMapped("it needs equal properties in both events (`constant_properties`)")
        if filters:
            raise NotMapped(
                "it has a filter, which MetricFlow applies to the first event only",
                fix="Move the filter to the base or the conversion.",
            )
        steps = []
        for one in (conversion.base, conversion.conversion):
            is_metric = one is not None and one.name in self.metrics and one.name not in self._measures
            step = self._leaf(one, (), above, "a conversion of") if is_metric else self._measure(one, ())
            steps.append(step)
        return Funnel(base=steps[0], conversion=steps[1], entity=conversion.entity, days=_days(conversion.window))

    def _derived(self, metric: Metric, filters: tuple[str | None, ...], above: tuple[str, ...]) -> Shape:
        inputs = {(one.alias or one.name).casefold(): one for one in metric.inputs}
        try:
            term = derived(self.adapter, metric.expr)
        except Unsupported as error:
            raise NotMapped(f"its expression {quoted(metric.expr)} {error}") from None
        except Unparsable as error:
            raise NotMapped(f"its expression {quoted(metric.expr)} does not parse: {error.message}") from None
        return self._combined(term, metric.expr, inputs, filters, above)

    def _combined(
        self, term: Term, text: str, inputs: dict[str, Input], filters: tuple[str | None, ...], above: tuple[str, ...]
    ) -> Shape:
        if isinstance(term, str):
            if term.casefold() not in inputs:
                raise NotMapped(f"its expression {quoted(text)} names {term}, which is none of its metrics")
            return self._input(inputs[term.casefold()], filters, above)
        left, right = (self._combined(one, text, inputs, filters, above) for one in (term.left, term.right))
        if term.operator == "/" and (sides := [_only(left), _only(right)]) and all(sides):
            numerator, denominator = filter(None, sides)
            return Ratio(numerator, denominator)
        if term.operator != "/" and isinstance(left, Sum) and isinstance(right, Sum):
            turned = {"+": "-", "-": "+"} if term.operator == "-" else {"+": "+", "-": "-"}
            return Sum((*left.parts, *((turned[sign], leaf) for sign, leaf in right.parts)))
        raise NotMapped(
            f"its expression {quoted(text)} is neither a sum or difference of metrics nor one metric by another"
        )

    def _input(self, taken: Input, filters: tuple[str | None, ...], above: tuple[str, ...]) -> Shape:
        if taken.offset:
            raise NotMapped(f"it compares {taken.name} with another time (`{taken.offset}`)")
        metric = self.metrics.get(taken.name)
        if metric is None:
            raise NotMapped(f"there is no metric {taken.name}")
        return self.shape(metric, filters=(*filters, *taken.filters), above=above)

    def _leaf(self, taken: Input | None, filters: tuple[str | None, ...], above: tuple[str, ...], whole: str) -> Leaf:
        if taken is None:
            raise NotMapped("it lacks one of its metrics")
        leaf = _only(self._input(taken, filters, above))
        if leaf is None:
            raise NotMapped(f"it is {whole} {taken.name}, which is not one aggregation itself")
        return leaf


def _sum_of(leaf: Leaf) -> Sum:
    return Sum((("+", leaf),))


def _only(shape: Shape) -> Leaf | None:
    """The leaf of a shape that is nothing else."""
    if isinstance(shape, Sum) and len(shape.parts) == 1 and shape.parts[0][0] == "+":
        return shape.parts[0][1]
    return None


def quoted(text: str) -> str:
    """An expression as messages show it: a long one cut short."""
    return f"`{text}`" if len(text) <= _LONGEST else f"`{text[:_LONGEST]}…`"


def _days(window: Window | None) -> int:
    if window is None:
        return 0
    if window.count < 1:
        raise NotMapped("its window cannot be read, or has no length")
    if window.granularity not in _DAYS:
        unit = window.granularity if window.count == 1 else f"{window.granularity}s"
        raise NotMapped(f"its window is {window.count} {unit}; Statsig's windows are in days")
    return window.count * _DAYS[window.granularity]


class NotMapped(Exception):
    """What one metric, or one semantic model, asks for and Statsig does not have; ends as a finding.

    `reason` goes on after the metric's name: "its filter reads another metric".
    """

    def __init__(self, reason: str, *, fix: str = BY_HAND) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class NoSource(NotMapped):
    """Why a semantic model cannot be a metric source: none of its metrics can be mapped."""

    def __init__(self, why: NotMapped, model: SemanticModel) -> None:
        super().__init__(why.reason, fix=why.fix)
        self.model = model
