"""Tests of pages that are asked for before their turn: faster, and nothing else."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_statsig.console import listing
from dbt_statsig.console.listing import PAGE_SIZE, PAGES_AHEAD, Pages, all_pages
from dbt_statsig.console.sender import Envelope
from dbt_statsig.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH = "/console/v1/things"


class Answers:
    """A list of which each page is given as (names, total, goes on); remembers what was asked, and how much at once."""

    def __init__(self, pages: Sequence[tuple[Sequence[str], int | None, bool]], *, seconds: float = 0.0) -> None:
        """After the last page come empty ones; each answer takes so long."""
        self.pages = pages
        self.seconds = seconds
        self.asked: list[int] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def fetch(self, address: str) -> Envelope:
        """The page of the address."""
        found = re.fullmatch(rf"{PATH}\?limit=100&page=(\d+)", address)
        assert found
        number = int(found[1])
        with self._lock:
            self.asked.append(number)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        time.sleep(self.seconds)
        with self._lock:
            self._at_once -= 1
        names, total, goes_on = self.pages[number - 1] if number <= len(self.pages) else ((), None, False)
        pagination = {"nextPage": "more" if goes_on else None}
        if total is not None:
            pagination["totalItems"] = total  # type: ignore[assignment]  # JSON
        return Envelope(data=list(names), pagination=pagination)

    def read(self) -> Pages[str]:
        """All of it."""
        return all_pages(self.fetch, PATH, "The list", lambda name, _: (name, name))


def whole(count: int, *, total: int | None = None) -> list[tuple[list[str], int, bool]]:
    """A list of so many entries, well behaved but for the total that it may announce."""
    names = [f"n{number}" for number in range(count)]
    starts = range(0, max(count, 1), PAGE_SIZE)
    return [(names[at : at + PAGE_SIZE], count if total is None else total, at + PAGE_SIZE < count) for at in starts]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 1000, 1001])
def test_each_page_is_asked_for_once(count: int) -> None:
    """As many requests as the list has pages, none twice and none in vain; the entries keep the list's order."""
    answers = Answers(whole(count))
    found = answers.read()
    assert list(found.entries) == [f"n{number}" for number in range(count)]
    assert (found.doubt, found.pages) == ("", len(answers.pages))
    assert sorted(answers.asked) == list(range(1, len(answers.pages) + 1))


def test_a_few_pages_at_once() -> None:
    """Pages are under way side by side, never more than PAGES_AHEAD."""
    answers = Answers(whole(2000), seconds=0.02)
    answers.read()
    assert answers.most_at_once == PAGES_AHEAD


@pytest.mark.parametrize("pages", [whole(50, total=500), [(["a"] * 100, None, True)], whole(99, total=99)])
def test_without_a_sure_number_pages_come_one_by_one(pages: list[tuple[list[str], int | None, bool]]) -> None:
    """Where the first page names no total, is the last or is smaller than asked, nothing is asked ahead."""
    answers = Answers(pages, seconds=0.01)
    answers.read()
    assert answers.most_at_once == 1


def test_a_list_that_grows_is_read_to_its_end() -> None:
    """A page that appears while the list is read is read too, and the list is doubted."""
    names = [f"n{number}" for number in range(301)]
    pages = [
        (names[:100], 200, True),
        (names[100:200], 300, True),
        (names[200:300], 301, True),
        (names[300:], 301, False),
    ]
    found = Answers(pages).read()
    assert (len(found.entries), found.pages) == (301, 4)
    assert "200 then 300 then 301 were announced" in found.doubt


def test_a_list_that_shrinks_is_doubted() -> None:
    """What was asked for past the new end is not looked at, and the list is doubted."""
    pages = whole(1000)
    answers = Answers([*pages[:2], (pages[2][0], 300, False), *pages[3:]])
    found = answers.read()
    assert (len(found.entries), found.pages) == (300, 3)
    assert "300 then 1000 were announced" in found.doubt
    assert max(answers.asked) <= 3 + PAGES_AHEAD


def test_a_total_without_end_asks_for_no_more_than_a_few() -> None:
    """An absurd total costs a few requests, not as many as it announces."""
    answers = Answers([(whole(100)[0][0], 10**12, True), ([], 10**12, False)])
    found = answers.read()
    assert "100 entries came" in found.doubt
    assert max(answers.asked) <= 2 + PAGES_AHEAD


def test_the_first_page_that_fails_is_reported() -> None:
    """An error of a page that was asked for ahead is raised when its turn comes."""
    answers = Answers(whole(1000))
    fetch = answers.fetch

    def failing(address: str) -> Envelope:
        number = int(address.rpartition("=")[2])
        if number >= 3:
            raise ConnectionFailed(f"page {number} is lost")
        return fetch(address)

    with pytest.raises(ConnectionFailed, match="page 3 is lost"):
        all_pages(failing, PATH, "The list", lambda name, _: (name, name))


NAMES = st.integers(0, 350).map(lambda number: f"n{number}")
ODD_PAGES = st.tuples(
    st.one_of(st.just([f"n{number}" for number in range(100)]), st.lists(NAMES, max_size=130)),
    st.one_of(st.none(), st.integers(0, 700)),
    st.booleans(),
)


@settings(deadline=None, max_examples=150)
@given(
    first=st.tuples(st.just([f"n{number}" for number in range(100)]), st.integers(0, 700)),
    rest=st.lists(ODD_PAGES, max_size=7),
)
def test_23_reading_ahead_finds_what_reading_one_by_one_finds(
    first: tuple[list[str], int], rest: list[tuple[list[str], int | None, bool]]
) -> None:
    """Fault 23: however the pages lie, both ways give the same entries, the same pages and the same doubt."""
    pages = [(*first, True), *rest]
    with patch.object(listing, "PAGES_AHEAD", 1):
        one_by_one = Answers(pages).read()
    assert Answers(pages).read() == one_by_one
