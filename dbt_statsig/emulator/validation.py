"""Whether a request body is what the published description asks for; unknown properties pass unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.replies import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dbt_statsig.emulator.kinds import FieldType, Kind

__all__ = ["body_faults", "columns_faults", "table_faults", "type_faults"]

_LAST_HOUR = 23


def body_faults(kind: Kind, body: Mapping[str, Any], required: tuple[str, ...]) -> list[Fault]:
    """Every fault of `body`: absent required fields first, then wrong values in the order of the fields."""
    faults = [Fault(name, "is required") for name in required if name not in body]
    faults += type_faults(kind, body)
    if body.get("name") == "":
        faults.append(Fault("name", "must not be empty"))
    return faults + columns_faults(body)


def type_faults(kind: Kind, body: Mapping[str, Any]) -> list[Fault]:
    """The known fields of `body` whose value has another type than the published one."""
    return [
        fault
        for name, field_type in kind.fields.items()
        if name in body
        for fault in _CHECKS[field_type](name, body[name])
    ]


def columns_faults(body: Mapping[str, Any]) -> list[Fault]:
    """Skipping the validation needs two lists that match, one of names and one of types."""
    if body.get("skip_validation") is not True:
        return []
    names, types = body.get("all_columns"), body.get("column_types")
    absent = [name for name, value in (("all_columns", names), ("column_types", types)) if not value]
    if absent:
        return [Fault(name, "is required with skip_validation") for name in absent]
    if isinstance(names, list) and isinstance(types, list) and len(names) != len(types):
        return [Fault("column_types", f"must match all_columns: {len(names)} names, {len(types)} types")]
    return []


def table_faults(source: Mapping[str, Any]) -> list[Fault]:
    """A table source needs its table; any other source needs its query."""
    if source.get("sourceType") == "table":
        return [] if source.get("tableName") else [Fault("tableName", "is required when sourceType is table")]
    return [] if source.get("sql") else [Fault("sql", "must not be empty")]


def _string(name: str, value: object) -> list[Fault]:
    return [] if isinstance(value, str) else [Fault(name, "must be a string")]


def _text_or_null(name: str, value: object) -> list[Fault]:
    return [] if value is None or isinstance(value, str) else [Fault(name, "must be a string or null")]


def _boolean(name: str, value: object) -> list[Fault]:
    return [] if isinstance(value, bool) else [Fault(name, "must be a boolean")]


def _source_type(name: str, value: object) -> list[Fault]:
    return [] if value in ("table", "query") else [Fault(name, "must be one of: table, query")]


def _hour(name: str, value: object) -> list[Fault]:
    in_range = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_HOUR
    return [] if value is None or in_range else [Fault(name, "must be a whole number from 0 to 23, or null")]


def _strings(name: str, value: object) -> list[Fault]:
    if not isinstance(value, list):
        return [Fault(name, "must be a list of strings")]
    return [fault for index, item in enumerate(value) for fault in _string(f"{name}[{index}]", item)]


def _owner(name: str, value: object) -> list[Fault]:
    if value is None:
        return []
    if not isinstance(value, dict):
        return [Fault(name, "must be an object or null")]
    return [
        fault
        for key in ("ownerID", "ownerType", "ownerName", "ownerEmail")
        if key in value
        for fault in _string(f"{name}.{key}", value[key])
    ]


def _pairs(first: str, second: str) -> Callable[[str, object], list[Fault]]:
    def check(name: str, value: object) -> list[Fault]:
        if not isinstance(value, list):
            return [Fault(name, "must be a list of objects")]
        faults: list[Fault] = []
        for index, item in enumerate(value):
            place = f"{name}[{index}]"
            if not isinstance(item, dict):
                faults.append(Fault(place, "must be an object"))
                continue
            for key in (first, second):
                present = key in item
                faults += _string(f"{place}.{key}", item[key]) if present else [Fault(f"{place}.{key}", "is required")]
        return faults

    return check


_CHECKS: dict[FieldType, Callable[[str, object], list[Fault]]] = {
    "string": _string,
    "text_or_null": _text_or_null,
    "boolean": _boolean,
    "strings": _strings,
    "hour": _hour,
    "source_type": _source_type,
    "owner": _owner,
    "units": _pairs("statsigUnitID", "column"),
    "formulas": _pairs("key", "formula"),
}
