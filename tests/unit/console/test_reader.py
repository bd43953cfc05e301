"""Tests of lists and reads."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dbt_statsig.console.listing import all_pages
from dbt_statsig.errors import AuthenticationFailed, ProtocolError, Refused
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS, SPECS, AssignmentSource, MetricSource
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.console.service import Opened, one, page, refused

METRICS = "/console/v1/metrics/metric_source/list"
NEXT = "/console/v1/elsewhere?page=9"


def named(*names: str) -> list[dict[str, Any]]:
    """Objects that have only names."""
    return [{"name": name} for name in names]


@pytest.mark.parametrize("last", [None, ""])
def test_all_pages_are_read_on_the_path_that_was_asked(last: str | None) -> None:
    """Pages are counted, whatever path nextPage names, until it is null or empty; both parameters always go along."""
    opened = Opened(page(*named("a", "b"), total=3, following=NEXT), page(*named("c"), total=3, following=last))
    listing = opened.client.list(Kind.METRIC_SOURCE)
    assert [item.name for item in listing.items] == ["a", "b", "c"]
    assert (listing.pages, listing.complete, listing.doubt) == (2, True, "")
    assert opened.service.calls == [f"GET {METRICS}?limit=100&page={number}" for number in (1, 2)]


@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_each_kind_is_read_from_its_own_list(kind: Kind) -> None:
    """Every kind has its list path and its own type."""
    opened = Opened(page({"name": "a", "sql": ""}, total=1))
    listing = opened.client.list(kind)
    assert isinstance(listing.items[0], SPECS[kind].payload)
    assert opened.service.calls == [f"GET {SPECS[kind].list_path}?limit=100&page=1"]


def test_an_empty_list_is_complete() -> None:
    """A console without sources gives an empty, complete list from one request."""
    listing = Opened(page(total=0)).client.list(Kind.METRIC_SOURCE)
    assert (listing.items, listing.pages, listing.complete) == ((), 1, True)


def test_names_are_distinguished_by_case() -> None:
    """Two names that differ only in case are two objects."""
    listing = Opened(page(*named("a", "A"), total=2)).client.list(Kind.METRIC_SOURCE)
    assert [item.name for item in listing.items] == ["a", "A"]
    assert listing.complete


@pytest.mark.parametrize(
    ("replies", "names", "doubt"),
    [
        ([page(*named("a", "b"), following=NEXT), page(*named("b", "c"))], "abc", "page 2 repeats"),
        ([page(*named("a", "a"))], "a", "page 1 repeats"),
        ([page(*named("a"), following=NEXT)], "a", "page 2 repeats"),
        ([page(*named("a"), following=NEXT), page(following=NEXT)], "a", "page 2 is empty"),
        ([page(*named("a"), total=2)], "a", "1 entries came, 2 were announced"),
        ([page(*named("a"), total=2, following=NEXT), page(*named("b"), total=3)], "ab", "2 then 3 were announced"),
        ([(200, {"data": named("a")})], "a", "does not say whether there are more"),
        ([(200, {"data": named("a"), "pagination": {"pageNumber": 1}})], "a", "does not say"),
    ],
)
def test_23_doubtful_lists_are_marked(replies: list[tuple[int, Any]], names: str, doubt: str) -> None:
    """Fault 23: pages that shift, repeat, end oddly or do not add up are read once, and not called complete."""
    listing = Opened(*replies).client.list(Kind.METRIC_SOURCE)
    assert "".join(item.name for item in listing.items) == names
    assert not listing.complete
    assert doubt in listing.doubt


def test_23_pages_that_never_end_are_cut_off() -> None:
    """Fault 23: a list that always has one more page is given up at the cap, and is not complete."""
    numbers = iter(range(10**6))
    opened = Opened(page())
    opened.service.replies = [page(*named(str(next(numbers))), following=NEXT) for _ in range(1100)]
    listing = opened.client.list(Kind.METRIC_SOURCE)
    assert (listing.pages, len(listing.items), listing.complete) == (1000, 1000, False)


def test_a_full_page_without_pagination_is_followed_by_another() -> None:
    """Where an answer does not page at all, full pages are taken for more to come."""
    first = {"data": named(*map(str, range(100)))}
    listing = Opened((200, first), (200, {"data": []})).client.list(Kind.METRIC_SOURCE)
    assert (len(listing.items), listing.pages, listing.complete) == (100, 2, False)


def test_an_empty_last_page_that_adds_up_is_no_doubt() -> None:
    """A superfluous empty page does not make a list doubtful where the announced total is there."""
    opened = Opened(page(*named("a"), total=1, following=NEXT), page(total=1, following=NEXT))
    assert opened.client.list(Kind.METRIC_SOURCE).complete


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((200, {"data": {"a": 1}}), "page 1: data is not a list"),
        ((200, {"data": None}), "data is not a list"),
        ((200, {"message": "hello"}), "data is not a list"),
        (page("a", "b"), "no object in it has a name"),
    ],
)
def test_a_list_of_another_form_is_a_protocol_error(reply: tuple[int, Any], message: str) -> None:
    """Nothing is planned from a list that cannot be read as published; the place is named."""
    with pytest.raises(ProtocolError, match=message):
        Opened(reply).client.list(Kind.METRIC_SOURCE)


def test_one_object_is_read_by_its_own_path() -> None:
    """A kind with a read endpoint is asked for one object."""
    opened = Opened(one({"name": "a/b", "sql": "s"}))
    assert opened.client.get(Kind.METRIC_SOURCE, "a/b") == MetricSource(name="a/b", sql="s")
    assert opened.service.calls == ["GET /console/v1/metrics/metric_source/a%2Fb"]


def test_404_is_nothing_and_null_is_checked() -> None:
    """A missing object is None; an answer without an object means that only if the list lacks it too."""
    assert Opened(refused(404)).client.get(Kind.ENTITY_PROPERTY_SOURCE, "a") is None
    assert Opened(one(None), page(total=0)).client.get(Kind.ENTITY_PROPERTY_SOURCE, "a") is None
    with pytest.raises(ProtocolError, match="contains no object"):
        Opened(one(None), page(*named("a"), total=1)).client.get(Kind.ENTITY_PROPERTY_SOURCE, "a")


def test_51_an_answer_about_another_object_is_none() -> None:
    """Fault 51: what is read must be what was asked for."""
    with pytest.raises(ProtocolError, match='is about "b"'):
        Opened(one({"name": "b"})).client.get(Kind.METRIC_SOURCE, "a")


def test_50_a_list_that_reports_an_error_is_none() -> None:
    """Fault 50: a list with an error in it is not taken for an empty one."""
    with pytest.raises(ProtocolError, match=r"reports an error \(500\): Try later"):
        Opened((200, {"status": 500, "message": "Try later", "data": []})).client.list(Kind.METRIC_SOURCE)


def test_53_an_object_that_cannot_be_read_is_kept_by_its_name() -> None:
    """Fault 53: of such an object name and description are read, and the others are read in full."""
    odd = {"name": "b", "sql": 5, "description": "theirs"}
    opened = Opened(page({"name": "a", "sql": "s"}, odd, {"name": None}, {"name": 7}, {"name": ""}, 3, total=6))
    listing = opened.client.list(Kind.ASSIGNMENT_SOURCE)
    assert [item.name for item in listing.items if item.name not in listing.unread] == ["a"]
    nameless = [f"(object {number} of the list, without a name)" for number in (3, 5, 6)]
    assert sorted(listing.unread) == sorted(["b", "7", *nameless])
    assert "$.sql" in listing.unread["b"]
    assert listing.items[1] == AssignmentSource(name="b", description="theirs")
    with pytest.raises(ProtocolError, match=r"\$\.sql"):
        opened.client.get(Kind.ASSIGNMENT_SOURCE, "b")


def test_53_what_could_not_be_sent_back_is_not_read() -> None:
    """Fault 53: half a character makes its object unreadable, and no other."""
    body = rb'{"data": [{"name": "a", "sql": "\ud800"}, {"name": "b"}], "pagination": {"nextPage": null}}'
    listing = Opened(httpx.Response(200, content=body)).client.list(Kind.ASSIGNMENT_SOURCE)
    assert "unpaired surrogate" in listing.unread["a"]
    assert [item.name for item in listing.items] == ["a", "b"]


def test_a_400_is_checked_against_the_list() -> None:
    """What a missing metric source gives is not published: a 400 means missing only if the list lacks it too."""
    assert Opened(refused(400), page(*named("b"), total=1)).client.get(Kind.METRIC_SOURCE, "a") is None
    with pytest.raises(Refused, match="Bad thing"):
        Opened(refused(400, "Bad thing"), page(*named("a"), total=1)).client.get(Kind.METRIC_SOURCE, "a")


def test_other_refusals_of_a_read_are_raised() -> None:
    """Any other 4xx says nothing about whether the object is there."""
    with pytest.raises(Refused, match="418"):
        Opened(refused(418)).client.get(Kind.METRIC_SOURCE, "a")


def test_a_kind_without_read_endpoint_is_picked_from_its_list() -> None:
    """Assignment sources can only be listed; a complete list that lacks one proves that it is not there."""
    opened = Opened(page(*named("a", "b"), total=2))
    found = opened.client.get(Kind.ASSIGNMENT_SOURCE, "b")
    assert found is not None
    assert found.name == "b"
    assert opened.client.get(Kind.ASSIGNMENT_SOURCE, "c") is None


def test_an_incomplete_list_proves_no_absence() -> None:
    """What an incomplete list lacks is not taken for absent."""
    with pytest.raises(ProtocolError, match="not complete"):
        Opened(page(*named("a"), total=2)).client.get(Kind.ASSIGNMENT_SOURCE, "c")


@pytest.mark.parametrize(
    ("kind", "name", "fault"),
    [
        (Kind.METRIC_SOURCE, "", "empty name"),
        (Kind.METRIC_SOURCE, "list", "list of metric sources"),
        (Kind.QUALIFYING_EVENT, "a\ud800", "unpaired surrogate"),
        (Kind.QUALIFYING_EVENT, "\U0001f600" * 10_000, "too long"),
    ],
)
def test_names_that_address_something_else_are_refused(kind: Kind, name: str, fault: str) -> None:
    """A name that the API would take for another address, or that cannot be sent, is refused before sending."""
    opened = Opened(one(None))
    with pytest.raises(Refused, match=fault) as caught:
        opened.client.get(kind, name)
    assert caught.value.status == 0
    assert opened.service.calls == []
    str(caught.value).encode()


@pytest.mark.parametrize("status", [400, 404])
def test_a_refused_list_is_a_protocol_error(status: int) -> None:
    """The lists are always there: a refusal of one concerns the address or the project, not one object."""
    opened = Opened(refused(status, "Not here"))
    for call in (lambda: opened.client.list(Kind.METRIC_SOURCE), opened.client.unit_ids, opened.client.ping):
        with pytest.raises(ProtocolError, match="Not here") as caught:
            call()
        assert "base_url" in caught.value.fix


def test_list_is_a_name_like_any_other_for_other_kinds() -> None:
    """Only metric sources have a list route beside their objects."""
    assert Opened(one({"name": "list"})).client.get(Kind.QUALIFYING_EVENT, "list") is not None


def test_tags_and_unit_ids_are_read_by_name() -> None:
    """Tags are a set of names, unit IDs keep their order; all pages of each are read."""
    opened = Opened(page({"name": "a", "id": "1"}, following=NEXT), page({"name": "A"}))
    assert opened.client.tags() == frozenset({"a", "A"})
    assert opened.service.calls[1] == "GET /console/v1/tags?limit=100&page=2"
    assert Opened(page({"name": "z"}, {"name": "b"})).client.unit_ids() == ("z", "b")


@pytest.mark.parametrize("entry", [{"id": 1}, "a", {"name": None}])
def test_a_tag_without_name_is_none_of_ours(entry: Any) -> None:
    """An entry that has no name keeps no other from being read."""
    assert "b" in Opened(page(entry, {"name": "b"})).client.tags()


def test_56_a_forbidden_list_concerns_the_key() -> None:
    """Fault 56: a 403 for a whole list says that the key may not read."""
    with pytest.raises(AuthenticationFailed, match="403"):
        Opened(refused(403)).client.list(Kind.METRIC_SOURCE)


def test_ping_is_one_small_request() -> None:
    """The check of the key asks for one entry of one page."""
    opened = Opened(page())
    opened.client.ping()
    assert opened.service.calls == ["GET /console/v1/unit_id_types?limit=1&page=1"]


def test_the_cap_of_pages_can_be_set() -> None:
    """A caller of `all_pages` may set its own cap."""
    opened = Opened(page(*named("a"), following=NEXT))
    sender = opened.client._reader._sender
    found = all_pages(
        lambda path: sender.read(path, "L"), METRICS, "L", lambda entry, _: (entry["name"], entry), most_pages=1
    )
    assert (found.pages, found.doubt) == (1, "there are more than 1 pages")
