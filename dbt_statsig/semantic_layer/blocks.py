"""What a metric computes, as a user would write it in the `metrics` of a metric source: Statsig's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.semantic_layer.filters import where_of
from dbt_statsig.semantic_layer.shapes import Funnel, NotMapped, Ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.project.artifacts.semantic_models import SemanticModel
    from dbt_statsig.semantic_layer.shapes import Leaf, Shape
    from dbt_statsig.semantic_layer.sources import ModelSource

_PLAIN = {"sum": "sum", "average": "mean", "min": "min", "max": "max", "count_distinct": "count_distinct"}
_PERCENTILES = {"median": 0.5, "percentile": None}
_IN_RATIOS = frozenset(
    {"count", "sum", "daily_participation", "count_distinct", "first_value", "latest_value", "max", "min"}
)
_IN_SUMS = frozenset({"count", "sum"})
_EVENTS = frozenset({"count", "daily_participation", "count_distinct"})


class Writer:
    """Writes one metric; `source_of` gives the metric source of a semantic model, or raises NotMapped."""

    def __init__(self, source_of: Callable[[SemanticModel], ModelSource]) -> None:
        self._find = source_of
        self.used: dict[str, ModelSource] = {}

    def source_of(self, model: SemanticModel) -> ModelSource:
        """The metric source of a semantic model, noted as used."""
        return self.used.setdefault(model.name, self._find(model))

    def block(self, shape: Shape) -> tuple[ModelSource, dict[str, Any]]:
        """The metric source that a metric belongs to, and its fields. Raises NotMapped."""
        if isinstance(shape, Ratio):
            return self._ratio(shape)
        if isinstance(shape, Funnel):
            return self._funnel(shape)
        sign, leaf = shape.parts[0]
        home = self.source_of(leaf.model)
        if len(shape.parts) == 1 and sign == "+":
            return home, self._leaf(leaf)
        return home, {
            "aggregation": "composite",
            "components": [{"operator": one, **self._part(part, home, "sums", _IN_SUMS)} for one, part in shape.parts],
        }

    def _ratio(self, shape: Ratio) -> tuple[ModelSource, dict[str, Any]]:
        home = self.source_of(shape.numerator.model)
        fields: dict[str, Any] = {"aggregation": "ratio"}
        units: set[str] = set()
        for side, leaf in (("numerator", shape.numerator), ("denominator", shape.denominator)):
            fields[side] = self._part(leaf, home, "ratios", _IN_RATIOS)
            units |= {*fields[side].pop("unit_types", ())}
        if len(units) > 1:
            raise NotMapped(f"it compares two kinds of units: {', '.join(sorted(units))}")
        return home, fields | ({"unit_types": sorted(units)} if units else {})

    def _funnel(self, shape: Funnel) -> tuple[ModelSource, dict[str, Any]]:
        home = self.source_of(shape.base.model)
        steps = []
        units = []
        for leaf in (shape.base, shape.conversion):
            source = self.source_of(leaf.model)
            entity = next((one for one in leaf.model.entities if one.name == shape.entity), None)
            column = source.expression(entity.expr).column.casefold() if entity else ""
            units.append(source.unit_columns.get(column, ""))
            step = self._part(leaf, home, "funnels", _EVENTS)
            # Each row is the event, whatever the measure counts of it.
            rows = {key: step[key] for key in ("metric_source_name", "where") if key in step}
            steps.append({"name": leaf.aggregate.name, **rows})
        if not units[0] or units[0] != units[1]:
            raise NotMapped(
                f"its entity {shape.entity} has no unit ID in Statsig, or not one in both events",
                fix=f"Set `unit_ids: {{{shape.entity}: userID}}` in dbt_statsig.yml, or give the entity a `unit_id`.",
            )
        days = {"funnel_calculation_window": shape.days} if shape.days else {}
        return home, {"aggregation": "funnel", "steps": steps, "unit_types": [units[0]], **days}

    def _part(self, leaf: Leaf, home: ModelSource, whole: str, allowed: frozenset[str]) -> dict[str, Any]:
        """A leaf inside of another metric; of another source, which it names."""
        source = self.source_of(leaf.model)
        part = self._leaf(leaf)
        if part["aggregation"] not in allowed:
            raise NotMapped(f"{whole} in Statsig take no {part['aggregation']} ({leaf.aggregate.name})")
        if leaf.days:
            raise NotMapped(f"it is made of {leaf.aggregate.name} over a window of {leaf.days} days")
        part.pop("rollup_time_window", None)
        return part if source is home else {"metric_source_name": source.name, **part}

    def _leaf(self, leaf: Leaf) -> dict[str, Any]:
        source = self.source_of(leaf.model)
        aggregate = leaf.aggregate
        time = aggregate.time_dimension or leaf.model.time_dimension
        source.check_time(time)
        where = where_of(leaf.filters, leaf.model, time, source.adapter)
        expression = source.expression(aggregate.expr)
        fields: dict[str, Any]
        if aggregate.non_additive:
            fields = self._latest(leaf, time)
        elif aggregate.agg == "count" or (aggregate.agg == "sum" and expression.is_one):
            fields = {"aggregation": "count"}
            if not expression.is_constant:
                where = [*where, f"{self._operand(aggregate.expr, column=expression.column)} IS NOT NULL"]
        elif aggregate.agg == "sum_boolean":
            fields = {"aggregation": "count"}
            where = [*where, aggregate.expr]
        elif aggregate.agg == "count_distinct" and (unit := source.unit_columns.get(expression.column.casefold(), "")):
            fields = {"aggregation": "daily_participation", "rollup_time_window": "max", "unit_types": [unit]}
        elif aggregate.agg in _PLAIN:
            fields = {"aggregation": _PLAIN[aggregate.agg], "value_column": self._value(leaf)}
        elif aggregate.agg in _PERCENTILES:
            fields = self._percentile(leaf)
        else:
            known = f"its aggregation is {aggregate.agg}, which dbt-statsig does not know"
            raise NotMapped(known if aggregate.agg else "it has no aggregation")
        if where:
            fields["where"] = where[0] if len(where) == 1 else " AND ".join(f"({one})" for one in where)
        if leaf.days and not aggregate.non_additive:
            window = {"rollup_time_window": "custom", "custom_roll_up_start": 0, "custom_roll_up_end": leaf.days}
            fields |= window
        return fields

    @staticmethod
    def _operand(expr: str, *, column: str) -> str:
        return expr if column else f"({expr})"

    def _value(self, leaf: Leaf) -> str:
        """The column of a measure, or the custom field that its expression becomes."""
        source, aggregate = self.source_of(leaf.model), leaf.aggregate
        expression = source.expression(aggregate.expr)
        return expression.column or source.field(aggregate.name, aggregate.expr, expression)

    def _percentile(self, leaf: Leaf) -> dict[str, Any]:
        wanted = _PERCENTILES[leaf.aggregate.agg] or leaf.aggregate.percentile
        if wanted is None:
            raise NotMapped("it does not say which percentile (`agg_params: {percentile: …}`)")
        return {"aggregation": "percentile", "value_column": self._value(leaf), "percentile": wanted}

    def _latest(self, leaf: Leaf, time: str) -> dict[str, Any]:
        """A measure that must not be added over time: the latest value of each unit."""
        rule, aggregate = leaf.aggregate.non_additive, leaf.aggregate
        units = {unit.name for unit in self.source_of(leaf.model).units.values()}
        groups = set(rule.get("window_groupings") or ())
        if rule.get("name") != time or rule.get("window_choice") != "max" or not groups <= units:
            raise NotMapped(
                f"{aggregate.name} is not additive over `{rule.get('name')}`, and Statsig has only the latest value of "
                "each unit for that"
            )
        if aggregate.agg not in {"sum", "max", "min", "average"} or leaf.days:
            raise NotMapped(f"{aggregate.name} is not additive over `{time}`, and its aggregation is {aggregate.agg}")
        return {"aggregation": "latest_value", "value_column": self._value(leaf)}
