"""One metric of dbt's into the mapping that a user would write, or the reason why there is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.semantic import derived, made, simple, taken

REVENUE, ORDERS = simple("revenue"), simple("orders_made", expr="1")
AVERAGE = simple("average_amount", "average")
RATIO = {
    "name": "value",
    "type": "ratio",
    "type_params": {"numerator": {"name": "revenue"}, "denominator": {"name": "orders_made"}},
}


OVER = {"semantic_model": "orders", "agg": "sum"}


def one(metric: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """What one metric becomes: its mapping without the name, or `refused` with the reason."""
    found = taken(made([metric, *others]))
    for source in found["sources"].values():
        for mapping in source["metrics"]:
            if mapping["name"] == metric["name"]:
                return {key: value for key, value in mapping.items() if key != "name"}
    return {"refused": found["refused"][metric["name"]].split("cannot be a Statsig metric: ")[1]}


def total(column: str) -> dict[str, Any]:
    """A sum of a column."""
    return {"aggregation": "sum", "value_column": column}


@pytest.mark.parametrize(
    ("metric", "mapping"),
    [
        (simple("m", "sum", "1.0"), {"aggregation": "count"}),
        (simple("m", "sum", "(1)"), {"aggregation": "count"}),
        ({**simple("m"), "type_params": {"metric_aggregation_params": {**OVER, "expr": 1}}}, {"aggregation": "count"}),
        (simple("m", "sum", "2"), total("m")),
        (simple("m", "count", "*"), {"aggregation": "count"}),
        (simple("m", "count", "'x'"), {"aggregation": "count"}),
        (simple("m", "count", "a + b"), {"aggregation": "count", "where": "(a + b) IS NOT NULL"}),
        (simple("m", "sum_boolean", "amount > 1"), {"aggregation": "count", "where": "amount > 1"}),
        (simple("m", "sum", '"Amount"'), total("Amount")),
        (
            simple("m", "percentile", params={"agg_params": {"percentile": 0.8999999761581421}}),
            {"aggregation": "percentile", "value_column": "amount", "percentile": 0.9},
        ),
        (
            simple("m", "sum", "1", filter="{{ Dimension('order__is_gift') }}"),
            {"aggregation": "count", "where": "is_gift"},
        ),
        (
            simple("m", "count", "amount", filter={"where_filters": [{"where_sql_template": "x > 1"}]}),
            {"aggregation": "count", "where": "(x > 1) AND (amount IS NOT NULL)"},
        ),
    ],
)
def test_simple(metric: dict[str, Any], mapping: dict[str, Any]) -> None:
    """Each aggregation of a measure has one in Statsig; what is no column becomes a custom field or a filter."""
    assert one(metric) == mapping


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (simple("m", "sum", "a +"), "its expression `a +` does not parse"),
        (simple("m", "mode"), "its aggregation is mode, which dbt-statsig does not know"),
        (simple("m", ""), "it has no aggregation"),
        (simple("m", "sum", "sum(amount)"), "its expression `sum(amount)` aggregates rows itself"),
        (simple("m", "sum", f"amount + {'a' * 200} +"), f"its expression `amount + {'a' * 111}…` does not parse"),
        (simple("m", filter=5), "its filter cannot be read"),
        (simple("m", filter={"where_filters": [{"where_sql_template": None}, {"where_sql": 1}]}), "its filter cannot"),
        (simple("m", "percentile"), "it does not say which percentile"),
        (simple("m", params={"semantic_model": "gone"}), "there is no semantic model gone"),
        (simple("m", params={"agg_time_dimension": "paid_at"}), "its time is `paid_at`, but that of its metric source"),
        (
            simple("m", params={"non_additive_dimension": {"name": "ordered_at", "window_choice": "min"}}),
            "m is not additive over `ordered_at`, and Statsig has only the latest value",
        ),
        (
            simple("m", "median", params={"non_additive_dimension": {"name": "ordered_at", "window_choice": "max"}}),
            "m is not additive over `ordered_at`, and its aggregation is median",
        ),
        ({"name": "m", "type": "simple", "type_params": {}}, "it names no measure"),
        ({"name": "m", "type": "simple", "type_params": {"measure": "gone"}}, "no semantic model has the measure gone"),
        ({"name": "m", "calculation_method": "sum"}, "it has the type none, as before dbt 1.6"),
        ({"name": "m", "type": "new", "type_params": []}, "it has the type new, which dbt-statsig does not know"),
    ],
)
def test_simple_refused(metric: dict[str, Any], reason: str) -> None:
    """What no metric in Statsig computes is refused with the reason."""
    assert one(metric)["refused"].startswith(reason)


@pytest.mark.parametrize(
    ("expr", "mapping"),
    [
        ("revenue", total("amount")),
        (
            "a / revenue",
            {"aggregation": "ratio", "numerator": {"aggregation": "count"}, "denominator": total("amount")},
        ),
        (
            "safe_divide(a, revenue)",
            {"aggregation": "ratio", "numerator": {"aggregation": "count"}, "denominator": total("amount")},
        ),
        (
            "(revenue - (a - revenue))",
            {
                "aggregation": "composite",
                "components": [
                    {"operator": "+", **total("amount")},
                    {"operator": "-", "aggregation": "count"},
                    {"operator": "+", **total("amount")},
                ],
            },
        ),
        (
            "coalesce(cast(revenue as double), 0) / nullif(a, 0) * 1.0",
            {"aggregation": "ratio", "numerator": total("amount"), "denominator": {"aggregation": "count"}},
        ),
    ],
)
def test_derived(expr: str, mapping: dict[str, Any]) -> None:
    """Sums and differences are composites, a quotient is a ratio; brackets, casts and guards change nothing."""
    assert one(derived("m", expr, "revenue", {"name": "orders_made", "alias": "a"}), REVENUE, ORDERS) == mapping


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ("100 * revenue / a", "its expression `100 * revenue / a` multiplies"),
        ("revenue + 1", "its expression `revenue + 1` has the constant 1"),
        ("greatest(revenue, a)", "its expression `greatest(revenue, a)` uses GREATEST"),
        ("cast(revenue as int) / a", "its expression `cast(revenue as int) / a` uses CAST"),
        ("(revenue - a) / revenue", "its expression `(revenue - a) / revenue` is neither a sum"),
        ("revenue - gone", "its expression `revenue - gone` names gone, which is none of its metrics"),
        ("revenue -", "its expression `revenue -` does not parse"),
        ("late - revenue", "it compares revenue with another time (`offset_window`)"),
        ("missing", "there is no metric missing"),
        ("mean - revenue", "sums in Statsig take no mean (average_amount)"),
    ],
)
def test_derived_refused(expr: str, reason: str) -> None:
    """An expression that is neither a sum nor one metric by another is refused, and so are other times."""
    inputs = (
        "revenue",
        {"name": "orders_made", "alias": "a"},
        {"name": "missing"},
        {"name": "average_amount", "alias": "mean"},
    )
    late = {"name": "revenue", "alias": "late", "offset_window": {"count": 1, "granularity": "month"}}
    assert one(derived("m", expr, *inputs, late), REVENUE, ORDERS, AVERAGE)["refused"].startswith(reason)


def test_a_cycle_is_refused() -> None:
    """Metrics that are made of each other are refused, and nothing hangs."""
    first, second = derived("first", "second", "second"), derived("second", "first", "first")
    assert one(first, second)["refused"] == "its definition is a cycle: first → second → first."


@pytest.mark.parametrize(
    ("changes", "others", "reason"),
    [
        ({"denominator": {"name": "average_amount"}}, (AVERAGE,), "ratios in Statsig take no mean (average_amount)"),
        ({"denominator": None}, (), "it lacks one of its metrics"),
        (
            {"denominator": {"name": "both"}},
            (derived("both", "revenue + orders_made", "revenue", "orders_made"),),
            "it is a ratio of both",
        ),
    ],
)
def test_ratio_refused(changes: dict[str, Any], others: tuple[dict[str, Any], ...], reason: str) -> None:
    """A ratio of what is not one aggregation that Statsig takes there is refused."""
    ratio = {**RATIO, "type_params": {**RATIO["type_params"], **changes}}  # type: ignore[dict-item]
    assert one(ratio, REVENUE, ORDERS, *others)["refused"].startswith(reason)


def test_units_of_a_ratio() -> None:
    """A count of distinct units is a participation, and the metric is for that unit alone."""
    ratio = {**RATIO, "type_params": {**RATIO["type_params"], "denominator": {"name": "buyers"}}}  # type: ignore[dict-item]
    assert one(ratio, REVENUE, simple("buyers", "count_distinct", "user_id")) == {
        "aggregation": "ratio",
        "numerator": total("amount"),
        "denominator": {"aggregation": "daily_participation"},
        "unit_types": ["userID"],
    }


def test_two_units_in_a_ratio() -> None:
    """A ratio of participations of two kinds of units is refused."""
    ratio = {**RATIO, "type_params": {"numerator": {"name": "buyers"}, "denominator": {"name": "shops"}}}
    entities = [{"name": "user", "expr": "user_id"}, {"name": "stall", "expr": "stall_id"}]
    pair = [simple("buyers", "count_distinct", "user_id"), simple("shops", "count_distinct", "stall_id")]
    refused = taken(made([ratio, *pair], entities=entities))["refused"]
    assert refused["value"].endswith("it compares two kinds of units: stallID, userID.")


def test_filters_go_down() -> None:
    """A filter of a ratio, of its input and of the metric below all hold for the rows of that side."""
    ratio = {
        **RATIO,
        "filter": "a = 1",
        "type_params": {"numerator": {"name": "revenue", "filter": "b = 2"}, "denominator": {"name": "orders_made"}},
    }
    found = one(ratio, {**REVENUE, "filter": "c = 3"}, ORDERS)
    assert found["numerator"]["where"] == "(a = 1) AND (b = 2) AND (c = 3)"
    assert found["denominator"]["where"] == "a = 1"


def cumulative(**params: Any) -> dict[str, Any]:
    """A cumulative metric of revenue."""
    return {
        "name": "m",
        "type": "cumulative",
        "type_params": {"cumulative_type_params": {"metric": {"name": "revenue"}, **params}},
    }


@pytest.mark.parametrize(
    ("metric", "found"),
    [
        (cumulative(), total("amount")),
        (
            cumulative(window={"count": 2, "granularity": "weeks"}),
            {**total("amount"), "rollup_time_window": "custom", "custom_roll_up_start": 0, "custom_roll_up_end": 14},
        ),
        (
            cumulative(window={"count": 1, "granularity": "month"}),
            {"refused": "its window is 1 month; Statsig's windows are in days."},
        ),
        *(
            (cumulative(window=window), {"refused": "its window cannot be read, or has no length."})
            for window in ("7 days", {"count": 0, "granularity": "day"}, {"count": "7", "granularity": "day"})
        ),
        (
            derived("m", "week / orders_made", "week", "orders_made"),
            {"refused": "it is made of revenue over a window of 7 days."},
        ),
    ],
)
def test_cumulative(metric: dict[str, Any], found: dict[str, Any]) -> None:
    """Without a window it is the plain aggregation, with one in days or weeks a custom window; else it is refused."""
    week = {**cumulative(window={"count": 7, "granularity": "day"}), "name": "week"}
    assert one(metric, REVENUE, ORDERS, week) == found


def conversion(**params: Any) -> dict[str, Any]:
    """A conversion metric from gifts to orders."""
    given = {
        "base_metric": {"name": "gifts"},
        "conversion_metric": {"name": "orders_made"},
        "entity": "user",
        "calculation": "conversion_rate",
        **params,
    }
    return {"name": "m", "type": "conversion", "type_params": {"conversion_type_params": given}}


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (conversion(calculation="conversions"), "it gives conversions; a funnel in Statsig gives a rate"),
        (conversion(constant_properties=[{"base_property": "a"}]), "it needs equal properties in both events"),
        (conversion(window={"count": 5, "granularity": "hour"}), "its window is 5 hour"),
        (conversion(entity="order"), "its entity order has no unit ID in Statsig"),
        (conversion(entity="gone"), "its entity gone has no unit ID in Statsig"),
        (conversion(base_metric={"name": "revenue"}), "funnels in Statsig take no sum (revenue)"),
        (conversion(base_metric=None), "it names no measure"),
        ({**conversion(), "filter": "a = 1"}, "it has a filter, which MetricFlow applies to the first event only"),
    ],
)
def test_conversion_refused(metric: dict[str, Any], reason: str) -> None:
    """A conversion that is no rate, or whose events are not rows of one unit, is refused."""
    gifts = simple("gifts", "sum_boolean", "is_gift")
    assert one(metric, REVENUE, ORDERS, gifts)["refused"].startswith(reason)


def test_fill_nulls_with() -> None:
    """0 for days without rows is what Statsig counts too; another number is refused."""
    measures = [{"name": "total", "agg": "sum", "expr": "amount"}]
    metrics = [
        {"name": f"m{fill}", "type": "simple", "type_params": {"measure": {"name": "total", "fill_nulls_with": fill}}}
        for fill in (0, 5)
    ]
    found = taken(made(metrics, model={"measures": measures}))
    assert [one["name"] for one in found["sources"]["model.shop.fct_orders"]["metrics"]] == ["m0"]
    assert "it counts days without rows as 5 (`fill_nulls_with`)" in found["refused"]["m5"]
