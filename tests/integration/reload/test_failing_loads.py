"""Loads that fail, answers that are lost, and what is refused: who is concerned, and what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.console.client import ConsoleClient
from tests.integration.faults.inprocess import call
from tests.integration.reload.built import START, entry, fault, sent, states

if TYPE_CHECKING:
    from tests.integration.reload.built import Built


@pytest.mark.parametrize("state", ["failure", "partial_failure", "cancelled", "timeout", "a_new_word"])
def test_a_failed_load_names_source_node_and_file(shop: Built, state: str) -> None:
    """The jobs that did not end lead to the metric source, its dbt node and file; a foreign source is only named."""
    shop.server.state.load_ends["price"] = {"endsAs": state, "failingSources": ["Orders", "Foreign"]}
    done = shop.reload("--wait")
    failed = entry(done, "Price")
    assert (done.code, states(done)) == (1, {"Button": "loaded", "Price": "failed"})
    assert failed["failing"] == [
        {"metric_source": "Orders", "unique_id": "model.shop.orders", "path": "models/orders.sql"},
        {"metric_source": "Foreign", "unique_id": "", "path": ""},
    ]
    assert failed["message"] == f"The load ended with {state}."
    shown = call(shop, "reload", "--wait").stdout
    assert 'failed at metric source "Orders" → model.shop.orders → models/orders.sql\n' in shown


def test_a_success_in_capitals_is_one(shop: Built) -> None:
    """The case of a state does not matter."""
    shop.server.state.load_ends["price"] = {"endsAs": "SUCCESS"}
    assert states(shop.reload("--wait"))["Price"] == "loaded"


def test_jobs_that_cannot_be_read_do_not_hide_the_failure(shop: Built) -> None:
    """The load has failed all the same."""
    shop.server.state.load_ends["price"] = {"endsAs": "failure"}
    fault(shop, "/price/pulse_load_history/.", status=404)
    failed = entry(shop.reload("--wait"), "Price")
    assert (failed["state"], failed["failing"]) == ("failed", [])
    assert "Its jobs could not be read" in failed["message"]


def test_the_time_to_wait_ends(shop: Built) -> None:
    """What has not ended is said to go on, with exit code 2."""
    shop.server.state.load_ends["price"] = {"looksLeft": 10_000}
    done = shop.reload("--wait", "--timeout", "0")
    assert done.code == 2
    assert states(done)["Price"] == "still loading"
    assert "did not end within 0 s" in entry(done, "Price")["message"]


def test_a_refusal_is_about_one_experiment(shop: Built) -> None:
    """A 403 on one, to start or to read, does not stop the others; exit code 1."""
    fault(shop, "/button/load_pulse", status=403)
    done = shop.reload()
    assert (done.code, states(done)) == (1, {"Button": "refused", "Price": "started"})
    fault(shop, "/button/pulse_load_history", status=403)
    done = shop.reload()
    assert (done.code, states(done)) == (1, {"Button": "refused", "Price": "up to date"})


def test_a_refused_key_stops_all(shop: Built) -> None:
    """What was started before is said, the rest is not started; exit code 2."""
    fault(shop, "/price/load_pulse", status=401)
    done = shop.reload("--wait")
    assert done.code == 2
    assert states(done) == {"Button": "still loading", "Price": "not started"}
    assert "refused the key" in done.answer["reload"]["stopped"]


def test_a_lost_answer_is_settled_by_the_history(shop: Built) -> None:
    """A load that began is followed as if its answer had come, and is not started twice."""
    fault(shop, "/button/load_pulse", action="drop_after_commit")
    done = shop.reload("--wait")
    assert (done.code, states(done)["Button"], entry(done, "Button")["reconciled"]) == (0, "loaded", True)
    assert [one["experimentID"] for one in shop.loads].count("button") == 1


def test_a_start_that_nothing_shows_is_unknown(shop: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent once; exit code 2, with the next step."""
    defaults = ConsoleClient.__init__.__kwdefaults__ or {}
    monkeypatch.setattr(ConsoleClient.__init__, "__kwdefaults__", {**defaults, "looks": (0.0,)})
    fault(shop, "/button/load_pulse", action="drop_before_commit")
    done = shop.reload()
    assert (done.code, states(done)) == (2, {"Button": "unknown", "Price": "started"})
    assert "was not started again" in entry(done, "Button")["message"]
    assert sent(shop).count(START.format("button")) == 1


def test_a_429_in_mid_run_is_waited_for(shop: Built) -> None:
    """The start is repeated when Statsig allows it, and happens once."""
    fault(shop, "/load_pulse", status=429, times=1, headers={"retry-after": "0.1"})
    done = shop.reload()
    assert (done.code, len(shop.loads)) == (0, 2)
