"""Selections that a manifest cannot answer: dbt itself is asked, where it is there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.dbt.job import Job

pytestmark = pytest.mark.dbt

SELECTORS = """
selectors:
  - name: money
    definition: {union: [fct_orders, fct_reviews]}
"""


def test_dbt_answers(job: Job) -> None:
    """The graph operator @, a selector and a comparison of states are answered by dbt, and its artifacts stay."""
    (job.folder / "selectors.yml").write_text(SELECTORS, encoding="utf-8")
    before = (job.folder / "target" / "manifest.json").read_bytes()
    # A test of the project reads both fct_orders and fct_shop_events, which is two sources.
    assert "3 sources and 1 metric ready" in job.ours("validate", "--select", "@fct_orders")
    assert "2 sources and 3 metrics ready" in job.ours("validate", "--selector", "money")
    shutil.copytree(job.folder / "target", job.folder / "earlier")
    (job.folder / "models" / "shop" / "fct_sessions.sql").write_text("select 1 as session_id", encoding="utf-8")
    output = job.ours("validate", "--select", "state:modified", "--state", "earlier")
    assert "Sessions" in output
    assert "1 source ready" in output
    assert (job.folder / "target" / "manifest.json").read_bytes() == before


def test_dbt_cannot_answer(job: Job) -> None:
    """Where dbt cannot answer, its own words are passed on; a selection that matches nothing is a warning."""
    output = job.ours("validate", "--selector", "no_such", expect=2)
    assert "dbt could not answer the selection" in output
    assert "no_such" in output
    assert "matches no node" in job.ours("validate", "--select", "@no_such_model")


def test_no_dbt_at_hand(job: Job, tmp_path: Path) -> None:
    """Without a dbt command, or with a manifest alone, what a manifest cannot answer is refused by name."""
    empty = tmp_path / "empty"
    empty.mkdir()
    output = job.ours("validate", "--select", "@fct_orders", expect=2, PATH=str(empty))
    assert 'The graph operator "@" in "@fct_orders" cannot be used here.' in output
    output = job.ours("validate", "--selector", "money", expect=2, PATH=str(empty))
    assert "there is no dbt command" in output
    manifest = job.folder / "target" / "manifest.json"
    (job.folder / "dbt_project.yml").unlink()
    output = job.ours("validate", "--manifest", str(manifest), "--select", "@fct_orders", expect=2)
    assert "cannot be used here" in output
