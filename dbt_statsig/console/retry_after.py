"""The Retry-After header, in both of its published forms."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def seconds_asked(headers: Mapping[str, str], *, wall: float) -> float | None:
    """How long a server asks to wait; None where it does not say so in a form that can be read.

    A date is counted from the answer's own Date header where there is one, so that a wrong local clock does not
    matter. A date that has passed is no answer, as is a negative number.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _timestamp(value)
    if until is None:
        return None
    sent = _timestamp(headers.get("date", ""))
    seconds = until - (wall if sent is None else sent)
    return seconds if seconds >= 0 else None


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
