"""The emulator's experiments: the list and its filters, one of them, who watches a metric, and what a seed may hold."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dbt_statsig.emulator.core import Emulator
from dbt_statsig.emulator.experiment_contract import REQUIRED, STATUSES
from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.replies import Call, Refusal, Reply
from dbt_statsig.emulator.seed import load
from tests.made_console import seed

PAGE = "page=1&limit=100"


def ask(emulator: Emulator, path: str, query: str = PAGE) -> Reply:
    """The answer to a GET."""
    headers = {"statsig-api-key": "console-emulator"}
    return emulator.api.answer(Call(method="GET", path=f"/console/v1/{path}", query=query, headers=headers))


def listed(emulator: Emulator, query: str, path: str = "experiments") -> list[str]:
    """The IDs in a list."""
    return [one["id"] for one in ask(emulator, path, f"{PAGE}&{query}").payload["data"]]


def test_a_hundred_experiments() -> None:
    """A made console is a valid seed; its experiments come in pages, in all states, with what every answer holds."""
    emulator = Emulator(Options(seed=seed(103)))
    first, second = (ask(emulator, "experiments", f"page={page}&limit=100").payload for page in (1, 2))
    assert (len(first["data"]), len(second["data"]), second["pagination"]["nextPage"]) == (100, 3, None)
    assert {one["status"] for one in first["data"]} == set(STATUSES) - {"abandoned"}
    assert all(REQUIRED.keys() <= one.keys() for one in first["data"])


def test_what_a_seed_does_not_hold_is_filled_in() -> None:
    """An experiment has what every answer holds; its ID is its name where the seed gives none."""
    (made,) = load({"experiments": [{"name": "Button", "status": "active"}]})["experiments"]
    assert made == {**REQUIRED, "id": "Button", "name": "Button", "status": "active"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, "experiments[0].id: is required"),
        ({"id": 3}, "experiments[0].id: is required"),
        ({"id": "a", "status": "over"}, "experiments[0].status: Invalid enum value"),
        ({"id": "a", "assignmentSource": "x"}, "did you mean assignmentSourceName?"),
        ({"id": "a", "zzz": "x"}, "experiments[0].Unrecognized key(s) in object: 'zzz'"),
        ({"id": "a", "primaryMetrics": [{"name": "m"}]}, "experiments[0].primaryMetrics[0].type: Required"),
        ({"id": "a", "cureCovariates": {}}, "experiments[0].cureCovariates: Expected array, received object"),
    ],
)
def test_a_fault_of_an_experiment_names_its_place(entry: dict[str, Any], expected: str) -> None:
    """A field that is not published, or holds another type, is named; an unknown one with the nearest published."""
    with pytest.raises(CannotStart) as caught:
        load({"experiments": [entry]})
    assert expected in str(caught.value)


def test_two_experiments_of_one_id() -> None:
    """An ID is there once."""
    with pytest.raises(CannotStart, match=r"experiments\[1\]\.id: 'a' is there twice"):
        load({"experiments": [{"id": "a"}, {"id": "a"}]})


EXPERIMENTS = [
    {"id": "a", "status": "active", "tags": ["x"], "createdTime": 1_735_689_600_000, "isStale": True},
    {"id": "b", "status": "archived", "tags": ["x", "y"], "idType": "deviceID", "teamID": "t"},
    {"id": "c", "status": "setup", "experimentType": "GEO", "createdTime": 1_735_775_999_000},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abc"),
        ("status=active", "a"),
        ("status=active&status=setup", "ac"),
        ("status[]=active&status[]=setup", "ac"),
        ("idType=deviceID", "b"),
        ("teamID=t", "b"),
        ("tags=y&tags=z", "b"),
        ("experimentType=GEO", "c"),
        ("stale=true", "a"),
        ("createdStartDate=2025-01-01&createdEndDate=2025-01-01", "ac"),
        ("createdStartDate=2025-01-02", "b"),
    ],
)
def test_filters_of_the_list(query: str, expected: str) -> None:
    """Each published filter leaves the experiments that pass it; several values of one are alternatives."""
    assert "".join(listed(Emulator(Options(seed={"experiments": EXPERIMENTS})), query)) == expected


@pytest.mark.parametrize("query", ["status=over", "experimentType=base", "stale=1", "createdEndDate=2025-13-01"])
def test_a_filter_that_is_not_published(query: str) -> None:
    """Another value than the published ones is refused."""
    assert ask(Emulator(Options()), "experiments", f"{PAGE}&{query}").status == 400


def test_one_experiment() -> None:
    """One experiment is read by its encoded ID, in whole or in the named fields; an unknown field or ID is refused."""
    emulator = Emulator(Options(seed={"experiments": [{"id": "a/b", "status": "active"}]}))
    assert ask(emulator, "experiments/a%2Fb").payload["data"]["status"] == "active"
    assert ask(emulator, "experiments/a%2Fb", "fields=id,permalink").payload["data"] == {"id": "a/b"}
    wrong = ask(emulator, "experiments/a%2Fb", "fields=id,state")
    assert (wrong.status, wrong.payload["message"]) == (400, "Invalid field(s) requested.")
    assert ask(emulator, "experiments/other").status == 404


def test_who_watches_a_metric() -> None:
    """The experiments that name a metric of this ID, filtered as the list is; an unknown metric is not found."""
    content = {
        "metrics": [{"name": "revenue"}],
        "experiments": [
            {"id": "a", "status": "active", "otherMetrics": [{"name": "revenue", "type": "user_warehouse"}]},
            {"id": "b", "primaryMetrics": [{"name": "revenue", "type": "sum"}]},
        ],
    }
    emulator = Emulator(Options(seed=content))
    path = "metrics/revenue%3A%3Auser_warehouse/experiments"
    assert listed(emulator, "", path) == ["a"]
    assert listed(emulator, "status=setup", path) == []
    assert ask(emulator, "metrics/cost%3A%3Asum/experiments").status == 404


def test_edits_in_the_console() -> None:
    """What a person makes, changes and deletes in the console keeps to the published fields."""
    emulator = Emulator(Options())
    edited = emulator.api.experiments.edited
    assert edited("POST", "a", {"status": "active"})["id"] == "a"
    assert edited("PATCH", "a", {"status": "archived"})["status"] == "archived"
    for method, identifier, body in (("POST", "a", {}), ("PATCH", "b", {}), ("PATCH", "a", {"state": "x"})):
        with pytest.raises(Refusal):
            edited(method, identifier, body)
    assert listed(emulator, "") == ["a"]
    assert edited("DELETE", "a", None)["id"] == "a"
    assert listed(emulator, "") == []


def test_a_state_with_experiments_is_a_seed() -> None:
    """What the emulator holds can be given to another one."""
    held = Emulator(Options(seed=seed(30))).state.as_seed()
    assert load(msgspec.json.decode(msgspec.json.encode(held)))["experiments"] == held["experiments"]
