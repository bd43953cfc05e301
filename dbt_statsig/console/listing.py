"""All pages of a list, and whether they are all there is.

Pages are counted on the path that was asked: `nextPage` was seen to lead elsewhere, so it only says whether to go on.
A list is complete only where nothing speaks against it; nobody may take an object for deleted otherwise.
Where the first page tells how many there are, the next ones are asked for before the last is read. That makes it
faster and nothing else: they are read in their order, and only as far as each page says that another follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

from dbt_statsig.errors import ProtocolError
from dbt_statsig.support.threads import in_background
from dbt_statsig.vocabulary.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from dbt_statsig.console.sender import Envelope

PAGE_SIZE = 100
MOST_PAGES = 1000
PAGES_AHEAD = 4
"""How many pages are asked for at once: four hide the network's latency, and leave the service to others too."""

T = TypeVar("T")


class Listing(Struct, frozen=True, kw_only=True):
    """All objects of one kind, each name once; `doubt` says why the list may lack some, or is empty.

    `unread` are those of which only name and description could be read, by name, each with the reason. `unpublished`
    are the values that no write can send, by the object's name and their places.
    """

    items: tuple[Source, ...]
    pages: int
    complete: bool
    doubt: str = ""
    unread: Mapping[str, str] = {}
    unpublished: Mapping[str, Mapping[str, Any]] = {}


class Pages(Struct, Generic[T], frozen=True, kw_only=True):
    """The entries of all pages, by name, in the order of the answers."""

    entries: dict[str, T]
    pages: int
    doubt: str = ""


class _Page(Struct, frozen=True, kw_only=True):
    data: list[Any]
    goes_on: bool
    total: int | None
    has_odd_total: bool
    is_paged: bool


def page_path(path: str, number: int, size: int = PAGE_SIZE) -> str:
    """The address of one page: Statsig is making both parameters mandatory, so both are always there."""
    return f"{path}{'&' if '?' in path else '?'}limit={size}&page={number}"


def all_pages(
    fetch: Callable[[str], Envelope],
    path: str,
    what: str,
    decode: Callable[[Any, str], tuple[str, T]],
    *,
    most_pages: int = MOST_PAGES,
) -> Pages[T]:
    """Every entry under its name; `decode` takes an entry and its place in words. Raises ProtocolError."""
    entries: dict[str, T] = {}
    totals: set[int] = set()
    prefetch = _Prefetch(fetch, path)
    doubt = ""
    number = 0
    goes_on = True
    while goes_on and number < most_pages:
        number += 1
        place = f"{what}, page {number}"
        page = _read_page(prefetch.fetch(number), place)
        if number == 1:
            prefetch.expect(min(_pages_announced(page), most_pages))
        found = [decode(entry, f"{place}, entry {index}") for index, entry in enumerate(page.data, 1)]
        before = len(entries)
        for name, entry in found:
            entries.setdefault(name, entry)
        if page.total is not None:
            totals.add(page.total)
        doubt = doubt or _doubt(page, number, repeats=len(entries) - before != len(found))
        goes_on = page.goes_on and len(entries) > before
        if page.goes_on and not found and totals != {len(entries)}:
            doubt = doubt or f"page {number} is empty but announces another"
    if goes_on:
        doubt = doubt or f"there are more than {most_pages} pages"
    if totals and totals != {len(entries)}:
        doubt = doubt or f"{len(entries)} entries came, {_counts(totals)} were announced"
    return Pages(entries=entries, pages=number, doubt=doubt)


def _doubt(page: _Page, number: int, *, repeats: bool) -> str:
    """What speaks against a page; empty where nothing does."""
    if page.has_odd_total:
        return "the total is not a whole number"
    if repeats:
        return f"page {number} repeats entries"
    return "the answer does not say whether there are more pages" if not page.is_paged and page.data else ""


class _Prefetch:
    """The pages of one list, of which those that are expected are asked for a few at a time."""

    def __init__(self, fetch: Callable[[str], Envelope], path: str) -> None:
        self._fetch = fetch
        self._path = path
        self._expected = 1
        self._asked: dict[int, Future[Envelope]] = {}

    def expect(self, pages: int) -> None:
        self._expected = pages

    def fetch(self, number: int) -> Envelope:
        """The answer that holds the page; the pages have to be fetched in their order."""
        if number > self._expected or self._expected == 1:
            return self._fetch(page_path(self._path, number))
        for following in range(number, min(number + PAGES_AHEAD, self._expected + 1)):
            if following not in self._asked:
                address = page_path(self._path, following)
                self._asked[following] = in_background(partial(self._fetch, address))
        return self._asked.pop(number).result()


def _pages_announced(page: _Page) -> int:
    """How many pages a first page promises: 1 where it says nothing certain, or is not of the size that was asked."""
    if page.total is None or not page.goes_on or len(page.data) != PAGE_SIZE:
        return 1
    return ceil(page.total / PAGE_SIZE)


def _counts(totals: set[int]) -> str:
    return " then ".join(map(str, sorted(totals)))


def _read_page(answer: Envelope, place: str) -> _Page:
    data, pagination = answer.data, answer.pagination
    if not isinstance(data, list):
        raise ProtocolError(f"{place}: data is not a list.", fix="Check `base_url` and any proxy in between.")
    is_paged = isinstance(pagination, dict) and "nextPage" in pagination
    total = pagination.get("totalItems") if isinstance(pagination, dict) else None
    return _Page(
        data=data,
        goes_on=bool(pagination["nextPage"]) if is_paged else len(data) >= PAGE_SIZE,
        total=total if type(total) is int else None,
        has_odd_total=total is not None and type(total) is not int,
        is_paged=is_paged,
    )
