"""Tests of the walk from plain values to typed ones."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from dbt_statsig.project.conversion import (
    INVALID,
    Fault,
    convert,
    describe,
    dotted,
    field_types,
    printable,
    show,
)
from dbt_statsig.vocabulary.sources import REPEATS

Line = Annotated[str, Meta(min_length=1, extra={"line": True})]


class Inner(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping inside."""

    key: str = ""


class Sample(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of each form."""

    line: Line = "x"
    text: str = ""
    flag: bool = False
    whole: Annotated[int, Meta(ge=0, le=9)] = 0
    high: Annotated[int, Meta(ge=3)] = 3
    low: Annotated[float, Meta(le=3)] = 3
    number: float = 0.0
    choice: Literal["a", "b"] = "a"
    items: tuple[Line, ...] | None = None
    tags: Annotated[tuple[Line, ...] | None, Meta(**REPEATS)] = None
    pairs: dict[Line, int] = {}
    inner: Inner | None = None
    either: Line | tuple[Line, ...] = "x"
    anything: Any = None


def _convert(field: str, value: object, *, lenient: bool = False) -> object:
    result, faults = convert(value, field_types(Sample)[field], lenient=lenient)
    assert (result is INVALID) == bool(faults)
    return faults[0].message if faults else result


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("line", "a b", "a b"),
        ("text", "a\nb ", "a\nb "),
        ("flag", True, True),
        ("whole", 9, 9),
        ("whole", 3.0, 3),
        ("number", 1.5, 1.5),
        ("number", 2, 2),
        ("choice", "b", "b"),
        ("items", None, None),
        ("items", ["a", "b"], ("a", "b")),
        ("tags", ["b", "a", "b"], ("b", "a")),
        ("pairs", {"a": 1}, {"a": 1}),
        ("inner", {"key": "v"}, Inner(key="v")),
        ("either", "a", "a"),
        ("either", ["a"], ("a",)),
        ("anything", {"a": [1]}, {"a": [1]}),
    ],
)
def test_what_fits(field: str, value: object, expected: object) -> None:
    """A value of the right form arrives as its type."""
    assert _convert(field, value) == expected
    assert _convert(field, value, lenient=True) == expected


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("line", 3, "takes text, not the number 3."),
        ("line", date(2026, 1, 2), "takes text, not a date."),
        ("line", {}, "takes text, not a mapping."),
        ("line", "\ud800", 'is not valid text: "\\ud800".'),
        ("line", "é", None),
        ("line", "a\x85b", 'contains a control character: "a\\x85b".'),
        ("flag", "true", 'takes true or false, not "true".'),
        ("flag", 1, "takes true or false, not the number 1."),
        ("whole", True, "takes a whole number from 0 to 9, not true."),
        ("whole", 10, "takes a whole number from 0 to 9, not the number 10."),
        ("whole", "3", 'takes a whole number from 0 to 9, not "3".'),
        ("whole", 1.5, "takes a whole number from 0 to 9, not the number 1.5."),
        ("whole", 10.0, "takes a whole number from 0 to 9, not the number 10.0."),
        ("whole", float("nan"), "takes a whole number from 0 to 9, not a number out of range."),
        ("whole", 10**4000, "takes a whole number from 0 to 9, not a number out of range."),
        ("high", 1, "takes a whole number from 3, not the number 1."),
        ("low", 4, "takes a number to 3, not the number 4."),
        ("number", float("nan"), "takes a number, not a number out of range."),
        ("number", float("inf"), "takes a number, not a number out of range."),
        ("choice", ["a"], 'takes one of "a", "b", not a list.'),
        ("items", "a", 'takes a list, each entry text, not "a".'),
        ("items", ["a", 1], "takes text, not the number 1."),
        ("pairs", [], "takes a mapping from text to a whole number, not a list."),
        ("pairs", {1: 1}, "takes text as a key, not the number 1."),
        ("inner", 1, "takes a mapping, not the number 1."),
        ("either", 1, "takes text, not the number 1."),
        ("anything", "{% x %}", "contains {{ or {%: dbt did not render it."),
    ],
)
def test_what_does_not_fit(field: str, value: object, message: str | None) -> None:
    """A value of another form is refused with what is taken and what was given."""
    assert _convert(field, value) == (value if message is None else message)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("flag", " True", True),
        ("flag", "FALSE", False),
        ("flag", "yes", 'takes true or false, not "yes".'),
        ("whole", "7", 7),
        ("whole", "x", 'takes a whole number from 0 to 9, not "x".'),
        ("whole", "9" * 30, f'takes a whole number from 0 to 9, not "{"9" * 30}".'),
        ("number", "1.5", 1.5),
        ("number", "12", 12),
        ("number", "x", 'takes a number, not "x".'),
        ("number", "nan", 'takes a number, not "nan".'),
    ],
)
def test_text_from_jinja(field: str, value: object, expected: object) -> None:
    """Truth values and numbers as text are taken where they come from Jinja or the environment."""
    assert _convert(field, value, lenient=True) == expected


def test_every_fault_with_its_path() -> None:
    """Faults below a value carry the path down to them."""
    _, faults = convert({"a ": 1, "b": "x", 3: 3}, field_types(Sample)["pairs"])
    assert [fault.path for fault in faults] == [("a ",), ("b",), ("the number 3",)]
    _, faults = convert({"kay": 1, "key": 2}, field_types(Sample)["inner"])
    assert [(fault.path, fault.code) for fault in faults] == [(("kay",), "unknown-key"), (("key",), "wrong-type")]


def test_helpers() -> None:
    """Paths, values and types are put into words that are safe to print."""
    assert dotted(("a", 0, "b\n")) == "a[0].b\\n"
    assert show("x" * 100) == f'"{"x" * 60}…"'
    assert show("\x1b[2J") == '"\\x1b[2J"'
    assert printable("a\ud800\u202e") == "a\\ud800\\u202e"
    assert describe(field_types(Sample)["anything"]) == "text"
    assert describe(field_types(Sample)["either"]) == "text or a list, each entry text"
    with pytest.raises(TypeError):
        field_types(dict)
    assert Fault(path=(), code="wrong-type", message="m").fix == ""
