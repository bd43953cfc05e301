"""What a node's columns say of themselves: which unit ID they hold, which role they play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from dbt_statsig.project.conversion import Fault, field_types, show
from dbt_statsig.project.declarations.layers import Layer, fields_of, read_layer
from dbt_statsig.vocabulary.kinds import SPECS, column_roles
from dbt_statsig.vocabulary.kinds.base import UnitId
from dbt_statsig.vocabulary.sources import Role

if TYPE_CHECKING:
    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.declarations.places import KeyPath
    from dbt_statsig.vocabulary.sources import Kind


class ColumnMark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a column is to Statsig, declared on the column itself."""

    unit_id: Annotated[
        UnitId | tuple[UnitId, ...] | UnsetType, Meta(description="The Statsig unit ID (or several) in this column.")
    ] = UNSET
    role: Annotated[
        Literal["timestamp", "experiment_id", "group_id", "group_name", "date_partition"]
        | tuple[Literal["timestamp", "experiment_id", "group_id", "group_name", "date_partition"], ...]
        | UnsetType,
        Meta(description="The column's role in every block of the node."),
    ] = UNSET


class Mark(Struct, frozen=True, kw_only=True):
    """One column under one role or unit ID, and where it says so."""

    column: str
    path: tuple[str | int, ...]


class Marks(Struct, frozen=True, kw_only=True):
    """All marks of a node: by unit ID, by the field that a role fills; and the faults in them."""

    units: dict[str, Mark] = {}
    roles: dict[str, Mark] = {}
    faults: tuple[Fault, ...] = ()
    present: bool = False


class Applied(Struct, frozen=True, kw_only=True):
    """Marks as they bear on one block: a layer, what contradicts the block, and the roles that it took."""

    layer: Layer
    faults: tuple[Fault, ...]
    taken: frozenset[str]


def read_marks(node: Node) -> Marks:
    """The marks of all columns of a node."""
    units: dict[str, Mark] = {}
    roles: dict[str, Mark] = {}
    faults: list[Fault] = []
    present = False
    for column in node.columns.values():
        # dbt 2.x and 1.9 let a column without a meta inherit the model's: that is no mark.
        inherited = "statsig" in node.meta and column.meta.get("statsig") == node.meta["statsig"]
        if "statsig" not in column.meta or inherited:
            continue
        present = True
        path: KeyPath = ("columns", column.name, "statsig")
        raw = column.meta["statsig"]
        if not isinstance(raw, dict):
            fix = f"Write {{unit_id: …}} or {{role: {' | '.join(column_roles())}}}."
            faults.append(Fault(path=path, code="wrong-type", message=f"takes a mapping, not {show(raw)}.", fix=fix))
            continue
        layer = read_layer(raw, field_types(ColumnMark), path)
        faults.extend(layer.faults)
        faults.extend(_gather(units, _listed(layer.values.get("unit_id")), column.name, (*path, "unit_id")))
        fields = [column_roles()[role] for role in _listed(layer.values.get("role"))]
        faults.extend(_gather(roles, fields, column.name, (*path, "role")))
    return Marks(units=units, roles=roles, faults=tuple(faults), present=present)


def _listed(value: str | tuple[str, ...] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _gather(into: dict[str, Mark], keys: list[str], column: str, path: KeyPath) -> list[Fault]:
    faults = []
    for key in keys:
        if key in into:
            message = f"marks {column} as {key}, but {into[key].column} is marked so too."
            faults.append(Fault(path=path, code="contradiction", message=message, fix="Remove one of the two marks."))
        else:
            into[key] = Mark(column=column, path=path)
    return faults


def apply_marks(marks: Marks, kind: Kind, block: Layer, path: KeyPath, *, table: bool) -> Applied:
    """The marks as a layer between the defaults and a block; `table`: the block's source is a table."""
    values: dict[str, object] = {}
    origins: dict[str, tuple[str | int, ...]] = {}
    faults: list[Fault] = []
    taken = set()
    table_only = SPECS[kind].fields(Role.TABLE_ONLY)
    for field, mark in marks.roles.items():
        if field not in fields_of(kind) or (field in table_only and not table):
            continue
        taken.add(field)
        written = block.values.get(field)
        if isinstance(written, str) and written.casefold() != mark.column.casefold():
            faults.append(_contradicts((*path, field), written, mark.column))
        values[field] = mark.column
        origins[field] = mark.path
    mapping = block.values.get("id_type_mapping", {})
    for unit, mark in marks.units.items():
        if unit in mapping and mapping[unit].casefold() != mark.column.casefold():
            faults.append(_contradicts((*path, "id_type_mapping", unit), mapping[unit], mark.column))
    if marks.units:
        values["id_type_mapping"] = {unit: mark.column for unit, mark in marks.units.items()} | mapping
        origins |= {f"id_type_mapping.{unit}": mark.path for unit, mark in marks.units.items() if unit not in mapping}
        origins["id_type_mapping"] = block.origins.get("id_type_mapping", next(iter(marks.units.values())).path)
    return Applied(
        layer=Layer(values=values, origins=origins),
        faults=tuple(faults),
        taken=frozenset(taken),
    )


def _contradicts(path: KeyPath, written: str, marked: str) -> Fault:
    message = f"is {show(written)}, but the column {show(marked)} has this mark."
    return Fault(path=path, code="contradiction", message=message, fix="Remove the key or the column's mark.")
