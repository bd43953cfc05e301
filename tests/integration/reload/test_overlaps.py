"""Loads that others start: another reload at the same time, Statsig's schedule, and what the last loads left out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.commands import reload as command
from tests.integration.reload.built import EARLIER, entry, fault, later, starts, states

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.reload.built import Built


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen after a reload has decided, and before its first start."""

    def happens(event: Callable[[], object]) -> None:
        def refused(*_given: Any, **_named: Any) -> str:
            event()
            return ""

        monkeypatch.setattr(command, "refused", refused)

    return happens


def test_what_another_reload_started_first_is_not_started_twice(
    shop: Built, between: Callable[[Callable[[], object]], None]
) -> None:
    """The history is read again directly before each start: of two reloads at the same time, one loads."""
    between(lambda: later(shop, "button", looksLeft=99))
    done = shop.reload()
    assert (done.code, states(done)) == (0, {"Button": "up to date", "Price": "started"})
    assert starts(shop).keys() == {"price"}


def test_an_experiment_that_can_no_longer_be_read_is_not_loaded(
    shop: Built, between: Callable[[Callable[[], object]], None]
) -> None:
    """Whether a load is under way is not known; the other one is started."""
    between(lambda: fault(shop, "/button/pulse_load_history", status=403))
    done = shop.reload()
    assert (done.code, states(done)) == (1, {"Button": "refused", "Price": "started"})


@pytest.mark.parametrize("action", ["html", "garbage"])
def test_what_was_started_is_shown_whatever_the_histories_answer(shop: Built, action: str) -> None:
    """An answer of a proxy in mid-wait ends the waiting, not the report; exit code 2."""
    shop.server.inject({"action": action, "match": {"path": "/price/pulse_load_history", "nth": 3}})
    done = shop.reload("--wait")
    assert (done.code, states(done)["Price"]) == (2, "still loading")
    assert done.answer["reload"]["stopped"].startswith("The loads could not be followed.")


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        ({"turboMode": True}, "its last load was in turbo mode, which gives the latest day only"),
        ({"reloadType": "full", "finishedState": "failure"}, "its last full load ended with failure"),
    ],
)
def test_what_the_last_load_left_out_is_loaded_in_full(shop: Built, load: dict[str, Any], reason: str) -> None:
    """The reason is given; a refresh that was asked for stays, and so does the mode of the experiment's schedule."""
    hour_ago = int((EARLIER - timedelta(hours=1)).timestamp() * 1000)
    shop.experiment("Fast", assignmentSourceName="Exposures", turboMode=True)
    later(shop, "button", "fast", **{"createdTime": hour_ago, "finishedState": "success", **load})
    assert entry(shop.reload("--dry-run", "--refresh", "incremental"), "Button")["refresh"] == "incremental"
    done = shop.reload()
    assert (entry(done, "Button")["refresh"], entry(done, "Button")["reasons"][0]) == ("full", reason)
    assert starts(shop)["price"] == {"refresh": "incremental"}
    assert starts(shop)["fast"] == {"refresh": "incremental" if "turboMode" in load else "full"}
