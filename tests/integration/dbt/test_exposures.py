"""dbt reads the exposures and the sources that `dbt-statsig exposures` writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.emulator import running
from tests.integration.dbt.job import Job
from tests.integration.dbt.test_dbt2 import beside, engine, shown

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.dbt
__all__ = ["beside", "engine"]

EXPERIMENTS = [
    {
        "id": "new-checkout",
        "name": 'Say "{{ ref(1) }}" {% if %}: yes #',
        "status": "active",
        "assignmentSourceName": "Shop exposures",
        "tags": ["core", "{{ evil }}"],
        "preComputedUserDimensions": [{"name": "plan", "propertySource": "Customer profile"}],
    },
    {"id": "new_checkout", "status": "assignment_stopped", "assignmentSourceName": "Shop exposures"},
]


def write(job: Job) -> None:
    """Both files in the project."""
    with running(seed={"experiments": EXPERIMENTS, "unit_id_types": ["companyID"]}) as console:
        mine = Job(folder=job.folder, console=console)
        mine.ours("sync")
        mine.ours("exposures", "--write", "models/statsig_exposures.yml")
        mine.ours("exposures", "--statsig-tables", "--write", "models/statsig_tables.yml")


def check(job: Job) -> None:
    """The manifest has them, with the nodes that the experiments read."""
    manifest: dict[str, Any] = json.loads((job.folder / "target" / "manifest.json").read_bytes())
    found = {one["name"]: one for one in manifest["exposures"].values()}
    assert len(found) == len(EXPERIMENTS)
    first = next(one for one in found.values() if one["label"].startswith('Say "'))
    assert set(first["depends_on"]["nodes"]) == {"model.tea_shop.fct_exposures", "model.tea_shop.dim_customers"}
    assert set(first["tags"]) == {"statsig", "core", "{ { evil }}"}
    assert {"source.tea_shop.statsig.exposures", "source.tea_shop.statsig.events"} <= set(manifest["sources"])


@pytest.mark.engines
def test_dbt_parses_them(job: Job) -> None:
    """`dbt parse` takes both files without a deprecation of its own, and a selection finds what is above."""
    write(job)
    assert "encountered deprecations" not in job.dbt("parse", "--no-partial-parse", off=True)
    check(job)
    listed = job.dbt("ls", "--select", "+exposure:statsig_new_checkout*", "--quiet", off=True)
    assert "tea_shop.experiments.fct_exposures" in listed


def test_dbt2_parses_them(beside: Job, engine: Path) -> None:
    """So does dbt 2."""
    beside.dbt("build", off=True)
    write(beside)
    code, output = shown(engine, beside, "parse")
    assert code == 0, output
    check(beside)
