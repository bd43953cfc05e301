"""Whether an accepted write has happened: by its answer, or else by reading back.

Facts: a write can wait for a review (`is_whn_source_review_required`), and what it is answered then is not published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from dbt_statsig.errors import ConsoleError, OutcomeUnknown, Refused
from dbt_statsig.vocabulary.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.console.waiting import WaitBudget

CONFIRMATIONS = (0.0, 1.0, 2.0)
"""Seconds before each look at what an accepted write did: a list can lag behind a write."""

T = TypeVar("T")


class NotShown(OutcomeUnknown):
    """A write that was accepted and does not show.

    `live` is the object where its answer and reading back agree on it: perhaps Statsig keeps it so. Else it is None.
    """

    live: Source | None = None


class Sent(Struct, frozen=True, kw_only=True):
    """What was sent and what came back: the object before (None: not known, or there was none) and the answer's own.

    `creates` where there was no object before. `whole` is the object as it has to be afterwards, where only some of
    its fields were sent.
    """

    payload: Source
    before: Source | None
    echo: Source | None
    creates: bool = False
    whole: Source | None = None


def took_effect(sent: Sent, live: Source | None, same: Callable[[Source, Source], bool]) -> bool:
    """Whether the live object shows this write: it holds what was sent, or what the answer says that Statsig keeps."""
    if live is None:
        return False
    if same(sent.payload, live):
        return True
    if sent.echo is None or sent.echo.name != sent.payload.name or not same(sent.echo, live):
        return False
    return sent.creates or (sent.before is not None and not same(sent.before, live))


def confirm(
    look: Callable[[], T],
    is_done: Callable[[T], bool],
    *,
    what: str,
    fault: str,
    shown: str,
    wait_budget: WaitBudget,
) -> T:
    """What shows that the write was done, after as many looks as it takes.

    `fault` is an error that the answer reports. Raises Refused where there is one and nothing shows, and otherwise
    NotShown with `shown`, which says what is there instead, or OutcomeUnknown where reading back failed.
    """
    for seconds in CONFIRMATIONS[:1] if fault else CONFIRMATIONS:
        if seconds and not wait_budget.pause(seconds, f"{what}: not visible yet", stoppable=False):
            break
        try:
            seen = look()
        except ConsoleError as error:
            unread = error.message.removeprefix(f"{what}: ").rstrip(".")
            raise OutcomeUnknown(
                f"{what}: it is not known whether this was written; the answer does not show it, and reading it back "
                f"failed: {unread}.",
                fix="Run it again: it compares first and writes only differences.",
            ) from None
        if is_done(seen):
            return seen
    if fault:
        raise Refused(f"{what}: Statsig refused it ({fault}).", status=400)
    raise NotShown(
        f"{what}: Statsig accepted this, but {shown}.",
        fix="A review may be pending: check in Statsig. The next run compares again and sends only differences.",
    )
