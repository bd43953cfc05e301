"""What became of a write whose answer was lost: read, wait, read again, and repeat only what did not happen."""

from __future__ import annotations

import re
from enum import Enum
from itertools import chain, repeat
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.console.sender import Lost
from dbt_statsig.errors import Conflict, ConsoleError, OutcomeUnknown, Refused, Stopped
from dbt_statsig.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dbt_statsig.console.answers import Envelope
    from dbt_statsig.console.waiting import Patience

LOOKS = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look: a commit can show later than its answer was lost."""

_MORE = 15.0
_TAKEN = re.compile(r"already (?:in use|exists|taken|there)|(?:is|name) (?:in use|taken)", re.IGNORECASE)
_CONFLICT = 409


class State(Enum):
    """What a look at the console says about a write."""

    HAPPENED = "happened"
    PENDING = "not there yet"
    FOREIGN = "somebody else's"
    UNCLEAR = "neither certainly ours nor certainly the old one"


class Seen(Struct, frozen=True, kw_only=True):
    """The state, and the object that showed it, if there was one."""

    state: State
    live: Source | None = None


class Settled(Struct, frozen=True, kw_only=True):
    """A write that certainly happened, learned by reading."""

    live: Source | None


def settle(
    attempt: Callable[[], Envelope | Lost],
    look: Callable[[], Seen],
    *,
    what: str,
    patience: Patience,
    looks: tuple[float, ...] = LOOKS,
) -> Envelope | Settled:
    """The answer of a write, or what reading back shows after a lost one; one more attempt where it did not happen.

    Where that attempt finds the name taken, the first one may have happened: then it is looked for as long as the
    budget for waiting allows.

    Raises OutcomeUnknown where reading shows nothing certain, Conflict where it shows a third value, and what
    `attempt` raises.
    """
    first = attempt()
    if not isinstance(first, Lost):
        return first
    seen = _watch(look, first, what, patience, looks)
    if seen.state is not State.PENDING:
        return _judged(seen, first, what)
    second, refused, unsent = _again(attempt)
    if second is not None and not isinstance(second, Lost):
        return second
    if unsent is not None:
        raise _unknown(what, first, f"it was not there when read back, and not sent again: {unsent}")
    is_taken = refused is not None and _is_taken(refused)
    if is_taken:
        seen = _watch(look, first, what, patience, chain(looks, repeat(_MORE)), stoppable=True)
    else:
        seen = _watch(look, first, what, patience, looks[:1] if refused else looks)
    if is_taken and seen.state is State.PENDING:
        raise _unknown(what, first, "sent again, its name was taken, and it is not there when read back")
    if refused is not None and seen.state is State.PENDING:
        raise refused
    if seen.state is State.PENDING:
        raise _unknown(what, first, "it was sent twice, and is not there when read back")
    return _judged(seen, first, what)


def _again(attempt: Callable[[], Envelope | Lost]) -> tuple[Envelope | Lost | None, Refused | None, str | None]:
    try:
        return attempt(), None, None
    except Refused as error:
        return None, error, None
    except ConsoleError as error:
        return None, None, error.message


def _is_taken(refused: Refused) -> bool:
    """Whether a refusal says that there is an object of this name."""
    texts = (refused.message, *refused.problems)
    return refused.status == _CONFLICT or any(_TAKEN.search(text) for text in texts)


def _may_wait(patience: Patience, seconds: float, reason: str, *, stoppable: bool) -> bool:
    try:
        return patience.pause(seconds, reason, stoppable=stoppable)
    except Stopped:
        return False


def _watch(
    look: Callable[[], Seen],
    lost: Lost,
    what: str,
    patience: Patience,
    looks: Iterable[float],
    *,
    stoppable: bool = False,
) -> Seen:
    """The first look that is certain, or the last one; one that is `stoppable` ends with the run too."""
    seen: Seen = Seen(state=State.PENDING)
    for seconds in looks:
        if seconds and not _may_wait(patience, seconds, f"{what}: its answer was lost", stoppable=stoppable):
            break
        try:
            seen = look()
        except ConsoleError as error:
            failed = error.message.removeprefix(f"{what}: ")
        else:
            failed = ""
        if failed:
            raise _unknown(what, lost, f"reading it back failed: {failed}")
        if seen.state in {State.HAPPENED, State.FOREIGN}:
            break
    return seen


def _judged(seen: Seen, lost: Lost, what: str) -> Settled:
    if seen.state is State.HAPPENED:
        return Settled(live=seen.live)
    if seen.state is State.FOREIGN:
        raise Conflict(
            f"{what}: the answer was lost ({lost.detail}), and the console now holds values that are not ours.",
            status=409,
            fix="Somebody else wrote at the same time: plan again and compare.",
        )
    raise _unknown(what, lost, "what is there when read back is not what was sent")


def _unknown(what: str, lost: Lost, why: str) -> OutcomeUnknown:
    why = why.rstrip(".")
    return OutcomeUnknown(
        f"{what}: it is not known whether this was written; the answer was lost ({lost.detail}), and {why}.",
        fix="Run it again: it compares first, and writes only what differs.",
    )
