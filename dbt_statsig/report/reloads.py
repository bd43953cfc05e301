"""A reload as a part of a JSON answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from dbt_statsig.vocabulary.reloads import ExperimentReload, Load, Reloaded


class LoadDocument(Struct, frozen=True, kw_only=True):
    """One load of Statsig's history; `state` is null while it is under way. Times are ISO 8601 in UTC, or null."""

    id: str | None
    state: str | None
    reload_type: str | None
    created: str | None
    finished: str | None


class FailingSourceDocument(Struct, frozen=True, kw_only=True):
    """A metric source whose job did not end in a failed load; node and file are empty where it is not the project's."""

    metric_source: str
    unique_id: str
    path: str


class ExperimentReloadDocument(Struct, frozen=True, kw_only=True):
    """One experiment that reads something new.

    `state` is "to load", started, loaded, failed, "still loading", unknown, refused, "not started", "held back",
    "already loading" or "up to date". `refresh` is incremental, full, metric, or null. `nodes` are the dbt nodes with
    its new rows.
    """

    id: str
    name: str
    status: str
    permalink: str
    state: str
    refresh: str | None
    reasons: tuple[str, ...]
    nodes: tuple[str, ...]
    metric_ids: tuple[str, ...]
    message: str
    fix: str
    reconciled: bool
    load: LoadDocument | None
    failing: tuple[FailingSourceDocument, ...]


class ReloadDocument(Struct, frozen=True, kw_only=True):
    """What `reload` did, `counts` by state. `refused` says why nothing was started, `stopped` why it ended early."""

    project: str
    dry_run: bool
    waited: bool
    turbo: bool
    counts: dict[str, int]
    experiments: tuple[ExperimentReloadDocument, ...]
    refused: str
    stopped: str
    warnings: tuple[str, ...]
    requests: int


def reload_document(reloaded: Reloaded) -> ReloadDocument:
    """The answer of `reload`."""
    counts = Counter(one.state.value for one in reloaded.experiments)
    return ReloadDocument(
        project=reloaded.project,
        dry_run=reloaded.dry_run,
        waited=reloaded.waited,
        turbo=reloaded.turbo,
        counts=dict(sorted(counts.items())),
        experiments=tuple(map(_experiment, reloaded.experiments)),
        refused=reloaded.refused,
        stopped=reloaded.stopped,
        warnings=reloaded.warnings,
        requests=reloaded.requests,
    )


def _experiment(one: ExperimentReload) -> ExperimentReloadDocument:
    return ExperimentReloadDocument(
        id=one.id,
        name=one.name,
        status=one.status,
        permalink=one.permalink,
        state=one.state.value,
        refresh=one.refresh.value if one.refresh else None,
        reasons=one.reasons,
        nodes=one.nodes,
        metric_ids=one.metric_ids,
        message=one.message,
        fix=one.fix,
        reconciled=one.reconciled,
        load=None if one.load is None else _load(one.load),
        failing=tuple(
            FailingSourceDocument(metric_source=source.metric_source, unique_id=source.unique_id, path=source.path)
            for source in one.failing
        ),
    )


def _load(load: Load) -> LoadDocument:
    return LoadDocument(
        id=load.dag or None,
        state=load.state or None,
        reload_type=load.reload_type or None,
        created=_time(load.created),
        finished=_time(load.finished),
    )


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
