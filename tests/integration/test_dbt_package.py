"""This repository as a dbt package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from dbt_statsig import __version__
from tests.integration.shop import ROOT, command, copy_shop, macro_names

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project with this repository as a package of it."""
    shop = copy_shop(tmp_path_factory.mktemp("consumer") / "shop")
    (shop / "packages.yml").write_text(json.dumps({"packages": [{"local": str(ROOT)}]}), encoding="utf-8")
    command("dbt", "deps", cwd=shop)
    return shop


def test_context_is_one_line_of_json(consumer: Path) -> None:
    """`statsig_context` prints the target and the invocation that wrote manifest.json, and nothing else."""
    printed = command("dbt", "run-operation", "statsig_context", "--quiet", cwd=consumer)
    assert printed.count("\n") == 1
    context = json.loads(printed)
    manifest = json.loads((consumer / "target" / "manifest.json").read_text(encoding="utf-8"))
    assert context == {
        "dbt_statsig": 1,
        "project": "tea_shop",
        "target": "dev",
        "database": "tea_shop",
        "schema": "main",
        "adapter": "duckdb",
        "invocation_id": manifest["metadata"]["invocation_id"],
    }


def test_package_brings_macros_only(consumer: Path) -> None:
    """A project that installs the package gets its documented macros, no other file of it, and no warning."""
    command("dbt", "--warn-error", "--show-all-deprecations", "parse", cwd=consumer)
    manifest = json.loads((consumer / "target" / "manifest.json").read_text(encoding="utf-8"))
    assert not [key for key, node in manifest["nodes"].items() if node["package_name"] == "dbt_statsig"]
    macros = [macro for macro in manifest["macros"].values() if macro["package_name"] == "dbt_statsig"]
    names = {macro["name"]: macro["description"] for macro in macros}
    variants = {name for name in names if "__" in name}  # of a macro, for one warehouse
    assert names.keys() - variants == macro_names()
    assert all(names[name] for name in names.keys() - variants)


def test_package_has_the_version_of_the_program() -> None:
    """The dbt package and the Python package are released under one version."""
    assert yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["version"] == __version__
