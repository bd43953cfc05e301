"""Objects that somebody edits while a plan is written, and lists that cannot be trusted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

import pytest

from dbt_statsig.applying.apply import apply_plan
from dbt_statsig.applying.console_state import begin_reading, checked_live
from dbt_statsig.applying.freshness import FRESH_SECONDS, Freshness, elapsed
from dbt_statsig.console.listing import Listing
from dbt_statsig.errors import ProtocolError
from dbt_statsig.vocabulary.changes import Action, Change
from dbt_statsig.vocabulary.progress import Silent
from dbt_statsig.vocabulary.results import ObjectOutcome, Status
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.faults.memory import MemoryConsole
from tests.integration.test_apply import declared, make_plan, statuses, sync

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.planning.matching import Desired, Live, Plan

KIND = Kind.ASSIGNMENT_SOURCE


class Counting(MemoryConsole):
    """A console that remembers its reads, and can hide what its lists hold."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.hide = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As the console, or an empty list."""
        if request.method == "GET":
            self.reads.append(request.url.path)
            if self.hide and request.url.path.endswith(("sources", "list")):
                self.hide -= 1
                held, self.emulator.state.sources = self.emulator.state.sources, MemoryConsole().emulator.state.sources
                answer = super().handle_request(request)
                self.emulator.state.sources = held
                return answer
        return super().handle_request(request)


@pytest.fixture
def console() -> Counting:
    """A console in this process."""
    return Counting()


def read_live(
    client: ConsoleClient, wanted: Sequence[Desired], kind: Kind = Kind.METRIC_SOURCE
) -> tuple[dict[Kind, Live], list[str]]:
    """The live objects of a kind, and the warnings about them."""
    reading = checked_live(client, begin_reading(client, [kind], Silent()).result(), wanted)
    return dict(reading.live), list(reading.warnings)


def edited(client: ConsoleClient) -> Plan:
    """A plan that updates two objects that are there."""
    sync(client, [declared("A", "a"), declared("B", "b")])
    return make_plan(client, [declared("A", "a", sql="SELECT 2"), declared("B", "b", sql="SELECT 2")])


def test_an_edit_is_refused_and_the_others_go_on(console: Counting, client: ConsoleClient) -> None:
    """Once the plan's reading is too old, the list is read again, once, and reports what was edited."""
    plan = edited(client)
    console.emulator.state.sources["assignment_sources"]["A"]["team"] = "growth"
    console.reads.clear()
    outcome = apply_plan(client, plan, fresh_for=0)
    assert statuses(outcome) == {"A": Status.REFUSED, "B": Status.DONE}
    assert outcome.objects[0] == ObjectOutcome(
        change=plan.changes[0],
        status=Status.REFUSED,
        message="It was edited in Statsig after the plan was made.",
        fix="Plan again and compare.",
    )
    assert console.emulator.state.sources["assignment_sources"]["A"]["sql"] == "SELECT 1"


def test_a_plan_can_be_applied_twice(client: ConsoleClient) -> None:
    """Each run has a state and an age of its own: the second one reads again, and refuses what the first one wrote."""
    plan = edited(client)
    assert set(statuses(apply_plan(client, plan)).values()) == {Status.DONE}
    again = apply_plan(client, plan, read_at=time.monotonic() - FRESH_SECONDS)
    assert set(statuses(again).values()) == {Status.REFUSED}


def test_what_is_gone_is_refused(console: Counting, client: ConsoleClient) -> None:
    """An object that somebody deleted is not written to."""
    plan = edited(client)
    del console.emulator.state.sources["assignment_sources"]["A"]
    outcome = apply_plan(client, plan, fresh_for=0)
    assert statuses(outcome) == {"A": Status.REFUSED, "B": Status.DONE}
    assert outcome.objects[0].message == "It is no longer in Statsig."


def test_one_reading_serves_all(console: Counting, client: ConsoleClient) -> None:
    """The list is not read again before it is too old, and then once for all objects of its kind."""
    plan = edited(client)
    now = 0.0
    fresh = Freshness(client, read_at=now, now=lambda: now)
    console.reads.clear()
    assert [fresh.changed(change) for change in plan.changes] == ["", ""]
    assert console.reads == []
    now = FRESH_SECONDS
    assert [fresh.changed(change) for change in plan.changes] == ["", ""]
    assert len(console.reads) == 1
    now = 2 * FRESH_SECONDS
    fresh.changed(plan.changes[0])
    assert len(console.reads) == 2


def test_what_is_new_needs_no_reading(console: Counting, client: ConsoleClient) -> None:
    """A creation has no older state; the server refuses a name that is taken."""
    assert Freshness(client, read_at=0, fresh_for=0).changed(Change(action=Action.CREATE, kind=KIND, name="A")) == ""
    assert console.reads == []


def test_an_empty_list_is_doubted(console: Counting, client: ConsoleClient) -> None:
    """A metric source is there though its list is empty: the list cannot be trusted."""
    wanted = [declared("A", kind=Kind.METRIC_SOURCE)]
    sync(client, wanted)
    console.hide = 2
    with pytest.raises(ProtocolError, match="came back empty"):
        read_live(client, wanted)


def test_a_list_that_has_just_been_filled(console: Counting, client: ConsoleClient) -> None:
    """Where the second look at the list finds objects, these count."""
    wanted = [declared("A", kind=Kind.METRIC_SOURCE)]
    sync(client, wanted)
    console.hide = 1
    live, warnings = read_live(client, wanted)
    assert [item.name for item in live[Kind.METRIC_SOURCE].items] == ["A"]
    assert warnings == []


def test_an_empty_console_is_believed(console: Counting, client: ConsoleClient) -> None:
    """A few names are looked for, and no more."""
    wanted = [declared(f"S{number}", kind=Kind.METRIC_SOURCE) for number in range(10)]
    live, _ = read_live(client, wanted)
    assert live[Kind.METRIC_SOURCE].items == ()
    assert len(console.reads) == 3


def test_looking_that_fails_is_no_doubt(console: Counting, client: ConsoleClient) -> None:
    """A name that cannot be asked for, as the API would take it for its list, ends the looking."""
    wanted = [declared("list", kind=Kind.METRIC_SOURCE)]
    live, _ = read_live(client, wanted)
    assert live[Kind.METRIC_SOURCE].items == ()


class Doubtful:
    """A client whose list may lack some."""

    def list(self, kind: Kind) -> Listing:
        """One object, and a doubt."""
        item = declared("A", kind=kind).payload
        assert item is not None
        return Listing(items=(item,), pages=1, complete=False, doubt="page 1 repeats entries")


def test_an_incomplete_list_is_reported() -> None:
    """What may be missing is a warning, and the list is marked as incomplete."""
    live, warnings = read_live(cast("ConsoleClient", Doubtful()), [], KIND)
    assert not live[KIND].complete
    assert warnings == ["The list of assignment sources may be incomplete: page 1 repeats entries"]


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="another system's clock goes on by itself")
def test_a_machine_that_slept(console: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before the machine slept is old, although `time.monotonic` has not gone on."""
    asleep = time.clock_gettime(time.CLOCK_BOOTTIME) + 8 * 3600
    with console.client() as client:
        items = [declared("A", description="new")]
        sync(client, [declared("A")])
        plan = make_plan(client, items)
        read_at = elapsed()
        monkeypatch.setattr(time, "clock_gettime", lambda _: asleep)
        console.emulator.state.sources["assignment_sources"]["A"]["timestampColumn"] = "edited"
        assert statuses(apply_plan(client, plan, items, read_at=read_at)) == {"A": Status.REFUSED}
