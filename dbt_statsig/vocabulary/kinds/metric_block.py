"""The block of a metric, an entry of `metrics` of a metric source, and which keys belong to which aggregation.

Keys are Statsig's in snake_case, but for those that say where rows come from: `where` becomes a criterion `sql_filter`;
`numerator`, `denominator` and `steps` become Statsig's flat fields.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from dbt_statsig.vocabulary.kinds.base import BlockMeta, Column, Line, Sql, UnitId
from dbt_statsig.vocabulary.sources import REPEATS, Role

SHORTEST_NAME, LONGEST_NAME, LONGEST_DESCRIPTION = 4, 200, 1000
NAME_PATTERN = r"^[a-zA-Z0-9_.\-()/ %:]*$(?!\n)"

_VALUED = ("sum", "mean", "count_distinct", "percentile", "first_value", "latest_value", "max", "min")
VALUED = frozenset(_VALUED)
"""The aggregations of a column's values."""
NUMERIC = VALUED - {"count_distinct"}
"""Those that need a number in each row."""
_OF_ONE = VALUED | {"count", "daily_participation", "retention"}
_FUNNEL, _RATIO, _RETENTION = frozenset({"funnel"}), frozenset({"ratio"}), frozenset({"retention"})
KEYS_OF: dict[str, frozenset[str]] = {
    "value_column": VALUED,
    "where": _OF_ONE,
    "criteria": _OF_ONE,
    "metric_sources": _OF_ONE,
    "numerator": _RATIO,
    "denominator": _RATIO | _RETENTION,
    "allow_null_ratio_denominator": _RATIO,
    "steps": _FUNNEL,
    "funnel_count_distinct": _FUNNEL,
    "funnel_start_criteria": _FUNNEL,
    "funnel_calculation_window": _FUNNEL,
    "funnel_strict_ordering": _FUNNEL,
    "funnel_use_exposure_as_first_event": _FUNNEL,
    "funnel_timestamp_allowance_ms": _FUNNEL,
    "funnel_time_to_convert": _FUNNEL,
    "components": frozenset({"composite"}),
    "percentile": frozenset({"percentile"}),
    "retention_end": _RETENTION,
    "retention_length": _RETENTION,
    "use_secondary_retention_event": _RETENTION,
}
"""The keys that belong to some aggregations only, each with those."""
NEEDED_KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_VALUED, ("value_column",)),
    "percentile": ("value_column", "percentile"),
    "ratio": ("numerator", "denominator"),
    "funnel": ("steps",),
    "composite": ("components",),
}
"""The keys that an aggregation cannot do without."""

_Aggregation = Literal[
    "count",
    "sum",
    "mean",
    "daily_participation",
    "ratio",
    "funnel",
    "count_distinct",
    "percentile",
    "first_value",
    "latest_value",
    "retention",
    "max",
    "min",
    "composite",
]
_SideAggregation = Literal[
    "count", "sum", "daily_participation", "count_distinct", "first_value", "latest_value", "max", "min"
]
_Condition = Literal[
    "in",
    "not_in",
    "=",
    ">",
    "<",
    ">=",
    "<=",
    "is_null",
    "non_null",
    "contains",
    "not_contains",
    "sql_filter",
    "starts_with",
    "ends_with",
    "after_exposure",
    "before_exposure",
    "is_true",
    "is_false",
]
ALONE = frozenset({"is_null", "non_null", "is_true", "is_false"})
"""The conditions that are compared with nothing."""
WITHOUT_VALUES = ALONE | {"after_exposure", "before_exposure"}
WITHOUT_COLUMN = frozenset({"sql_filter", "after_exposure", "before_exposure"})

_Window = Literal["daily", "max", "custom"]
_Days = Annotated[int, Meta(ge=0, le=9_999)]
_FromOne = Annotated[int, Meta(ge=1, le=9_999)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_MetricName = Annotated[
    str,
    Meta(
        description=f"The metric's name in Statsig: {SHORTEST_NAME} to {LONGEST_NAME} characters, of letters without "
        "accents, digits, blanks and `_ . - ( ) / % :`. Unique among metrics (compared without case). Required.",
        extra={"noun": "the metric's name as text"},
        extra_json_schema={
            "minLength": SHORTEST_NAME,
            "maxLength": LONGEST_NAME,
            "pattern": NAME_PATTERN,
            "patternErrorMessage": "Use letters without accents, digits, blanks and `_ . - ( ) / % :` only.",
        },
    ),
]
_WHERE = Meta(description="A SQL predicate in the warehouse's dialect, over the columns that the source gives.")
_CRITERIA = Meta(description="Filters; all must hold.")
_SAME = Meta(description="The same as the metric's own key, for this side of the ratio.")
_OTHER_SOURCE = Meta(description="The metric source that has the rows. Default: the one that holds the metric's block.")


class CriterionMeta(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One filter of rows, in Statsig's own form."""

    column: Annotated[Column | UnsetType, Meta(description="The column to filter on.")] = UNSET
    condition: Annotated[_Condition | UnsetType, Meta(description="How to compare the column. Required.")] = UNSET
    values: Annotated[
        tuple[str, ...] | UnsetType,
        Meta(description="The values to compare with, as text. For `sql_filter`: the predicate."),
    ] = UNSET
    null_vacuous_override: Annotated[
        bool | UnsetType, Meta(description="How NULL counts, as `nullVacuousOverride` in Statsig.")
    ] = UNSET


class RowsMeta(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some rows of a metric source."""

    metric_source_name: Annotated[Line | UnsetType, _OTHER_SOURCE] = UNSET
    where: Annotated[Sql | UnsetType, _WHERE] = UNSET
    criteria: Annotated[tuple[CriterionMeta, ...] | UnsetType, _CRITERIA] = UNSET


class PartMeta(RowsMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some rows of a metric source, and the column that counts."""

    value_column: Annotated[Column | UnsetType, Meta(description="The column whose values count.")] = UNSET


class NumeratorMeta(PartMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side of a ratio."""

    aggregation: Annotated[_SideAggregation | UnsetType, Meta(description="How its rows are aggregated.")] = UNSET


class DenominatorMeta(NumeratorMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lower side of a ratio, or the start event of a retention metric."""

    rollup_time_window: Annotated[_Window | UnsetType, _SAME] = UNSET
    custom_rollup_start: Annotated[_Days | UnsetType, _SAME] = UNSET
    custom_rollup_end: Annotated[_Days | UnsetType, _SAME] = UNSET
    custom_rollup_measure_in_minutes: Annotated[bool | UnsetType, _SAME] = UNSET
    winsorization_high: Annotated[_Share | UnsetType, _SAME] = UNSET
    winsorization_low: Annotated[_Share | UnsetType, _SAME] = UNSET


class StepMeta(RowsMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a funnel."""

    name: Annotated[Line | UnsetType, Meta(description="The step's name.")] = UNSET
    session_identifier_field: Annotated[
        Column | UnsetType, Meta(description="The column that holds the session, where sessions are counted.")
    ] = UNSET


class ComponentMeta(NumeratorMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a composite metric adds or subtracts."""

    operator: Annotated[Literal["+", "-"] | UnsetType, Meta(description="Added or subtracted. Default: +.")] = UNSET
    name: Annotated[Line | UnsetType, Meta(description="The component's name.")] = UNSET


class MetricMeta(BlockMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is computed from the rows of a metric source. An entry of its key `metrics`."""

    name: _MetricName | UnsetType = UNSET
    description: Annotated[
        str | UnsetType,
        Meta(
            description=f"The metric's description; with the ownership line at most {LONGEST_DESCRIPTION} characters. "
            "An adopted metric without one keeps its text."
        ),
    ] = UNSET
    aggregation: Annotated[_Aggregation | UnsetType, Role.ROWS, Meta(description="What is computed. Required.")] = UNSET
    value_column: Annotated[
        Column | UnsetType, Role.OURS, Meta(description=f"The column whose values count; for {', '.join(_VALUED)}.")
    ] = UNSET
    where: Annotated[Sql | UnsetType, Role.OURS, Role.ROWS, _WHERE] = UNSET
    criteria: Annotated[tuple[CriterionMeta, ...] | UnsetType, Role.OURS, Role.NESTED, _CRITERIA] = UNSET
    metric_sources: Annotated[
        Annotated[tuple[PartMeta, ...], Meta(min_length=1)] | UnsetType,
        Role.NESTED,
        Meta(description="Several sources that count together, instead of `value_column`, `where`, `criteria`."),
    ] = UNSET
    numerator: Annotated[
        NumeratorMeta | UnsetType, Role.OURS, Role.NESTED, Meta(description="The upper side of a ratio.")
    ] = UNSET
    denominator: Annotated[
        DenominatorMeta | UnsetType,
        Role.OURS,
        Role.NESTED,
        Meta(description="The lower side of a ratio, or with `use_secondary_retention_event` the start event."),
    ] = UNSET
    steps: Annotated[
        Annotated[tuple[StepMeta, ...], Meta(min_length=1)] | UnsetType,
        Role.OURS,
        Role.NESTED,
        Meta(description="The steps of a funnel, in order."),
    ] = UNSET
    components: Annotated[
        Annotated[tuple[ComponentMeta, ...], Meta(min_length=1)] | UnsetType,
        Role.NESTED,
        Meta(description="What a composite metric adds and subtracts."),
    ] = UNSET
    directionality: Annotated[
        Literal["increase", "decrease"] | UnsetType,
        Meta(description="The direction that counts as good. Statsig's default: increase."),
    ] = UNSET
    unit_types: Annotated[
        tuple[UnitId, ...] | UnsetType,
        Meta(description="The unit IDs that the metric is computed for; each must be one of its sources'.", **REPEATS),
    ] = UNSET
    is_permanent: Annotated[bool | UnsetType, Meta(description="true: a permanent metric.")] = UNSET
    is_verified: Annotated[bool | UnsetType, Meta(description="Marks the metric as verified in Statsig.")] = UNSET
    is_read_only: Annotated[
        bool | UnsetType,
        Meta(description="true: the metric can be edited through the Console API only. See the setting `read_only`."),
    ] = UNSET
    team: Annotated[Line | UnsetType | None, Meta(description="The owning team's name in Statsig.")] = UNSET
    team_id: Annotated[Line | UnsetType | None, Meta(description="The owning team's ID in Statsig.")] = UNSET
    scheduled_reload_hour: Annotated[
        Annotated[int, Meta(ge=0, le=23)] | UnsetType | None,
        Meta(description="The hour (UTC, 0 to 23) at which Statsig reloads the metric; null: never."),
    ] = UNSET
    scheduled_reload_days: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=6)], ...] | UnsetType | None,
        Meta(
            description="The days of the week (0: Sunday) on which Statsig reloads the metric; null: every day.",
            **REPEATS,
        ),
    ] = UNSET
    rollup_time_window: Annotated[
        _Window | UnsetType, Meta(description="daily, max (once per unit), or custom: days since the exposure.")
    ] = UNSET
    custom_roll_up_start: Annotated[_Days | UnsetType, Meta(description="First day of a custom window.")] = UNSET
    custom_roll_up_end: Annotated[_Days | UnsetType, Meta(description="Last day of a custom window.")] = UNSET
    custom_rollup_measure_in_minutes: Annotated[
        bool | UnsetType, Meta(description="true: the custom window is in minutes.")
    ] = UNSET
    wait_for_cohort_window: Annotated[
        bool | UnsetType, Meta(description="true: a unit counts once its window has ended.")
    ] = UNSET
    metric_bake_days: Annotated[_Days | UnsetType, Meta(description="Days until the metric's rows are final.")] = UNSET
    loading_window: Annotated[
        _Days | UnsetType, Meta(description="How many days back Statsig loads. Statsig's default: 90.")
    ] = UNSET
    retention_end: Annotated[_FromOne | UnsetType, Meta(description="The last day that counts as retained.")] = UNSET
    retention_length: Annotated[
        _FromOne | UnsetType, Meta(description="The number of days, up to `retention_end`, that count.")
    ] = UNSET
    use_secondary_retention_event: Annotated[
        bool | UnsetType, Meta(description="true: `denominator` defines the start event.")
    ] = UNSET
    only_include_users_with_conversion_event: Annotated[
        bool | UnsetType, Meta(description="true: units without a row do not count.")
    ] = UNSET
    allow_null_ratio_denominator: Annotated[
        bool | UnsetType, Meta(description="true: units without a denominator count too.")
    ] = UNSET
    funnel_count_distinct: Annotated[
        Literal["users", "sessions"] | UnsetType, Meta(description="What the funnel counts.")
    ] = UNSET
    funnel_start_criteria: Annotated[
        Literal["start_event", "exposure"] | UnsetType, Meta(description="What starts the funnel.")
    ] = UNSET
    funnel_calculation_window: Annotated[
        _Days | UnsetType, Meta(description="The number of days in which a unit must complete the funnel.")
    ] = UNSET
    funnel_strict_ordering: Annotated[bool | UnsetType, Meta(description="true: steps in strict order.")] = UNSET
    funnel_use_exposure_as_first_event: Annotated[
        bool | UnsetType, Meta(description="true: the exposure is the first step.")
    ] = UNSET
    funnel_timestamp_allowance_ms: Annotated[
        Annotated[int, Meta(ge=0, le=999_999_999)] | UnsetType,
        Meta(description="The number of milliseconds by which steps may be out of order."),
    ] = UNSET
    funnel_time_to_convert: Annotated[
        bool | UnsetType, Meta(description="true: the result is the time to convert.")
    ] = UNSET
    winsorization_high: Annotated[_Share | UnsetType, Meta(description="Upper quantile of winsorization.")] = UNSET
    winsorization_low: Annotated[_Share | UnsetType, Meta(description="Lower quantile of winsorization.")] = UNSET
    cap: Annotated[float | UnsetType, Meta(description="The most that a unit can add per day.")] = UNSET
    cuped_attribution_window: Annotated[
        _Days | UnsetType | None, Meta(description="The number of days before the exposure for CUPED; null: no CUPED.")
    ] = UNSET
    percentile: Annotated[
        Annotated[float, Meta(ge=0.001, le=0.999)] | UnsetType, Meta(description="Which percentile, 0.001 to 0.999.")
    ] = UNSET
    value_threshold: Annotated[float | UnsetType, Meta(description="The lowest value at which a unit counts.")] = UNSET
    use_log_transform: Annotated[bool | UnsetType, Meta(description="true: use the logarithm of the value.")] = UNSET
    log_transform_base: Annotated[float | UnsetType | None, Meta(description="The base of the logarithm; null: e.")] = (
        UNSET
    )
    metric_dimension_columns: Annotated[
        tuple[Column, ...] | UnsetType, Meta(description="Columns that results can be broken down by.", **REPEATS)
    ] = UNSET
    metric_dimension_limits: Annotated[
        dict[Column, Annotated[int, Meta(ge=0, le=100)]] | UnsetType,
        Meta(description="A column of `metric_dimension_columns` to the number of its values that are kept."),
    ] = UNSET
