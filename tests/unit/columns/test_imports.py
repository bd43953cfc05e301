"""Tests of what proving columns costs before any SQL is read."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from dbt_statsig.columns.prover import Prover
from tests.unit.columns.projects import get, model, names, prover
proof = prover(model("m", None), catalog={"model.shop.m": ("a",)})
assert names(proof, "model.shop.m") == ("a",)
assert "sqlglot" not in sys.modules, "sqlglot"
"""


def test_a_catalog_needs_no_sql_library() -> None:
    """Where there is no SQL to read, sqlglot is not imported."""
    assert subprocess.run([sys.executable, "-c", SCRIPT], check=False).returncode == 0
