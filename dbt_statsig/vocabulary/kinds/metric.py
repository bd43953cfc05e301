"""Metrics: what is computed from the rows of metric sources, per unit, and compared between an experiment's groups.

Facts: Statsig's published Console API description (metrics of warehouse-native projects, 2026-03 and later).
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from dbt_statsig.vocabulary.kinds.base import KindSpec
from dbt_statsig.vocabulary.kinds.metric_block import MetricMeta
from dbt_statsig.vocabulary.sources import API_PREFIX, Default, Flag, Kind, Role, Source, Text

USER_WAREHOUSE = "user_warehouse"

Number: TypeAlias = int | float | UnsetType | None


class Criterion(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One filter of a metric's rows; its type is always `metadata` in a warehouse."""

    type: Text = UNSET
    column: Text = UNSET
    condition: Text = UNSET
    values: tuple[str, ...] | UnsetType | None = UNSET
    null_vacuous_override: Flag = UNSET


Criteria: TypeAlias = tuple[Criterion, ...] | UnsetType | None


class MetricPart(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Some rows of one metric source, and the column that counts."""

    metric_source_name: Text = UNSET
    criteria: Criteria = UNSET
    value_column: Text = UNSET


class FunnelEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One step of a funnel."""

    name: Text = UNSET
    metric_source_name: Text = UNSET
    criteria: Criteria = UNSET
    session_identifier_field: Text = UNSET


class Component(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What a composite metric adds or subtracts."""

    operator: Text = UNSET
    aggregation: Text = UNSET
    metric_source_name: Text = UNSET
    value_column: Text = UNSET
    criteria: Criteria = UNSET
    name: Text = UNSET


class DimensionLimit(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """How many values of a dimension are kept."""

    name: Text = UNSET
    limit: Number = UNSET


class Metric(Source, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A metric of a warehouse-native project."""

    directionality: Annotated[Text, Role.AS_DECLARED, Default("increase")] = UNSET
    is_permanent: Annotated[Flag, Role.AS_DECLARED] = UNSET
    is_verified: Annotated[Flag, Role.AS_DECLARED] = UNSET
    is_read_only: Annotated[Flag, Role.AS_DECLARED] = UNSET
    unit_types: Annotated[tuple[str, ...] | UnsetType | None, Role.AS_DECLARED, Role.SET] = UNSET
    scheduled_reload_hour: Annotated[Number, Role.AS_DECLARED, Role.UPDATE_ONLY] = UNSET
    scheduled_reload_days: Annotated[
        tuple[int, ...] | UnsetType | None, Role.AS_DECLARED, Role.SET, Role.UPDATE_ONLY
    ] = UNSET
    aggregation: Annotated[Text, Role.NATIVE, Role.AS_DECLARED] = UNSET
    metric_sources: Annotated[tuple[MetricPart, ...] | UnsetType | None, Role.NATIVE, Role.NESTED] = UNSET
    numerator_aggregation: Annotated[Text, Role.NATIVE] = UNSET
    denominator_aggregation: Annotated[Text, Role.NATIVE] = UNSET
    denominator_metric_source_name: Annotated[Text, Role.NATIVE] = UNSET
    denominator_value_column: Annotated[Text, Role.NATIVE] = UNSET
    denominator_criteria: Annotated[Criteria, Role.NATIVE, Role.NESTED] = UNSET
    denominator_rollup_time_window: Annotated[Text, Role.NATIVE] = UNSET
    denominator_custom_rollup_start: Annotated[Number, Role.NATIVE] = UNSET
    denominator_custom_rollup_end: Annotated[Number, Role.NATIVE] = UNSET
    denominator_custom_rollup_measure_in_minutes: Annotated[Flag, Role.NATIVE] = UNSET
    allow_null_ratio_denominator: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    funnel_events: Annotated[tuple[FunnelEvent, ...] | UnsetType | None, Role.NATIVE, Role.NESTED] = UNSET
    funnel_count_distinct: Annotated[Text, Role.NATIVE, Role.AS_DECLARED] = UNSET
    funnel_start_criteria: Annotated[Text, Role.NATIVE, Role.AS_DECLARED] = UNSET
    funnel_calculation_window: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    funnel_strict_ordering: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    funnel_use_exposure_as_first_event: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    funnel_timestamp_allowance_ms: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    funnel_time_to_convert: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    components: Annotated[tuple[Component, ...] | UnsetType | None, Role.NATIVE, Role.NESTED] = UNSET
    rollup_time_window: Annotated[Text, Role.NATIVE, Role.AS_DECLARED] = UNSET
    custom_roll_up_start: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    custom_roll_up_end: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    custom_rollup_measure_in_minutes: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    wait_for_cohort_window: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    metric_bake_days: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    loading_window: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    retention_end: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    retention_length: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    use_secondary_retention_event: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    only_include_users_with_conversion_event: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    winsorization_high: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    winsorization_low: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    winsorization_high_denominator: Annotated[Number, Role.NATIVE] = UNSET
    winsorization_low_denominator: Annotated[Number, Role.NATIVE] = UNSET
    cap: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    cuped_attribution_window: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    percentile: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    value_threshold: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    use_log_transform: Annotated[Flag, Role.NATIVE, Role.AS_DECLARED] = UNSET
    log_transform_base: Annotated[Number, Role.NATIVE, Role.AS_DECLARED] = UNSET
    surrogate_metric_mse: Annotated[Number, Role.NATIVE] = field(name="surrogateMetricMSE", default=UNSET)
    metric_dimension_columns: Annotated[tuple[str, ...] | UnsetType | None, Role.NATIVE, Role.SET] = UNSET
    metric_dimension_limits: Annotated[
        tuple[DimensionLimit, ...] | UnsetType | None, Role.NATIVE, Role.NESTED, Role.SET
    ] = UNSET

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the metric sources that it is computed from, each once."""
        parts: list[MetricPart | FunnelEvent | Component] = [*(self.metric_sources or ())]
        parts += [*(self.funnel_events or ()), *(self.components or ())]
        found = [part.metric_source_name for part in parts] + [self.denominator_metric_source_name]
        return tuple(dict.fromkeys(name for name in found if isinstance(name, str) and name))


SPEC = KindSpec(
    kind=Kind.METRIC,
    payload=Metric,
    block=MetricMeta,
    required=("name", "aggregation"),
    macros=frozenset(),
    list_path=f"{API_PREFIX}/metrics/list",
    create_path=f"{API_PREFIX}/metrics",
    object_root=f"{API_PREFIX}/metrics",
    can_read=True,
    can_patch=False,
    can_rename=True,
    colours=("#1f6f43", "#7fdca8"),
    feeds_metrics=True,
    scans_by_date=False,
    within=Kind.METRIC_SOURCE,
    suffix=f"::{USER_WAREHOUSE}",
    type_=USER_WAREHOUSE,
    list_query="showHiddenMetrics=true",
    archives=True,
    answered=frozenset(
        {"type", "isHidden", "lineage", "metricEvents", "metricComponentMetrics", "rollupTimeWindow", "owner", "dryRun"}
        | {"customRollUpStart", "customRollUpEnd", "funnelEventList", "funnelCountDistinct", "warehouseNative"}
    ),
    audited=frozenset(
        {f"custom_metric_{verb}" for verb in ("edit", "name_edit", "update_owners")}
        | {f"custom_metric_definition_{verb}" for verb in ("create", "edit", "delete")}
        | {f"metric_{verb}" for verb in ("edit_definition", "edit_description", "add_tag", "remove_tag")}
        | {"set_metric_directionality", "update_metric_is_verified", "update_metric_is_permanent", "delete_metric"}
        | {"update_echidna_metric_tag_or_description", "archive_metric", "schedule_archive_metric", "unarchive_metric"}
    ),
)
