"""What a key may do and what the Statsig project asks for; each is None where that cannot be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dbt_statsig.console.listing import page_path
from dbt_statsig.console.sender import Request
from dbt_statsig.errors import ConsoleError, Forbidden, Refused
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.sources import API_PREFIX, Kind

if TYPE_CHECKING:
    from dbt_statsig.console.sender import Sender

_SPEC = SPECS[Kind.ASSIGNMENT_SOURCE]
READS = {
    "sources": _SPEC.list_path,
    "metrics": f"{API_PREFIX}/metrics/list",
    "experiments": f"{API_PREFIX}/experiments",
    "the audit log": f"{API_PREFIX}/audit_logs",
}
"""What is read, and where."""
_NOTHING = b'{"dryRun": true}'
_BAD_REQUEST = 400


class About(Struct, frozen=True, kw_only=True):
    """The Statsig project and the key: `may_read` by what is read; reviews are those of changed sources."""

    warehouse_native: bool | None
    reviews_required: bool | None
    may_read: Mapping[str, bool | None]
    may_write: bool | None


def about(sender: Sender) -> About:
    """Ask for all of it; a key that is refused for one thing may be refused for all that follows."""
    return About(
        warehouse_native=_flag(_data(sender, f"{API_PREFIX}/company"), "isWarehouseNative"),
        reviews_required=_flag(_data(sender, f"{API_PREFIX}/settings/reviews"), "is_whn_source_review_required"),
        may_read={what: _may_read(sender, path) for what, path in READS.items()},
        may_write=_may_write(sender),
    )


def _may_write(sender: Sender) -> bool | None:
    """Whether the key may change sources.

    What is sent is a dry run that lacks every required field, so it cannot become an object. 403 is about the key; 400
    about the fields, so the key was good enough to have them looked at.
    """
    request = Request(method="POST", path=_SPEC.create_path, what="An empty dry run", body=_NOTHING)
    try:
        sender.write(request)
    except Forbidden:
        return False
    except Refused as error:
        return True if error.status == _BAD_REQUEST else None
    except ConsoleError:
        return None
    return None


def _may_read(sender: Sender, path: str) -> bool | None:
    try:
        sender.read(page_path(path, 1, size=1), "A list", once=True)
    except Forbidden:
        return False
    except ConsoleError:
        return None
    return True


def _data(sender: Sender, path: str) -> Any:
    try:
        return sender.read(path, "The project", once=True).data
    except ConsoleError:
        return None


def _flag(data: Any, key: str) -> bool | None:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, bool) else None
