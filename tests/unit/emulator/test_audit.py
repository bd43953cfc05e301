"""What changes leave in the audit log, and what else the API says about the project and its key."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from dbt_statsig.emulator.api import PREFIX, Api
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.replies import Call
from dbt_statsig.emulator.seed import load
from dbt_statsig.emulator.state import State
from tests.integration.emulator.samples import BODIES, CREATES, ITEMS

BODY = BODIES["assignment_sources"]
ITEM = f"{ITEMS['assignment_sources']}/Exposures"


class Console:
    """An API without sockets."""

    def __init__(self, **options: Any) -> None:
        given = Options(**options)
        self.state = State(load({}), audit_details=given.audit_details)
        self.api = Api(self.state, given, lambda _kind, _source: [])

    def __call__(
        self, method: str, path: str, body: Any = None, query: str = "", *, code: int = 200, review: bool = False
    ) -> Any:
        """The data of one answer; asserts its status."""
        call = Call(
            method=method,
            path=path if path.startswith(PREFIX) else f"{PREFIX}/{path}",
            query=query,
            headers={"statsig-api-key": "console-emulator"} | ({"x-respect-review-settings": "true"} if review else {}),
            body=b"" if body is None else msgspec.json.encode(body),
        )
        reply = self.api.answer(call)
        assert reply.status == code, reply.payload
        return reply.payload.get("data", reply.payload)

    def actions(self, query: str = "") -> list[tuple[str, str]]:
        """The action and name of each entry."""
        return [(one["actionType"], one["name"]) for one in self("GET", "audit_logs", query=query)]


def test_each_change_leaves_an_entry() -> None:
    """Newest first: creation, each sort of change, deletion, with the published fields; a dry run leaves none."""
    console = Console()
    console("POST", CREATES["assignment_sources"], {**BODY, "dryRun": True}, code=201)
    console("POST", CREATES["assignment_sources"], BODY, code=201)
    console("PATCH", ITEM, {"name": "Other", "isVerified": True, "tags": ["a"]})
    console("DELETE", f"{ITEMS['assignment_sources']}/Other")
    assert console.actions() == [
        ("delete_echidna_assignment_source", "Other"),
        ("update_echidna_assignment_source", "Other"),
        ("update_echidna_assignment_source_is_verified", "Other"),
        ("update_echidna_assignment_source_name", "Other"),
        ("create_echidna_assignment_source", "Exposures"),
    ]
    entry = console("GET", "audit_logs")[3]
    assert entry["changes"] == {"name": {"old": "Exposures", "new": "Other"}}
    assert entry["updatedBy"], entry["updatedByUserID"]
    assert entry["modifierEmail"] is None
    when = datetime.strptime(f"{entry['date']} {entry['time'][:8]} +0000", "%a %b %d %Y %H:%M:%S %z")
    assert abs(datetime.now(tz=timezone.utc) - when) < timedelta(minutes=5)


def test_metrics_are_in_it_and_qualifying_events_are_not() -> None:
    """Metrics have the names of actions that are published for them; for qualifying events none is published."""
    console = Console()
    console("POST", CREATES["qualifying_events"], BODIES["qualifying_events"], code=201)
    console("POST", CREATES["metric_sources"], BODIES["metric_sources"], code=201)
    native = {"aggregation": "count", "metricSources": [{"metricSourceName": "Orders", "criteria": []}]}
    console("POST", "metrics", {"name": "Orders placed", "type": "user_warehouse", "warehouseNative": native}, code=201)
    path = "metrics/Orders%20placed%3A%3Auser_warehouse"
    console("POST", path, {"tags": ["a"]})
    console("POST", path, {"tags": ["a"]})
    console("POST", path, {"warehouseNative": {**native, "rollupTimeWindow": "max"}})
    console("PUT", f"{path}/schedule_archive")
    console("DELETE", path)
    assert [action for action, name in console.actions() if name == "Orders placed"] == [
        "delete_metric",
        "schedule_archive_metric",
        "custom_metric_definition_edit",
        "update_echidna_metric_tag_or_description",
        "custom_metric_definition_create",
    ]
    assert console.actions()[-1] == ("create_echidna_metric_source", "Orders")


def test_filters_order_and_pages() -> None:
    """Actions, one entry's name, days, tags, the latest known entry, sorting and paging cut the list."""
    console = Console()
    for name in ("b", "a", "c"):
        console("POST", CREATES["metric_sources"], {**BODIES["metric_sources"], "name": name}, code=201)
    console("DELETE", f"{ITEMS['metric_sources']}/c")
    made = "create_echidna_metric_source"
    assert console.actions("actionType=delete_echidna_metric_source") == [("delete_echidna_metric_source", "c")]
    assert [name for _, name in console.actions(f"actionTypes[]={made}&actionTypes[]=tag_edit")] == ["c", "a", "b"]
    assert [name for _, name in console.actions(f"actionType={made}&sortKey=name&sortOrder=asc")] == ["a", "b", "c"]
    assert [name for _, name in console.actions("sortOrder=asc")] == ["b", "a", "c", "c"]
    assert console.actions("id=b") == [(made, "b")]
    assert console.actions("tags=none") == []
    today = datetime.now(tz=timezone.utc).date()
    assert len(console.actions(f"startDate={today - timedelta(1)}&endDate={today + timedelta(1)}")) == 4
    assert console.actions(f"startDate={today + timedelta(2)}") == []
    known = console("GET", "audit_logs")[1]["id"]
    assert len(console.actions(f"latestID={known}")) == 1
    assert [name for _, name in console.actions("limit=2&page=2")] == ["a", "b"]


@pytest.mark.parametrize(
    "query", ["actionType=odd", "actionTypes[]=odd", "sortKey=odd", "sortOrder=up", "startDate=2024-13-01", "endDate="]
)
def test_what_the_contract_does_not_know_is_refused(query: str) -> None:
    """400 for an unknown action, sort key or order, and for what is no date."""
    assert Console()("GET", "audit_logs", query=query, code=400)["errors"]


def test_without_details() -> None:
    """An entry may say nothing of what changed, as in the published examples."""
    console = Console(audit_details=False)
    console("POST", CREATES["assignment_sources"], BODY, code=201)
    assert console("GET", "audit_logs")[0]["changes"] == {}


def test_a_change_that_waits_for_its_review() -> None:
    """Where reviews are required and respected, a change of a source is kept apart; without the header it is not."""
    console = Console(review_required=True)
    assert console("GET", "settings/reviews")["is_whn_source_review_required"] is True
    console("POST", CREATES["assignment_sources"], BODY, code=201)
    console("PATCH", ITEM, {"description": "at once"})
    kept = console("PATCH", ITEM, {"description": "later"}, review=True)
    assert kept["description"] == "at once"
    assert console.actions()[0] == ("create_echidna_source_review", "Exposures")
    assert console.state.reviews["assignment_sources", "Exposures"]["description"] == "later"


def test_company_and_a_key_that_only_reads() -> None:
    """The company says whether it is warehouse native; a key without the right to write gets 403 for each write."""
    assert Console()("GET", "company")["isWarehouseNative"] is True
    console = Console(warehouse_native=False, scope="omni_read_only")
    assert console("GET", "company")["isWarehouseNative"] is False
    assert console("GET", "settings/reviews")["is_whn_source_review_required"] is False
    console("POST", CREATES["assignment_sources"], BODY, code=403)
    console("POST", "company", {}, code=403)
    console("POST", "audit_logs", {}, code=403)
