"""The Console API client against the emulator with faults injected, over real sockets; rows are numbered as planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.errors import Conflict, ConnectionFailed, OutcomeUnknown, ProtocolError, Refused, Throttled
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.test_console_emulator import connect, source
from tests.unit.console.service import UNPACED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.emulator import Running

READ_BACK_DELAYS = (0.0, 0.1, 0.2, 0.4)
WRITES = {"method": "POST"}
KIND = Kind.METRIC_SOURCE


@pytest.fixture
def console(server: Running) -> Iterator[ConsoleClient]:
    """A client that looks back quickly."""
    with connect(server, delays=READ_BACK_DELAYS, write_timeout=1.0, read_timeout=1.0, budget=8.0) as client:
        yield client


def calls(server: Running) -> str:
    """The requests as initials and statuses."""
    return " ".join(f"{request.method[0]}{request.status}" for request in server.requests)


LOST_AFTER: list[dict[str, Any]] = [
    {"action": "drop_after_commit"},
    {"action": "status", "status": 500, "commit": True},
    {"action": "status", "status": 504, "commit": True},
    {"action": "html"},
    {"action": "garbage"},
    {"action": "truncate"},
]
LOST_BEFORE: list[dict[str, Any]] = [
    {"action": "drop_before_commit"},
    {"action": "status", "status": 502},
    {"action": "html", "commit": False},
    {"action": "truncate", "commit": False},
]


def fault(index: dict[str, Any], **match: Any) -> dict[str, Any]:
    """A fault that strikes the first request that matches."""
    return {**index, "match": match or WRITES, "times": 1}


@pytest.mark.parametrize("lost", LOST_AFTER, ids=lambda lost: f"{lost['action']}{lost.get('status', '')}")
@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_3_12_20_a_create_whose_answer_is_lost(
    kind: Kind, lost: dict[str, Any], server: Running, console: ConsoleClient
) -> None:
    """Faults 3, 12, 20: the create took effect and its answer did not arrive: success by reading back, no duplicate."""
    server.inject(fault(lost))
    assert console.create(kind, source(kind, "One")).reconciled
    assert [item.name for item in console.list(kind).items] == ["One"]
    assert sum(request.method == "POST" for request in server.requests) == 1


@pytest.mark.parametrize("lost", LOST_BEFORE, ids=lambda lost: f"{lost['action']}{lost.get('status', '')}")
@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_4_a_create_that_did_not_commit(
    kind: Kind, lost: dict[str, Any], server: Running, console: ConsoleClient
) -> None:
    """Fault 4: the create did not take effect: one more try, and one object."""
    server.inject(fault(lost))
    console.create(kind, source(kind, "One"))
    assert [item.name for item in console.list(kind).items] == ["One"]
    assert sum(request.method == "POST" for request in server.requests) == 2


def test_4_a_create_that_times_out(server: Running, console: ConsoleClient) -> None:
    """Fault 4: the server takes longer than the time-out; whatever it does in the end, there is one object."""
    server.inject(fault({"action": "delay", "seconds": 2.0}))
    console.create(KIND, source(KIND, "One"))
    assert [item.name for item in console.list(KIND).items] == ["One"]


def test_5_the_read_back_fails_too(server: Running, console: ConsoleClient) -> None:
    """Fault 5: nothing can be read after a lost write: unknown, and a rerun finds one object."""
    server.inject({"action": "drop_after_commit", "match": WRITES}, {"action": "html", "match": {"method": "GET"}})
    with pytest.raises(OutcomeUnknown):
        console.create(KIND, source(KIND, "One"))
    server.inject()
    assert [item.name for item in console.list(KIND).items] == ["One"]
    with pytest.raises(Refused):
        console.create(KIND, source(KIND, "One"))


@pytest.mark.parametrize("seconds", [0.2, 0.9])
def test_6_a_commit_that_shows_late(seconds: float, server: Running, console: ConsoleClient) -> None:
    """Fault 6: the object appears while it is looked for, or after the second try was sent: one object, ours."""
    server.inject(fault({"action": "late_commit", "seconds": seconds}))
    console.create(KIND, source(KIND, "One"))
    assert [item.name for item in console.list(KIND).items] == ["One"]


@pytest.mark.parametrize("lost", LOST_AFTER, ids=lambda lost: f"{lost['action']}{lost.get('status', '')}")
@pytest.mark.parametrize("kind", list(BLOCK_KINDS))
def test_7_an_update_whose_answer_is_lost(
    kind: Kind, lost: dict[str, Any], server: Running, console: ConsoleClient
) -> None:
    """Fault 7: the update took effect: success by reading back, with one write."""
    before = console.create(kind, source(kind, "One")).live
    server.inject(fault(lost))
    assert console.update(kind, "One", source(kind, "One", sql="select 2"), before=before).reconciled


@pytest.mark.parametrize("lost", LOST_BEFORE, ids=lambda lost: f"{lost['action']}{lost.get('status', '')}")
def test_7_an_update_that_did_not_commit(lost: dict[str, Any], server: Running, console: ConsoleClient) -> None:
    """Fault 7: the console still holds the old value: the update is sent once more."""
    before = console.create(KIND, source(KIND, "One")).live
    server.inject(fault(lost))
    console.update(KIND, "One", source(KIND, "One", sql="select 2"), before=before)
    assert [item.sql for item in console.list(KIND).items] == ["select 2"]


def test_7_an_update_that_meets_somebody_else(server: Running, console: ConsoleClient) -> None:
    """Fault 7: somebody else's value came in: a conflict, and theirs stays."""
    before = console.create(KIND, source(KIND, "One")).live
    with connect(server) as other:
        other.update(KIND, "One", source(KIND, "One", sql="select 'theirs'"))
    server.inject(fault({"action": "drop_before_commit"}))
    with pytest.raises(Conflict):
        console.update(KIND, "One", source(KIND, "One", sql="select 2"), before=before)
    assert [item.sql for item in console.list(KIND).items] == ["select 'theirs'"]


@pytest.mark.parametrize("lost", [*LOST_AFTER, *LOST_BEFORE], ids=str)
def test_3_a_deletion_whose_answer_is_lost(lost: dict[str, Any], server: Running, console: ConsoleClient) -> None:
    """Faults 3 and 12 for deletions: done or not, afterwards the object is gone and nothing was refused."""
    console.create(KIND, source(KIND, "One"))
    server.inject(fault(lost, method="DELETE"))
    console.delete(KIND, "One")
    assert console.list(KIND).items == ()


def test_8_retry_after_is_waited_for(server: Running, console: ConsoleClient) -> None:
    """Fault 8: a 429 with Retry-After delays the write by that much, and no more than one is sent before."""
    answer = {"action": "status", "status": 429, "headers": {"Retry-After": "1"}, "body": {"message": "Slow"}}
    server.inject(fault(answer))
    console.create(KIND, source(KIND, "One"))
    assert calls(server) == "P429 P201"


def test_10_endless_429_ends(server: Running) -> None:
    """Fault 10: 429 for ever ends with the budget, and nothing was written."""
    server.inject({"action": "status", "status": 429, "headers": {"Retry-After": "1"}})
    with connect(server, budget=2.5) as console, pytest.raises(Throttled):
        console.create(KIND, source(KIND, "One"))
    assert calls(server) == "P429 P429 P429"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_11_a_read_survives_server_errors(status: int, server: Running, console: ConsoleClient) -> None:
    """Fault 11: two server errors in a row do not end a read."""
    server.inject({"action": "status", "status": status, "times": 2})
    assert console.list(KIND).complete
    assert calls(server) == f"G{status} G{status} G200"


def test_11_a_read_survives_a_dropped_connection(server: Running, console: ConsoleClient) -> None:
    """Fault 11: so do a drop and a cut answer."""
    server.inject({"action": "drop_before_commit", "times": 1}, {"action": "truncate", "times": 1})
    try:
        assert console.list(KIND).complete
    except ProtocolError:
        pytest.fail("a cut answer was taken for a whole one")


def test_11_a_server_that_stays_broken_is_reported(server: Running, console: ConsoleClient) -> None:
    """Fault 11: in the end the status is reported."""
    server.inject({"action": "status", "status": 503})
    with pytest.raises(ConnectionFailed, match="503"):
        console.list(KIND)


@pytest.mark.parametrize("by", [-1, 1])
def test_23_shifted_pages_are_noticed(by: int, server: Running, console: ConsoleClient) -> None:
    """Fault 23: objects that come twice or are skipped between pages make the list incomplete, none twice in it."""
    with connect(server, rates=UNPACED) as fast:
        for number in range(120):
            fast.create(KIND, source(KIND, f"n{number:03}"))
    server.inject({"action": "shift_pages", "by": by, "match": {"path": "page=2"}})
    listing = console.list(KIND)
    names = [item.name for item in listing.items]
    assert len(names) == len(set(names))
    assert not listing.complete
    assert listing.doubt


def test_23_endless_pages_end(server: Running, console: ConsoleClient) -> None:
    """Fault 23: pages without end are given up, and are not complete."""
    console.create(KIND, source(KIND, "One"))
    server.inject({"action": "endless_pages"})
    listing = console.list(KIND)
    assert [item.name for item in listing.items] == ["One"]
    assert not listing.complete


def test_29_a_redirect_is_refused(server: Running, console: ConsoleClient) -> None:
    """Fault 29: a redirect, to wherever, is not followed."""
    server.inject({"action": "redirect", "url": f"{server.url}/console/v1/tags"})
    with pytest.raises(ProtocolError, match="redirect"):
        console.list(KIND)
    assert calls(server) == "G307"
