"""A selection from the manifest alone equals that of real dbt, word for word."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.project.artifacts import load_manifest
from dbt_statsig.project.selection.selecting import select
from tests.forked import unmeasured

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.dbt, pytest.mark.timeout(300)]

PROJECT = (
    "name: shop\nversion: '1.0'\nprofile: shop\nmodels:\n  shop:\n    marts: {+tags: [mart], +materialized: table}\n"
)
FILES = {
    "dbt_project.yml": PROJECT,
    "profiles.yml": "shop:\n  target: dev\n  outputs: {dev: {type: duckdb, path: ':memory:'}}\n",
    "packages.yml": "packages: [{local: ./dep}]\n",
    "dbt_packages/dep/dbt_project.yml": "name: dep\nversion: '1.0'\n",
    "dbt_packages/dep/models/extra/dep_a.sql": "select 1 as id",
    "dbt_packages/dep/models/marts/orders_dep.sql": "select * from {{ ref('dep_a') }}",
    "models/staging/stg_orders.sql": "select * from {{ source('raw', 'orders') }}",
    "models/staging/stg_users.sql": "{{ config(tags='nightly') }} select * from {{ ref('users_seed') }}",
    "models/marts/orders.sql": "select * from {{ ref('stg_orders') }}",
    "models/marts/core/users.sql": "{{ config(materialized='view') }} select * from {{ ref('stg_users') }}",
    "models/marts/core/off.sql": "{{ config(enabled=false) }} select 1",
    "models/marts/wide_v1.sql": "select * from {{ ref('orders') }} join {{ ref('users') }} using (id)",
    "models/marts/wide_v2.sql": "select * from {{ ref('orders') }} join {{ ref('dep_a') }} using (id)",
    "seeds/users_seed.csv": "id\n1\n",
    "snapshots/snap.sql": "{% snapshot snap %}{{ config(unique_key='id', strategy='check', check_cols='all') }}"
    "select * from {{ ref('orders') }}{% endsnapshot %}",
    "models/props.yml": """
sources:
  - name: raw
    tables: [{name: orders, identifier: orders_v1}, {name: users}]
models:
  - name: orders
    config: {meta: {team: growth, areas: [a, b], live: true}}
    columns: [{name: id, data_tests: [not_null]}]
  - name: wide
    latest_version: 2
    versions: [{v: 1}, {v: 2}]
exposures:
  - {name: board, type: dashboard, owner: {name: x}, depends_on: [ref('orders')]}
""",
}
ATOMS = [
    "orders",
    "wide",
    "wide.v1",
    "wide_v2",
    "marts",
    "shop.marts",
    "marts.core",
    "*ers*",
    "w*",
    "shop.*.users",
    "dep.marts",
    "off",
    "nobody",
    "tag:mart",
    "tag:n*",
    "path:models/marts",
    "models/marts/core",
    "models/props.yml",
    "models/*/core",
    "models/extra",
    "models/**",
    "file:users.sql",
    "stg_orders.sql",
    "package:dep",
    "package:this",
    "config.materialized:view",
    "config.meta.team:growth",
    "config.meta.areas:b",
    "config.meta.live:true",
    "config.tags:mart",
    "resource_type:seed",
    "resource_type:snapshot",
    "source:raw",
    "source:raw.orders",
    "source:shop.raw.*",
    "not_null_orders_id",
    "board",
    "snap",
]
PHRASES = 60 if os.environ.get("DBT_STATSIG_NIGHTLY") else 12
ASK_DBT = """
import json, sys
from dbt.cli.main import dbtRunner
where = ["--project-dir", sys.argv[1], "--profiles-dir", sys.argv[1], "--quiet"]
manifest = dbtRunner().invoke(["parse", *where]).result
answers = {}
for word in json.load(sys.stdin):
    asked = dbtRunner(manifest=manifest).invoke(
        ["ls", "--select", word, "--output", "json", "--output-keys", "unique_id", *where]
    )
    assert asked.success, (word, asked.exception)
    answers[word] = [json.loads(line)["unique_id"] for line in asked.result or []]
with open(sys.argv[2], "w") as file:
    json.dump(answers, file)
"""


def _words() -> list[str]:
    """Each atom alone, and random phrases of them; always the same."""
    choose = random.Random(7)  # noqa: S311 (phrases, no secrets)
    phrases = list(ATOMS)
    for _ in range(PHRASES):
        parts = [
            choose.choice(["", "", "+", "1+", "2+"]) + choose.choice(ATOMS) + choose.choice(["", "", "+", "+1"])
            for _ in range(choose.randint(1, 3))
        ]
        phrases.append("".join(part + choose.choice([" ", ","]) for part in parts).rstrip(" ,"))
    return phrases


def test_selection_is_that_of_dbt(tmp_path: Path) -> None:
    """For every atom of the syntax and for random phrases the same nodes are selected as by `dbt ls`."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    words, answer = _words(), tmp_path / "answers.json"
    subprocess.run(
        [sys.executable, "-c", ASK_DBT, str(tmp_path), str(answer)],
        input=json.dumps(words),
        text=True,
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env=unmeasured(),
    )
    manifest = load_manifest(tmp_path / "target" / "manifest.json")
    sources = set(select(manifest, [], []).unique_ids)
    expected = {word: sorted(sources & set(ids)) for word, ids in json.loads(answer.read_text()).items()}
    assert {word: sorted(select(manifest, [word], []).unique_ids) for word in words} == expected
    assert sum(bool(ids) for ids in expected.values()) > len(words) // 2
