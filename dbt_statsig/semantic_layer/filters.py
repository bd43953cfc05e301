"""dbt's filters into SQL over the rows of one semantic model: what names a dimension becomes its expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from msgspec import Struct

from dbt_statsig.columns.metric_expressions import measured
from dbt_statsig.semantic_layer.shapes import NotMapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.project.artifacts.semantic_models import Dimension, SemanticModel
    from dbt_statsig.vocabulary.adapters import Adapter

_NAMES = ("Dimension", "TimeDimension", "Entity")
_GRAINS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_LOCAL = frozenset({"primary", "unique", "natural"})
_PARSER = Environment(autoescape=False)  # noqa: S701 - only parses; nothing is rendered


class Call(Struct, frozen=True):
    """`TimeDimension('order__ordered_at', 'day')` in a filter."""

    function: str
    name: str
    grain: str = ""

    def __str__(self) -> str:
        """As it is written."""
        grain = f", '{self.grain}'" if self.grain else ""
        return f"{self.function}('{self.name}'{grain})"


def where_of(
    templates: tuple[str | None, ...], model: SemanticModel, time_dimension: str, adapter: Adapter
) -> list[str]:
    """The predicates of a filter; `time_dimension` is what `metric_time` means. Raises NotMapped."""
    texts = [template for template in templates if template is not None]
    if len(texts) < len(templates):
        raise NotMapped("its filter cannot be read")
    return [where for one in texts if (where := "".join(_parts(one, model, time_dimension, adapter)).strip())]


def _parts(template: str, model: SemanticModel, time_dimension: str, adapter: Adapter) -> Iterator[str]:
    for part in _pieces(template):
        yield part if isinstance(part, str) else _expression(part, model, time_dimension, adapter)


def _pieces(template: str) -> list[str | Call]:
    """Plain text and calls, in order."""
    try:
        body = _PARSER.parse(template).body
    except TemplateSyntaxError as error:
        raise NotMapped(f"its filter is not valid Jinja: {error.message}") from None
    except RecursionError:
        raise NotMapped("its filter is nested too deeply") from None
    found: list[str | Call] = []
    for block in body:
        if not isinstance(block, nodes.Output):
            raise NotMapped("its filter has Jinja other than Dimension, TimeDimension and Entity")
        found.extend(node.data if isinstance(node, nodes.TemplateData) else _call(node) for node in block.nodes)
    return found


def _call(node: nodes.Node) -> Call:
    """One of the functions, also with `.grain('day')` behind it."""
    grain = ""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr == "grain":
        grain, node = _texts(node)[0], node.node.node
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        function = node.node.name
        if function == "Metric":
            raise NotMapped("its filter reads another metric, `Metric(…)`")
        if function in _NAMES:
            texts = _texts(node)
            return Call(function, texts[0].casefold(), (grain or (texts[1] if texts[1:] else "")).casefold())
    raise NotMapped("its filter has Jinja other than Dimension, TimeDimension and Entity")


def _texts(node: nodes.Call) -> list[str]:
    keywords: list[Any] = [one.value for one in node.kwargs]
    given = [one.value for one in [*node.args, *keywords] if isinstance(one, nodes.Const)]
    is_plain = len(given) == len(node.args) + len(keywords) and all(isinstance(one, str) for one in given)
    if not is_plain or not given or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise NotMapped("its filter calls a function with more than names and a grain")
    return given


def _expression(call: Call, model: SemanticModel, time_dimension: str, adapter: Adapter) -> str:
    *links, name = call.name.split("__")
    grain = call.grain
    if links and name in _GRAINS and call.function != "Entity":  # the older `order__ordered_at__day`
        grain, name = grain or name, links.pop()
    if name == "metric_time" and not links:
        return _in_grain(_named(time_dimension, model), grain, adapter)
    is_local = len(links) == 1 and links[0] in local_entities(model)
    if call.function == "Entity":
        entity = next((one for one in model.entities if one.name == name), None)
        if entity is not None and (is_local or not links):
            return _placed(entity.expr, adapter)
    elif is_local and (dimension := next((one for one in model.dimensions if one.name == name), None)):
        return _in_grain(dimension, grain, adapter) if dimension.type == "time" else _placed(dimension.expr, adapter)
    if not links:
        raise NotMapped(f"its filter names {call} without an entity, so MetricFlow finds no such dimension")
    raise NotMapped(
        f"its filter {call} is a join: semantic model {model.name} has no such "
        f"{'entity' if call.function == 'Entity' else 'dimension'} of its own",
        fix="Add the column to the model and the dimension to this semantic model.",
    )


def local_entities(model: SemanticModel) -> frozenset[str]:
    """The entities through which a semantic model's own dimensions are reached."""
    own = {one.name for one in model.entities if one.type in _LOCAL}
    return frozenset(own | {model.primary_entity} - {""})


def _named(name: str, model: SemanticModel) -> Dimension:
    for dimension in model.dimensions:
        if dimension.name == name:
            return dimension
    raise NotMapped(f"semantic model {model.name} has no time dimension `{name}`")


def _in_grain(dimension: Dimension, grain: str, adapter: Adapter) -> str:
    """MetricFlow cuts a time dimension to the grain that is asked for, or to its own."""
    wanted = grain or dimension.granularity or "day"
    if wanted == "day":
        return adapter.as_day(dimension.expr)
    if wanted not in _GRAINS or not adapter.truncated:
        raise NotMapped(f"its filter cuts a time to the grain `{wanted}`, which is not known for {adapter.name}")
    return adapter.truncated.format(grain=adapter.week if wanted == "week" else wanted, value=dimension.expr)


def _placed(expr: str, adapter: Adapter) -> str:
    """A plain column as it is, anything else in brackets."""
    return expr if measured(adapter, expr).column else f"({expr})"
