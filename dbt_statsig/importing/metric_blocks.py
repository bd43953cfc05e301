"""A metric of the console as an entry under `metrics` of its metric source. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct

from dbt_statsig.vocabulary.kinds import SPECS, Metric, MetricMeta
from dbt_statsig.vocabulary.kinds.metric_block import KEYS_OF
from dbt_statsig.vocabulary.ownership import text_above
from dbt_statsig.vocabulary.sources import Kind, Role

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.kinds.metric import Component, Criterion, FunnelEvent, MetricPart

_SQL_FILTER = "sql_filter"
_CLEARED = frozenset({"team", "team_id", "scheduled_reload_hour", "scheduled_reload_days"})
"""Keys whose default a block can take back with null."""
_USUAL = {"directionality": "increase"}


class MetricSetting(Struct, frozen=True, kw_only=True):
    """What holds where the entry is to stand.

    `home` is the live name of the metric source around it, `names` the name of each source in its block. `defaults`
    are the keys that the entry gets without saying them. `spelled` gives the project's spelling of a source's column.
    """

    home: str
    names: dict[str, str]
    defaults: MetricMeta
    spelled: Callable[[str, str], str]
    read_only: bool = False


def metric_block(live: Metric, setting: MetricSetting, *, name: str) -> dict[str, Any]:
    """The entry, with its keys in the order of the reference."""
    values = {"name": name, **_texts(live, setting), **_declared(live, setting), **_rows(live, setting)}
    return {key: values[key] for key in MetricMeta.__struct_fields__ if key in values}


def _given(holder: Any, key: str) -> Any:
    """A value; None for all that stands for nothing."""
    value = getattr(holder, key, UNSET)
    return None if value is UNSET or value is False or value in ("", ()) else value


def _texts(live: Metric, setting: MetricSetting) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if (text := text_above(live.description)) != (_given(setting.defaults, "description") or ""):
        values["description"] = text
    if set(live.tags or ()) != set(_given(setting.defaults, "tags") or ()):
        values["tags"] = list(live.tags or ())
    declared = getattr(setting.defaults, "is_read_only", UNSET)
    if bool(live.is_read_only) is not (setting.read_only if declared is UNSET else declared):
        values["is_read_only"] = bool(live.is_read_only)
    return values


def _declared(live: Metric, setting: MetricSetting) -> dict[str, Any]:
    """What the block calls as Statsig does; keys of other aggregations are Statsig's own defaults."""
    values: dict[str, Any] = {}
    for key in SPECS[Kind.METRIC].fields(Role.AS_DECLARED):
        value, default = (_given(one, key) or _USUAL.get(key) for one in (live, setting.defaults))
        is_others = live.aggregation not in KEYS_OF.get(key, (live.aggregation,))
        if key in {"tags", "is_read_only", "aggregation"} or is_others or value == default:
            continue
        if value is None:
            values[key] = None if key in _CLEARED else False
        else:
            values[key] = list(value) if isinstance(value, tuple) else value
    if "team" in values and values["team"] is not None:
        values.pop("team_id", None)
    return values


def _rows(live: Metric, setting: MetricSetting) -> dict[str, Any]:
    """Which rows of which sources count, and the columns of them."""
    values: dict[str, Any] = {"aggregation": live.aggregation}
    parts = live.metric_sources or ()
    if live.aggregation == "ratio":
        counted = {"aggregation": live.numerator_aggregation}
        values["numerator"] = _without_nothing({**counted, **(_part(parts[0], setting) if parts else {})})
    elif live.aggregation == "funnel":
        values["steps"] = [_step(step, setting) for step in live.funnel_events or ()]
    elif live.aggregation == "composite":
        values["components"] = [_component(one, setting) for one in live.components or ()]
    elif len(parts) == 1 and parts[0].metric_source_name == setting.home:
        values |= _part(parts[0], setting)
    else:
        values["metric_sources"] = [_part(part, setting) for part in parts]
    if live.aggregation == "ratio" or (live.aggregation == "retention" and live.use_secondary_retention_event):
        values["denominator"] = _denominator(live, setting)
    spelled = (setting.spelled(setting.home, one) for one in live.metric_dimension_columns or ())
    if columns := list(spelled):
        values["metric_dimension_columns"] = columns
    limits = {setting.spelled(setting.home, str(one.name)): one.limit for one in live.metric_dimension_limits or ()}
    return values | ({"metric_dimension_limits": limits} if limits else {})


def _part(part: MetricPart | Component, setting: MetricSetting) -> dict[str, Any]:
    column = _given(part, "value_column")
    source = str(part.metric_source_name)
    return {
        **_source(source, setting),
        **({"value_column": setting.spelled(source, column)} if column else {}),
        **_filters(part.criteria, source, setting),
    }


def _source(name: str, setting: MetricSetting) -> dict[str, Any]:
    return {} if name == setting.home else {"metric_source_name": setting.names[name]}


def _step(step: FunnelEvent, setting: MetricSetting) -> dict[str, Any]:
    source = str(step.metric_source_name)
    session = _given(step, "session_identifier_field")
    return _without_nothing(
        {
            "name": _given(step, "name"),
            **_source(source, setting),
            **_filters(step.criteria, source, setting),
            "session_identifier_field": session and setting.spelled(source, session),
        }
    )


def _component(one: Component, setting: MetricSetting) -> dict[str, Any]:
    counted = {"operator": _given(one, "operator"), "aggregation": _given(one, "aggregation")}
    return _without_nothing({**counted, **_part(one, setting), "name": _given(one, "name")})


def _denominator(live: Metric, setting: MetricSetting) -> dict[str, Any]:
    source = str(live.denominator_metric_source_name or setting.home)
    column = _given(live, "denominator_value_column")
    fields = {key: _given(live, f"denominator_{key}") for key in ("rollup_time_window", "custom_rollup_start")}
    fields |= {
        key: _given(live, f"denominator_{key}") for key in ("custom_rollup_end", "custom_rollup_measure_in_minutes")
    }
    fields |= {key: _given(live, f"{key}_denominator") for key in ("winsorization_high", "winsorization_low")}
    return _without_nothing(
        {
            "aggregation": _given(live, "denominator_aggregation"),
            **_source(source, setting),
            "value_column": column and setting.spelled(source, column),
            **_filters(live.denominator_criteria, source, setting),
            **fields,
        }
    )


def _filters(criteria: Any, source: str, setting: MetricSetting) -> dict[str, Any]:
    """The criteria of some rows: a predicate that is the first of them as `where`."""
    listed: list[Criterion] = list(criteria or ())
    values: dict[str, Any] = {}
    if listed and _is_predicate(listed[0]):
        values["where"] = (listed.pop(0).values or ("",))[0]
    if listed:
        values["criteria"] = [_criterion(one, source, setting) for one in listed]
    return values


def _is_predicate(one: Criterion) -> bool:
    is_plain = one.condition == _SQL_FILTER and not one.column and one.null_vacuous_override in (UNSET, None)
    values = one.values or ()
    return is_plain and len(values) == 1 and values[0] == values[0].strip() != ""


def _criterion(one: Criterion, source: str, setting: MetricSetting) -> dict[str, Any]:
    return _without_nothing(
        {
            "column": one.column and setting.spelled(source, one.column),
            "condition": one.condition,
            "values": list(one.values) if one.values else None,
            "null_vacuous_override": one.null_vacuous_override,
        }
    )


def _without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not UNSET and value not in (None, "")}
