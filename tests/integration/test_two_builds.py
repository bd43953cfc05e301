"""Builds of real dbt on DuckDB: what is proven of each table against what it really has after its SQL changed.

`make test` takes one materialization of each history and two changes; `make nightly` takes all of them.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.artifacts import Catalog, load_manifest
from dbt_statsig.columns.prover import Prover
from dbt_statsig.columns.verdicts import Presence
from tests.unit.artifacts.build import catalog_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.artifacts import Manifest

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
LIST = """on-run-end: "copy (
    select table_name, column_name from information_schema.columns order by table_name, ordinal_position)
  to '{{ target.path | replace('w.duckdb', flags.TARGET_PATH ~ '.csv') }}'"
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


@pytest.mark.timeout(600)
def test_each_verdict_against_the_table(tmp_path: Path) -> None:
    """No column of a table is called absent, and none that it lacks is called present or selected."""
    for folder in ("models", "snapshots"):
        (tmp_path / folder).mkdir()
    (tmp_path / "dbt_project.yml").write_text(f"name: two\nversion: '1.0'\nprofile: two\n{LIST}")
    (tmp_path / "profiles.yml").write_text(
        "two: {target: dev, outputs: {dev: {type: duckdb, path: w.duckdb, threads: 1}}}\n"
    )
    cells = [(made, change) for made in MADE for change in CHANGES]
    if not NIGHTLY:
        cells = [(made, change) for made in list(MADE)[:3] for change in list(CHANGES)[:2]]
    for made, change in cells:
        write(tmp_path, made, change)
    command = [sys.executable, "-c", RUN, repr(BUILDS)]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=500)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    faults = []
    for build in (1, 2):
        after = tables(tmp_path, build)
        assert len(after) == len(cells)
        manifest = load_manifest(tmp_path / f"target{build}" / "manifest.json")
        catalogs = {"none": None, "fresh": catalog(after, invocation=manifest.invocation_id)}
        catalogs |= {f"of build {old}": catalog(tables(tmp_path, old), invocation="older") for old in range(build)}
        for state, held in catalogs.items():
            faults += [(build, state, *fault) for fault in wrong(manifest, held, after)]
    assert faults == []
