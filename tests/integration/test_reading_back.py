"""A service whose answers repeat what was sent, whatever it has done: the lists are looked at after the writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.faults.memory import MemoryConsole
from tests.integration.test_apply import declared, sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.console.client import ConsoleClient


COLLECTIONS = {
    Kind.ASSIGNMENT_SOURCE: "assignment_sources",
    Kind.ENTITY_PROPERTY_SOURCE: "entity_property_sources",
    Kind.QUALIFYING_EVENT: "qualifying_events",
    Kind.METRIC_SOURCE: "metric_sources",
}
KINDS = list(COLLECTIONS)


class Forgetful(MemoryConsole):
    """A console that does something of its own after it has answered a write."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], None] | None = None
        self.reads: list[str] = []
        self.no_list = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As the console, with a change of its state after each write."""
        if request.method == "GET" and self.writes and self.then:
            self.reads.append(request.url.path)
            if self.no_list:
                return httpx.Response(403, json={"status": 403, "message": "No."})
        answer = super().handle_request(request)
        if request.method != "GET" and self.then:
            self.then()
        return answer

    def held(self, kind: Kind) -> dict[str, Any]:
        """The objects of a kind."""
        return self.emulator.state.sources[COLLECTIONS[kind]]


@pytest.fixture
def console() -> Forgetful:
    """A console that is honest so far."""
    return Forgetful()


@pytest.mark.parametrize("kind", KINDS)
def test_a_creation_that_is_not_there(console: Forgetful, client: ConsoleClient, kind: Kind) -> None:
    """A 201 with the object as sent, which no list has afterwards, is unknown, never done."""
    console.then = console.held(kind).clear
    (entry,) = sync(client, [declared("Orders", kind=kind)]).objects
    assert (entry.status, entry.message) == (
        Status.UNKNOWN,
        "Statsig answered that it was written, but it is not there.",
    )
    assert "next run compares again" in entry.fix


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_that_has_no_effect(console: Forgetful, client: ConsoleClient, kind: Kind) -> None:
    """An update whose answer has the new values, while the list keeps the old ones, is unknown with the field."""
    sync(client, [declared("Orders", kind=kind)])
    before = dict(console.held(kind)["Orders"])
    console.then = lambda: console.held(kind).update(Orders=before)
    (entry,) = sync(client, [declared("Orders", kind=kind, timestamp_column="placed_at")]).objects
    assert entry.status is Status.UNKNOWN
    assert entry.message.endswith("with the values that were sent, but has others when read back: timestamp_column.")


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_lags_behind(console: Forgetful, client: ConsoleClient, kind: Kind) -> None:
    """A list that does not show a write at once is read again; what shows then is done."""
    taken: dict[str, Any] = {}

    def hide() -> None:
        taken.update(console.held(kind))
        console.held(kind).clear()

    console.then = hide
    original = console.handle_request

    def honest_again(request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and len(console.reads) == 1:
            console.held(kind).update(taken)
        return original(request)

    console.handle_request = honest_again  # type: ignore[method-assign]
    (entry,) = sync(client, [declared("Orders", kind=kind)]).objects
    assert (entry.status, len(console.reads)) == (Status.DONE, 2)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if SPECS[kind].can_read])
def test_a_list_that_never_shows_it(console: Forgetful, client: ConsoleClient, kind: Kind) -> None:
    """Where the list lacks an object that its own endpoint gives, the write is done."""
    taken: dict[str, Any] = {}

    def hide() -> None:
        taken.update(console.held(kind))
        console.held(kind).clear()

    original = console.handle_request

    def at_its_own_place(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Orders"):
            console.held(kind).update(taken)
        return original(request)

    console.then = hide
    console.handle_request = at_its_own_place  # type: ignore[method-assign]
    (entry,) = sync(client, [declared("Orders", kind=kind)]).objects
    assert entry.status is Status.DONE


def test_what_cannot_be_read_back_is_noted(console: Forgetful, client: ConsoleClient) -> None:
    """A list that is refused after the writing contradicts nothing, and a note names it."""
    console.then = lambda: None
    console.no_list = True
    outcome = sync(client, [declared("Orders", kind=Kind.METRIC_SOURCE)])
    assert [entry.status for entry in outcome.objects] == [Status.DONE]
    assert outcome.notes[0].startswith("The metric sources that were written were not read back: ")


def test_no_write_is_no_read(console: Forgetful, client: ConsoleClient) -> None:
    """A run that writes nothing reads nothing afterwards, and one that writes reads each list once."""
    items = [declared("Orders", kind=Kind.METRIC_SOURCE), declared("Visits", "b")]
    console.then = lambda: None
    sync(client, items)
    assert len(console.reads) == 2
    before = client.requests
    sync(client, items)
    assert client.requests - before == 2
