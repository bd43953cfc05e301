"""Loads of experiments' results: started one by one, each once, and followed to their end where that is asked for."""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.console.client import duration
from dbt_statsig.errors import ConsoleError, OutcomeUnknown, Refused, Stopped
from dbt_statsig.support.threads import in_background, side_by_side
from dbt_statsig.vocabulary.reloads import BEGUN, ExperimentReload, FailingSource, Load, Refresh, ReloadState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.progress import Progress

PAUSES = (2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each look at the histories; the last one stays."""
_INTERRUPTED = "Interrupted. Loads that were started go on in Statsig."


class Loading:
    """Starts what is planned, and follows it for at most `timeout` seconds (None: not at all).

    `check` gives an entry with regard to its experiment's loads, which are read directly before its start: another
    reload may have come first. `failing` names the metric sources of a failed load. After an answer that every further
    request would meet too, nothing more is started. An interrupt (KeyboardInterrupt in the thread
    that calls `run`) lets the request under way end and starts nothing more; what was started is in the entries.
    """

    def __init__(
        self,
        client: ConsoleClient,
        *,
        check: Callable[[ExperimentReload, tuple[Load, ...]], ExperimentReload],
        turbo: bool,
        timeout: float | None,
        progress: Progress,
        failing: Callable[[str], FailingSource],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._check = check
        self._known: dict[str, set[str]] = {}
        self._turbo = turbo
        self._timeout = timeout
        self._progress = progress
        self._failing = failing
        self._now = now
        self._entries: list[ExperimentReload] = []
        self.stopped = ""

    def run(self, entries: Sequence[ExperimentReload]) -> tuple[ExperimentReload, ...]:
        """The entries with what became of each."""
        self._entries = list(entries)
        ended: Future[None] = Future()
        try:
            # In a thread of their own: an interrupt must not tear a request.
            in_background(self._run, into=ended)
            wait([ended])
        except KeyboardInterrupt:
            self.stopped = _INTERRUPTED
            self._client.stop()
            wait([ended])
        ended.result()
        return tuple(self._entries)

    def _run(self) -> None:
        self._start_all()
        if self._timeout is not None and any(one.state is ReloadState.STARTED for one in self._entries):
            try:
                self._follow(self._timeout)
            except Stopped:
                self._leave(_INTERRUPTED)
            except ConsoleError as error:
                self.stopped = self.stopped or f"The loads could not be followed. {error}"
                self._leave(error.message)

    def _start_all(self) -> None:
        planned = [index for index, one in enumerate(self._entries) if one.state is ReloadState.PLANNED]
        for number, index in enumerate(planned):
            entry = self._entries[index]
            self._progress.say(f"Starting loads: {number:,} of {len(planned):,}")
            if self.stopped:
                self._entries[index] = structs.replace(entry, state=ReloadState.NOT_STARTED)
            else:
                self._entries[index] = self._started(entry)

    def _started(self, entry: ExperimentReload) -> ExperimentReload:
        try:
            loads = self._client.loads(entry.id)
            entry = self._check(entry, loads)
            if entry.state is not ReloadState.PLANNED:
                return entry
            self._known[entry.id] = {load.key for load in loads}
            found = self._client.begin_load(
                entry.id,
                entry.refresh or Refresh.INCREMENTAL,
                known=self._known[entry.id],
                metric_ids=entry.metric_ids,
                turbo=self._turbo,
            )
        except Refused as error:
            return _ended(entry, ReloadState.REFUSED, error)
        except OutcomeUnknown as error:
            return _ended(entry, ReloadState.UNKNOWN, error)
        except ConsoleError as error:
            self.stopped = self.stopped or (_INTERRUPTED if isinstance(error, Stopped) else str(error))
            return _ended(entry, ReloadState.NOT_STARTED, error)
        message = "The answer was lost; its history shows a load that was not there before." if found else ""
        return structs.replace(entry, state=ReloadState.STARTED, reconciled=found, message=message)

    def _follow(self, timeout: float) -> None:
        began = self._now()
        pauses = iter(PAUSES)
        pause = next(pauses)
        while True:
            for index, entry in enumerate(self._entries):
                if entry.state is ReloadState.STARTED:
                    self._entries[index] = self._seen(entry)
            waiting = sum(one.state is ReloadState.STARTED for one in self._entries)
            if not waiting:
                return
            spent = self._now() - began
            if spent >= timeout:
                self._leave(f"It did not end within {duration(timeout)}.")
                return
            total = sum(one.state in BEGUN for one in self._entries)
            self._progress.say(f"Loading results: {total - waiting:,} of {total:,} ended ({duration(spent)})")
            self._client.rest(min(pause, timeout - spent))
            pause = next(pauses, pause)

    def _seen(self, entry: ExperimentReload) -> ExperimentReload:
        try:
            loads = self._client.loads(entry.id)
            # The oldest: others may have started one after ours.
            load = next((one for one in reversed(loads) if one.key not in self._known[entry.id]), None)
            if load is None or load.is_under_way:
                return structs.replace(entry, load=load or entry.load)
            if not load.has_failed:
                return structs.replace(entry, state=ReloadState.SUCCEEDED, load=load)
            return self._failed(entry, load)
        except Refused as error:
            return _ended(entry, ReloadState.UNKNOWN, error)

    def _failed(self, entry: ExperimentReload, load: Load) -> ExperimentReload:
        refresh = (entry.refresh or Refresh.INCREMENTAL).value
        names: dict[str, None] = {}
        note = ""
        try:
            jobs = self._client.load_jobs(entry.id, load.dag) if load.dag else ()
            names = dict.fromkeys(job.metric_source for job in jobs if job.metric_source and not job.has_ended)
        except ConsoleError as error:
            note = f" Its jobs could not be read: {error.message}"
        return structs.replace(
            entry,
            state=ReloadState.FAILED,
            load=load,
            message=f"The load ended with {load.state}.{note}",
            fix=f"See its jobs in Statsig, then run `dbt-statsig reload --refresh {refresh}`.",
            failing=tuple(map(self._failing, names)),
        )

    def _leave(self, reason: str) -> None:
        """Let what has not ended be as it is."""
        for index, entry in enumerate(self._entries):
            if entry.state is ReloadState.STARTED:
                message = reason if entry.load is not None else f"{reason} Its history shows no load yet."
                self._entries[index] = structs.replace(entry, state=ReloadState.RUNNING, message=message)


def read_histories(
    client: ConsoleClient, identifiers: Sequence[str], *, at_once: int
) -> dict[str, tuple[Load, ...] | Refused]:
    """The loads of each experiment, or why they cannot be read. Raises ConsoleError for what concerns all."""

    def read(identifier: str) -> tuple[Load, ...] | Refused:
        try:
            return client.loads(identifier)
        except Refused as error:
            return error

    futures = side_by_side(read, identifiers, at_once=at_once)
    return {identifier: future.result() for identifier, future in zip(identifiers, futures, strict=True)}


def _ended(entry: ExperimentReload, state: ReloadState, error: ConsoleError) -> ExperimentReload:
    return structs.replace(entry, state=state, message=error.message, fix=error.fix)
