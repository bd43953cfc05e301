"""The Console API client against the emulator, over real sockets: the ordinary day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.console.pace import Rates
from dbt_statsig.emulator import Running, running
from dbt_statsig.errors import AuthenticationFailed, NotFound, Refused
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS, AssignmentSource, MetricSource
from dbt_statsig.vocabulary.sources import IdType, Kind
from tests.unit.console.service import UNPACED

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.sources import Source

UNITS = (IdType(statsig_unit_id="userID", column="user_id"),)
HARD_NAMES = ("a/b", "50% off?", "..", "#1; drop", "\U0001f6d2 \u05e2\u05d1\u05e8\u05d9\u05ea", "Orders", "orders")


def source(kind: Kind, name: str, **fields: Any) -> Source:
    """A valid source of this kind."""
    needed: dict[str, Any] = {"sql": "select 1", "id_type_mapping": UNITS}
    if kind is not Kind.ENTITY_PROPERTY_SOURCE:
        needed["timestamp_column"] = "ts"
    if kind is Kind.ASSIGNMENT_SOURCE:
        needed |= {"experiment_id_column": "experiment", "group_id_column": "variant"}
    return SPECS[kind].payload(name=name, **{**needed, **fields})


def connect(server: Running, **options: Any) -> ConsoleClient:
    """A client with the emulator's key, and no pace unless one is given."""
    key = ApiKey(server.key, origin="STATSIG_CONSOLE_API_KEY")
    return ConsoleClient(key, base_url=server.url, **{"rates": UNPACED, **options})


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
@pytest.mark.parametrize("missing_status", [400, 404])
def test_each_kind_lives_its_whole_life(kind: Kind, missing_status: int) -> None:
    """Create, read, list, update and delete work for every kind, also where a missing object gives 400."""
    with running(missing_status=missing_status) as server, connect(server) as console:
        assert console.get(kind, "One") is None
        created = console.create(kind, source(kind, "One", tags=("b", "a"), is_read_only=True))
        assert created.live is not None
        assert not created.reconciled
        assert console.get(kind, "One") == created.live
        updated = console.update(kind, "One", source(kind, "One", sql="select 2"))
        assert updated.live is not None
        assert (updated.live.sql, set(updated.live.tags or ())) == ("select 2", {"a", "b"})
        assert [item.sql for item in console.list(kind).items] == ["select 2"]
        console.delete(kind, "One")
        assert console.list(kind).items == ()
        assert console.delete(kind, "One").already


@pytest.mark.parametrize("kind", [kind for kind in BLOCK_KINDS if SPECS[kind].can_patch])
def test_patches_change_what_they_name(kind: Kind, server: Running) -> None:
    """A partial update changes its fields and keeps the rest; it can rename."""
    with connect(server) as console:
        console.create(kind, source(kind, "One", description="old", tags=("t",)))
        payload = source(kind, "Two", description="new", tags=())
        patched = console.patch(kind, "One", payload, fields=frozenset({"description", "name"}))
        assert patched.live is not None
        assert (patched.live.name, patched.live.description, patched.live.tags) == ("Two", "new", ("t",))
        assert [item.name for item in console.list(kind).items] == ["Two"]


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_32_hard_names_are_objects_like_any_other(kind: Kind, server: Running) -> None:
    """Fault 32: names with slashes, percent signs, dots, emoji and right-to-left text are written, read and deleted."""
    with connect(server) as console:
        for name in HARD_NAMES:
            console.create(kind, source(kind, name))
        for name in HARD_NAMES:
            console.update(kind, name, source(kind, name, sql="select 2"))
            found = console.get(kind, name)
            assert found is not None
            assert (found.name, found.sql) == (name, "select 2")
        assert {item.name for item in console.list(kind).items} == set(HARD_NAMES)
        for name in HARD_NAMES:
            console.delete(kind, name)
        assert console.list(kind).items == ()


@pytest.mark.parametrize("empty_next_page", [False, True])
def test_long_lists_are_read_with_one_request_a_page(*, empty_next_page: bool) -> None:
    """250 objects are three requests, all on the path that was asked, whatever nextPage says."""
    names = [f"event {number:03}" for number in range(250)]
    with running(empty_next_page=empty_next_page) as server, connect(server, rates=UNPACED) as console:
        with ThreadPoolExecutor(8) as pool:
            kind = Kind.QUALIFYING_EVENT
            list(pool.map(lambda name: console.create(kind, source(kind, name)), names))
        before = console.requests
        listing = console.list(Kind.QUALIFYING_EVENT)
        assert sorted(item.name for item in listing.items) == names
        assert (listing.pages, listing.complete, console.requests - before) == (3, True, 3)
        reads = [request for request in server.requests if request.method == "GET"]
        assert {request.path for request in reads} == {"/console/v1/experiments/qualifying_events"}


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_a_dry_run_leaves_nothing_behind(kind: Kind, server: Running) -> None:
    """With `dry_run` a source is checked and not kept; what is wrong with it is reported field by field."""
    with connect(server) as console:
        console.create(kind, source(kind, "One"), dry_run=True)
        assert console.list(kind).items == ()
        with pytest.raises(Refused) as caught:
            console.create(kind, structs.replace(source(kind, "One"), id_type_mapping=None), dry_run=True)
        assert any("idTypeMapping" in problem for problem in caught.value.problems)


def test_normalised_answers_are_read(server: Running) -> None:
    """What the server rearranges and fills in comes back typed, in the write's answer and in the list."""
    with running(normalise=True, sdk_key_owner=True) as normalising, connect(normalising) as console:
        written = console.create(
            Kind.METRIC_SOURCE, MetricSource(name="x", sql=" select 1\n", timestamp_column="t", id_type_mapping=UNITS)
        )
        assert written.live is not None
        assert written.live.sql == "select 1"
        assert console.list(Kind.METRIC_SOURCE).items == (written.live,)
    assert server.requests == []


def test_tags_and_unit_ids(server: Running) -> None:
    """Tags are made once, and unit IDs come from their list."""
    with connect(server) as console:
        console.create_tag("core", "From dbt.")
        console.create_tag("core", "From dbt.")
        assert "core" in console.tags()
        assert isinstance(console.unit_ids(), tuple)


def test_13_a_wrong_key_stops_everything_and_is_not_shown(server: Running) -> None:
    """Fault 13: the emulator's 401 quotes the key as Statsig's does; the error does not, and nothing more is sent."""
    key = ApiKey("console-WrongKey4711", origin="STATSIG_API_KEY")
    with ConsoleClient(key, base_url=server.url) as console:
        with pytest.raises(AuthenticationFailed) as first:
            console.ping()
        with pytest.raises(AuthenticationFailed):
            console.create(Kind.METRIC_SOURCE, source(Kind.METRIC_SOURCE, "x"))
        assert console.requests == 1
    assert "WrongKey4711" not in str(first.value)
    assert "STATSIG_API_KEY" in str(first.value)


def test_14_15_refusals_name_their_object(server: Running) -> None:
    """Faults 14 and 15: a bad payload and a missing object are refused by name, and the next write goes through."""
    with connect(server) as console:
        with pytest.raises(Refused, match='Assignment source "x"') as bad:
            console.create(Kind.ASSIGNMENT_SOURCE, AssignmentSource(name="x", sql="select 1"))
        assert bad.value.status == 400
        assert len(bad.value.problems) > 1
        with pytest.raises(NotFound):
            console.update(Kind.ASSIGNMENT_SOURCE, "gone", source(Kind.ASSIGNMENT_SOURCE, "gone"))
        console.create(Kind.ASSIGNMENT_SOURCE, source(Kind.ASSIGNMENT_SOURCE, "x"))
        with pytest.raises(Refused, match="x"):
            console.create(Kind.ASSIGNMENT_SOURCE, source(Kind.ASSIGNMENT_SOURCE, "x"))


def test_the_review_header_goes_along_when_asked_for(server: Running) -> None:
    """The header that asks for the project's review settings is sent only on request."""
    with connect(server, respect_review_settings=True) as asking, connect(server) as plain:
        asking.ping()
        plain.ping()
    assert [request.headers.get("x-respect-review-settings") for request in server.requests] == ["true", None]


def test_46_our_own_limit_meets_no_429() -> None:
    """Fault 46: eight threads write twenty-four objects under the published limits, and none meets a 429."""
    kind = Kind.METRIC_SOURCE
    with (
        running(rate_limit=True) as server,
        connect(server, rates=Rates()) as console,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda number: console.create(kind, source(kind, f"n{number}")), range(24)))
        assert {request.status for request in server.requests} == {201}


def test_46_another_client_of_the_quota_is_survived() -> None:
    """Fault 46: when somebody else uses up the quota, the 429s are waited out and every object is written once."""
    kind = Kind.METRIC_SOURCE
    shown: list[object] = []
    with (
        running(rate_limit=[(8, 1.0)]) as server,
        connect(server, on_wait=shown.append) as console,
        connect(server) as other,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda number: other.create(kind, source(kind, f"b{number}")), range(8)))
        list(pool.map(lambda number: console.create(kind, source(kind, f"a{number}")), range(3)))
        assert len(console.list(kind).items) == 11
        statuses = [request.status for request in server.requests if request.method == "POST"]
        assert statuses.count(201) == 11
        assert 429 in statuses
    assert shown
