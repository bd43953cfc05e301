"""The JSON Schemas (draft 2020-12) of the meta block and of dbt_statsig.yml, from the types that also check them.

They describe the files as they are written, for editors; what follows from several keys together (a required key
that a column mark or a default may give, keys that rule each other out) is left to `validate`.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from dbt_statsig.project.declarations.layers import KINDS, without_names
from dbt_statsig.project.declarations.marks import ColumnMark
from dbt_statsig.project.declarations.semantic import COMPUTED
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS, OwnerMeta
from dbt_statsig.vocabulary.sources import Kind

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TRUE_OR_FALSE = r"^\s*([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])\s*$"
_JINJA = r"\{\{|\{%"
_NAMES = {
    "OwnerMeta": "owner",
    "MetricMeta": "metric",
    "CriterionMeta": "metric_criterion",
    "PartMeta": "metric_part",
    "NumeratorMeta": "metric_numerator",
    "DenominatorMeta": "metric_denominator",
    "StepMeta": "metric_step",
    "ComponentMeta": "metric_component",
}
"""What the types of nested mappings are called in the schemas."""

_LARGE = 1_000
Schema = dict[str, Any]


def meta_schema() -> Schema:
    """What `config.meta` of a model, snapshot, seed or source table may hold for Statsig."""
    definitions = _definitions(jinja=True)
    return {
        "$schema": _DIALECT,
        "title": "dbt meta for Statsig",
        "description": "The keys `statsig` and `statsig_defaults` of a dbt node's `config.meta`. A column's "
        "`config.meta.statsig` is `#/$defs/column_mark`.",
        "type": "object",
        "properties": {
            "statsig": {"$ref": "#/$defs/statsig"},
            "statsig_defaults": {"$ref": "#/$defs/statsig_defaults"},
        },
        "patternProperties": {"^[sS][tT][aA][tT][sS][iI][gG](?!$|_defaults$)": False},
        "$defs": definitions,
    }


def properties_schema() -> Schema:
    """What a whole dbt property file may hold for Statsig; whatever else is in it is left to dbt's own schema."""
    definitions = _definitions(jinja=True)
    foreign = meta_schema()["patternProperties"]
    definitions["column_meta"] = {
        "description": "A column's meta: which role the column plays in the sources of its node.",
        "type": "object",
        "properties": {"statsig": {"$ref": "#/$defs/column_mark"}},
    }
    definitions["node_meta"] = {
        "description": "A node's meta: which Statsig sources the node is.",
        "type": "object",
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in ("statsig", "statsig_defaults")},
        "patternProperties": foreign,
    }
    definitions["columns"] = _items(_with_meta("column_meta"))
    definitions["node"] = _with_meta("node_meta", columns={"$ref": "#/$defs/columns"})
    definitions["source"] = _with_meta("node_meta", tables=_items({"$ref": "#/$defs/node"}))
    definitions |= _semantic_layer(definitions)
    metrics = _items(_with_meta("metric_meta"))
    versions = {"versions": _items({"type": "object", "properties": {"columns": {"$ref": "#/$defs/columns"}}})}
    more = versions | {"metrics": metrics, "semantic_model": _with_meta("semantic_model_meta")}
    sections = {
        "models": _items({"allOf": [{"$ref": "#/$defs/node"}, {"type": "object", "properties": more}]}),
        "snapshots": _items({"$ref": "#/$defs/node"}),
        "seeds": _items({"$ref": "#/$defs/node"}),
        "sources": _items({"$ref": "#/$defs/source"}),
        "metrics": metrics,
        "semantic_models": _items(_with_meta("semantic_model_meta", entities=_items(_with_meta("entity_meta")))),
    }
    return {
        "$schema": _DIALECT,
        "title": "dbt property file with Statsig sources",
        "description": "The blocks `config.meta.statsig` of models, snapshots, seeds and source tables, and the marks "
        "of their columns. Everything else is allowed.",
        "type": "object",
        "properties": sections,
        "$defs": definitions,
    }


def _semantic_layer(definitions: Schema) -> Schema:
    """What the meta of metrics, semantic models and entities may hold."""
    own = {key: value for key, value in definitions["metric"]["properties"].items() if key not in COMPUTED}
    metric = {"anyOf": [own["name"], {"type": "object", "additionalProperties": False, "properties": own}]}
    source = {"type": "object", "additionalProperties": False, "properties": definitions["metric_source"]["properties"]}
    unit = {"unit_id": definitions["column_mark"]["properties"]["unit_id"]}
    return {
        "metric_meta": _meta("A metric of dbt's that becomes one in Statsig.", {"metric": metric}),
        "semantic_model_meta": _meta(
            "metric: all metrics of the semantic model; metric_source: keys of their source.",
            {"metric": metric, "metric_source": source},
        ),
        "entity_meta": _meta("The Statsig unit ID of an entity.", unit),
    }


def _meta(description: str, properties: Schema) -> Schema:
    statsig = {"type": "object", "additionalProperties": False, "properties": properties}
    return {"description": description, "type": "object", "properties": {"statsig": statsig}}


def _with_meta(name: str, **more: Schema) -> Schema:
    """Something that has meta, under `config` or, as dbt once had it, of its own."""
    meta = {"$ref": f"#/$defs/{name}"}
    config = {"type": "object", "properties": {"meta": meta}}
    return {"type": "object", "properties": {"config": config, "meta": meta, **more}}


def _items(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def settings_schema() -> Schema:
    """What dbt_statsig.yml may hold."""
    (_, components) = msgspec.json.schema_components([Settings], ref_template="#/$defs/{name}")
    schema: Schema = _adapt(components.pop("Settings"), lenient=False, jinja=False)
    definitions = _definitions(jinja=False)
    schema["properties"]["defaults"] = {
        "description": schema["properties"]["defaults"]["description"],
        "$ref": "#/$defs/statsig_defaults",
    }
    parts = (name for name in _NAMES.values() if name != "metric")
    kept = {key: definitions[key] for key in (*parts, "statsig_defaults")}
    kept |= {name: _adapt(shape, lenient=False, jinja=False) for name, shape in components.items()}
    return {
        "$schema": _DIALECT,
        "title": "Settings of dbt-statsig",
        "description": "The file dbt_statsig.yml beside dbt_project.yml. Secrets do not belong here.",
        **{key: value for key, value in schema.items() if key not in {"title", "description", "required"}},
        "$defs": kept,
    }


def render(schema: Schema) -> str:
    """The schema as the text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _definitions(*, jinja: bool) -> Schema:
    (_, components) = msgspec.json.schema_components(
        [*(spec.block for spec in SPECS.values()), ColumnMark, OwnerMeta], ref_template="#/$defs/{name}"
    )
    shapes = {name: _adapt(shape, lenient=True, jinja=jinja) for name, shape in components.items()}
    kinds = {kind: _kind(kind, shapes[SPECS[kind].block.__name__]) for kind in Kind}
    names = {kind: kinds[kind]["properties"]["name"] for kind in Kind}
    statsig = {
        "title": "statsig",
        "description": "The Statsig sources that this node is: one key a kind, its value one block or a list of them.",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {kind.value: _one_or_many(kind, names[kind], kinds[kind]["description"]) for kind in BLOCK_KINDS},
    }
    parts = {
        name: {"title": name, **{key: value for key, value in shapes[meta].items() if key not in {"title", "required"}}}
        for meta, name in _NAMES.items()
        if meta != "MetricMeta"
    }
    mark = {key: value for key, value in shapes["ColumnMark"].items() if key not in {"title", "required"}}
    return {
        "statsig": statsig,
        "statsig_defaults": _defaults(kinds),
        **{kind.value: kinds[kind] for kind in Kind},
        **parts,
        "column_mark": {"title": "column mark", **mark},
    }


def _kind(kind: Kind, shape: Schema) -> Schema:
    order = ("name", "enabled", "description", "tags", "timestamp_column", "timestamp_as_day")
    properties = shape["properties"]
    return {
        **shape,
        "title": kind.value,
        "properties": {key: properties[key] for key in sorted(properties, key=lambda key: _rank(key, order))},
        "required": ["name"],
    }


def _rank(key: str, order: tuple[str, ...]) -> int:
    return order.index(key) if key in order else len(order)


def _one_or_many(kind: Kind, name: Schema, description: str) -> Schema:
    one = [{"$ref": f"#/$defs/{kind.value}"}, {**name, "description": "A block that gives only its name."}]
    many = {"type": "array", "minItems": 1, "items": {"anyOf": one}}
    return {"description": description, "defaultSnippets": [_snippet(kind)], "anyOf": [*one, many]}


def _snippet(kind: Kind) -> Schema:
    """What an editor writes when the kind is completed: the keys that a block must have, each a place to fill in."""
    names = [key for key in SPECS[kind].required if key != "id_type_mapping"]
    body: Schema = {key: f"${index}" for index, key in enumerate(names, start=1)}
    if "id_type_mapping" in SPECS[kind].required:
        body["id_type_mapping"] = {f"${{{len(names) + 1}:userID}}": f"${len(names) + 2}"}
    return {"label": kind.value, "description": f"The keys of a block of the kind {kind.label}.", "body": body}


def _defaults(kinds: dict[Kind, Schema]) -> Schema:
    own = {kind.value: without_names(kinds[kind]["properties"]) for kind in Kind}
    common = {key: value for kind in reversed(KINDS) for key, value in own[kind].items()}
    per_kind = {
        kind: {
            "description": f"Defaults for every {Kind(kind).label}.",
            "type": "object",
            "additionalProperties": False,
            "properties": own[kind],
        }
        for kind in map(str, own)
    }
    return {
        "title": "statsig_defaults",
        "description": "Keys for every block below, and under a kind's name for its blocks. The nearest value wins.",
        "type": "object",
        "additionalProperties": False,
        "properties": {**common, **per_kind},
    }


def _digits(low: int, high: int) -> str:
    """A pattern of the whole numbers in a range; a large one begins at 0 or 1 and ends at 99…9."""
    if high < _LARGE:
        return f"({'|'.join(map(str, range(low, high + 1)))})"
    more = len(str(high)) - 1
    return rf"[1-9]\d{{0,{more}}}" if low else rf"\d{{1,{more + 1}}}"


def _adapt(shape: Any, *, lenient: bool, jinja: bool) -> Any:
    """Msgspec's schema, widened by what Jinja gives, narrowed by what the walk refuses beyond the types."""
    if isinstance(shape, list):
        return [_adapt(item, lenient=lenient, jinja=jinja) for item in shape]
    if not isinstance(shape, dict):
        return shape
    result = {key: _adapt(value, lenient=lenient, jinja=jinja) for key, value in shape.items()}
    name = str(result.get("$ref", "")).removeprefix("#/$defs/")
    if name in _NAMES:
        result["$ref"] = f"#/$defs/{_NAMES[name]}"
    if result.get("type") == "array" and result.pop("uniqueItems", "$ref" not in result["items"]):
        result["uniqueItems"] = True
    patterns = []
    expected = ""
    if lenient and result.get("type") == "boolean":
        patterns.append(_TRUE_OR_FALSE)
        expected = "true or false"
    if lenient and result.get("type") == "integer":
        patterns.append(rf"^\s*0*{_digits(result['minimum'], result['maximum'])}\s*$")
        expected = f"a whole number from {result['minimum']} to {result['maximum']}"
    if "enum" in result:
        expected = f"one of {', '.join(map(str, result['enum']))}"
    if jinja and ("enum" in result or patterns):
        patterns.append(_JINJA)
    if not patterns:
        return result
    outer = {key: result.pop(key) for key in ("description", "default") if key in result}
    message = f"Write {expected}{', or Jinja that gives it' if jinja else ''}."
    text = {"type": "string", "pattern": "|".join(patterns), "patternErrorMessage": message}
    return {**outer, "anyOf": [result, text]}
