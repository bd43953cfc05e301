"""Loads of experiments' results (Statsig calls them Pulse loads): what is decided, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from msgspec import Struct

from dbt_statsig.errors import EXIT_CANNOT_RUN, EXIT_DONE, EXIT_FINDINGS


class Refresh(str, Enum):
    """What a load computes again."""

    INCREMENTAL = "incremental"
    FULL = "full"
    METRIC = "metric"


class Load(Struct, frozen=True, kw_only=True):
    """One load as Statsig's history has it; an empty text or None stands for what the answer did not hold.

    `key` tells loads of one experiment apart. `state` is empty while the load is under way. With `turbo` it computes
    the latest day only, whatever its type.
    """

    key: str
    dag: str = ""
    created: datetime | None = None
    finished: datetime | None = None
    state: str = ""
    reload_type: str = ""
    turbo: bool = False
    creator: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return not self.state

    @property
    def has_failed(self) -> bool:
        """Whether its results may not all be there: it ended, and not with success."""
        return self.state not in {"", "success"}

    @property
    def seconds(self) -> float | None:
        """How long it took, where both times are known."""
        return None if self.created is None or self.finished is None else (self.finished - self.created).total_seconds()


class LoadJob(Struct, frozen=True, kw_only=True):
    """One job of a load; `has_ended` is False for one that did not come to its end."""

    type: str
    metric_source: str = ""
    has_ended: bool = False


class FailingSource(Struct, frozen=True, kw_only=True):
    """A metric source whose job did not end in a failed load, with its dbt node and file where it is this project's."""

    metric_source: str
    unique_id: str = ""
    path: str = ""


class ReloadState(str, Enum):
    """What becomes of one experiment."""

    PLANNED = "to load"
    STARTED = "started"
    SUCCEEDED = "loaded"
    FAILED = "failed"
    RUNNING = "still loading"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    NOT_STARTED = "not started"
    HELD = "held back"
    UNDER_WAY = "already loading"
    CURRENT = "up to date"


_UNKNOWN = frozenset({ReloadState.UNKNOWN, ReloadState.RUNNING, ReloadState.NOT_STARTED})
_FAILED = frozenset({ReloadState.FAILED, ReloadState.REFUSED})
BEGUN = frozenset({ReloadState.STARTED, ReloadState.SUCCEEDED, ReloadState.FAILED, ReloadState.RUNNING})
"""The states of a load that this run began."""


class ExperimentReload(Struct, frozen=True, kw_only=True):
    """One experiment that reads something new, and what becomes of it.

    `nodes` are the dbt nodes whose new rows it reads, in the order in which dbt built them. `refresh` is None where it
    is held back and only new rows are missing. `reasons` say why it is loaded, in this way, or held back. `metric_ids`
    are those of a `metric` load.
    `reconciled`: the answer was lost, and the history shows a load that was not there before. `failing` are sources
    whose jobs did not end in a failed load. `turbo`: Statsig loads it in turbo mode on its schedule; None: nobody says.
    """

    id: str
    name: str
    state: ReloadState
    refresh: Refresh | None = None
    reasons: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    metric_ids: tuple[str, ...] = ()
    status: str = ""
    permalink: str = ""
    message: str = ""
    fix: str = ""
    reconciled: bool = False
    load: Load | None = None
    failing: tuple[FailingSource, ...] = ()
    turbo: bool | None = None

    @property
    def is_problem(self) -> bool:
        """Whether it went wrong, or nobody knows how it went."""
        return self.state in _UNKNOWN | _FAILED or self.is_missed

    @property
    def is_missed(self) -> bool:
        """Whether it gets no load now, and needs one that no later run would know of."""
        waits = self.state in {ReloadState.UNDER_WAY, ReloadState.HELD}
        return waits and self.refresh in {Refresh.FULL, Refresh.METRIC}


class Reloaded(Struct, frozen=True, kw_only=True):
    """All experiments that read something new, in the order of their loads.

    `refused` says why nothing was started, `stopped` why the run ended early; both are empty where it did not.
    `waited`: the loads were followed to their end. `requests` counts those of this command.
    """

    project: str
    experiments: tuple[ExperimentReload, ...]
    requests: int
    dry_run: bool = False
    waited: bool = False
    turbo: bool = False
    refused: str = ""
    stopped: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 where it is not known what became of a load; 1 where one failed or was refused; else 0."""
        states = {one.state for one in self.experiments}
        if self.stopped or states & _UNKNOWN:
            return EXIT_CANNOT_RUN
        if self.refused or states & _FAILED or any(one.is_missed for one in self.experiments):
            return EXIT_FINDINGS
        return EXIT_DONE

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, a line each: the same that makes `exit_code`."""
        return (*self.stops, *self.failures)

    @property
    def stops(self) -> tuple[str, ...]:
        """Why nothing, or nothing more, was started."""
        return tuple(filter(None, [self.refused, self.stopped]))

    @property
    def failures(self) -> tuple[str, ...]:
        """What went wrong with single experiments, a line each."""
        wrong = (one for one in self.experiments if one.is_problem)
        return tuple(f"experiment {one.name}: {one.state.value}. {one.message}".rstrip() for one in wrong)

    def ok(self) -> bool:
        """True where nothing went wrong."""
        return self.exit_code == EXIT_DONE
