"""Filters of dbt's metrics: what they name becomes an expression of the same semantic model."""

from __future__ import annotations

import pytest

from tests.semantic import made, simple, taken


def where(template: str, adapter: str = "duckdb") -> str:
    """The predicate of a filter, or why there is none."""
    found = taken(made([simple("m", expr="1", filter=template)], adapter=adapter))
    for source in found["sources"].values():
        return str(source["metrics"][0]["where"])
    return str(found["refused"]["m"]).split("cannot be a Statsig metric: ")[1]


@pytest.mark.parametrize(
    ("template", "predicate"),
    [
        ("{{ Dimension('order__is_gift') }} = true", "is_gift = true"),
        ("{{Dimension( 'ORDER__region' )}} in ('NL', '{')", "(upper(country)) in ('NL', '{')"),
        ("{{ Entity('user') }} is not null", "user_id is not null"),
        ("{{ Entity('order__user') }} is not null", "user_id is not null"),
        ("{{ TimeDimension('order__ordered_at') }} > '2026-01-01'", "CAST(ordered_at AS DATE) > '2026-01-01'"),
        ("{{ TimeDimension('metric_time', 'month') }} > x", "DATE_TRUNC('month', ordered_at) > x"),
        ("{{ TimeDimension('order__ordered_at__year') }} > x", "DATE_TRUNC('year', ordered_at) > x"),
        ("{{ TimeDimension('order__paid_at', time_granularity_name='week') }} > x", "DATE_TRUNC('week', paid_at) > x"),
        ("{{ TimeDimension('order__paid_at') }} > x", "DATE_TRUNC('hour', paid_at) > x"),
        ("{{ Dimension('order__paid_at').grain('day') }} > x", "CAST(paid_at AS DATE) > x"),
        ("amount > 1 -- {# a comment #}", "amount > 1 --"),
    ],
)
def test_resolved(template: str, predicate: str) -> None:
    """Dimensions, entities and times of the semantic model itself become their expressions, times in their grain."""
    assert where(template) == predicate


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ Dimension('user__country') }} = 'NL'", "its filter Dimension('user__country') is a join"),
        ("{{ Dimension('order__gone') }} = 1", "its filter Dimension('order__gone') is a join"),
        ("{{ Entity('user__account') }} = 1", "its filter Entity('user__account') is a join"),
        (
            "{{ TimeDimension('user__order__paid_at', 'day') }} > x",
            "its filter TimeDimension('user__order__paid_at', 'day') is a join",
        ),
        ("{{ Dimension('is_gift') }}", "its filter names Dimension('is_gift') without an entity"),
        ("{{ Metric('revenue', group_by=['user']) }} > 1", "its filter reads another metric"),
        ("{{ var('x') }} > 1", "its filter has Jinja other than"),
        ("{{ Dimension(name) }} > 1", "its filter calls a function with more than names and a grain"),
        ("{{ Dimension('order__is_gift', ['user']) }}", "its filter calls a function with more than names"),
        ("{{ Dimension('order__is_gift').descending(True) }}", "its filter has Jinja other than"),
        ("{% if true %}a = 1{% endif %}", "its filter has Jinja other than"),
        ("{{ Dimension('order__is_gift' }}", "its filter is not valid Jinja"),
        ("{{ TimeDimension('order__paid_at', 'fortnight') }}", "its filter cuts a time to the grain `fortnight`"),
        ("{{ Dimension(" + "(" * 5000, "its filter is "),
    ],
)
def test_refused(template: str, reason: str) -> None:
    """What needs a join, another metric or Jinja of another kind is refused with the reason."""
    assert where(template).startswith(reason)


@pytest.mark.parametrize(
    ("adapter", "predicate"),
    [
        ("snowflake", "DATE_TRUNC('week', paid_at) > x"),
        ("bigquery", "DATETIME_TRUNC(paid_at, isoweek) > x"),
        ("sqlserver", "its filter cuts a time to the grain `week`, which is not known for sqlserver."),
    ],
)
def test_grains_of_warehouses(adapter: str, predicate: str) -> None:
    """A time is cut as the warehouse writes it; where one function does not do that, the metric is refused."""
    assert where("{{ TimeDimension('order__paid_at', 'week') }} > x", adapter) == predicate


def test_the_primary_entity_may_be_named_alone() -> None:
    """`primary_entity` reaches the dimensions as an entity of the type primary does."""
    model = {"primary_entity": "purchase"}
    manifest = made([simple("m", expr="1", filter="{{ Dimension('purchase__is_gift') }}")], model=model)
    (source,) = taken(manifest)["sources"].values()
    assert source["metrics"][0]["where"] == "is_gift"


def test_a_time_that_is_missing() -> None:
    """Where the semantic model lacks its own time dimension, `metric_time` has no meaning."""
    node = {"config": {"meta": {"statsig": {"metric_source": {"name": "Orders"}}}}}
    metric = simple("m", expr="1", filter="{{ TimeDimension('metric_time') }} > x")
    refused = taken(made([metric], node=node, model={"defaults": {"agg_time_dimension": "gone"}}))["refused"]
    assert refused["m"].endswith("semantic model orders has no time dimension `gone`.")
