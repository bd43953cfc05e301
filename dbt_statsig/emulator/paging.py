"""One page of a list, as the service cuts and describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from msgspec import Struct

from dbt_statsig.emulator.replies import Fault, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt_statsig.emulator.replies import Call

__all__ = ["Page", "page_of", "page_reply"]


class Page(Struct, frozen=True, kw_only=True):
    """Which page was asked for; `limit` 0 means all in one."""

    number: int = 1
    limit: int = 0


def page_of(query: str, *, required: bool, max_limit: int) -> Page | list[Fault]:
    """The page that a query string asks for, or what is wrong with it."""
    values = parse_qs(query, keep_blank_values=True)
    faults: list[Fault] = []
    numbers: dict[str, int] = {}
    for name, default in (("page", 1), ("limit", 0)):
        given = values.get(name)
        if given is None:
            if required:
                faults.append(Fault(name, "Required"))
            numbers[name] = default
        elif given[-1].isascii() and given[-1].isdecimal() and int(given[-1]) > 0:
            numbers[name] = int(given[-1])
        else:
            faults.append(Fault(name, "must be a whole number from 1"))
    if numbers.get("limit", 0) > max_limit:
        faults.append(Fault("limit", f"must be at most {max_limit}"))
    return faults or Page(number=numbers["page"], limit=numbers["limit"])


def page_reply(
    message: str, items: Sequence[Any], page: Page, call: Call, *, next_path: str = "", end: str | None = None
) -> Reply:
    """The answer with one page of `items`; `next_path` is what `nextPage` names, `end` what it holds on the last."""
    limit = page.limit or max(len(items), 1)
    start = (page.number - 1) * limit
    if call.endless:
        start %= max(len(items), 1)
    elif page.number > 1:
        start = max(0, start + call.shift)
    more = call.endless or start + limit < len(items)
    return Reply(
        status=200,
        payload={
            "message": message,
            "data": list(items[start : start + limit]),
            "pagination": {
                "itemsPerPage": limit,
                "pageNumber": page.number,
                "totalItems": len(items),
                "nextPage": f"{next_path or call.path}?page={page.number + 1}&limit={limit}" if more else end,
                "previousPage": f"{call.path}?page={page.number - 1}&limit={limit}" if page.number > 1 else end,
                "all": call.path,
            },
        },
    )
