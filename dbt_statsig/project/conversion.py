"""Plain values (from JSON, YAML or the environment) into typed ones, with every fault at once.

The expected types are those of the msgspec structs that also give the JSON Schemas; msgspec's own conversion stops
at the first fault and names no next step, so the walk over them is ours.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec.inspect as types
from msgspec import Struct

from dbt_statsig.vocabulary.findings import did_you_mean
from dbt_statsig.vocabulary.yaml_text import in_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

Path: TypeAlias = tuple[str | int, ...]
Extra: TypeAlias = dict[str, Any]

INVALID: Final = object()
_SHOWN = 60
_DIGITS = 18
_QUOTE_IT = "Put quotes around it if it is meant as text."
_JINJA = ("{{", "{%")
_JINJA_FIX = "dbt renders Jinja in property files only if the whole value is quoted. Quote it, or write the value."


class Fault(Struct, frozen=True, kw_only=True):
    """One fault of a value: its path below the value, a finding code, what is wrong, the next step."""

    path: Path
    code: str
    message: str
    fix: str = ""


def printable(text: str) -> str:
    """The text with every control character, surrogate and line break escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in text
    )


def show(value: object) -> str:
    """A value as a short, safe phrase for a message."""
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{printable(value[:_SHOWN])}{"…" if len(value) > _SHOWN else ""}"'
    if isinstance(value, (int, float)):
        return f"the number {value}" if abs(value) < 10**_DIGITS else "a number out of range"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"


def dotted(path: Path) -> str:
    """A path as it is written in messages: `statsig.qualifying_event[1].name`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{printable(part)}" for part in path]
    return "".join(parts).removeprefix(".")


@cache
def field_types(struct: type[Struct]) -> dict[str, types.Type]:
    """The type of each field of a struct, by the field's name."""
    info = types.type_info(struct)
    if not isinstance(info, types.StructType):
        raise TypeError(struct)
    return {field.encode_name: field.type for field in info.fields}


def convert(value: object, expected: types.Type, *, lenient: bool = False) -> tuple[Any, tuple[Fault, ...]]:
    """The typed value and no faults, or `INVALID` and all of them.

    `lenient` also takes "true", "false" and digits as text, which is what Jinja and the environment give.
    """
    walk = _Walk(lenient=lenient)
    result = walk.convert(value, expected, (), {})
    return (INVALID if walk.faults else result), tuple(walk.faults)


_SHAPES: dict[type[types.Type], type] = {types.VarTupleType: list, types.DictType: dict, types.StrType: str}


class _Walk:
    def __init__(self, *, lenient: bool) -> None:
        self.lenient = lenient
        self.faults: list[Fault] = []
        self.by_type: dict[type[types.Type], Callable[[Any, Any, Path, Extra], object]] = {
            types.UnionType: self._union,
            types.StrType: self._text,
            types.BoolType: self._bool,
            types.LiteralType: self._literal,
            types.IntType: self._number,
            types.FloatType: self._number,
            types.VarTupleType: self._list,
            types.DictType: self._mapping,
            types.StructType: self._struct,
        }

    def convert(self, value: object, expected: types.Type, path: Path, extra: Extra) -> object:
        if isinstance(expected, types.Metadata):
            return self.convert(value, expected.type, path, {**(expected.extra or {}), **extra})
        if isinstance(value, str) and any(mark in value for mark in _JINJA):
            return self._fault(path, "contains {{ or {%: dbt did not render it.", _JINJA_FIX, code="unrendered-jinja")
        handle = self.by_type.get(type(expected))
        return handle(value, expected, path, extra) if handle else value

    def _fault(self, path: Path, message: str, fix: str = "", *, code: str = "wrong-type") -> object:
        self.faults.append(Fault(path=path, code=code, message=message, fix=fix))
        return INVALID

    def _wrong(self, value: object, expected: types.Type, path: Path, fix: str = "") -> object:
        return self._fault(path, f"takes {describe(expected)}, not {show(value)}.", fix)

    def _union(self, value: object, expected: types.UnionType, path: Path, extra: Extra) -> object:
        if value is None and any(isinstance(one, types.NoneType) for one in expected.types):
            return None
        others = [one for one in expected.types if not isinstance(one, types.NoneType)]
        fitting = [one for one in others if isinstance(value, _SHAPES.get(type(_without_metadata(one)), ()))]
        return self.convert(value, (fitting or others)[0], path, extra)

    def _text(self, value: object, expected: types.StrType, path: Path, extra: Extra) -> object:
        noun = extra.get("noun", "text")
        if not isinstance(value, str):
            scalar = isinstance(value, (bool, int, float)) or hasattr(value, "isoformat")
            return self._fault(path, f"takes {noun}, not {show(value)}.", _QUOTE_IT if scalar else "")
        message, fix = _text_fault(value, expected, extra, noun)
        return self._fault(path, message, fix, code=extra.get("code", "wrong-type")) if message else value

    def _bool(self, value: object, expected: types.BoolType, path: Path, _extra: Extra) -> object:
        given = value
        if self.lenient and isinstance(value, str):
            given = {"true": True, "false": False}.get(value.strip().lower(), value)
        return given if isinstance(given, bool) else self._wrong(value, expected, path)

    def _literal(self, value: object, expected: types.LiteralType, path: Path, _extra: Extra) -> object:
        if isinstance(value, str) and value in expected.values:
            return value
        known = [one for one in expected.values if isinstance(one, str)]
        return self._wrong(value, expected, path, did_you_mean(value, known) if isinstance(value, str) else "")

    def _number(self, value: object, expected: types.IntType | types.FloatType, path: Path, _extra: Extra) -> object:
        given = _number_from_text(value, expected) if self.lenient and isinstance(value, str) else value
        accepted = int if isinstance(expected, types.IntType) else (int, float)
        if accepted is int and isinstance(given, float) and given.is_integer():
            given = int(given)  # JSON Schema, and so every editor, takes 3.0 for a whole number
        if isinstance(given, bool) or not isinstance(given, accepted) or not _in_range(given, expected):
            return self._wrong(value, expected, path)
        return given

    def _list(self, value: object, expected: types.VarTupleType, path: Path, extra: Extra) -> object:
        if "all" in extra and value in ("*", ["*"]):
            return self._fault(path, f"takes {describe(expected)}, not *.", extra["all"])
        if not isinstance(value, (list, tuple)):
            fix = f"Write [{in_yaml(printable(value[:_SHOWN]))}]." if isinstance(value, str) and value else ""
            return self._wrong(value, expected, path, fix)
        items = [self.convert(item, expected.item_type, (*path, index), {}) for index, item in enumerate(value)]
        if extra.get("repeats"):
            items = list(dict.fromkeys(items))
        for index, item in enumerate(items):
            if item is not INVALID and not isinstance(item, Struct) and item in items[:index]:
                self._fault((*path, index), f"is in the list twice: {show(item)}.", "Remove one of them.")
        if not items and expected.min_length:
            return self._fault(path, "is an empty list.")
        return tuple(items)

    def _mapping(self, value: object, expected: types.DictType, path: Path, _extra: Extra) -> object:
        if not isinstance(value, dict):
            return self._wrong(value, expected, path)
        if not value and expected.min_length:
            return self._fault(path, "is an empty mapping.")
        result = {}
        for key, item in value.items():
            below = (*path, key if isinstance(key, str) else str(show(key)))
            name = self.convert(key, expected.key_type, below, {"noun": "text as a key"})
            result[name] = self.convert(item, expected.value_type, below, {})
        return result

    def _struct(self, value: object, expected: types.StructType, path: Path, _extra: Extra) -> object:
        if not isinstance(value, dict):
            return self._wrong(value, expected, path)
        known = {field.encode_name: field for field in expected.fields}
        result = {}
        for key, item in value.items():
            if isinstance(key, str) and key in known:
                result[known[key].name] = self.convert(item, known[key].type, (*path, key), {})
            else:
                self.faults.append(unknown_key(key, tuple(known), path))
        return expected.cls(**result) if not self.faults else INVALID


def unknown_key(key: object, known: tuple[str, ...], path: Path = (), *, message: str = "") -> Fault:
    """The fault of a key that is not one of `known`: with the nearest, or the whole list."""
    if not isinstance(key, str) or key in {"true", "false", "True", "False"}:
        hint = "YAML reads an unquoted on, off, yes or no as true or false: put quotes around it."
        text = key if isinstance(key, str) else show(key)
        return Fault(path=(*path, text), code="unknown-key", message=message or "is not a key that exists.", fix=hint)
    fix = did_you_mean(key, known) or f"Known keys: {', '.join(known)}."
    return Fault(path=(*path, key), code="unknown-key", message=message or "is not a key that exists.", fix=fix)


def describe(expected: types.Type) -> str:
    """What a type takes, in words."""
    words: dict[type[types.Type], str] = {types.BoolType: "true or false", types.StructType: "a mapping"}
    text = words.get(type(expected), "text")
    if isinstance(expected, types.Metadata):
        text = (expected.extra or {}).get("noun") or describe(expected.type)
    elif isinstance(expected, types.LiteralType):
        text = "one of " + ", ".join(f'"{value}"' for value in expected.values)
    elif isinstance(expected, (types.IntType, types.FloatType)):
        low = "" if expected.ge is None else f" from {expected.ge}"
        high = "" if expected.le is None else f" to {expected.le}"
        text = f"a {'whole ' if isinstance(expected, types.IntType) else ''}number{low}{high}"
    elif isinstance(expected, types.VarTupleType):
        text = f"a list, each entry {describe(expected.item_type)}"
    elif isinstance(expected, types.DictType):
        text = f"a mapping from {describe(expected.key_type)} to {describe(expected.value_type)}"
    elif isinstance(expected, types.UnionType):
        text = " or ".join(describe(one) for one in expected.types if not isinstance(one, types.NoneType))
    return text


def _without_metadata(expected: types.Type) -> types.Type:
    return _without_metadata(expected.type) if isinstance(expected, types.Metadata) else expected


def _text_fault(value: str, expected: types.StrType, extra: Extra, noun: str) -> tuple[str, str]:
    categories = {unicodedata.category(char) for char in value}
    message, fix = "", ""
    if "Cs" in categories or "\0" in value:
        message = f"is not valid text: {show(value)}."
    elif expected.min_length and not value.strip():
        message, fix = "is empty.", f"Give {noun}."
    elif expected.max_length is not None and len(value) > expected.max_length:
        message = f"has {len(value)} characters; at most {expected.max_length} are allowed."
    elif extra.get("line") and value != value.strip():
        message, fix = f"begins or ends with a blank: {show(value)}.", "Remove it."
    elif extra.get("line") and "Cc" in categories:
        message, fix = f"contains a control character: {show(value)}.", "Remove it."
    elif expected.pattern is not None and re.search(expected.pattern, value) is None:
        message, fix = f"cannot be {show(value)}.", extra.get("allowed", "")
    elif value.casefold() in extra.get("reserved", ()):
        message, fix = f"cannot be {show(value)}: the Console API reserves it.", "Choose another name."
    return message, fix


def _number_from_text(value: str, expected: types.IntType | types.FloatType) -> object:
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    try:
        return float(text) if isinstance(expected, types.FloatType) else value
    except ValueError:
        return value


def _in_range(value: Any, expected: types.IntType | types.FloatType) -> bool:
    low, high = expected.ge, expected.le
    finite = isinstance(value, int) or isfinite(value)
    return finite and (low is None or value >= low) and (high is None or value <= high)
