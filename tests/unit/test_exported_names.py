"""The names of `dbt_statsig`: all that a caller needs to read a result, and nothing else."""

from __future__ import annotations

import collections.abc
import inspect
import os
import re
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec
import pytest

import dbt_statsig
from dbt_statsig import errors
from dbt_statsig.vocabulary.kinds import SPECS
from tests.integration.shop import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPORTED = {name: getattr(dbt_statsig, name) for name in dbt_statsig.__all__}
NAMES = {**EXPORTED, "Callable": collections.abc.Callable, "Iterable": collections.abc.Iterable, "os": os}
FUNCTIONS = [value for value in EXPORTED.values() if inspect.isfunction(value)]


def hints(value: object) -> list[Any]:
    """The types of a signature or of the fields of a type; every name in them must be an exported one."""
    return list(get_type_hints(value, NAMES if inspect.isfunction(value) else None).values())


def reached(found: object, seen: set[type]) -> Iterator[type]:
    """The types of this package in a type, and in their fields and properties."""
    for part in get_args(found) if not isinstance(found, list) else found:
        yield from reached(part, seen)
    if isinstance(found, type) and found.__module__.startswith("dbt_statsig") and found not in seen:
        seen.add(found)
        yield found
        if issubclass(found, msgspec.Struct):
            yield from reached(hints(found), seen)
            if found is dbt_statsig.Source:
                yield from reached([spec.payload for spec in SPECS.values()], seen)
            getters = (one.fget for one in vars(found).values() if isinstance(one, property))
            yield from (one for getter in getters for one in reached(list(get_type_hints(getter).values()), seen))


def test_names_are_listed_and_exist() -> None:
    """`dir` lists every public name, each can be imported, and an unknown one is refused."""
    assert dir(dbt_statsig) == sorted(dbt_statsig.__all__)
    assert all(value is not None for value in EXPORTED.values())
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = dbt_statsig.no_such_name


def test_every_type_of_a_result_is_exported() -> None:
    """What a function takes and returns, down to the last field, is made of exported types only."""
    assert {function.__name__ for function in FUNCTIONS} == {
        "validate",
        "plan",
        "sync",
        "init",
        "import_objects",
        "release",
        "reload",
        "exposures",
        "statsig_tables",
        "debug",
        "list_columns",
    }
    types = {one for function in FUNCTIONS for one in reached(hints(function), set())}
    assert {one.__name__ for one in types if EXPORTED.get(one.__name__) is not one} == set()
    assert {one for one in types if one.__name__ == "Finding"}


def test_every_error_is_exported() -> None:
    """The error tree is exported as a whole."""
    tree = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert tree <= set(dbt_statsig.__all__)


def test_every_name_is_documented() -> None:
    """docs/python.md shows every exported name."""
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    shown = {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)}
    assert sorted(set(dbt_statsig.__all__) - shown - {"__version__"}) == []
