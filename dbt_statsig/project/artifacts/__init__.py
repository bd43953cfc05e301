"""dbt's files, read as far as needed: manifest.json, catalog.json, run_results.json."""

from __future__ import annotations

from dbt_statsig.project.artifacts.catalog import Catalog, CatalogColumn, load_catalog
from dbt_statsig.project.artifacts.manifest import Manifest, load_manifest
from dbt_statsig.project.artifacts.nodes import Node, NodeColumn, NodeSummary
from dbt_statsig.project.artifacts.run_results import (
    RunResults,
    failed,
    failed_tests,
    load_run_results,
    of_tests_alone,
    succeeded,
    unpassed_tests,
)
from dbt_statsig.project.artifacts.tests import ColumnTest

__all__ = [
    "Catalog",
    "CatalogColumn",
    "ColumnTest",
    "Manifest",
    "Node",
    "NodeColumn",
    "NodeSummary",
    "RunResults",
    "failed",
    "failed_tests",
    "load_catalog",
    "load_manifest",
    "load_run_results",
    "of_tests_alone",
    "succeeded",
    "unpassed_tests",
]
