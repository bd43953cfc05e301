"""The metric source of a semantic model: the block on its dbt model, or one that is made of the semantic model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.columns.budget import Unparsable
from dbt_statsig.columns.metric_expressions import Expression, measured
from dbt_statsig.project.conversion import show
from dbt_statsig.project.declarations.semantic import Origin
from dbt_statsig.semantic_layer.shapes import NotMapped, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.project.artifacts import Manifest, Node
    from dbt_statsig.project.artifacts.semantic_models import Entity, SemanticModel
    from dbt_statsig.project.declarations.places import KeyPath
    from dbt_statsig.vocabulary.adapters import Adapter

KIND = "metric_source"
PATH: KeyPath = ("statsig", KIND)


class NodeMeta:
    """A copy of a node's meta to which blocks are added; several semantic models may be on one node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.meta = dict(node.meta)
        self.origins: dict[KeyPath, Origin] = {}
        self.built_for = ""
        statsig = self.meta.get("statsig")
        if isinstance(statsig, dict):
            raw = statsig.get(KIND)
            if isinstance(raw, list):
                blocks: Any = [_copied(one) for one in raw]
            else:
                blocks = _copied(raw)
            self.meta["statsig"] = {**statsig, **({KIND: blocks} if KIND in statsig else {})}

    @property
    def blocks(self) -> list[tuple[KeyPath, Any]]:
        """The metric sources that the node declares itself, each with its path."""
        statsig = self.meta.get("statsig")
        raw = statsig.get(KIND) if isinstance(statsig, dict) and not self.built_for else None
        if isinstance(raw, list):
            return [((*PATH, index), one) for index, one in enumerate(raw)]
        return [] if raw is None else [(PATH, raw)]

    def reserve(self, model: SemanticModel) -> None:
        """Keep a node without a metric source for one semantic model."""
        if self.built_for:
            raise NotMapped(
                f"semantic models {self.built_for} and {model.name} are on one dbt model, {self.node.unique_id}, which "
                "has no metric source of its own",
                fix="Write one `metric_source` block on the dbt model.",
            )
        self.built_for = model.name

    def build(self, block: dict[str, Any], origin: Origin) -> None:
        """Add the metric source that the node was kept for."""
        statsig = self.meta.get("statsig")
        self.meta["statsig"] = {**(statsig if isinstance(statsig, dict) else {}), KIND: block}
        self.origins[PATH if statsig else PATH[:1]] = origin


class ModelSource:
    """One semantic model's metric source, to which metrics and custom fields are added."""

    def __init__(self, model: SemanticModel, shared: NodeMeta, adapter: Adapter, unit_ids: Mapping[str, str]) -> None:
        """Raises NotMapped where the semantic model cannot be a source."""
        self.model = model
        self.adapter = adapter
        self.shared = shared
        self.node = shared.node
        self.units = {unit: entity for entity in model.entities for unit in _units(entity, unit_ids)}
        own = model.meta.get("statsig")
        overrides = own.get(KIND) if isinstance(own, dict) else None
        self.overrides: dict[str, Any] = overrides if isinstance(overrides, dict) else {}
        self.fields: dict[str, str] = {}
        self.is_built = not shared.blocks
        if self.is_built:
            self.origin = Origin(
                section="semantic_models",
                name=model.name,
                path=model.path,
                package_name=model.package_name,
                model=self.node.name,
            )
            self.path, self.block = PATH, self._made()
            shared.reserve(model)
        else:
            self.path, self.block = self._existing()

    @property
    def name(self) -> str:
        """The source's name in Statsig, without any prefix; empty where its block gives none."""
        name = self.block.get("name")
        return name if isinstance(name, str) else ""

    @property
    def unit_columns(self) -> dict[str, str]:
        """Column (casefolded) to the unit ID that it holds, as the block or the entities say."""
        mapping = self.block.get("id_type_mapping")
        given = (
            {unit: column for unit, column in mapping.items() if isinstance(column, str)}
            if isinstance(mapping, dict)
            else {}
        )
        marked = {
            unit: column.name for column in self.node.columns.values() for unit in _listed(column.meta.get("statsig"))
        }
        entities = {unit: self.expression(entity.expr).column for unit, entity in self.units.items()}
        return {column.casefold(): unit for unit, column in (entities | marked | given).items() if column}

    def keep(self, origin: Origin) -> None:
        """Keep the custom fields that a metric needs, and the source itself."""
        if self.is_built and self.shared.origins.keys().isdisjoint((PATH, PATH[:1])):
            self.shared.build(self.block, self.origin)
        if self.fields:
            self.block["custom_field_mapping"] = {**self.block.get("custom_field_mapping", {}), **self.fields}
        for key in self.fields:
            self.shared.origins[(*self.path, "custom_field_mapping", key)] = origin
        self.fields = {}

    def add(self, metric: dict[str, Any], origin: Origin) -> None:
        """Add a metric at the end of the block's own."""
        own = self.block.get("metrics", [])
        if isinstance(own, list):  # else reported where the block is read
            self.block["metrics"] = [*own, metric]
            self.shared.origins[(*self.path, "metrics", len(own))] = origin

    def expression(self, text: str) -> Expression:
        """What an expression of the semantic model is. Raises NotMapped."""
        try:
            found = measured(self.adapter, text)
        except Unparsable as error:
            raise NotMapped(f"its expression {quoted(text)} does not parse: {error.message}") from None
        if found.aggregates:
            raise NotMapped(f"its expression {quoted(text)} aggregates rows itself")
        return found

    def field(self, key: str, formula: str, expression: Expression) -> str:
        """The custom field of a formula: one that is there, or a new one under a name that no column has."""
        given = self.block.get("custom_field_mapping", {})
        if not isinstance(given, dict):
            return key  # reported where the block is read
        fields = {**given, **self.fields}
        for known, text in fields.items():
            if isinstance(text, str) and " ".join(text.split()) == " ".join(formula.split()):
                return str(known)
        taken = {*expression.reads, *map(str.casefold, self.node.columns), *(str(one).casefold() for one in fields)}
        while key.casefold() in taken:
            key = f"{key}_value"
        self.fields[key] = formula
        return key

    def check_time(self, time_dimension: str) -> None:
        """Raise NotMapped where a metric's time is not the source's."""
        wanted = time_dimension or self.model.time_dimension
        if self.is_built and wanted != self.model.time_dimension and "timestamp_column" not in self.overrides:
            raise NotMapped(
                f"its time is `{wanted}`, but that of its metric source is `{self.model.time_dimension}`",
                fix="Write a metric source with that timestamp_column and its metrics on the dbt model.",
            )

    def _existing(self) -> tuple[KeyPath, dict[str, Any]]:
        """The block on the dbt model: of several, the one that the semantic model names."""
        named = self.overrides.get("name")
        fitting = [
            (path, block)
            for path, block in self.shared.blocks
            if isinstance(block, dict) and named in (None, block.get("name"))
        ]
        if len(fitting) != 1:
            which = f"has no metric source named {show(named)}" if named else "has several metric sources"
            raise NotMapped(
                f"{self.node.unique_id} {which}",
                fix="Name one of them: `config.meta.statsig.metric_source: {name: …}` on the semantic model.",
            )
        if others := sorted(map(str, self.overrides.keys() - {"name"})):
            raise NotMapped(
                f"{self.node.unique_id} has its own metric source, beside which the semantic model gives "
                f"{', '.join(others)}",
                fix="Move the keys to the block on the dbt model.",
            )
        return fitting[0]

    def _made(self) -> dict[str, Any]:
        made: dict[str, Any] = {"name": self.model.name}
        if self.model.description:
            made["description"] = self.model.description
        if "timestamp_column" not in self.overrides:
            made["timestamp_column"] = self._timestamp()
        mapping = {
            unit: column for unit, entity in self.units.items() if (column := self.expression(entity.expr).column)
        }
        marked = any(_listed(column.meta.get("statsig")) for column in self.node.columns.values())
        if mapping:
            made["id_type_mapping"] = mapping
        elif not marked and "id_type_mapping" not in self.overrides:
            entities = ", ".join(one.name for one in self.model.entities) or "none"
            raise NotMapped(
                f"no entity of semantic model {self.model.name} has a Statsig unit ID (entities: {entities})",
                fix="Set `unit_ids: {<entity>: userID}` in dbt_statsig.yml, or mark the entity or its column with "
                "`unit_id`.",
            )
        return made | self.overrides

    def _timestamp(self) -> str:
        found = next((one for one in self.model.dimensions if one.name == self.model.time_dimension), None)
        if found is None:
            raise NotMapped(
                f"semantic model {self.model.name} has no agg_time_dimension",
                fix="Set `defaults: {agg_time_dimension: …}`.",
            )
        column = self.expression(found.expr).column
        if not column:
            raise NotMapped(
                f"the time of semantic model {self.model.name} is an expression, `{found.expr}`",
                fix="Set `config.meta.statsig.metric_source: {timestamp_column: …}` on the semantic model.",
            )
        return column


def _copied(block: Any) -> Any:
    """A block that may be added to; one that is just a name as a mapping."""
    return {"name": block} if isinstance(block, str) else dict(block) if isinstance(block, dict) else block


def node_of(model: SemanticModel, manifest: Manifest) -> Node:
    """The node of a semantic model. Raises NotMapped."""
    node = manifest.node(model.node)
    if node is None or not node.enabled:
        raise NotMapped(f"semantic model {model.name} is on {model.node or 'no model'}, which is not in the project")
    if not node.is_latest:
        raise NotMapped(
            f"semantic model {model.name} is on version {node.version} of {node.name}, "
            f"whose latest version is {node.latest_version}",
            fix="Put the semantic model on the latest version.",
        )
    return node


def _units(entity: Entity, unit_ids: Mapping[str, str]) -> tuple[str, ...]:
    """The unit IDs of an entity: its own mark before the settings."""
    return entity.unit_id or ((unit_ids[entity.name],) if entity.name in unit_ids else ())


def _listed(mark: object) -> list[str]:
    unit = mark.get("unit_id") if isinstance(mark, dict) else None
    return [one for one in (unit if isinstance(unit, list) else [unit]) if isinstance(one, str)]
