"""Pages as the service cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.emulator.paging import Page, page_of, page_reply
from dbt_statsig.emulator.replies import Call


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("page=2&limit=10", Page(number=2, limit=10)),
        ("limit=100&page=1&more=1", Page(number=1, limit=100)),
        ("", ["page", "limit"]),
        ("page=1", ["limit"]),
        ("page=0&limit=10", ["page"]),
        ("page=-1&limit=x", ["page", "limit"]),
        ("page=1&limit=", ["limit"]),
        ("page=1&limit=101", ["limit"]),
        ("page=²&limit=1", ["page"]),
    ],
)
def test_page_and_limit_are_required_numbers(query: str, expected: Page | list[str]) -> None:
    """Both must be there, from 1, and the limit within the largest."""
    page = page_of(query, required=True, max_limit=100)
    assert (page if isinstance(page, Page) else [fault.property for fault in page]) == expected


def test_lists_that_need_no_page() -> None:
    """Without a limit all comes at once."""
    page = page_of("", required=False, max_limit=100)
    assert page == Page(number=1, limit=0)
    payload = page_reply("", ["a", "b"], Page(), Call(method="GET", path="/x")).payload
    assert payload["data"] == ["a", "b"]
    assert payload["pagination"]["nextPage"] is None


@given(items=st.lists(st.integers(), max_size=40), limit=st.integers(1, 12))
def test_following_the_pages_gives_every_item_once(items: list[int], limit: int) -> None:
    """Counting pages until `nextPage` is null gives the list, in order; every page names its neighbours."""
    got: list[int] = []
    number = 1
    while True:
        payload = page_reply("", items, Page(number=number, limit=limit), Call(method="GET", path="/x")).payload
        got += payload["data"]
        pages = payload["pagination"]
        assert pages["previousPage"] == (f"/x?page={number - 1}&limit={limit}" if number > 1 else None)
        if pages["nextPage"] is None:
            break
        number += 1
        assert pages["nextPage"] == f"/x?page={number}&limit={limit}"
    assert got == items
    assert pages["totalItems"] == len(items)


def test_another_next_path_and_another_end() -> None:
    """The next page may be named under another path, and the last one by an empty string."""
    call = Call(method="GET", path="/x")
    first, last = (
        page_reply("", [1, 2], Page(number=number, limit=1), call, next_path="/y", end="").payload["pagination"]
        for number in (1, 2)
    )
    assert (first["nextPage"], first["previousPage"]) == ("/y?page=2&limit=1", "")
    assert (last["nextPage"], last["previousPage"]) == ("", "/x?page=1&limit=1")


def test_shifted_pages_repeat_or_skip() -> None:
    """A shift moves every page but the first."""
    for shift, expected in ((-1, [[1, 2], [2, 3]]), (1, [[1, 2], [4]])):
        call = Call(method="GET", path="/x", shift=shift)
        pages = [page_reply("", [1, 2, 3, 4], Page(number=number, limit=2), call).payload["data"] for number in (1, 2)]
        assert pages == expected


def test_endless_pages_come_round_again() -> None:
    """There is always a next page, and it holds what was there before."""
    call = Call(method="GET", path="/x", endless=True)
    payload = page_reply("", [1, 2], Page(number=4, limit=1), call).payload
    assert payload["data"] == [2]
    assert payload["pagination"]["nextPage"] == "/x?page=5&limit=1"
    assert page_reply("", [], Page(number=4, limit=1), call).payload["data"] == []
