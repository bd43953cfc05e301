"""`preview` through real dbt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.dbt.job import Job

pytestmark = [pytest.mark.dbt, pytest.mark.engines]


def test_rows_and_errors_through_dbt(job: Job) -> None:
    """The rows of a source come through the user's own dbt, whose artifacts stay; a refused query is reported."""
    manifest = job.folder / "target" / "manifest.json"
    before = manifest.read_bytes()
    said = job.ours("preview", "Orders", "--limit", "2", "--days", "10000")
    assert "metric source Orders  model.tea_shop.fct_orders" in said
    assert "timestamp" in said.splitlines()[1]
    assert manifest.read_bytes() == before
    assert job.written() == []
    (job.folder / "tea_shop.duckdb").unlink()
    said = job.ours("preview", "Orders", expect=1)
    assert "fct_orders does not exist" in " ".join(said.split())
    (job.folder / "models" / "broken.sql").write_text("select * from {{ ref('nowhere') }}", encoding="utf-8")
    said = " ".join(job.ours("preview", "Orders", expect=2).split())
    assert said.startswith("Error: dbt cannot run in this project: ")
    assert "nowhere" in said
    assert said.endswith("Run `dbt parse`, and correct what it names.")


def test_every_statement_in_one_dbt_command(job: Job) -> None:
    """`validate --warehouse` proves columns by the warehouse, and shows what it refuses at its line."""
    where = "name: Sessions, where: no_such(device_id) > 1"
    job.edit("models/shop/_shop.yml", "name: Sessions", where)
    job.dbt("parse", off=True)
    manifest = (job.folder / "target" / "manifest.json").read_bytes()
    answer = json.loads(job.ours("validate", "--warehouse", "--output", "json", expect=1))["validation"]
    assert {column["evidence"] for one in answer["sources"] for column in one["columns"]} == {"warehouse"}
    (error,) = [one for one in answer["findings"] if one["severity"] == "error"]
    assert (error["code"], error["path"]) == ("warehouse-refused", "models/shop/_shop.yml")
    assert error["message"].startswith(
        "The warehouse refuses `where`: Catalog Error: Scalar Function with name no_such"
    )
    assert (job.folder / "target" / "manifest.json").read_bytes() == manifest
    assert job.written() == []
    (job.folder / "profiles.yml").write_text("tea_shop: {outputs: {dev: {type: nothing}}, target: dev}")
    said = " ".join(job.ours("validate", "--warehouse", expect=2).split())
    assert said.startswith("Error: The warehouse cannot be asked: ")
    assert said.endswith("Check the profile and target with `dbt debug`.")
