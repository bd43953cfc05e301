"""Experiments, read from the console as far as they name sources."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.errors import ProtocolError
from dbt_statsig.vocabulary.experiments import Experiment, Metric
from tests.unit.console.service import Opened, page


def test_all_pages_of_experiments_are_read() -> None:
    """Every page is read, and of each experiment its name, status and sources are kept."""
    first = {
        "id": "checkout_button",
        "name": "Checkout button",
        "status": "active",
        "assignmentSourceName": "Exposures",
        "stratifiedSampling": {"entityPropertySource": {"propertySourceName": "Users"}},
    }
    opened = Opened(page(first, total=2, following="/x?page=2"), page({"id": "old", "status": "archived"}, total=2))
    experiments, doubt = opened.client.experiments()
    assert doubt == ""
    assert [(one.id, one.name, one.status) for one in experiments] == [
        ("checkout_button", "Checkout button", "active"),
        ("old", "old", "archived"),
    ]
    assert [(one.assignment_source, one.entity_property_source) for one in experiments] == [
        ("Exposures", "Users"),
        ("", ""),
    ]
    assert opened.service.calls == [f"GET /console/v1/experiments?limit=100&page={number}" for number in (1, 2)]


@pytest.mark.parametrize(
    "entry", [{"name": "A", "status": 3, "assignmentSourceName": None, "stratifiedSampling": []}, {"name": "A"}]
)
def test_what_an_answer_does_not_say_is_empty(entry: dict[str, Any]) -> None:
    """Fields that are missing or of another type count as missing; the name stands for a missing ID."""
    assert Opened(page(entry, total=1)).client.experiments()[0] == (Experiment(id="A", name="A"),)


@pytest.mark.parametrize(("value", "turbo"), [(False, False), (True, True), (None, None), ("no", None)])
def test_turbo_mode_that_no_answer_gives_is_not_known(value: object, turbo: bool | None) -> None:  # noqa: FBT001
    """An answer that does not say is no reason to pay for a full load after each one in turbo mode."""
    entry = {"name": "A", "turboMode": value}
    assert Opened(page(entry, total=1)).client.experiments()[0] == (Experiment(id="A", name="A", turbo=turbo),)


@pytest.mark.parametrize("entry", [{}, {"name": ""}, [], 3])
def test_an_entry_without_any_name_is_no_experiment(entry: Any) -> None:
    """An entry without ID and name is no answer of this API."""
    with pytest.raises(ProtocolError, match="page 1, entry 1"):
        Opened(page(entry, total=1)).client.experiments()


def test_an_incomplete_list_is_doubted() -> None:
    """Where fewer came than were announced, the reason is given."""
    assert "5 were announced" in Opened(page({"id": "a"}, total=5)).client.experiments()[1]


@pytest.mark.parametrize(
    ("status", "running"),
    [
        ("active", True),
        ("Active", True),
        ("something new", True),
        ("", True),
        ("Decision Made", False),
        ("setup", False),
        ("assignment_stopped", True),
        ("experiment_stopped", False),
        ("abandoned", False),
        ("archived", False),
    ],
)
def test_what_runs(status: str, *, running: bool) -> None:
    """Only states that are known to be over count as over."""
    assert Experiment(id="a", status=status).is_running is running


def test_of_whose_units_an_experiment_is() -> None:
    """An experiment counts by its unit ID and by the one that it joins; one that names none may count by any."""
    experiment = Experiment(id="a", id_type="userID", secondary_id_type="deviceID")
    assert [experiment.counts_by(unit) for unit in ("userID", "deviceID", "companyID")] == [True, True, False]
    assert Experiment(id="a").counts_by("companyID")


@pytest.mark.parametrize("native", [None, [], {"metricSources": {}, "funnelEvents": [3, {}], "metricSourceName": 7}])
def test_a_metric_that_names_no_source(native: Any) -> None:
    """What an answer does not say of a metric, or says in another type, is empty; the ID stands for the name."""
    opened = Opened(page({"id": "a::sum", "warehouseNative": native}, {"name": "b", "type": "mean"}, total=2))
    metrics, doubt = opened.client.metrics()
    assert (metrics, doubt) == ((Metric(id="a::sum", name="a::sum"), Metric(id="b", name="b", type="mean")), "")
    with pytest.raises(ProtocolError, match="page 1, entry 1"):
        Opened(page({"warehouseNative": {}}, total=1)).client.metrics()
