"""dbt's live manifest against the manifest.json that the same command wrote."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.forked import BIN
from tests.integration.cli_process import KEY

if TYPE_CHECKING:
    from tests.integration.dbt.job import Job

pytestmark = [pytest.mark.dbt, pytest.mark.engines, pytest.mark.usefixtures("measured_commands")]

COMPARE = """
from pathlib import Path
from dbt.cli.main import dbtRunner
from dbt_statsig.project.artifacts import load_manifest
from dbt_statsig.dbt_runtime.manifest import live_manifest
dbtRunner().invoke(["--quiet", "parse"])
live = live_manifest(dbtRunner().invoke(["--quiet", "parse"]).result)
file = load_manifest(Path("target/manifest.json"))
assert live.marked() == file.marked() and len(live.marked()) > 7
assert live.unsupported_marked() == file.unsupported_marked() != ()
for one in ("project_name", "adapter_type", "dbt_version", "invocation_id", "schema_version", "is_empty"):
    assert getattr(live, one) == getattr(file, one), one
assert live.has_tests and any(live.column_tests(one.unique_id) for one in live.marked())
for one in live.marked():
    assert set(live.column_tests(one.unique_id)) == set(file.column_tests(one.unique_id)), one
tables = {key: head for key, head in file.summaries().items() if head.resource_type in ("model", "seed", "source")}
assert {key: live.node(key) for key in tables} == {key: file.node(key) for key in tables}
"""


def test_live_is_what_is_written(job: Job) -> None:
    """Every node that we read is the same from dbt's live objects as from its file, also in a second command."""
    job.edit("models/shop/_shop.yml", "models:\n", "models:\n  - name: gone\n    config: {meta: {statsig: {}}}\n")
    gone = "{{ config(enabled=false, meta={'statsig': {'metric_source': {'name': 'Gone'}}}) }} select 1 as one"
    (job.folder / "models" / "shop" / "gone.sql").write_text(gone, encoding="utf-8")
    (job.folder / "tests" / "marked.sql").write_text(
        "{{ config(meta={'statsig': {'metric_source': {'name': 'Test'}}}) }} select 1 where false", encoding="utf-8"
    )
    done = subprocess.run(
        [BIN / "python", "-c", COMPARE],
        cwd=job.folder,
        env=job.environ(KEY, {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
