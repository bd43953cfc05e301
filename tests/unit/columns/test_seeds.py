"""Tests of the columns that `dbt seed` makes of a file's header."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.columns.prover import seed_columns
from dbt_statsig.project.artifacts.catalog import SeedHeaders
from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.vocabulary.adapters import adapter_for

if TYPE_CHECKING:
    from pathlib import Path


def seed(**fields: Any) -> Node:
    """A seed of the project `shop`."""
    return Node(unique_id="seed.shop.s", name="s", resource_type="seed", package_name="shop", **fields)


@pytest.mark.parametrize(
    ("adapter", "quote_columns", "names"),
    [
        ("postgres", None, ("Id", "at")),
        ("postgres", False, ("id", "at")),
        ("snowflake", None, ("ID", "AT")),
        ("snowflake", True, ("Id", "at")),
        ("redshift", None, ("id", "at")),
        ("bigquery", None, ("Id", "at")),
        ("materialize", True, ("Id", "at")),
    ],
)
def test_as_the_warehouse_stores_them(adapter: str, quote_columns: bool | None, names: tuple[str, ...]) -> None:  # noqa: FBT001 - a row of the table
    """Names are folded as the warehouse folds them, unless dbt quotes them."""
    known = seed_columns(adapter_for(adapter), seed(config={"quote_columns": quote_columns}), ("Id", "at"))
    assert (known.names, known.reasons) == (names, ())


def test_where_quoting_is_not_known() -> None:
    """Of an adapter that may quote or not, names that differ by it are not guessed; others are known."""
    oracle = adapter_for("oracle")
    assert seed_columns(oracle, seed(), ("id",)).reasons == ("s: a seed whose `quote_columns` is not set",)
    assert seed_columns(oracle, seed(), ("ID",)).names == ("ID",)


def test_a_delimiter_that_is_none(tmp_path: Path) -> None:
    """What cannot be read as a table is not taken for one."""
    (tmp_path / "s.csv").write_text("id,at\n1,2\n")
    headers = SeedHeaders(tmp_path, "shop")
    node = seed(path="s.csv", file_hash=sha256(b"id,at\n1,2").hexdigest(), config={"delimiter": "too long"})
    assert "does not name its columns" in str(headers.names(node))
