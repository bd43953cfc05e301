"""Lists, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.emulator.samples import BODIES, COLLECTIONS, LISTS, PREFIX

if TYPE_CHECKING:
    from tests.integration.emulator.servers import Start


def seed(count: int) -> dict[str, Any]:
    """So many sources of each kind."""
    return {
        collection: [{**body, "name": f"{collection} {number}"} for number in range(count)]
        for collection, body in BODIES.items()
    }


@pytest.mark.parametrize("empty_end", [False, True])
def test_pages_of_sources(start: Start, empty_end: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Every kind's list comes in pages; `nextPage` of the last is null, or an empty string on request."""
    client = start(seed=seed(5), empty_next_page=empty_end).client
    for collection in COLLECTIONS:
        got: list[str] = []
        for page in (1, 2, 3):
            answer = client.get(LISTS[collection], params={"page": page, "limit": 2}).json()
            assert set(answer) == {"message", "data", "pagination"}
            got += [item["name"] for item in answer["data"]]
            following = answer["pagination"]["nextPage"]
            if page < 3:
                assert following.endswith(f"?page={page + 1}&limit=2")
            else:
                assert following == ("" if empty_end else None)
        assert got == [f"{collection} {number}" for number in range(5)]
        assert answer["pagination"]["totalItems"] == 5


@pytest.mark.parametrize("odd", [True, False])
def test_the_next_page_of_qualifying_events_leads_astray(start: Start, odd: bool) -> None:  # noqa: FBT001 - a parameter
    """It names another path, where nothing answers; the page number on the asked path works."""
    client = start(seed=seed(2), page_odd=odd).client
    path = LISTS["qualifying_events"]
    following = client.get(path, params={"page": 1, "limit": 1}).json()["pagination"]["nextPage"]
    assert following.startswith(f"{path}?") is not odd
    assert client.get(following).status_code == (404 if odd else 200)
    assert len(client.get(path, params={"page": 2, "limit": 1}).json()["data"]) == 1


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_page_and_limit_are_asked_for(start: Start, collection: str) -> None:
    """Both are required, unless an option lets them be left out, and a limit has a maximum."""
    strict, lenient = start(seed=seed(1)).client, start(seed=seed(1), require_paging=False, max_limit=5).client
    refused = strict.get(LISTS[collection])
    assert refused.status_code == 400
    assert [fault["property"] for fault in refused.json()["errors"]] == ["page", "limit"]
    assert len(lenient.get(LISTS[collection]).json()["data"]) == 1
    assert lenient.get(LISTS[collection], params={"page": 1, "limit": 6}).status_code == 400


def test_the_other_lists(start: Start) -> None:
    """Tags, unit IDs, experiments, metrics and teams are what the seed says; three of them need a page."""
    started = start(
        seed={
            "tags": ["core"],
            "unit_id_types": ["companyID"],
            "experiments": [{"id": "e1"}],
            "metrics": [{"name": "Revenue"}],
            "teams": [{"name": "Growth"}],
        }
    )
    page = {"page": 1, "limit": 100}
    got = {
        path: started.client.get(f"{PREFIX}/{path}", params=page).json()["data"]
        for path in ("tags", "unit_id_types", "experiments", "metrics/list", "users/teams")
    }
    got["experiments"] = [{"id": one["id"]} for one in got["experiments"]]
    assert got == {
        "tags": [{"name": "core", "description": ""}],
        "unit_id_types": [{"name": "companyID", "description": ""}],
        "experiments": [{"id": "e1"}],
        "metrics/list": [{"name": "Revenue"}],
        "users/teams": [{"name": "Growth"}],
    }
    bare = {path: started.client.get(f"{PREFIX}/{path}").status_code for path in got}
    assert bare == {"tags": 200, "unit_id_types": 400, "experiments": 400, "metrics/list": 400, "users/teams": 200}
