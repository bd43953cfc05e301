"""dbt's semantic layer as a manifest holds it: semantic models and metrics, of both specs, in one form.

Seen in what dbt-core 1.8 to 1.12 and dbt 2.0 write. A metric names a measure of a semantic model (to 1.11, and in the
older YAML on 1.12), or says itself what it aggregates (`metric_aggregation_params`; dbt 2 writes such metrics as
measures too, which are not read). Whatever is missing or of another type counts as missing.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from dbt_statsig.project.artifacts.nodes import as_path

Map = dict[str, Any]
# dbt 2 holds fractions as 32 bits: 0.9 is 0.8999999761581421 there.
_DIGITS = 6


class Entity(Struct, frozen=True, kw_only=True):
    """An entity: `expr` gives it, `unit_id` are the Statsig unit IDs that its meta names (from dbt 1.10 on)."""

    name: str
    type: str
    expr: str
    unit_id: tuple[str, ...] = ()


class Dimension(Struct, frozen=True, kw_only=True):
    """A dimension; `granularity` is that of a time dimension."""

    name: str
    type: str
    expr: str
    granularity: str = ""


class Aggregate(Struct, frozen=True, kw_only=True):
    """What is aggregated over the rows of a semantic model: a measure, or a simple metric of the newer spec."""

    name: str
    semantic_model: str
    agg: str
    expr: str
    percentile: float | None = None
    time_dimension: str = ""
    non_additive: Map = {}


class Window(Struct, frozen=True):
    """So many days, weeks or the like."""

    count: int
    granularity: str


class Input(Struct, frozen=True, kw_only=True):
    """A measure or metric as another metric takes it; `offset` names what moves it in time."""

    name: str
    alias: str = ""
    filters: tuple[str | None, ...] = ()
    offset: str = ""
    fill_nulls_with: int | float | None = None


class Conversion(Struct, frozen=True, kw_only=True):
    """The two events of a conversion metric, each a measure or a metric."""

    base: Input | None
    conversion: Input | None
    entity: str
    calculation: str
    window: Window | None
    constant_properties: bool


class SemanticModel(Struct, frozen=True, kw_only=True):
    """A semantic model; `node` is the unique_id of its dbt model, `primary_entity` the one that it names alone."""

    unique_id: str
    name: str
    package_name: str
    path: str
    node: str
    description: str
    time_dimension: str
    primary_entity: str
    entities: tuple[Entity, ...]
    dimensions: tuple[Dimension, ...]
    measures: tuple[Aggregate, ...]
    meta: Map


class Metric(Struct, frozen=True, kw_only=True):
    """A metric of dbt's. Of what its type does not need, nothing is set.

    `aggregate` is set in the newer spec, `measure` in the older; a cumulative metric has one of `measure` and `inputs`.
    """

    unique_id: str
    name: str
    package_name: str
    path: str
    description: str
    type: str
    aggregate: Aggregate | None
    measure: Input | None
    numerator: Input | None
    denominator: Input | None
    inputs: tuple[Input, ...]
    expr: str
    window: Window | None
    grain_to_date: str
    conversion: Conversion | None
    filters: tuple[str | None, ...]
    meta: Map


def build_semantic_model(raw: Map, unique_id: str) -> SemanticModel:
    """One of a manifest's `semantic_models`."""
    name = _text(raw.get("name")) or unique_id.rsplit(".", 1)[-1]
    defaults = _map(raw.get("defaults"))
    return SemanticModel(
        unique_id=unique_id,
        name=name,
        package_name=_text(raw.get("package_name")),
        path=as_path(_text(raw.get("original_file_path"))),
        node=next((one for one in _items(_map(raw.get("depends_on")).get("nodes"), str)), ""),
        description=_text(raw.get("description")).strip(),
        time_dimension=_text(defaults.get("agg_time_dimension")),
        primary_entity=_text(raw.get("primary_entity")),
        entities=tuple(_entity(one) for one in _items(raw.get("entities"), dict)),
        dimensions=tuple(_dimension(one) for one in _items(raw.get("dimensions"), dict)),
        measures=tuple(_aggregate(one, name, _text(one.get("name"))) for one in _items(raw.get("measures"), dict)),
        meta=_meta(raw),
    )


def build_metric(raw: Map, unique_id: str) -> Metric:
    """One of a manifest's `metrics`."""
    name = _text(raw.get("name")) or unique_id.rsplit(".", 1)[-1]
    params = _map(raw.get("type_params"))
    cumulative = _map(params.get("cumulative_type_params"))
    taken = [_input(one) for one in _items(params.get("metrics"), dict)]
    base = _input(cumulative.get("metric"))
    return Metric(
        unique_id=unique_id,
        name=name,
        package_name=_text(raw.get("package_name")),
        path=as_path(_text(raw.get("original_file_path"))),
        description=_text(raw.get("description")).strip(),
        type=_text(raw.get("type")),
        aggregate=_own_aggregate(params, name),
        measure=_input(params.get("measure")),
        numerator=_input(params.get("numerator")),
        denominator=_input(params.get("denominator")),
        inputs=tuple(one for one in (*taken, base) if one is not None),
        expr=_text(params.get("expr")),
        window=_window(cumulative.get("window")) or _window(params.get("window")),
        grain_to_date=_text(cumulative.get("grain_to_date")) or _text(params.get("grain_to_date")),
        conversion=_conversion(_map(params.get("conversion_type_params"))),
        filters=_filters(raw.get("filter")),
        meta=_meta(raw),
    )


def _entity(raw: Map) -> Entity:
    name = _text(raw.get("name"))
    unit = _map(_meta(raw).get("statsig")).get("unit_id")
    return Entity(
        name=name,
        type=_text(raw.get("type")),
        expr=_text(raw.get("expr")) or name,
        unit_id=tuple(_items(unit if isinstance(unit, list) else [unit], str)),
    )


def _dimension(raw: Map) -> Dimension:
    name = _text(raw.get("name"))
    granularity = _text(_map(raw.get("type_params")).get("time_granularity"))
    return Dimension(
        name=name, type=_text(raw.get("type")), expr=_text(raw.get("expr")) or name, granularity=granularity
    )


def _own_aggregate(params: Map, name: str) -> Aggregate | None:
    own = _map(params.get("metric_aggregation_params"))
    # dbt 1.12 writes the expression beside these, dbt 2 in both places.
    expr = _text(own.get("expr")) or _text(params.get("expr"))
    return _aggregate({**own, "expr": expr}, _text(own.get("semantic_model")), name) if own else None


def _aggregate(raw: Map, semantic_model: str, name: str) -> Aggregate:
    percentile = _map(raw.get("agg_params")).get("percentile")
    return Aggregate(
        name=name,
        semantic_model=semantic_model,
        agg=_text(raw.get("agg")).lower(),
        expr=_text(raw.get("expr")).strip() or name,
        percentile=round(percentile, _DIGITS) if isinstance(percentile, (int, float)) else None,
        time_dimension=_text(raw.get("agg_time_dimension")),
        non_additive=_map(raw.get("non_additive_dimension")),
    )


def _input(raw: object) -> Input | None:
    if isinstance(raw, str):
        return Input(name=raw)
    given = _map(raw)
    if not _text(given.get("name")):
        return None
    fill = given.get("fill_nulls_with")
    return Input(
        name=_text(given.get("name")),
        alias=_text(given.get("alias")),
        filters=_filters(given.get("filter")),
        offset=next((key for key in ("offset_window", "offset_to_grain") if given.get(key)), ""),
        fill_nulls_with=fill if isinstance(fill, (int, float)) else None,
    )


def _conversion(raw: Map) -> Conversion | None:
    if not raw:
        return None
    return Conversion(
        base=_input(raw.get("base_measure")) or _input(raw.get("base_metric")),
        conversion=_input(raw.get("conversion_measure")) or _input(raw.get("conversion_metric")),
        entity=_text(raw.get("entity")),
        calculation=_text(raw.get("calculation")) or "conversion_rate",
        window=_window(raw.get("window")),
        constant_properties=bool(raw.get("constant_properties")),
    )


def _window(raw: object) -> Window | None:
    given = _map(raw)
    count, granularity = given.get("count"), _text(given.get("granularity"))
    if isinstance(count, int) and granularity:
        return Window(count, granularity.lower().removesuffix("s"))
    # What cannot be read must not be taken for no window.
    return Window(0, "") if raw else None


def _filters(raw: object) -> tuple[str | None, ...]:
    """The templates of a filter: what dbt makes of them, or one text or a list of these as older ones had it.

    None stands for one that cannot be read.
    """
    given = _map(raw).get("where_filters", raw)
    texts = [_map(one).get("where_sql_template", one) for one in (given if isinstance(given, list) else [given])]
    return tuple(one.strip() if isinstance(one, str) else None for one in texts if one not in (None, {}, ""))


def _meta(raw: Map) -> Map:
    return {**_map(raw.get("meta")), **_map(_map(raw.get("config")).get("meta"))}


def _map(value: object) -> Map:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    # An `expr` of YAML may be a number: `expr: 1`.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _items(value: object, kind: type) -> list[Any]:
    return [one for one in value if isinstance(one, kind)] if isinstance(value, list) else []
