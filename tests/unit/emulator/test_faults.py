"""Fault plans: which request meets which fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.faults import FaultPlan, Injected
from dbt_statsig.emulator.replies import Call

if TYPE_CHECKING:
    from pathlib import Path


def hits(plan: list[dict[str, Any]], calls: list[Call]) -> list[str]:
    """The action that each call meets, or nothing."""
    faults = FaultPlan(plan)
    return [fault.action if fault else "" for fault in map(faults.due, calls)]


GET = Call(method="GET", path="/a", query="page=2")
POST = Call(method="POST", path="/a/b%2Fc")


@pytest.mark.parametrize(
    ("match", "times", "expected"),
    [
        ({}, None, ["html", "html", "html", "html"]),
        ({"method": "GET"}, None, ["html", "", "html", ""]),
        ({"path": "page=2"}, None, ["html", "", "html", ""]),
        ({"path": "b%2Fc$"}, None, ["", "html", "", "html"]),
        ({"nth": 2}, None, ["", "html", "", ""]),
        ({"nth": [1, 4]}, None, ["html", "", "", "html"]),
        ({"method": "POST", "nth": 2}, None, ["", "", "", "html"]),
        ({}, 1, ["html", "", "", ""]),
        ({}, 0, ["", "", "", ""]),
    ],
)
def test_matching(match: dict[str, Any], times: int | None, expected: list[str]) -> None:
    """Method, path and query as sent, the nth match and the number of times decide."""
    assert hits([{"action": "html", "match": match, "times": times}], [GET, POST, GET, POST]) == expected


def test_the_first_fault_wins_and_all_count() -> None:
    """A fault that another one hides has counted the request all the same."""
    plan: list[dict[str, Any]] = [
        {"action": "html", "times": 1},
        {"action": "garbage", "match": {"nth": 2}},
        {"action": "delay"},
    ]
    assert hits(plan, [GET, GET, GET]) == ["html", "garbage", "delay"]


@pytest.mark.parametrize(
    "plan",
    [
        [{"action": "explode"}],
        [{}],
        [{"action": "html", "match": {"verb": "GET"}}],
        [{"action": "html", "match": {"path": "("}}],
        [{"action": "delay", "seconds": "long"}],
        {"faulty": []},
        "html",
    ],
)
def test_a_plan_that_is_not_valid_changes_nothing(plan: Any) -> None:
    """The message says what is wrong, and the faults before stay in force."""
    faults = FaultPlan([{"action": "html"}])
    with pytest.raises(CannotStart, match="The fault plan is not valid"):
        faults.replace(plan)
    assert [fault["action"] for fault in faults.as_plan()] == ["html"]


def test_a_plan_from_a_file(tmp_path: Path) -> None:
    """A file holds a list, or an object with `faults`."""
    path = tmp_path / "faults.json"
    path.write_text('{"faults": [{"action": "delay", "seconds": 2}]}')
    faults = FaultPlan(path)
    faults.due(GET)
    assert [(fault["action"], fault["seconds"], fault["hits"]) for fault in faults.as_plan()] == [("delay", 2.0, 1)]


@pytest.mark.parametrize(
    ("action", "commit", "expected"),
    [("status", None, False), ("status", True, True), ("redirect", None, False), ("html", None, True),
     ("garbage", False, False)],
)  # fmt: skip
def test_which_faults_let_the_request_take_effect(action: Any, commit: bool | None, expected: bool) -> None:  # noqa: FBT001 - a table's cell
    """Statuses and redirects stand for requests that did nothing, unless told otherwise."""
    assert Injected(action=action, commit=commit).commits is expected
