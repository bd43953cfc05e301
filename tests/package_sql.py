"""The SQL of the package's generic tests, rendered without dbt: for warehouses that no dbt adapter is here for."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, Template

from dbt_statsig.vocabulary.adapters import adapter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType

FOLDER = Path(__file__).resolve().parents[1] / "macros" / "tests"
# From whom each adapter takes a macro that it has no variant of: dbt's adapters say so.
PARENTS = {"databricks": ("spark",), "redshift": ("postgres",), "sqlserver": ("fabric",)}
# What dbt's own macros type_string, type_float and type_timestamp give.
TYPES = {
    "bigquery": ("string", "float64", "timestamp"),
    "clickhouse": ("String", "Float64", "DateTime"),
    "databricks": ("string", "float", "timestamp"),
    "spark": ("string", "float", "timestamp"),
    "duckdb": ("TEXT", "FLOAT", "TIMESTAMP"),
    "fabric": ("varchar(8000)", "float", "datetime2(6)"),
    "sqlserver": ("varchar(8000)", "float", "datetime2(6)"),
    "trino": ("VARCHAR", "double", "TIMESTAMP"),
    "athena": ("VARCHAR", "double", "TIMESTAMP"),
}
OTHERS = ("text", "float", "timestamp")


class Refused(Exception):
    """What dbt raises for a test that cannot be rendered."""


class _Returned(Exception):
    pass


TEMPLATES = Environment(extensions=["jinja2.ext.do"])  # noqa: S701 - SQL


@cache
def _code() -> CodeType:
    texts = [file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.sql"))]
    text = "\n".join(texts).replace("{% endtest %}", "{% endmacro %}")
    return TEMPLATES.compile(re.sub(r"\{% test (\w+)\(", r"{% macro test_\1(", text))


class _Package:
    """All macros, as `dbt_statsig.…`; each gives what it returns, or its text."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        known = {**TEMPLATES.globals, **names, "dbt_statsig": self}
        self._module = Template.from_code(TEMPLATES, _code(), known).module

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self.__getattr__(name)

    def has(self, name: str) -> bool:
        return hasattr(self._module, name)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        macro = getattr(self._module, name)

        def called(*arguments: Any, **named: Any) -> Any:
            try:
                return macro(*arguments, **named)
            except _Returned as returned:
                return returned.args[0]

        return called


def rendered(test: str, adapter: str, node: Mapping[str, Any], **arguments: Any) -> str:
    """The SQL of a generic test on a node, as dbt would render it for a warehouse; raises Refused with its message."""
    package: _Package

    def give(value: object) -> None:
        raise _Returned(value)

    def refuse(text: str) -> None:
        raise Refused(text)

    def dispatch(name: str, _: str) -> Any:
        found = (f"{one}__{name}" for one in (adapter, *PARENTS.get(adapter, ()), "default"))
        return package[next(one for one in found if package.has(one))]

    text, number, moment = TYPES.get(adapter, OTHERS)
    package = _Package(
        {
            "execute": True,
            "return": give,
            "config": lambda **_: "",
            "context": {"model": {"attached_node": node["unique_id"]}},
            "graph": SimpleNamespace(nodes={node["unique_id"]: node}, sources={}),
            "modules": SimpleNamespace(re=re, datetime=dt),
            "exceptions": SimpleNamespace(raise_compiler_error=refuse),
            "adapter": SimpleNamespace(
                dispatch=dispatch,
                quote=adapter_for(adapter).quote,
                get_columns_in_relation=lambda _: [
                    SimpleNamespace(name=name, data_type=kind) for name, kind in node.get("types", {}).items()
                ],
            ),
            "api": SimpleNamespace(Relation=SimpleNamespace(create=lambda **_: None)),
            "dbt": SimpleNamespace(type_string=lambda: text, type_float=lambda: number, type_timestamp=lambda: moment),
        }
    )
    return str(package[f"test_{test}"](node["relation_name"], **arguments)).strip()


def node(name: str, relation: str, **blocks: Any) -> dict[str, Any]:
    """A node of dbt's graph with these blocks."""
    return {
        "unique_id": f"model.shop.{name}",
        "name": name,
        "relation_name": relation,
        "config": {"meta": {"statsig": blocks}},
        "columns": {},
    }
