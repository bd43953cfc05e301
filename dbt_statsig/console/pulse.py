"""Loads of experiments' results: begun once, and followed in their history, as no answer names the run."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from dbt_statsig.console.listing import PAGE_SIZE, all_pages, page_path
from dbt_statsig.console.sender import NoAnswer, Request
from dbt_statsig.errors import ConsoleError, OutcomeUnknown, ProtocolError, Refused
from dbt_statsig.vocabulary.reloads import Load, LoadJob, Refresh
from dbt_statsig.vocabulary.sources import API_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection

    from dbt_statsig.console.sender import Sender
    from dbt_statsig.console.waiting import WaitBudget

_MILLISECONDS = 1000


class Pulse:
    """Starts and follows the loads of one experiment at a time."""

    def __init__(self, sender: Sender, wait_budget: WaitBudget, delays: tuple[float, ...]) -> None:
        self._sender = sender
        self._wait_budget = wait_budget
        self._delays = delays

    def history(self, identifier: str) -> tuple[Load, ...]:
        """See `ConsoleClient.loads`. One page is enough as long as it has the newest loads first."""
        path, what = f"{_path(identifier)}/pulse_load_history", f'The loads of experiment "{identifier}"'
        answer = self._sender.read(page_path(path, 1), what)
        if not isinstance(answer.data, list):
            raise ProtocolError(f"{what}: data is not a list.", fix="Check `base_url` and any proxy in between.")
        loads = [_load(one) for one in answer.data]
        times = [load.created for load in loads if load.created is not None]
        if len(loads) >= PAGE_SIZE and times != sorted(times, reverse=True):
            found = all_pages(lambda address: self._sender.read(address, what), path, what, _entry)
            loads = list(found.entries.values())
        oldest = datetime.min.replace(tzinfo=timezone.utc)
        return tuple(sorted(loads, key=lambda load: load.created or oldest, reverse=True))

    def jobs(self, identifier: str, dag: str) -> tuple[LoadJob, ...]:
        """See `ConsoleClient.load_jobs`."""
        path = f"{_path(identifier)}/pulse_load_history/{quote(dag, safe='')}"
        found = self._sender.read(path, f'The load of experiment "{identifier}"').data
        jobs = found.get("jobs") if isinstance(found, dict) else None
        return tuple(
            LoadJob(
                type=_text_of(one, "jobType"),
                metric_source=_text_of(one, "metricSourceName"),
                has_ended=one.get("endTime") is not None,
            )
            for one in (jobs if isinstance(jobs, list) else ())
            if isinstance(one, dict)
        )

    def begin(
        self, identifier: str, refresh: Refresh, *, metric_ids: Collection[str], turbo: bool, known: Collection[str]
    ) -> bool:
        """See `ConsoleClient.begin_load`."""
        body: dict[str, Any] = {"refresh": refresh.value}
        body |= {"metricIDs": list(metric_ids)} if metric_ids else {}
        body |= {"turboMode": True} if turbo else {}
        what = f'Experiment "{identifier}"'
        path = f"{_path(identifier)}/load_pulse"
        request = Request(method="POST", path=path, what=what, body=msgspec.json.encode(body))
        result = self._sender.write(request)
        if not isinstance(result, NoAnswer) and not result.fault:
            return False
        detail = result.detail if isinstance(result, NoAnswer) else result.fault
        for seconds in self._delays:
            try:
                if seconds and not self._wait_budget.pause(seconds, f"{what}: no load is visible yet", stoppable=False):
                    break
                if any(load.key not in known for load in self.history(identifier)):
                    return True
            except ConsoleError:
                continue
        raise OutcomeUnknown(
            f"{what}: whether its load began is not known ({detail}), and its history shows no new one. It was not "
            "started again.",
            fix="Look at the experiment in Statsig, then run `dbt-statsig reload` again.",
        )


def _path(identifier: str) -> str:
    """The experiment's path. Raises Refused (status 0) for an ID that would address something else."""
    segment = quote(identifier, safe="", errors="surrogatepass")
    if not identifier.strip("."):
        raise Refused(f'Experiment "{identifier}": no path can name it.', status=0, fix="Load it in Statsig.")
    return f"{API_PREFIX}/experiments/{segment}"


def _entry(content: Any, place: str) -> tuple[str, Load]:
    load = _load(content)
    return load.key or place, load


def _load(content: Any) -> Load:
    content = content if isinstance(content, dict) else {}
    dag, created = _text_of(content, "dagID"), content.get("createdTime")
    return Load(
        # Loads had no ID before 2026-03.
        key=dag or f"{created}/{_text_of(content, 'creatorName')}/{_text_of(content, 'reloadType')}",
        dag=dag,
        created=_time(created),
        finished=_time(content.get("finishedTime")),
        state=_text_of(content, "finishedState").casefold(),
        reload_type=_text_of(content, "reloadType").casefold(),
        turbo=content.get("turboMode") is True,
        creator=_text_of(content, "creatorName"),
    )


def _time(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / _MILLISECONDS, tz=timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def _text_of(content: Any, key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""
