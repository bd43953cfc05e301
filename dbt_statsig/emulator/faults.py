"""Faults on request: a plan says which requests meet which fault, and the plan counts them."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.mangling import Way
from dbt_statsig.emulator.seed import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dbt_statsig.emulator.replies import Call

__all__ = ["FaultPlan", "Injected", "Match"]

Action = Literal[
    "drop_before_commit",
    "drop_after_commit",
    "delay",
    "slow_bytes",
    "slow_headers",
    "status",
    "garbage",
    "truncate",
    "html",
    "redirect",
    "shift_pages",
    "endless_pages",
    "empty_list",
    "echo_differs",
    "keeps_otherwise",
    "old_object",
    "odd_neighbour",
    "short_list",
    "late_commit",
]


class Match(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests: a method, a regular expression found in the path and query as sent, the nth of those (from 1)."""

    method: str = ""
    path: str = ""
    nth: int | list[int] | None = None


class Injected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault of a plan.

    - `seconds`: of delay, between two bytes of a slow answer (its body, or its headers too), or until a late commit
      shows.
    - `status`, `headers`, `body`: what is answered (JSON, or text as it is); `url`: where a redirect leads.
    - `commit`: whether the request takes effect; by default not for `status` and `redirect`, else yes.
    - `by`: how many objects a page is shifted (below 0: some come again; above 0: some are skipped), or a short list
      lacks at its end.
    - `fields`: what an echo says, or the object is kept with, instead; or an object that stands in a list besides.
    - `ways`: how else it is kept (see `mangling.py`). `old_object` answers a change with what was there before.
    - `answer`: a late commit is answered as success, else the connection drops.
    - `times`: after so many, the fault is over.
    """

    action: Action
    match: Match = Match()
    times: int | None = None
    seconds: float = 1.0
    status: int | None = None
    headers: dict[str, str] = {}
    body: Any = None
    url: str = ""
    commit: bool | None = None
    by: int = -1
    fields: dict[str, Any] = {}
    ways: list[Way] = []
    answer: bool = False

    @property
    def commits(self) -> bool:
        """Whether a request that meets this fault takes effect."""
        return self.action not in ("status", "redirect", "old_object") if self.commit is None else self.commit


class FaultPlan:
    """The faults in force, each with the number of requests that it matched and hit."""

    def __init__(self, plan: Sequence[Mapping[str, Any]] | Path = ()) -> None:
        """Take a plan, or the JSON file of one. Raises `CannotStart`."""
        self._lock = Lock()
        self._faults: list[Injected] = []
        self._seen: list[int] = []
        self._hits: list[int] = []
        self.replace(read_json(plan, "fault plan") if isinstance(plan, Path) else plan)

    def replace(self, plan: Any) -> None:
        """Put another plan in force; nothing changes when it is not valid. Raises `CannotStart`."""
        content = plan.get("faults") if isinstance(plan, dict) else plan
        try:
            faults = msgspec.convert(content, list[Injected])
            for fault in faults:
                re.compile(fault.match.path)
        except (msgspec.ValidationError, re.error) as fault:
            raise CannotStart(f"The fault plan is not valid: {fault}.") from fault
        with self._lock:
            self._faults = faults
            self._seen = [0] * len(faults)
            self._hits = [0] * len(faults)

    def due(self, call: Call) -> Injected | None:
        """The first fault that this request meets; every fault that it matches counts it."""
        target = f"{call.path}?{call.query}" if call.query else call.path
        met: Injected | None = None
        with self._lock:
            for index, fault in enumerate(self._faults):
                match = fault.match
                if match.method not in ("", call.method) or not re.search(match.path, target):
                    continue
                self._seen[index] += 1
                turn = match.nth is None or self._seen[index] in _numbers(match.nth)
                left = fault.times is None or self._hits[index] < fault.times
                if met is None and turn and left:
                    self._hits[index] += 1
                    met = fault
        return met

    def as_plan(self) -> list[dict[str, Any]]:
        """The faults in force, with how many requests each has hit."""
        with self._lock:
            return [
                {**msgspec.to_builtins(fault), "hits": hits}
                for fault, hits in zip(self._faults, self._hits, strict=True)
            ]


def _numbers(nth: int | list[int]) -> list[int]:
    return [nth] if isinstance(nth, int) else nth
