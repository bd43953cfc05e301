"""Create, list, read, update and delete the four kinds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.emulator.samples import (
    BODIES,
    COLLECTIONS,
    CREATES,
    FIXED,
    ITEMS,
    LISTS,
    PAGE,
    READABLE,
    RENAMING,
    UNITS,
)

if TYPE_CHECKING:
    from tests.integration.emulator.servers import Start, Started


def names(started: Started, collection: str) -> list[str]:
    """The names that the list gives."""
    answer = started.client.get(LISTS[collection], params=PAGE)
    assert answer.status_code == 200
    return [item["name"] for item in answer.json()["data"]]


def change(collection: str) -> dict[str, Any]:
    """A body that updates the kind's object: two kinds take no name there."""
    return {key: value for key, value in BODIES[collection].items() if key != "name" or collection in RENAMING}


def item(collection: str, name: str | None = None) -> str:
    """Where one object is, by its encoded name."""
    return f"{ITEMS[collection]}/{name or BODIES[collection]['name'].replace(' ', '%20')}"


@pytest.fixture
def full(api: Started) -> Started:
    """An emulator that holds one object of each kind."""
    for collection in COLLECTIONS:
        assert api.client.post(CREATES[collection], json=BODIES[collection]).status_code == 201
    return api


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_life_of_a_source(api: Started, collection: str) -> None:
    """Created with 201, listed with the required fields, updated and deleted with 200, then gone."""
    body = BODIES[collection]
    made = api.client.post(CREATES[collection], json=body)
    assert made.status_code == 201
    assert made.json()["data"] == {**body, "description": "", "tags": []}
    assert isinstance(made.json()["message"], str)
    assert names(api, collection) == [body["name"]]
    updated = api.client.post(item(collection), json={**change(collection), "description": "New", "tags": ["core"]})
    assert updated.status_code == 200
    assert updated.json()["data"] == {**body, "description": "New", "tags": ["core"]}
    assert api.client.get(LISTS[collection], params=PAGE).json()["data"] == [updated.json()["data"]]
    deleted = api.client.delete(item(collection))
    assert deleted.status_code == 200
    assert set(deleted.json()) == {"message", "data"}
    assert names(api, collection) == []


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_reading_one(full: Started, collection: str) -> None:
    """Three kinds can be read one by one; assignment sources cannot."""
    answer = full.client.get(item(collection))
    if collection in READABLE:
        assert answer.status_code == 200
        assert answer.json()["data"]["sql"] == BODIES[collection]["sql"]
    else:
        assert answer.status_code == 404


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_missing_objects(api: Started, collection: str) -> None:
    """Update, delete and the other reads of what is not there give 404 with the plain error shape."""
    methods = [("POST", BODIES[collection]), ("DELETE", None), ("PATCH", {"description": "x"}), ("GET", None)]
    for method, body in methods:
        answer = api.client.request(method, item(collection, "nobody"), json=body)
        assert answer.status_code == 404, method
        assert answer.json()["status"] == 404
        assert isinstance(answer.json()["message"], str)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_missing_objects_as_bad_requests(start: Start, collection: str) -> None:
    """Where no status is published, an option gives 400 instead."""
    started = start(missing_status=400)
    expected = 404 if collection in RENAMING else 400
    assert started.client.delete(item(collection, "nobody")).status_code == expected


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_second_object_of_a_name_is_refused(full: Started, collection: str) -> None:
    """The answer is 400, 'already in use', and the first object stays as it was."""
    answer = full.client.post(CREATES[collection], json={**BODIES[collection], "description": "Second"})
    assert answer.status_code == 400
    assert "already in use" in answer.json()["message"]
    assert [held["description"] for held in full.server.state.as_seed()[collection]] == [""]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_dry_run_answers_like_success_and_persists_nothing(full: Started, collection: str) -> None:
    """Creates and updates can be tried; the answer does not hold the flag."""
    before = full.server.state.as_seed()
    body = {**BODIES[collection], "dryRun": True, "tags": ["new"]}
    created = full.client.post(CREATES[collection], json={**body, "name": "Other"})
    updated = full.client.post(item(collection), json={**change(collection), "dryRun": True, "description": "New"})
    assert (created.status_code, updated.status_code) == (201, 200)
    assert created.json()["data"]["name"] == "Other"
    assert updated.json()["data"]["description"] == "New"
    assert "dryRun" not in created.json()["data"]
    assert full.client.post(CREATES[collection], json=body).status_code == 400
    assert full.server.state.as_seed() == before


@pytest.mark.parametrize("collection", RENAMING)
def test_renaming(full: Started, collection: str) -> None:
    """A name in the body renames, in place; a taken name is refused."""
    full.client.post(CREATES[collection], json={**BODIES[collection], "name": "Second"})
    renamed = full.client.post(item(collection), json={**BODIES[collection], "name": "Renamed"})
    assert renamed.status_code == 200
    assert names(full, collection) == ["Renamed", "Second"]
    taken = full.client.patch(item(collection, "Renamed"), json={"name": "Second"})
    assert taken.status_code == 400
    assert "already in use" in taken.json()["message"]
    assert names(full, collection) == ["Renamed", "Second"]


@pytest.mark.parametrize("collection", FIXED)
def test_names_that_cannot_change(full: Started, collection: str) -> None:
    """A name in an update is 400, the own one too."""
    for name in (BODIES[collection]["name"], "Renamed"):
        refused = full.client.post(item(collection), json={**BODIES[collection], "name": name})
        assert refused.status_code == 400
        assert [fault["property"] for fault in refused.json()["errors"]] == ["name"]
    assert names(full, collection) == [BODIES[collection]["name"]]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_partial_updates(full: Started, collection: str) -> None:
    """Two kinds take PATCH, which sets what it names and never the query; the others have none."""
    answer = full.client.patch(item(collection), json={"description": "Patched"})
    if collection in FIXED:
        assert answer.status_code == 404
        return
    assert answer.json()["data"] == {**BODIES[collection], "description": "Patched", "tags": []}
    refused = full.client.patch(item(collection), json={"sql": "select 2", "description": "Lost"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["property"] == "sql"
    assert full.client.patch(item(collection), json={"tags": 1}).status_code == 400
    assert full.client.patch(item(collection), json={"description": "Tried", "dryRun": True}).status_code == 200
    assert full.server.state.sources[collection][BODIES[collection]["name"]]["description"] == "Patched"


@pytest.mark.parametrize(("resets", "kept"), [(False, True), (True, False)])
def test_what_a_full_update_leaves_out(start: Start, resets: bool, kept: bool) -> None:  # noqa: FBT001 - a table's cells
    """Absent fields stay, or with the option go back to their defaults; the owner stays in both."""
    started = start(full_update_resets=resets)
    body = BODIES["metric_sources"]
    extra = {"description": "Old", "tags": ["core"], "isVerified": True, "owner": {"ownerID": "a", "ownerType": "USER"}}
    started.client.post(CREATES["metric_sources"], json={**body, **extra})
    data = started.client.post(item("metric_sources"), json={**change("metric_sources"), "team": None}).json()["data"]
    assert data["owner"] == extra["owner"]
    assert (data["description"], data["tags"]) == (("Old", ["core"]) if kept else ("", []))
    assert ("isVerified" in data) is kept
    assert data["team"] is None


def test_present_values_are_instructions(full: Started) -> None:
    """Empty strings, false and empty lists are set."""
    body = change("metric_sources")
    full.client.post(item("metric_sources"), json={**body, "description": "x", "tags": ["a"], "isVerified": True})
    data = full.client.post(
        item("metric_sources"), json={**body, "description": "", "tags": [], "isVerified": False}
    ).json()["data"]
    assert (data["description"], data["tags"], data["isVerified"]) == ("", [], False)


@pytest.mark.parametrize("name", ["a/b", "100%", "..", "%2F", "Ünïcode 🎲", "a b+c?d#e", "\u202eabc", "x" * 5000])
def test_odd_names_are_one_path_segment(api: Started, name: str) -> None:
    """A percent-encoded name addresses its object, slashes included."""
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())
    api.client.post(CREATES["metric_sources"], json={**BODIES["metric_sources"], "name": name})
    assert api.client.get(item("metric_sources", encoded)).json()["data"]["name"] == name
    assert api.client.delete(item("metric_sources", encoded)).status_code == 200


def test_an_unencoded_slash_is_another_path(api: Started) -> None:
    """Two segments are not a name."""
    api.client.post(CREATES["metric_sources"], json={**BODIES["metric_sources"], "name": "a/b"})
    assert api.client.delete(item("metric_sources", "a/b")).status_code == 404
    assert api.client.delete(f"{ITEMS['metric_sources']}/").status_code == 404
    assert api.client.delete(item("metric_sources", "%FF")).status_code == 400


def test_a_metric_source_called_list_cannot_be_read(api: Started) -> None:
    """Its path is the list's."""
    api.client.post(CREATES["metric_sources"], json={**BODIES["metric_sources"], "name": "list"})
    answer = api.client.get(item("metric_sources", "list"), params=PAGE)
    assert "pagination" in answer.json()


@pytest.mark.parametrize(
    ("experiments", "status"),
    [
        ([], 200),
        ([{"name": "Test", "assignmentSourceName": "Exposures", "status": "active"}], 400),
        ([{"id": "test", "assignmentSourceName": "Exposures", "status": "active"}], 400),
        ([{"name": "Test", "assignmentSourceName": "Exposures", "status": "archived"}], 200),
        ([{"name": "Test", "assignmentSourceName": "Other", "status": "active"}], 200),
    ],
)
def test_deleting_what_an_active_experiment_uses(start: Start, experiments: list[Any], status: int) -> None:
    """An assignment source in use is refused, and stays."""
    started = start(seed={"experiments": experiments, "assignment_sources": [BODIES["assignment_sources"]]})
    assert started.client.delete(item("assignment_sources")).status_code == status
    assert names(started, "assignment_sources") == (["Exposures"] if status == 400 else [])


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_of_many_creates_at_once_one_wins(api: Started, collection: str) -> None:
    """Two clients cannot both make one name."""

    def create(number: int) -> int:
        body = {**BODIES[collection], "description": str(number)}
        return api.client.post(CREATES[collection], json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(16)))
    assert statuses == [201] + [400] * 15
    assert len(names(api, collection)) == 1


def test_objects_may_get_an_owner(start: Start) -> None:
    """On request, what the API creates belongs to the SDK key, unless the body names an owner."""
    started = start(sdk_key_owner=True)
    owned = started.client.post(CREATES["metric_sources"], json=BODIES["metric_sources"]).json()["data"]
    assert owned["owner"]["ownerType"] == "SDK_KEY"
    own = {"ownerID": "u1", "ownerType": "USER"}
    body = {**BODIES["metric_sources"], "name": "Mine", "owner": own}
    assert started.client.post(CREATES["metric_sources"], json=body).json()["data"]["owner"] == own


def test_normalisation(start: Start) -> None:
    """On request the server rearranges what it stores: none of that is a change."""
    started = start(normalise=True)
    body = {
        **BODIES["metric_sources"],
        "sql": "  select 1   \n  from t  \n\n",
        "tags": ["b", "a", "b"],
        "team": None,
        "idTypeMapping": [{"statsigUnitID": "userID", "column": "u"}, {"statsigUnitID": "companyID", "column": "c"}],
    }
    data = started.client.post(CREATES["metric_sources"], json=body).json()["data"]
    assert data["sql"] == "select 1\n  from t"
    assert data["tags"] == ["a", "b"]
    assert [unit["statsigUnitID"] for unit in data["idTypeMapping"]] == ["companyID", "userID"]
    assert (data["isVerified"], data["timestampAsDay"], data["isReadOnly"]) == (False, False, False)
    assert "team" not in data
    entity = started.client.post(CREATES["entity_property_sources"], json=BODIES["entity_property_sources"]).json()
    assert entity["data"] == {
        **BODIES["entity_property_sources"],
        "description": "",
        "tags": [],
        "timestampColumn": "",
        "timestampAsDay": False,
        "isReadOnly": False,
        "idTypeMapping": UNITS,
    }
