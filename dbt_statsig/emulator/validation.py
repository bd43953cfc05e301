"""Whether a request body is what the published description asks for, in the words of zod, which checks it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.emulator.replies import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dbt_statsig.emulator.kinds import FieldType, Kind, Operation

__all__ = [
    "CHECKS",
    "body_faults",
    "columns_faults",
    "expected",
    "table_faults",
    "tag_faults",
    "type_faults",
    "unknown",
]

_REQUIRED = "Required"
_LAST_HOUR = 23
_SOURCE_TYPES = ("table", "query")
_OWNER = ("ownerID", "ownerType", "ownerName", "ownerEmail")
_LONGEST_TAG = 100


def body_faults(kind: Kind, body: Mapping[str, Any], operation: Operation) -> list[Fault]:
    """Every fault of `body`, in the order of the fields; then one that names all keys that this write does not know."""
    required, refused = kind.required(operation), kind.refused(operation)
    faults: list[Fault] = []
    for name, field_type in kind.writable.items():
        if name not in body:
            faults += [Fault(name, _REQUIRED)] if name in required else []
        elif name in refused:
            faults.append(Fault(name, "Invalid literal value, expected undefined"))
        else:
            faults += CHECKS[field_type](name, body[name])
    if body.get("name") == "" and "name" not in refused:
        faults.append(Fault("name", "String must contain at least 1 character(s)"))
    columns = columns_faults(body) if "skip_validation" in kind.writable else []
    return faults + unknown("", body, kind.writable) + columns


def type_faults(kind: Kind, source: Mapping[str, Any]) -> list[Fault]:
    """The known fields of an object whose value has another type than the published one."""
    return [
        fault
        for name, field_type in kind.fields.items()
        if name in source
        for fault in CHECKS[field_type](name, source[name])
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


def tag_faults(body: Mapping[str, Any]) -> list[Fault]:
    """Every fault of a tag's body."""
    faults = _texts(("name", "description"))("", body)
    name = body.get("name")
    if name == "":
        faults.append(Fault("name", "String must contain at least 1 character(s)"))
    elif isinstance(name, str) and len(name) > _LONGEST_TAG:
        faults.append(Fault("name", f"String must contain at most {_LONGEST_TAG} character(s)"))
    return faults


def _received(value: object) -> str:
    """The type of a JSON value, as JavaScript names it."""
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def expected(kind: str, name: str, value: object) -> list[Fault]:
    """The fault of a value of another JSON type."""
    received = _received(value)
    return [] if received == kind else [Fault(name, f"Expected {kind}, received {received}")]


def unknown(place: str, value: Mapping[str, Any], known: Collection[str]) -> list[Fault]:
    """One fault that names all keys which are not known."""
    keys = ", ".join(f"'{key}'" for key in value if key not in known)
    return [Fault(place, f"Unrecognized key(s) in object: {keys}")] if keys else []


def _string(name: str, value: object) -> list[Fault]:
    return expected("string", name, value)


def _boolean(name: str, value: object) -> list[Fault]:
    return expected("boolean", name, value)


def _nullable(check: Callable[[str, Any], list[Fault]]) -> Callable[[str, Any], list[Fault]]:
    return lambda name, value: [] if value is None else check(name, value)


def _source_type(name: str, value: object) -> list[Fault]:
    options = " | ".join(f"'{one}'" for one in _SOURCE_TYPES)
    if not isinstance(value, str):
        return [Fault(name, f"Expected {options}, received {_received(value)}")]
    wrong = f"Invalid enum value. Expected {options}, received '{value}'"
    return [] if value in _SOURCE_TYPES else [Fault(name, wrong)]


def _hour(name: str, value: Any) -> list[Fault]:
    if faults := expected("number", name, value):
        return faults
    if isinstance(value, float) and not value.is_integer():
        return [Fault(name, "Expected integer, received float")]
    if value < 0:
        return [Fault(name, "Number must be greater than or equal to 0")]
    return [Fault(name, f"Number must be less than or equal to {_LAST_HOUR}")] if value > _LAST_HOUR else []


def _each(check: Callable[[str, Any], list[Fault]]) -> Callable[[str, Any], list[Fault]]:
    """The check of a list whose items pass `check`."""

    def checked(name: str, value: Any) -> list[Fault]:
        return expected("array", name, value) or [
            fault for index, item in enumerate(value) for fault in check(f"{name}[{index}]", item)
        ]

    return checked


def _texts(required: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> Callable[[str, Any], list[Fault]]:
    """The check of an object that has these strings and nothing else."""

    def checked(place: str, value: Any) -> list[Fault]:
        if faults := expected("object", place, value):
            return faults
        for key in (*required, *optional):
            name = f"{place}.{key}" if place else key
            if key in value:
                faults += _string(name, value[key])
            elif key in required:
                faults.append(Fault(name, _REQUIRED))
        return faults + unknown(place, value, (*required, *optional))

    return checked


CHECKS: dict[FieldType, Callable[[str, Any], list[Fault]]] = {
    "string": _string,
    "text_or_null": _nullable(_string),
    "boolean": _boolean,
    "strings": _each(_string),
    "hour": _nullable(_hour),
    "source_type": _source_type,
    "owner": _nullable(_texts(optional=_OWNER)),
    "units": _each(_texts(("statsigUnitID", "column"))),
    "formulas": _each(_texts(("key", "formula"))),
}
