"""What profiles.yml says about targets, and what it leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.project.target import Place, target_places

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("output", "place"),
    [
        ("{type: postgres, dbname: shop, schema: analytics}", Place(database="shop", schema="analytics")),
        ("{type: bigquery, project: p-1, dataset: marts}", Place(database="p-1", schema="marts")),
        ("{type: duckdb, path: /data/shop.duckdb, schema: main}", Place(database="shop", schema="main")),
        ("{type: duckdb, path: ':memory:', schema: main}", Place(schema="main")),
        ("{type: x, schema: \"{{ env_var('SCHEMA') }}\"}", Place(schema="from_env")),
        ("{type: x, schema: \"{{ env_var('UNSET', 'else') }}_1\"}", Place(schema="else_1")),
        ("{type: x, schema: \"{{ env_var('UNSET') }}\"}", Place()),
        ("{type: x, schema: \"{{ env_var('DBT_ENV_SECRET_S') }}\"}", Place()),
        ("{type: x, schema: \"{{ env_var('SCHEMA') | lower }}\"}", Place()),
        ("{type: x, schema: {{ env_var('SCHEMA') }}}", Place()),
        ("{type: x, schema: 3}", Place()),
    ],
)
def test_places(tmp_path: Path, output: str, place: Place) -> None:
    """Plain values and simple env_var() calls are read; all else is not known, and never an error."""
    (tmp_path / "profiles.yml").write_text(f"shop: {{outputs: {{prod: {output}}}}}", encoding="utf-8")
    environ = {"SCHEMA": "from_env", "DBT_ENV_SECRET_S": "hidden"}  # pragma: allowlist secret
    assert target_places([tmp_path / "none", tmp_path], "shop", environ).get("prod", Place()) == place


@pytest.mark.parametrize(
    "content",
    [b"", b"shop: 1", b"shop: {outputs: [a]}", b"shop: {outputs: {prod: x}}", b"\xff", b"{", b"#" * 1_000_001],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    """A profiles.yml of any other form says nothing; neither does one that is not there."""
    (tmp_path / "profiles.yml").write_bytes(content)
    assert target_places([tmp_path], "shop", {}) == {}
    assert target_places([tmp_path / "none"], "shop", {}) == {}
