"""One metric's mapping into its typed block: the only place where a metric declaration is typed and checked.

The mapping is what a user writes under `metrics` of a metric source; what else declares metrics makes such mappings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from dbt_statsig.project.conversion import Fault, show
from dbt_statsig.project.declarations.layers import Layer, fields_of, merged, read_layer
from dbt_statsig.vocabulary.kinds.metric_block import (
    ALONE,
    KEYS_OF,
    NEEDED_KEYS,
    VALUED,
    WITHOUT_COLUMN,
    WITHOUT_VALUES,
    CriterionMeta,
    MetricMeta,
    NumeratorMeta,
)
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbt_statsig.project.declarations.places import KeyPath

_FEWEST_STEPS = 2
_RANGES = (("custom_roll_up_start", "custom_roll_up_end"), ("winsorization_low", "winsorization_high"))
_NESTED = ("numerator", "denominator", "metric_sources", "steps", "components")


def read_metric(raw: Mapping[Any, Any], path: KeyPath, defaults: Iterable[Layer]) -> Layer:
    """The typed keys of a metric above its defaults, with every fault of it."""
    block = read_layer(raw, fields_of(Kind.METRIC), path)
    whole = merged((*defaults, block))
    return Layer(
        values=whole.values,
        origins=whole.origins,
        faulty=whole.faulty,
        faults=(*block.faults, *_faults(whole, path)),
    )


def sources_of(meta: MetricMeta) -> tuple[str, ...]:
    """The other metric sources that a metric names, each once."""
    found = [_of(part, "metric_source_name") for _, part in parts_of(meta)]
    return tuple(dict.fromkeys(name for name in found if name))


def parts_of(meta: MetricMeta) -> Iterator[tuple[KeyPath, Any]]:
    """Each part of a metric that says which rows count, with its path below the block."""
    for key in _NESTED:
        value = getattr(meta, key)
        if isinstance(value, tuple):
            yield from (((key, index), part) for index, part in enumerate(value))
        elif value is not UNSET:
            yield (key,), value


def _of(part: Any, key: str) -> Any:
    value = getattr(part, key, UNSET)
    return None if value is UNSET else value


def _faults(block: Layer, path: KeyPath) -> Iterator[Fault]:
    values = block.values
    aggregation = values.get("aggregation")
    if aggregation is not None:
        yield from _of_others(block, path, aggregation)
        yield from _missing(block, path, aggregation)
    if "metric_sources" in values:
        for key in ("value_column", "where", "criteria"):
            if key in values:
                message = "cannot be combined with `metric_sources`, whose entries have their own."
                yield Fault(path=(*path, key), code="key-not-allowed", message=message, fix=f"Remove `{key}`.")
    yield from _reversed(values, path)
    yield from _parts(values, path, aggregation)


def _reversed(values: Mapping[str, Any], path: KeyPath) -> Iterator[Fault]:
    """Ranges that end before they begin."""
    for first, last in _RANGES:
        lower, upper = values.get(first), values.get(last)
        if lower is not None and upper is not None and lower > upper:
            message = f"({lower}) is above `{last}` ({upper})."
            yield Fault(path=(*path, first), code="contradiction", message=message, fix="Swap the two.")


def _of_others(block: Layer, path: KeyPath, aggregation: str) -> Iterator[Fault]:
    """Keys that only other aggregations have."""
    for key in block.values:
        having = KEYS_OF.get(key)
        if having is None or aggregation in having or block.origins.get(key, path)[: len(path)] != path:
            continue
        listed = ", ".join(f"`{one}`" for one in sorted(having))
        message = f"is only for {listed}, but `aggregation` is {aggregation}."
        yield Fault(path=(*path, key), code="key-not-allowed", message=message, fix=f"Remove `{key}`.")


def _missing(block: Layer, path: KeyPath, aggregation: str) -> Iterator[Fault]:
    needed = NEEDED_KEYS.get(aggregation, ())
    if block.values.get("use_secondary_retention_event") is True and aggregation == "retention":
        needed = ("denominator",)
    for key in needed:
        given = key in block.values or key in block.faulty
        if not given and not (key == "value_column" and {"metric_sources"} & {*block.values, *block.faulty}):
            yield _lacks((*path, key), f"`aggregation: {aggregation}`")


def _lacks(path: KeyPath, what: str) -> Fault:
    message = f"is missing: {what} needs it."
    return Fault(path=path, code="missing-key", message=message, fix=f"Add `{path[-1]}`.")


def _parts(values: Mapping[str, Any], path: KeyPath, aggregation: str | None) -> Iterator[Fault]:
    yield from _criteria(values.get("criteria", ()), (*path, "criteria"))
    for key in _NESTED:
        value = values.get(key)
        listed = isinstance(value, tuple)
        for index, part in enumerate(value if isinstance(value, tuple) else (value,) if value is not None else ()):
            below = (*path, key, index) if listed else (*path, key)
            yield from _criteria(_of(part, "criteria") or (), (*below, "criteria"))
            if isinstance(part, NumeratorMeta) and aggregation != "retention":
                yield from _side(part, below)
            elif key == "metric_sources" and aggregation in VALUED and _of(part, "value_column") is None:
                yield _lacks((*below, "value_column"), f"`aggregation: {aggregation}`")
    steps = values.get("steps")
    from_exposure = values.get("funnel_start_criteria") == "exposure" or values.get(
        "funnel_use_exposure_as_first_event"
    )
    if steps is not None and len(steps) < _FEWEST_STEPS and not from_exposure:
        message = "has one step; a funnel that does not start with the exposure has at least two."
        yield Fault(path=(*path, "steps"), code="missing-key", message=message, fix="Add the next step.")


def _side(part: NumeratorMeta, path: KeyPath) -> Iterator[Fault]:
    aggregation, column = _of(part, "aggregation"), _of(part, "value_column")
    if aggregation is None:
        yield _lacks((*path, "aggregation"), f"`{path[-1] if isinstance(path[-1], str) else path[-2]}`")
    elif aggregation in VALUED and column is None:
        yield _lacks((*path, "value_column"), f"`aggregation: {aggregation}`")
    elif aggregation not in VALUED and column is not None:
        message = f"has no meaning for `aggregation: {aggregation}`."
        yield Fault(path=(*path, "value_column"), code="key-not-allowed", message=message, fix="Remove it.")


def _criteria(criteria: Iterable[CriterionMeta], path: KeyPath) -> Iterator[Fault]:
    for index, one in enumerate(criteria):
        condition = _of(one, "condition")
        if condition is None:
            yield _lacks((*path, index, "condition"), "each of the criteria")
            continue
        if _of(one, "column") is None and condition not in WITHOUT_COLUMN:
            yield _lacks((*path, index, "column"), f"the condition {show(condition)}")
        if not _of(one, "values") and condition not in WITHOUT_VALUES:
            yield _lacks((*path, index, "values"), f"the condition {show(condition)}")
        for key, without in (("values", ALONE), ("column", {"sql_filter"})):
            if _of(one, key) and condition in without:
                message = f"has no meaning for the condition {show(condition)}."
                yield Fault(path=(*path, index, key), code="key-not-allowed", message=message, fix=f"Remove `{key}`.")
