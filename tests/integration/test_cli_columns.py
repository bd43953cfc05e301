"""`dbt-statsig columns`, and what is remembered from run to run, as users meet them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.corpus import CORPUS_DIRS, needs_corpus
from tests.integration.cli_process import environment, run
from tests.integration.faults.project import Project
from tests.integration.shop import command

if TYPE_CHECKING:
    from pathlib import Path


def listed(*arguments: str | Path, cwd: Path) -> dict[str, dict[str, Any]]:
    """The nodes of the JSON answer by their unique_ids."""
    done = run("columns", "--output", "json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return {node["unique_id"]: node for node in json.loads(done.stdout)}


def names(node: dict[str, Any]) -> list[str]:
    """The names of a node's columns."""
    return [column["name"] for column in node["columns"]]


@pytest.mark.dbt
def test_inference_agrees_with_the_warehouse(shop: Path) -> None:
    """For every model of the example, compiled SQL alone gives the columns that the warehouse has, all of them."""
    catalog, inferred = listed(cwd=shop), listed("--evidence", "inferred", "--no-cache", cwd=shop)
    assert catalog.keys() == inferred.keys()
    assert {node["closed"] for node in inferred.values()} == {True}
    assert {key: names(node) for key, node in inferred.items()} == {key: names(node) for key, node in catalog.items()}
    evidence = {
        column["evidence"]
        for key, node in inferred.items()
        if not key.startswith(("seed.", "source."))
        for column in node["columns"]
    }
    assert evidence == {"contract", "inferred"}


@pytest.mark.dbt
def test_the_metrics_that_read_a_column(shop: Path) -> None:
    """Columns in a metric's predicate are listed with the metric; a custom field is no column."""
    orders = listed("--select", "fct_orders", cwd=shop)["model.tea_shop.fct_orders"]
    assert {one["name"]: one["metrics"] for one in orders["columns"] if one["metrics"]} == {
        "items": ["Large order revenue"]
    }
    assert "metrics: Large order revenue" in run("columns", "--select", "fct_orders", cwd=shop).stdout


def test_metrics_over_other_sources(tmp_path: Path) -> None:
    """A column that a metric reads of another source is listed with that source's node."""
    project = Project(tmp_path, "http://127.0.0.1:9")
    project.declare("visits")
    ratio = {
        "name": "Rate",
        "aggregation": "ratio",
        "numerator": {"aggregation": "sum", "value_column": "amount"},
        "denominator": {
            "metric_source_name": "visits",
            "aggregation": "count",
            "criteria": [{"condition": "sql_filter", "values": ["VARIANT = 'a'"]}],
        },
    }
    project.declare("orders", metrics=[ratio])
    found = listed("--no-cache", cwd=tmp_path)
    read = {key: [one["name"] for one in node["columns"] if one["metrics"]] for key, node in found.items()}
    assert read == {"model.shop.orders": ["amount"], "model.shop.visits": ["variant"], "model.shop.plain": []}


@pytest.mark.dbt
def test_selection(shop: Path) -> None:
    """Only what is selected is listed; a selection that matches nothing is reported on stderr."""
    assert set(listed("--select", "fct_orders", "source:payments.refunds", cwd=shop)) == {
        "model.tea_shop.fct_orders",
        "source.tea_shop.payments.refunds",
    }
    done = run("columns", "--select", "fct_order", cwd=shop)
    assert (done.returncode, done.stdout) == (0, "No node is selected.\n")
    assert '"fct_order" matches no node' in done.stderr


@pytest.mark.dbt
def test_a_warm_run_imports_no_parser(shop: Path, tmp_path: Path) -> None:
    """The second run gives the same answer without sqlglot; --no-cache leaves nothing behind."""
    script = (
        "import sys\nfrom dbt_statsig.cli import main\ntry:\n    main(sys.argv[1:])\n"
        "finally:\n    print('sqlglot' in sys.modules, file=sys.stderr)"
    )

    def validated(*more: str, cache: Path) -> tuple[str, bool]:

        done = subprocess.run(
            [sys.executable, "-c", script, "validate", "--output", "json", *more],
            cwd=shop,
            env=environment(XDG_CACHE_HOME=str(cache)),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout, done.stderr.split()[-1] == "True"

    cold, cold_parses = validated(cache=tmp_path / "a")
    warm, warm_parses = validated(cache=tmp_path / "a")
    assert (cold_parses, warm_parses) == (True, False)
    assert warm == cold
    assert validated("--no-cache", cache=tmp_path / "b") == (cold, True)
    assert not (tmp_path / "b").exists()


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A manifest that is none is one error, as JSON too."""
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    done = run("columns", "--manifest", "manifest.json", "--output", "json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["type"] == "ArtifactError"


@pytest.mark.corpus
@needs_corpus
@pytest.mark.parametrize("folder", CORPUS_DIRS, ids=lambda path: path.name)
def test_every_real_project_is_listed(folder: Path, tmp_path: Path) -> None:
    """Every model of a real project is there, whatever dbt wrote it, without a project around."""
    manifest, catalog = folder / "manifest.json.gz", folder / "catalog.json.gz"
    found = listed("--manifest", manifest, "--catalog", catalog, "--evidence", "inferred", cwd=tmp_path)
    nodes = json.loads(gzip.decompress(manifest.read_bytes()))["nodes"]
    models = {key for key, node in nodes.items() if node["resource_type"] in {"model", "seed", "snapshot"}}
    assert models <= found.keys()
    assert all(node["closed"] or node["reasons"] for node in found.values())


@pytest.mark.dbt
def test_the_text_shows_every_column(shop: Path) -> None:
    """The text of one model shows its columns with type and proof."""
    text = command("dbt-statsig", "columns", "--select", "dim_customers", cwd=shop)
    assert "model.tea_shop.dim_customers  7 columns" in text
    assert "signed_up_on   catalog  DATE" in text
