"""Metrics that get new names, over a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.test_metrics import SUM, Shop, actions, held, server, shop

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running

__all__ = ["server", "shop"]


def test_a_new_name(shop: Shop, server: Running) -> None:
    """A metric with a new name is renamed, with its history."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics({**SUM, "name": "Net revenue", "cap": 3})
    assert actions(shop.plan()) == {"Net revenue": "rename"}
    assert shop.sync().exit_code == 0
    assert list(held(server)) == ["Net revenue"]
    assert actions(shop.plan()) == {"Net revenue": "unchanged"}


def test_a_new_name_beside_a_metric_that_goes(shop: Shop, server: Running) -> None:
    """A metric is renamed although another one of its node goes; where two are alike, the block's `adopt` decides."""
    count, mean = {"name": "Orders", "aggregation": "count"}, {**SUM, "name": "Average", "aggregation": "mean"}
    shop.metrics(SUM, count, mean)
    shop.sync()
    shop.metrics({**SUM, "name": "Net revenue"}, {**count, "name": "All orders"})
    assert actions(shop.plan()) == {"All orders": "rename", "Average": "orphan", "Net revenue": "rename"}
    shop.metrics({**SUM, "name": "Net revenue"}, {**SUM, "name": "Revenue 2"})
    unclear = shop.plan()
    assert actions(unclear) == {
        "Average": "orphan",
        "Net revenue": "create",
        "Orders": "orphan",
        "Revenue": "orphan",
        "Revenue 2": "create",
    }
    shop.metrics({**SUM, "name": "Net revenue"}, {**SUM, "name": "Revenue 2", "adopt": "Revenue"})
    assert shop.sync(prune=True, force=True).exit_code == 0
    assert set(held(server)) == {"Average", "Orders", "Net revenue", "Revenue 2"}
    assert actions(shop.plan()) == {"Net revenue": "unchanged", "Revenue 2": "unchanged"}
    shop.metrics({**SUM, "name": "Net revenue"}, {**mean, "name": "Mean revenue", "adopt": "Average"})
    assert actions(shop.plan())["Mean revenue"] == "rename"
    assert shop.sync().exit_code == 0
    assert "(archived)" not in held(server)["Mean revenue"]["description"]
    assert set(server.state.archived) == {"Orders::user_warehouse"}


def test_no_rename_beside_a_block_that_cannot_be_read(shop: Shop, server: Running) -> None:
    """A metric whose name cannot be read any more keeps its history: no other one is made of it."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics({**SUM, "name": ["Revenue"]}, {**SUM, "name": "Net revenue"})
    assert actions(shop.plan()) == {"Net revenue": "blocked"}
    assert shop.sync().exit_code == 1
    assert list(held(server)) == ["Revenue"]
