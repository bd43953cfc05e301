"""A scripted Console API behind the client's own transport seam, and a clock that tests turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.console.pace import Rates
from dbt_statsig.console.waiting import WaitBudget
from dbt_statsig.vocabulary.kinds import AssignmentSource, EntityPropertySource, MetricSource
from dbt_statsig.vocabulary.sources import IdType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Event

    from dbt_statsig.console.waiting import Waiting

SECRET = "console-Abc123Def456"  # noqa: S105  # pragma: allowlist secret - no key of anybody's
KEY = ApiKey(SECRET, origin="STATSIG_CONSOLE_API_KEY")
UNPACED = Rates(first=1_000_000, most=1_000_000, quota=1_000_000)
"""No pace at all, for tests of other things."""
ORDERS = MetricSource(
    name="Orders",
    sql="select 1",
    tags=("b", "a"),
    timestamp_column="ordered_at",
    id_type_mapping=(IdType(statsig_unit_id="userID", column="user_id"),),
)
EXPOSURES = AssignmentSource(name="Exposures", sql="select 1", experiment_id_column="e")
USERS = EntityPropertySource(name="Users", sql="select 1", timestamp_as_day=True)


class FakeClock:
    """A clock on which a sleep takes no time, and which remembers each."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds since the start."""
        return self.time

    def wall(self) -> float:
        """Seconds since 1970."""
        return 1_800_000_000.0 + self.time

    def sleep(self, seconds: float, until: Event | None = None) -> None:
        """Move on by so much, or not at all when stopped before."""
        if until is None or not until.is_set():
            self.slept.append(seconds)
            self.time += seconds


Reply = httpx.Response | httpx.TransportError | tuple[int, Any]


class Service:
    """Gives its replies in order, one a request, and remembers the requests; the last reply stays."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        """`(status, content)` is a JSON answer; an exception is what happens instead of one."""
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next reply."""
        request.read()
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, httpx.TransportError):
            raise reply
        if isinstance(reply, tuple):
            return httpx.Response(reply[0], json=reply[1])
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    @property
    def calls(self) -> list[str]:
        """Method and path of each request."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


class Opened:
    """A client on a scripted service, with its clock and the pauses that it reported."""

    def __init__(self, *replies: Reply, **options: Any) -> None:
        """`options` go to the client."""
        self.service = Service(replies)
        self.clock = FakeClock()
        self.waits: list[Waiting] = []
        self.client = ConsoleClient(
            KEY,
            transport=httpx.MockTransport(self.service),
            clock=self.clock,
            **{"on_wait": self.waits.append, **options},
        )


def page(*items: Any, total: int | None = None, following: str | None = None) -> tuple[int, Any]:
    """One page of a list."""
    pagination: dict[str, Any] = {"itemsPerPage": 100, "pageNumber": 1, "nextPage": following, "previousPage": None}
    if total is not None:
        pagination["totalItems"] = total
    return 200, {"message": "Listed.", "data": list(items), "pagination": pagination}


def one(item: Any, status: int = 200) -> tuple[int, Any]:
    """One object."""
    return status, {"message": "Done.", "data": item}


def refused(status: int, message: str = "No.", **more: Any) -> tuple[int, Any]:
    """An error answer."""
    return status, {"status": status, "message": message, **more}


def wait_budget(clock: FakeClock, budget: float = 100.0, waits: list[Waiting] | None = None) -> WaitBudget:
    """A budget without chance in it: each backoff is three quarters of its longest."""
    return WaitBudget(budget=budget, clock=clock, on_wait=None if waits is None else waits.append, jitter=lambda: 0.5)
