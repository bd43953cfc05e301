"""Loads that are started and followed: endings that no answer of a console brings about."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from dbt_statsig.applying import loading
from dbt_statsig.applying.loading import Loading
from dbt_statsig.errors import ConnectionFailed, ProtocolError, Refused, Stopped
from dbt_statsig.vocabulary.progress import Silent
from dbt_statsig.vocabulary.reloads import ExperimentReload, FailingSource, Load, Refresh, Reloaded, ReloadState

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

OLD = Load(key="old", state="success")
RUNNING = Load(key="new", dag="new")
PLANNED = (ReloadState.PLANNED, ReloadState.PLANNED)


class Console:
    """A client whose loads never end by themselves; `events` are called at the first rest."""

    def __init__(self, *events: Callable[[], None], at_start: Callable[[], None] | None = None) -> None:
        self.events = list(events)
        self.at_start = at_start
        self.found: dict[str, Any] = {}
        self.started: list[str] = []
        self.looked: set[str] = set()
        self.stopped = threading.Event()

    def begin_load(self, experiment: str, refresh: Refresh, **_more: Any) -> bool:
        """Start one, unless the run is ending."""
        assert refresh is Refresh.INCREMENTAL
        if self.stopped.is_set():
            raise Stopped("Not sent: the run is ending.")
        self.started.append(experiment)
        if self.at_start is not None:
            self.at_start()
            self.stopped.wait(5)
        return False

    def loads(self, experiment: str) -> tuple[Load, ...]:
        """Its loads: before its start an old one, then what a test wants, which may be a fault."""
        if experiment not in self.looked:
            self.looked.add(experiment)
            return (OLD,)
        found = self.found.get(experiment, (RUNNING, OLD))
        if isinstance(found, Exception):
            raise found
        return tuple(found)

    def rest(self, _seconds: float) -> None:
        """Something happens, or the run ends."""
        if self.events:
            self.events.pop(0)()
        if self.stopped.wait(0.01):
            raise Stopped("Not sent: the run is ending.")

    def stop(self) -> None:
        """Let nothing more start."""
        self.stopped.set()


def interrupt() -> None:
    """Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def loaded(console: Console, *, timeout: float | None = 60.0, now: Callable[[], float] = lambda: 0.0) -> Reloaded:
    """What becomes of two experiments."""
    entries = tuple(
        ExperimentReload(id=name, name=name, state=state, refresh=Refresh.INCREMENTAL)
        for name, state in zip("ab", PLANNED, strict=True)
    )
    run = Loading(
        console,  # type: ignore[arg-type]  # as much of a client as is asked for
        check=lambda entry, _loads: entry,
        turbo=False,
        timeout=timeout,
        progress=Silent(),
        failing=lambda name: FailingSource(metric_source=name),
        now=now,
    )
    experiments = run.run(entries)
    return Reloaded(project="shop", experiments=experiments, requests=0, stopped=run.stopped)


def states(found: Reloaded) -> list[ReloadState]:
    """What became of both."""
    return [one.state for one in found.experiments]


def test_ctrl_c_while_waiting_shows_what_was_started() -> None:
    """The loads go on in Statsig; the exit code says that their end is not known."""
    found = loaded(Console(interrupt))
    assert states(found) == [ReloadState.RUNNING, ReloadState.RUNNING]
    assert (found.exit_code, found.stopped) == (2, "Interrupted. Loads that were started go on in Statsig.")


def test_ctrl_c_while_starting_starts_nothing_more() -> None:
    """The start under way is settled, the next one is not begun."""
    console = Console(at_start=interrupt)
    found = loaded(console, timeout=None)
    assert (console.started, found.exit_code) == (["a"], 2)
    assert states(found) == [ReloadState.STARTED, ReloadState.NOT_STARTED]


def test_a_stop_signal_while_waiting_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for the time limit of a hook."""
    monkeypatch.setattr(loading, "PAUSES", (0.0,))
    console = Console()
    console.events = [console.stop]
    assert states(loaded(console)) == [ReloadState.RUNNING, ReloadState.RUNNING]


def test_the_time_is_up() -> None:
    """Each says so; one of which the history shows nothing says that too. Pauses end with the time."""
    times = iter([0.0, 50.0, 60.0])
    console = Console()
    console.found["b"] = (OLD,)
    found = loaded(console, now=lambda: next(times))
    assert states(found) == [ReloadState.RUNNING, ReloadState.RUNNING]
    assert [one.message for one in found.experiments] == [
        "It did not end within 60 s.",
        "It did not end within 60 s. Its history shows no load yet.",
    ]


def test_a_lost_connection_ends_the_waiting() -> None:
    """What had ended by then stands."""
    console = Console()
    console.found = {"a": (Load(key="new", state="success"),), "b": ConnectionFailed("No connection.")}
    found = loaded(console)
    assert states(found) == [ReloadState.SUCCEEDED, ReloadState.RUNNING]
    assert (found.exit_code, found.stopped) == (2, "The loads could not be followed. No connection.")


def test_an_answer_that_is_none_while_waiting_hides_nothing() -> None:
    """As of a proxy in between: what was started is shown, and that its end is not known."""
    console = Console()
    console.found = {"a": (Load(key="new", state="success"),), "b": ProtocolError("Not the JSON that is documented.")}
    found = loaded(console)
    assert states(found) == [ReloadState.SUCCEEDED, ReloadState.RUNNING]
    assert (found.exit_code, found.stopped) == (2, "The loads could not be followed. Not the JSON that is documented.")


def test_the_load_that_is_followed_is_the_first_new_one() -> None:
    """One that somebody else starts after ours says nothing about ours."""
    console = Console()
    mine, other = Load(key="new", state="success"), Load(key="other", state="failure")
    console.found = {"a": (other, mine, OLD), "b": (mine, OLD)}
    assert states(loaded(console)) == [ReloadState.SUCCEEDED, ReloadState.SUCCEEDED]


def test_a_history_that_cannot_be_read_any_more_is_unknown() -> None:
    """It is about that experiment; the other one is followed."""
    console = Console()
    console.found = {"a": Refused("No.", status=403), "b": (Load(key="new", state="success"),)}
    found = loaded(console)
    assert (states(found), found.exit_code) == ([ReloadState.UNKNOWN, ReloadState.SUCCEEDED], 2)


def test_no_connection_stops_the_starts() -> None:
    """The rest is not started, and the reason is that of the first."""
    console = Console()

    def refuse(*_given: Any, **_named: Any) -> bool:
        raise ConnectionFailed("No connection.", fix="Check the network.")

    console.begin_load = refuse  # type: ignore[method-assign]
    found = loaded(console)
    assert states(found) == [ReloadState.NOT_STARTED, ReloadState.NOT_STARTED]
    assert (found.exit_code, found.stopped) == (2, "No connection. Check the network.")
