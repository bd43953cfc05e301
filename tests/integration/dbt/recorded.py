"""What dbt's commands leave in the target folder of one unchanged project, recorded once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.forked import unmeasured
from tests.integration.cli_process import environment

if TYPE_CHECKING:
    from pathlib import Path

NIGHTLY = bool(os.environ.get("DBT_STATSIG_NIGHTLY"))
COMMANDS = {
    "build": ["build"],
    "build of a part": ["build", "--select", "fct_orders"],
    "test": ["test"],
    "compile of a part": ["compile", "--select", "stg_orders"],
    "docs generate": ["docs", "generate"],
}
MORE = {
    "run": ["run"],
    "compile": ["compile"],
    "parse": ["parse", "--no-partial-parse"],
    "ls": ["ls"],
    "source freshness": ["source", "freshness"],
    "run-operation": ["run-operation", "noop"],
}
"""Commands that leave what one of the others leaves."""
RECORDED = {**COMMANDS, **MORE} if NIGHTLY else COMMANDS
"""The dbt commands by the names that tests give them, in the order in which they are recorded."""

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\n",
    "profiles.yml": "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n",
    "macros/noop.sql": "{% macro noop() %}{% endmacro %}",
    "seeds/raw_orders.csv": "user_id,ts,ds,amount,email\n1,2024-01-01 10:00:00,2024-01-01,3.5,a@example.com\n",
    "models/stg_orders.sql": "select * from {{ source('raw', 'raw_orders') }}",
    "models/fct_orders.sql": "select user_id, ts, ds, amount, email from {{ ref('stg_orders') }}",
    "models/all_orders.sql": "select * from {{ ref('fct_orders') }}",
    "models/typed.sql": "select user_id, ts::timestamp as ts, ds::date as ds from {{ ref('stg_orders') }}",
    "models/listed.sql": "{{ config(materialized='ephemeral') }} select user_id, ts from {{ ref('all_orders') }}",
    "models/visits.sql": "{{ config(materialized='incremental') }} select * from {{ ref('listed') }}",
}


def marked(name: str, kind: str, *blocks: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """The YAML entry of a node that declares sources of one kind, all with the same mapping."""
    mapping = {"timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}
    return {"name": name, "config": {"meta": {"statsig": {kind: [{**mapping, **block} for block in blocks]}}}, **keys}


PROPERTIES = {
    "sources": [
        {
            "name": "raw",
            "schema": "main",
            "tables": [
                marked(
                    "raw_orders",
                    "metric_source",
                    {"name": "Raw"},
                    loaded_at_field="ts::timestamp",
                    freshness={"warn_after": {"count": 1000, "period": "day"}},
                )
            ],
        }
    ],
    "models": [
        marked("stg_orders", "metric_source", {"name": "Staged"}),
        marked(
            "fct_orders",
            "metric_source",
            {"name": "Orders", "where": "amount > 0"},
            {"name": "Table", "source_type": "table"},
            {"name": "Own query", "sql": "select * from main.fct_orders"},
            {"name": "Listed", "columns": ["amount"]},
            columns=[
                {"name": "email", "config": {"tags": ["pii"]}},
                {"name": "user_id", "data_tests": ["not_null"]},
            ],
        ),
        marked("all_orders", "entity_property_source", {"name": "Payers", "exclude_columns": ["email"]}),
        marked(
            "typed",
            "metric_source",
            {"name": "By day", "partition_column": "ds"},
            {"name": "By time", "partition_column": "ts"},
        ),
        marked("visits", "qualifying_event", {"name": "Visits"}),
    ],
}

_RECORD = """
import json, shutil, sys
from pathlib import Path
from dbt.cli.main import dbtRunner
for name, words in json.loads(sys.argv[1]).items():
    done = dbtRunner().invoke([*words, "--quiet"])
    assert done.success, (name, done.exception, done.result)
    folder = Path("recorded", name)
    folder.mkdir(parents=True)
    for file in ("manifest.json", "catalog.json"):
        if Path("target", file).exists():
            shutil.move(Path("target", file), folder / file)
"""


def record(folder: Path) -> None:
    """Make the project in a folder, run every command in it, and keep what each leaves in `recorded/<its name>/`."""
    for name, text in {**FILES, "models/_models.yml": json.dumps(PROPERTIES)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    commands = {"seed": ["seed"], **RECORDED}
    done = subprocess.run(
        [sys.executable, "-c", _RECORD, json.dumps(commands)],
        cwd=folder,
        env=unmeasured(environment(DBT_SEND_ANONYMOUS_USAGE_STATS="false", DBT_PROFILES_DIR=str(folder))),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(folder / "target")
