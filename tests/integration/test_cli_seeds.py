"""Tests of seeds without a catalog: the files' headers against the tables that real `dbt seed` makes of them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.integration.cli_process import own_copy, run
from tests.integration.shop import command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.dbt, pytest.mark.timeout(300)]

FILES = {
    "dbt_project.yml": "name: garden\nversion: '1.0'\nprofile: garden\nseeds: {garden: {semi: {delimiter: ';'}}}\n",
    "profiles.yml": "garden:\n  target: dev\n  outputs: {dev: {type: duckdb, path: garden.duckdb}}\n",
    "seeds/plain.csv": 'Id,planted_at,"two words",select\n1,2026-01-01,x,y\n',
    "seeds/semi.csv": "\ufeffid;a,b\n1;2\n",
    "seeds/twice.csv": "id,ID,\n1,2,3\n",
    "seeds/large.csv": "id,name\n" + "".join(f"{number},{'x' * 90}\n" for number in range(12_000)),
    "models/all_of.sql": "select * from {{ ref('plain') }}",
    "models/source.yml": "sources:\n  - {name: raw, schema: main, tables: [{name: semi}]}\n",
    "models/over_source.sql": "select * from {{ source('raw', 'semi') }}",
    "models/props.yml": """
models:
  - name: all_of
    config:
      meta:
        statsig:
          metric_source: {name: Plants, timestamp_column: planted, id_type_mapping: {userID: id}}
""",
}


def listed(project: Path) -> dict[str, dict[str, Any]]:
    """The nodes by name, as `dbt-statsig columns` tells them without a catalog."""
    done = run("columns", "--output", "json", cwd=project)
    assert done.returncode == 0, done.stderr
    return {node["unique_id"].rsplit(".", 1)[-1]: node for node in json.loads(done.stdout)}


def test_headers_are_what_dbt_seed_makes(tmp_path: Path) -> None:
    """Delimiters, quotes and byte order marks are read as dbt reads them; what dbt renames or does not hash is open."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    command("dbt", "seed", "--exclude", "twice", cwd=tmp_path)
    command("dbt", "compile", cwd=tmp_path)
    with duckdb.connect(str(tmp_path / "garden.duckdb")) as warehouse:
        tables = {
            name: [row[0] for row in warehouse.execute(f"describe main.{name}").fetchall()]
            for name in ("plain", "semi", "large")
        }
    found = listed(tmp_path)
    for name, table in (("plain", "plain"), ("all_of", "plain"), ("semi", "semi"), ("over_source", "semi")):
        assert [column["name"] for column in found[name]["columns"]] == tables[table], name
        assert found[name]["closed"], name
    for name in ("twice", "large"):
        assert not found[name]["closed"]
        assert found[name]["columns"] == []
    assert "does not name its columns" in found["twice"]["reasons"][0]
    shown = run("validate", cwd=tmp_path)
    assert shown.returncode == 1
    assert 'no column "planted"' in shown.stdout
    assert 'Did you mean "planted_at"?' in shown.stdout or "planted_at" in shown.stdout


def test_another_file_is_no_evidence(shop: Path, tmp_path: Path) -> None:
    """A file that was edited since the manifest was made, or is not there, proves nothing."""
    mine = own_copy(shop, tmp_path)
    (mine / "target" / "catalog.json").unlink()
    assert listed(mine)["raw_orders"]["closed"]
    orders = mine / "seeds" / "raw_orders.csv"
    orders.write_text("another," + orders.read_text(encoding="utf-8"), encoding="utf-8")
    assert "whose file is not that of the manifest" in listed(mine)["raw_orders"]["reasons"][0]
    shutil.rmtree(mine / "seeds")
    open_list = listed(mine)["raw_orders"]
    assert not open_list["closed"]
    assert "cannot be read here" in open_list["reasons"][0]
