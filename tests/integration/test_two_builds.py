"""Builds of real dbt on DuckDB and PostgreSQL: what is proven of each table against what it has after its SQL changed.

`make test` takes one materialization of each history and two changes on DuckDB; `make nightly` takes all of them, and
`nox -s postgres` does so on PostgreSQL.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from dbt_statsig.columns.prover import Prover
from dbt_statsig.project.artifacts import Catalog, load_manifest
from dbt_statsig.vocabulary.verdicts import Presence
from tests.forked import unmeasured
from tests.postgres import server
from tests.unit.project.artifacts.build import catalog_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dbt_statsig.project.artifacts import Manifest

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
CHANGES = {
    "renamed": ("1 as id, 2 as a", "1 as id, 2 as b"),
    "dropped": ("1 as id, 2 as a, 3 as b", "1 as id, 2 as a"),
    "added": ("1 as id, 2 as a", "1 as id, 2 as a, 3 as b"),
    "moved": ("1 as id, 2 as a, 3 as b", "3 as b, 1 as id, 2 as a"),
}
MADE = {
    "table": "materialized='table'",
    "ignore": "materialized='incremental', on_schema_change='ignore'",
    "sync": "materialized='incremental', on_schema_change='sync_all_columns'",
    "append": "materialized='incremental', on_schema_change='append_new_columns'",
    "unset": "materialized='incremental'",
    "keyed": "materialized='incremental', unique_key='id', on_schema_change='append_new_columns'",
    "fail": "materialized='incremental', on_schema_change='fail'",
    "view": "materialized='view'",
    "asked": "materialized='table'",
    "snapshot": "unique_key='id', strategy='check', check_cols=['id']",
}
BUILDS = (["{build: 1}"], ["{build: 2}"], ["{build: 2}", "--full-refresh"])
RUN = """
import sys
from dbt.cli.main import dbtRunner
for at, words in enumerate(eval(sys.argv[1])):
    result = dbtRunner().invoke(["build", "--quiet", "--target-path", f"target{at}", "--vars", *words])
    assert result.exception is None, result.exception
"""
# The tables as they are after each command, whichever models it could build.
PROJECT = """
name: two
version: '1.0'
profile: two
on-run-end: |
  {% if execute %}{% do run_query("
    select table_name, column_name from information_schema.columns
    where table_schema = '" ~ target.schema ~ "' order by table_name, ordinal_position
  ").to_csv(flags.TARGET_PATH ~ '.csv') %}{% endif %}
"""


def write(project: Path, made: str, change: str) -> None:
    """One model or snapshot whose SQL the variable `build` changes."""
    first, second = CHANGES[change]
    columns = f"{{% if var('build') == 2 %}}{second}{{% else %}}{first}{{% endif %}}"
    asks = "{% set rows = run_query('select 1') %}" if made == "asked" else ""
    text = f"{{{{ config({MADE[made]}) }}}}\n{asks}select {columns}"
    name = f"{made}_{change}"
    if made == "snapshot":
        text = f"{{% snapshot {name} %}}\n{text}\n{{% endsnapshot %}}\n"
    (project / ("snapshots" if made == "snapshot" else "models") / f"{name}.sql").write_text(text)


def tables(project: Path, build: int) -> dict[str, tuple[str, ...]]:
    """What each table really had after a build."""
    found: dict[str, tuple[str, ...]] = {}
    with (project / f"target{build}.csv").open(newline="") as file:
        for table, column in list(csv.reader(file))[1:]:
            found[table] = (*found.get(table, ()), column)
    return found


def node_id(table: str) -> str:
    """The table's node."""
    return f"{'snapshot' if table.startswith('snapshot_') else 'model'}.two.{table}"


def catalog(of: dict[str, tuple[str, ...]], *, invocation: str) -> Catalog:
    """A catalog of the tables, written by that dbt command."""
    listed = {
        node_id(table): {name: {"name": name, "type": "INTEGER", "index": at} for at, name in enumerate(names)}
        for table, names in of.items()
    }
    metadata = {"invocation_id": invocation, "generated_at": "2020-01-01T00:00:00Z"}
    return Catalog.from_bytes(catalog_bytes(listed, metadata=metadata))


def wrong(manifest: Manifest, held: Catalog | None, after: dict[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Columns called absent that a table has, and those called present, or selected, that it lacks."""
    proof = Prover(manifest, held)
    found = []
    for table, names in after.items():
        node = manifest.node(node_id(table))
        assert node is not None
        listed = proof.columns(node)
        selected = {column.name for column in listed.columns} if listed.selectable else set()
        found += [(table, "selected", name) for name in selected - set(names)]
        for name in ("id", "a", "b"):
            presence = proof.verdict(node, name).presence
            is_false = presence is (Presence.ABSENT if name in names else Presence.PRESENT)
            found += [(table, presence.value, name)] if is_false else []
    return found


def failed(project: Path, build: int) -> set[str]:
    """The nodes that dbt could not build."""
    results = json.loads((project / f"target{build}" / "run_results.json").read_bytes())["results"]
    return {result["unique_id"] for result in results if result["status"] == "error"}


@pytest.fixture(params=["duckdb", "postgres"])
def profile(request: pytest.FixtureRequest) -> Iterator[dict[str, object]]:
    """Where dbt builds."""
    if request.param == "duckdb":
        yield {"type": "duckdb", "path": "w.duckdb", "threads": 1}
        return
    pytest.importorskip("dbt.adapters.postgres", reason="dbt-postgres is not installed: run `nox -s postgres`")
    with ExitStack() as stack:
        host = parse_qs(urlsplit(stack.enter_context(server())).query)["host"][0]
        login = {"user": "postgres", "password": "", "dbname": "postgres", "schema": "public"}
        yield {"type": "postgres", "host": host, "port": 5432, "threads": 1, **login}


@pytest.mark.timeout(1200)
def test_each_verdict_against_the_table(tmp_path: Path, profile: dict[str, object]) -> None:
    """No column of a table is called absent, and none that it lacks is called present or selected.

    Of a table whose build failed (`on_schema_change: fail`) only a fresh catalog tells what it has.
    """
    for folder in ("models", "snapshots"):
        (tmp_path / folder).mkdir()
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    (tmp_path / "profiles.yml").write_text(json.dumps({"two": {"target": "dev", "outputs": {"dev": profile}}}))
    cells = [(made, change) for made in MADE for change in CHANGES]
    if not NIGHTLY and profile["type"] == "duckdb":
        cells = [(made, change) for made in list(MADE)[:3] for change in list(CHANGES)[:2]]
    for made, change in cells:
        write(tmp_path, made, change)
    command = [sys.executable, "-c", RUN, repr(BUILDS)]
    ended = subprocess.run(
        command, cwd=tmp_path, env=unmeasured(), capture_output=True, text=True, check=False, timeout=1000
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    faults = []
    for build in (1, 2):
        after = tables(tmp_path, build)
        assert len(after) == len(cells)
        unbuilt = {node_id(f"fail_{change}") for change in CHANGES if build == 1 and change != "moved"} & set(
            map(node_id, after)
        )
        assert unbuilt <= failed(tmp_path, build)
        built = {table: names for table, names in after.items() if node_id(table) not in unbuilt}
        manifest = load_manifest(tmp_path / f"target{build}" / "manifest.json")
        fresh = catalog(after, invocation=manifest.invocation_id)
        faults += [(build, "fresh", *fault) for fault in wrong(manifest, fresh, after)]
        catalogs = {f"of build {old}": catalog(tables(tmp_path, old), invocation="older") for old in range(build)}
        for state, held in {"none": None, **catalogs}.items():
            faults += [(build, state, *fault) for fault in wrong(manifest, held, built)]
    assert faults == []
