"""Which nodes have new rows after a dbt command: every outcome with every materialization, and what is above."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.planning.new_data import READS_THROUGH, Build, Freshness, NewData, News
from dbt_statsig.project.artifacts import Node

NEW, OLD, HELD, OUTSIDE = Freshness.NEW, Freshness.OLD, Freshness.HELD, Freshness.OUTSIDE
TABLES = ("table", "incremental", "snapshot", "seed", "my_own")
OUTCOMES = ("success", "error", "skipped", "partial success", "no-op", "reused", "")


def node(unique_id: str, *above: str, materialized: str = "table", **config: Any) -> Node:
    """A node that reads these."""
    return Node(
        unique_id=unique_id,
        name=unique_id,
        resource_type=unique_id.partition(".")[0],
        package_name="shop",
        materialized=materialized,
        depends_on=above,
        config={"materialized": materialized, **config},
    )


def news(asked: str, nodes: list[Node], statuses: dict[str, str], **more: Any) -> News:
    """The news of one of these nodes; an empty status is of a node that the command did not reach."""
    held = {one.unique_id: one for one in nodes}
    reached = {name: status for name, status in statuses.items() if status}
    return NewData(Build(node=held.get, statuses=reached, **more)).of(asked)


@pytest.mark.parametrize("materialized", TABLES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_table_is_new_where_it_was_built(materialized: str, outcome: str) -> None:
    """Only success makes a table new; no other node does. What failed or was skipped is held back, by name."""
    nodes = [node("model.above"), node("model.a", "model.above", materialized=materialized)]

    found = news("model.a", nodes, {"model.above": "success", "model.a": outcome})

    expected = {"success": NEW, "no-op": OLD, "reused": OLD, "": OLD}.get(outcome, HELD)
    assert found.freshness is expected
    assert found.built == (("model.a",) if expected is NEW else ())
    assert (f"model.a was not built (status {outcome})" == found.why) is (expected is HELD)


@pytest.mark.parametrize("materialized", sorted(READS_THROUGH))
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("above", OUTCOMES)
def test_a_view_is_as_new_as_the_tables_above_it(materialized: str, outcome: str, above: str) -> None:
    """Whether a view was built or reached does not matter, unless it failed; the table above it decides.

    A materialized view that was built was refreshed, so it has new rows of its own.
    """
    nodes = [
        node("model.above"),
        node("model.between", "model.above", materialized="ephemeral"),
        node("model.a", "model.between", materialized=materialized),
    ]

    found = news("model.a", nodes, {"model.above": above, "model.a": outcome})

    failed = {"error", "skipped", "partial success"}
    built = [name for name, one in (("model.above", above),) if one == "success"]
    built += ["model.a"] if outcome == "success" and materialized not in {"view", "ephemeral"} else []
    expected = HELD if failed & {outcome, above} else NEW if built else OLD
    assert found.freshness is expected
    assert found.built == (tuple(built) if expected is NEW else ())


def test_a_table_that_was_not_built_stops_what_is_above_it() -> None:
    """New rows above a table reach nobody before that table is built."""
    nodes = [node("model.top"), node("model.t", "model.top"), node("model.v", "model.t", materialized="view")]
    assert news("model.v", nodes, {"model.top": "success"}).freshness is OLD


def test_one_failed_table_holds_a_view_back() -> None:
    """A view over a table that was built and one that failed would mix new rows with old ones."""
    nodes = [node("model.t"), node("model.u"), node("model.v", "model.t", "model.u", materialized="view")]
    found = news("model.v", nodes, {"model.t": "success", "model.u": "error"})
    assert (found.freshness, found.why) == (HELD, "model.u was not built (status error)")


@pytest.mark.parametrize(("outcome", "expected"), [("success", NEW), ("", OUTSIDE), ("error", HELD)])
def test_a_view_over_a_source_table_is_new_where_it_was_built(outcome: str, expected: Freshness) -> None:
    """Nobody says when the rows of a source table came: a view that was built now counts, another does not."""
    nodes = [node("source.raw"), node("model.v", "source.raw", materialized="view")]
    found = news("model.v", nodes, {"model.v": outcome})
    assert (found.freshness, found.built) == (expected, ("model.v",) if expected is NEW else ())


def test_a_node_that_a_test_holds_back_is_held_back() -> None:
    """The reason is that of the test; a view above it is held back too."""
    nodes = [node("model.t"), node("model.v", "model.t", materialized="view")]
    for asked in ("model.t", "model.v"):
        found = news(asked, nodes, {"model.t": "success"}, held={"model.t": "A data test failed."})
        assert (found.freshness, found.why) == (HELD, "model.t: A data test failed")


def test_what_the_manifest_lacks_is_not_new() -> None:
    """A node that is not there, one that reads it, and one that reads itself have no new rows."""
    nodes = [node("model.v", "model.gone", materialized="view"), node("model.w", "model.w", materialized="view")]
    for asked in ("model.gone", "model.v", "model.w", "source.gone"):
        assert news(asked, nodes, {"model.gone": "success", "model.w": "success"}).freshness is OLD
    assert news("source.raw", [node("source.raw")], {}).freshness is OUTSIDE


@pytest.mark.parametrize(
    ("own", "option", "expected"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_a_full_refresh_above_changes_history(own: Any, option: Any, expected: Any) -> None:
    """`full_refresh` of an incremental model's own config wins over dbt's option; tables do not count."""
    config = {} if own is None else {"full_refresh": own}
    nodes = [
        node("model.i", materialized="incremental", **config),
        node("model.e", "model.i", materialized="view"),
        node("model.t", "model.e", "model.gone"),
        node("model.v", "model.t", materialized="view"),
    ]
    found = news("model.v", nodes, {"model.i": "success", "model.t": "success"}, full_refresh=option)
    assert found.freshness is NEW
    assert found.history == ("model.i was built with --full-refresh" if expected else "")


def test_an_incremental_model_that_was_not_built_changes_no_history() -> None:
    """With --full-refresh too, only what was built in this run counts."""
    nodes = [node("model.i", materialized="incremental"), node("model.t", "model.i")]
    assert news("model.t", nodes, {"model.t": "success"}, full_refresh=True).history == ""


def test_another_snapshot_strategy_changes_history() -> None:
    """It is known where an earlier manifest is at hand, and names the keys that differ."""
    now = node("snapshot.s", materialized="snapshot", strategy="check", check_cols=["a"])
    nodes = [now, node("model.t", "snapshot.s")]
    statuses = {"snapshot.s": "success", "model.t": "success"}

    def history(**before: Any) -> str:
        earlier = {"snapshot.s": node("snapshot.s", materialized="snapshot", **before)} if before else {}
        return news("model.t", nodes, statuses, before=earlier.get).history

    assert history(strategy="timestamp", check_cols=["a"]) == "snapshot.s has another snapshot strategy (strategy)"
    assert history(strategy="check", check_cols=["a"]) == history() == ""
    assert news("model.t", nodes, statuses).history == ""
