"""What an emulator may be told: each option is one way in which the service may answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from dbt_statsig.emulator.failures import CannotStart

__all__ = ["OLDER_WINDOWS", "PUBLISHED_WINDOWS", "Options"]

PUBLISHED_WINDOWS = ((30, 10.0), (1800, 900.0))
"""Statsig's newest documented limits on mutations: requests, and the seconds in which they may be sent."""

OLDER_WINDOWS = ((100, 10.0), (900, 900.0))
"""What older pages say, which are still up."""

_SCOPES = ("omni_read_write", "omni_read_only")

_NAMED = {"published": PUBLISHED_WINDOWS, "older": OLDER_WINDOWS}


class Options(Struct, frozen=True, kw_only=True):
    """How one emulator behaves; the defaults follow Statsig's published API description.

    Raises `CannotStart` for a value that could never work.

    - `key`: the one accepted key. `latency`: seconds before each answer.
    - `seed`: initial objects (see `seed.py`), or the JSON file that holds them. `faults`: a plan, or its file.
    - `rate_limit`: True for the published windows, "older" for those of older pages, or windows as (requests, seconds).
    - `count_refused`: requests that are refused for a limit count too. `retry_after`: such an answer says how long to
      wait; Statsig was seen to say nothing.
    - `warehouse`: a DuckDB file or a PostgreSQL URL on which the SQL of writes is run.
    - `normalise`: stored objects come back trimmed, sorted and with defaults filled in.
    - `page_odd`: `nextPage` of qualifying events names another path. `empty_next_page`: the last one is "", not null.
    - `require_paging`: lists of sources refuse requests without `page` and `limit`. `max_limit`: the largest `limit`.
    - `missing_status`: what a missing metric source or qualifying event gives (not published: 404 or 400).
    - `refuse_unknown_tags`: a source with an unknown tag is refused; else the tag is made.
    - `scope`: what the key may do; "omni_read_only" refuses every write with 403.
    - `warehouse_native`: what `/company` says. `review_required`: changes of sources wait for a review, where a client
      asks to respect that. `audit_details`: entries of the audit log say which fields changed.
    - `sdk_key_owner`: created objects get an owner of type SDK_KEY.
    - `full_update_resets`: what a full update leaves out goes back to its default; else it stays.
    - `plain_errors`: validation faults without the `errors` list.
    - `archives_at_once`: a scheduled archive of a metric happens at once, not on the next day.
    - `load_looks`: how many readings of the history a load of results takes. `clock`: what its times go by.
    - `lock_wait`: seconds to wait for a DuckDB file that another process holds.
    - `on_request`: called with one line for each request.
    """

    key: str = "console-emulator"
    seed: Mapping[str, Any] | Path | None = None
    faults: Sequence[Mapping[str, Any]] | Path = ()
    latency: float = 0.0
    rate_limit: bool | str | Sequence[tuple[int, float]] = False
    count_refused: bool = True
    retry_after: bool = False
    warehouse: str | None = None
    normalise: bool = False
    page_odd: bool = True
    empty_next_page: bool = False
    require_paging: bool = True
    max_limit: int = 100
    missing_status: int = 404
    refuse_unknown_tags: bool = False
    scope: str = _SCOPES[0]
    warehouse_native: bool = True
    review_required: bool = False
    audit_details: bool = True
    sdk_key_owner: bool = False
    full_update_resets: bool = False
    plain_errors: bool = False
    archives_at_once: bool = False
    load_looks: int = 1
    clock: Callable[[], float] = time.time
    lock_wait: float = 5.0
    on_request: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        """Refuse what could never work."""
        if not self.key.startswith("console-"):
            raise CannotStart("The emulator's key must start with 'console-', as Console API keys do.")
        if self.latency < 0:
            raise CannotStart(f"The latency must be 0 seconds or more, not {self.latency}.")
        if self.scope not in _SCOPES:
            raise CannotStart(f"The scope is {' or '.join(_SCOPES)}, not {self.scope}.")
        if isinstance(self.rate_limit, str) and self.rate_limit not in _NAMED:
            raise CannotStart(f"The limits are {' or '.join(_NAMED)}, not {self.rate_limit}.")

    @property
    def may_write(self) -> bool:
        """Whether the key may change anything."""
        return self.scope == _SCOPES[0]

    @property
    def windows(self) -> tuple[tuple[int, float], ...]:
        """The windows in force; none when the limit is off."""
        if self.rate_limit is True:
            return PUBLISHED_WINDOWS
        return _NAMED[self.rate_limit] if isinstance(self.rate_limit, str) else tuple(self.rate_limit or ())
