"""How the writing of a plan ends early: interrupts, refused keys, tags, and what nobody expected."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from dbt_statsig.applying.apply import apply_plan
from dbt_statsig.errors import AuthenticationFailed, Stopped
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.results import ObjectOutcome, Status
from dbt_statsig.vocabulary.sources import Kind
from tests.integration.faults.memory import MemoryConsole
from tests.integration.test_apply import declared, make_plan, statuses, sync

if TYPE_CHECKING:
    from concurrent.futures import Future

    import httpx

    from dbt_statsig.console.client import ConsoleClient


class Holding(MemoryConsole):
    """A console that holds every creation back until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As the console, later."""
        if request.method == "POST":
            self.reached.set()
            self.go_on.wait(10)
        return super().handle_request(request)


@pytest.fixture
def console() -> Holding:
    """A console in this process."""
    return Holding()


def interrupt(console: Holding, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the main thread meet so many interrupts once a write is under way; then the writes are let go."""
    console.go_on.clear()
    interrupts = [KeyboardInterrupt()] * times

    def waiting(futures: list[Future[None]]) -> None:
        if threading.current_thread() is threading.main_thread():
            console.reached.wait(10)
            if interrupts:
                raise interrupts.pop()
            console.go_on.set()
        wait(futures, 10)

    monkeypatch.setattr("dbt_statsig.applying.apply.wait", waiting)


def test_an_interrupt_lets_writes_end(console: Holding, client: ConsoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write under way ends as done, the others are not started, and the report says why."""
    plan = make_plan(client, [declared("A"), declared("B", "b"), declared("C", "c")])
    interrupt(console, monkeypatch, 1)
    outcome = apply_plan(client, plan, concurrency=1)
    assert statuses(outcome) == {"A": Status.DONE, "B": Status.NOT_STARTED, "C": Status.NOT_STARTED}
    assert outcome.stopped == "Interrupted: running writes were finished, and no other was started."
    assert outcome.objects[1] == ObjectOutcome(
        change=plan.changes[1], status=Status.NOT_STARTED, message=outcome.stopped
    )
    assert outcome.notes == ()


def test_a_second_interrupt_leaves_them(
    console: Holding, client: ConsoleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write under way is reported as unknown, with the way on."""
    plan = make_plan(client, [declared("A"), declared("B", "b")])
    interrupt(console, monkeypatch, 2)
    outcome = apply_plan(client, plan, concurrency=1)
    console.go_on.set()
    assert statuses(outcome) == {"A": Status.UNKNOWN, "B": Status.NOT_STARTED}
    assert outcome.objects[0] == ObjectOutcome(
        change=plan.changes[0],
        status=Status.UNKNOWN,
        message="The write was running when the run ended.",
        fix="Run it again: it compares first and writes only differences.",
    )
    assert outcome.stopped == "Interrupted twice: running writes were not waited for, and their outcome is not known."


def test_the_tags_stop_everything(client: ConsoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is refused while tags are read leaves every object not started."""
    plan = make_plan(client, [declared("A", tags=("new",)), declared("B", "b")])
    monkeypatch.setattr(client, "tags", _key_refused)
    outcome = apply_plan(client, plan)
    assert set(statuses(outcome).values()) == {Status.NOT_STARTED}
    assert outcome.stopped == "The key was refused."


def _key_refused() -> None:
    raise AuthenticationFailed("The key was refused.")


def test_tags_that_cannot_be_made_are_noted(client: ConsoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other trouble with tags is a note: the objects themselves will tell."""
    plan = make_plan(client, [declared("A", tags=("new",))])
    monkeypatch.setattr(client, "create_tag", _stopped)
    outcome = apply_plan(client, plan)
    assert statuses(outcome) == {"A": Status.DONE}
    assert outcome.notes == ("Could not create missing tags: Not sent.",)


def _stopped(*_: Any) -> None:
    raise Stopped("Not sent.")


def test_a_client_that_was_stopped(client: ConsoleClient) -> None:
    """What waits for its turn when the run is asked to end is not started."""
    plan = make_plan(client, [declared("A")])
    client.stop()
    assert statuses(apply_plan(client, plan)) == {"A": Status.NOT_STARTED}


def test_a_surprise_with_one_object(client: ConsoleClient) -> None:
    """What nobody expected of one object is reported as unknown; the others are written."""
    plan = make_plan(client, [declared("A"), declared("E", "e", kind=Kind.METRIC_SOURCE)])
    broken = structs.replace(plan.changes[0], desired=None)
    outcome = apply_plan(client, structs.replace(plan, changes=(broken, plan.changes[1])))
    assert statuses(outcome) == {"A": Status.UNKNOWN, "E": Status.DONE}
    assert outcome.objects[0] == ObjectOutcome(
        change=broken,
        status=Status.UNKNOWN,
        message="Internal error (ValueError); it may or may not have been written.",
        fix="Plan again; report it.",
    )


def test_a_surprise_with_all(client: ConsoleClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected before any write reaches the caller."""
    plan = make_plan(client, [declared("A", tags=("new",))])
    monkeypatch.setattr(client, "tags", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        apply_plan(client, plan)


def test_a_progress_that_fails(client: ConsoleClient) -> None:
    """Whoever watches cannot end the run."""
    plan = make_plan(client, [declared("A"), declared("B", "b")])
    outcome = apply_plan(client, plan, on_done=lambda _count: 1 / 0)  # type: ignore[arg-type]  # it raises
    assert set(statuses(outcome).values()) == {Status.DONE}


def test_tags_of_what_does_not_touch_them(console: Holding, client: ConsoleClient) -> None:
    """The list of tags is not asked for where no change brings new ones."""
    sync(client, [declared("A", tags=("dbt",))])
    console.emulator.state.lists["tags"].clear()
    sync(client, [declared("A", tags=("dbt",), sql="SELECT 2"), declared("B", "b", tags=None)])
    assert console.emulator.state.tag_names() <= {"dbt"}


def test_nothing_to_write(client: ConsoleClient) -> None:
    """A plan that only reports is an empty outcome."""
    plan = make_plan(client, [])
    outcome = apply_plan(client, plan)
    assert (outcome.objects, outcome.stopped, outcome.notes) == ((), "", ())
    assert Action.ORPHAN not in {entry.change.action for entry in outcome.objects}


@pytest.mark.parametrize("fields", [{"sql": "SELECT 2"}, {"timestamp_column": "exposed_at"}], ids=["full", "patch"])
def test_a_lost_update_is_sent_once_more(console: Holding, client: ConsoleClient, fields: dict[str, Any]) -> None:
    """An update that did not arrive is known as such by the object as it was read, and is sent again."""
    sync(client, [declared("A")])
    before = console.writes
    console.armed = ["drop before"]
    outcome = apply_plan(client, make_plan(client, [declared("A", **fields)]))
    assert statuses(outcome) == {"A": Status.DONE}
    assert console.writes - before == 2


def test_what_was_read_back_is_reported(console: Holding, client: ConsoleClient) -> None:
    """An outcome that was learned by reading back says so; one with an answer does not."""
    plan = make_plan(client, [declared("A"), declared("B", "b")])
    console.armed = ["drop after"]
    outcome = apply_plan(client, plan, concurrency=1)
    assert [entry.reconciled for entry in outcome.objects] == [True, False]
    deleted = apply_plan(client, make_plan(client, [declared("A")], prune=True))
    assert [(entry.change.name, entry.reconciled) for entry in deleted.objects] == [("B", False)]


def test_an_update_brings_its_tags() -> None:
    """Tags that an update adds are created before it; an update of something else asks for none."""
    strict = MemoryConsole(refuse_unknown_tags=True)
    with strict.client() as other:
        sync(other, [declared("A")])
        assert statuses(sync(other, [declared("A", tags=("new",))])) == {"A": Status.DONE}
        strict.emulator.state.lists["tags"].clear()
        before = strict.writes
        sync(other, [declared("A", tags=("new",), timestamp_column="exposed_at")])
        assert strict.writes - before == 1


def test_what_is_gone_is_reported(console: Holding, client: ConsoleClient) -> None:
    """A 404 says to plan again; another refusal brings its own next step."""
    sync(client, [declared("A")])
    plan = make_plan(client, [declared("A", sql="SELECT 2")])
    console.emulator.state.sources["assignment_sources"].clear()
    (gone,) = apply_plan(client, plan).objects
    assert (gone.status, gone.fix) == (Status.FAILED, "It was deleted after the plan was made. Plan again.")
    console.armed = ["400"]
    (refused,) = apply_plan(client, make_plan(client, [declared("A")])).objects
    assert (refused.status, refused.fix) == (Status.FAILED, "")
