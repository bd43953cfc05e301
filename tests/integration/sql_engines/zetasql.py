"""BigQuery's own analyzer, from the package zetasql: names and types of queries over tables that exist only for it."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any, NamedTuple

import pytest


class ZetaSQL(NamedTuple):
    """The package's two modules, and the options that BigQuery has."""

    api: Any
    types: Any
    language: Any

    @property
    def options(self) -> Any:
        """What the analyzer is to do."""
        return self.types.AnalyzerOptions(language_options=self.language)

    def catalog(self, name: str = "shop") -> Any:
        """A catalog with BigQuery's functions."""
        functions = self.types.ZetaSQLBuiltinFunctionOptions(language_options=self.language)
        return self.api.CatalogBuilder(name).with_builtin_functions(functions).build()

    def type_of(self, kind: Any) -> Any:
        """A type: a text is its name, a mapping a struct, a list with one entry an array of it."""
        make = self.api.TypeFactory
        if isinstance(kind, str):
            return make.create_simple_type(getattr(self.types.TypeKind, f"TYPE_{kind.replace('FLOAT64', 'DOUBLE')}"))
        if isinstance(kind, list):
            return make.create_array_type(self.type_of(kind[0]))
        return make.create_struct_type([(name, self.type_of(below)) for name, below in kind.items()])

    def columns(self, catalog: Any, sql: str) -> list[str]:
        """The columns that a query gives. Raises the package's error where it is not valid."""
        query = self.api.Analyzer(self.options, catalog).analyze_statement(sql)
        return [column.name for column in query.output_column_list]

    def fault(self, catalog: Any, sql: str) -> str:
        """Why a query is not valid; empty where it is."""
        try:
            self.columns(catalog, sql)
        except import_module("zetasql.core.exceptions").ServerError as error:
            return str(error)
        return ""


def zetasql() -> ZetaSQL:
    """The package; the test is skipped where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = pytest.importorskip("zetasql.api", reason="zetasql is not installed: run `nox -s sql_engines`")
        types: Any = import_module("zetasql.types")
    language = types.LanguageOptions.maximum_features()
    language.product_mode = types.ProductMode.PRODUCT_EXTERNAL
    return ZetaSQL(api, types, language)
