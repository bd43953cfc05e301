"""Each fault in each request of a metric: nothing is lost, nothing is claimed, and the next run converges.

`make test` runs a few cells, `make nightly` all of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.faults.inprocess import plan, sync
from tests.integration.faults.test_matrix import FAULTS, NIGHTLY, _no_waiting, faulty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.emulator import Running
    from tests.integration.faults.project import Project

__all__ = ["_no_waiting"]
COUNT = {"name": "Orders made", "aggregation": "count"}
OTHERS = [{"name": f"Other {number}", "aggregation": "count", "where": f"amount > {number}"} for number in range(4)]
ITEM = "^/console/v1/metrics/[^/?]+"
MATCHES = {
    "list": {"method": "GET", "path": "^/console/v1/metrics/list"},
    "create": {"method": "POST", "path": "^/console/v1/metrics$"},
    "update": {"method": "POST", "path": f"{ITEM}$"},
    "archive": {"method": "PUT", "path": f"{ITEM}/schedule_archive"},
    "delete": {"method": "DELETE", "path": f"{ITEM}$"},
}


def cells() -> Iterator[tuple[str, str, int | None]]:
    """Fault, request, and how often the fault strikes (None: always)."""
    for fault, made in FAULTS.items():
        for request in MATCHES:
            as_source = {"archive": "update"}.get(request, request)
            if as_source in made.only and not made.pages and not (request == "archive" and "old_object" in str(made)):
                yield from ((fault, request, times) for times in (1, None))


CELLS = list(cells())


def held(server: Running) -> dict[str, dict[str, Any]]:
    """The console's metrics by name."""
    return {one["name"]: dict(one) for one in server.state.lists["metrics"]}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cell", CELLS if NIGHTLY else CELLS[3::23], ids=lambda cell: ", ".join(map(str, cell)))
def test_a_fault(project: Project, server: Running, cell: tuple[str, str, int | None]) -> None:
    """A run that ends well has done all; other metrics stay as they were, and an undisturbed run ends as declared."""
    name, request, times = cell
    fault = FAULTS[name]
    project.models.clear()
    mine = {"name": "By hand", "id": "By hand::user_warehouse", "type": "user_warehouse", "description": "Mine."}
    server.state.lists["metrics"].append({**mine, "warehouseNative": {"aggregation": "count", "metricSources": []}})
    target = [] if request == "create" else [COUNT]
    project.declare("orders", "Orders", metrics=[*OTHERS, *target])
    assert sync(project).code == 0
    gone = request in {"archive", "delete"}
    changed = [] if gone else [{**COUNT, "where": "amount > 9"}]
    project.declare("orders", "Orders", metrics=[*OTHERS, *changed])
    arguments = {"archive": ["--prune"], "delete": ["--prune", "--delete-metrics"]}.get(request, [])
    before = held(server)
    server.inject({**fault.plan, "match": MATCHES[request], "times": times})

    done = faulty(project, fault, *arguments)

    assert server.emulator.faults.as_plan()[-1]["hits"], (done.code, done.stdout[-2000:])
    server.inject()
    time.sleep(fault.settles)
    now = held(server)
    assert {key: now.get(key) for key in before if key != "Orders made"} == {
        key: value for key, value in before.items() if key != "Orders made"
    }
    # An archive is answered by a message alone, whatever it says.
    if done.code == 0 and fault.exact and (name, request) != ("null data", "archive"):
        assert is_done(server, request), done.stdout
    again = sync(project, *arguments)
    assert again.code == 0, again.stdout
    # What has the mark of an archive counts as archived: no answer tells. The run before has said that it may not be.
    assert request == "archive" or not fault.exact or is_done(server, request), again.stdout
    checked = plan(project, "--check", *arguments)
    assert (checked.code, set(checked.actions.values())) == (0, {"unchanged"}), checked.stdout


def is_done(server: Running, request: str) -> bool:
    """Whether the console is as the finished change leaves it."""
    found = held(server).get("Orders made")
    if request == "delete":
        return found is None
    if found is None:
        return False
    if request == "archive":
        return bool(found["description"].endswith("(archived)") and server.state.archived)
    (rows,) = found["warehouseNative"]["metricSources"]
    return [one["values"] for one in rows["criteria"]] == [["amount > 9"]]
