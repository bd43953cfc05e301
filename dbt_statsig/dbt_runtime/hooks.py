"""The hooks: a post-hook marks its model, and the end of the run pushes what was built, once."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.errors import DbtStatsigError, TargetNotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.dbt_runtime.call import Call
    from dbt_statsig.project.artifacts import RunResults
    from dbt_statsig.project.settings import Settings
    from dbt_statsig.support.threads import StopSignal
    from dbt_statsig.vocabulary.results import Synced

TEST_PREFIX = "test."
_NAMED = 5
NO_FLUSH = (
    "models are marked by post-hooks, but no on-run-end hook pushes them. "
    'Add to dbt_project.yml: on-run-end: "{{ dbt_statsig.statsig_sync_results(results) }}"'
)


class _Ended(Struct, frozen=True, kw_only=True):
    """dbt's results of this command, and the nodes that its marks choose (None: no model is marked)."""

    results: list[Any]
    only: frozenset[str] | None


def mark_model(call: Call) -> str:
    """Note that a model's post-hook ran. Always gives an empty text, so that dbt has nothing to execute."""
    if not (call.is_on and call.builds and call.unique_id):
        return ""
    first = mark(call.invocation_id, call.unique_id)
    if first and not has_flush(call.manifest):
        call.dbt.warn(NO_FLUSH)
    return ""


def push_results(call: Call, results: Iterable[Any]) -> str:
    """Push the sources of what was built; gives an empty text, or SQL that fails where a failure should fail the job.

    Nothing is ever raised: dbt would lose its summary.
    """
    marked = take(call.invocation_id)
    if not (call.is_on and call.builds):
        return ""
    on_failure = "warn"
    try:
        settings = call.settings()
        if not settings.enabled:
            return ""
        on_failure = settings.on_failure
        ended = list(results)
        statuses = {result.node.unique_id: _status(result) for result in ended}
        hooked = with_marking_hook(call.manifest)
        only: frozenset[str] | None = None
        if marked or hooked:
            # A model that failed before its post-hook is not marked, but should be named.
            failed = {unique_id for unique_id in hooked if statuses.get(unique_id) != "success"}
            kept = marked | failed | {unique_id for unique_id in statuses if unique_id.startswith(TEST_PREFIX)}
            statuses = {unique_id: status for unique_id, status in statuses.items() if unique_id in kept}
            only = frozenset(statuses)
        trouble = _push(call, settings, _allowed(call, settings, statuses), _Ended(results=ended, only=only))
    except TargetNotAllowed as error:
        call.dbt.say(f"dbt-statsig: {error.message}")
        return ""
    except DbtStatsigError as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 - see above: nothing may be raised
        trouble = f"internal error ({type(error).__name__})."
    if not trouble:
        return ""
    if on_failure == "fail":
        return call.dbt.failing_sql(trouble)
    call.dbt.warn(trouble)
    return ""


def _status(result: Any) -> str:
    return str(getattr(result.status, "value", result.status))


def _allowed(call: Call, settings: Settings, statuses: dict[str, str]) -> dict[str, str]:
    """The statuses without the nodes whose database or schema may not be pushed: in development that is no failure."""
    from dbt_statsig.dbt_runtime.manifest import marked_nodes
    from dbt_statsig.project.target import refused_place  # only where something is to be done
    from dbt_statsig.vocabulary.findings import listed

    nodes = marked_nodes(call.manifest, all_metrics=settings.semantic_layer.metrics == "all")
    marked = {node.unique_id: node for node in nodes if node.unique_id in statuses}
    refused = {unique_id: why for unique_id, node in marked.items() if (why := refused_place(node, settings))}
    if refused:
        names = listed([marked[unique_id].name for unique_id in refused])
        call.dbt.say(f"dbt-statsig: not pushed: {names}. {next(iter(refused.values()))}")
    return {unique_id: status for unique_id, status in statuses.items() if unique_id not in refused}


def _push(call: Call, settings: Settings, statuses: dict[str, str], ended: _Ended) -> str:
    """Push, reload where a var asks for it, say what happened, and give what is to be complained about."""
    from dbt_statsig.commands.reload import after_sync
    from dbt_statsig.commands.sync import sync
    from dbt_statsig.dbt_runtime.operations import compiled_manifest, style
    from dbt_statsig.project.artifacts import succeeded  # only where something is to be done
    from dbt_statsig.report.text.report import sync_text
    from dbt_statsig.support.threads import within

    manifest = compiled_manifest(call, succeeded(statuses))
    seconds = settings.hook_timeout
    # A request without an answer must not outlive the hook by far: dbt cannot end before it does.
    flags = {key: min(getattr(settings, key), seconds) for key in ("read_timeout", "write_timeout")}
    request = call.request(results=statuses, flags=flags)

    def work(signal: StopSignal) -> Synced:
        synced = sync(request, manifest=manifest, stop_signal=signal)
        if not call.reloads:
            return synced
        chosen = structs.replace(request, selected=ended.only)
        return after_sync(chosen, synced, results=_followed(call, ended.results), manifest=manifest, stop_signal=signal)

    synced, late = within(seconds, work)
    for warning in synced.warnings:
        call.dbt.warn(warning)
    call.dbt.say(f"dbt-statsig: {sync_text(synced, style(quiet=True)).rstrip()}")
    if late:
        return f"hook_timeout ({seconds:.0f} s) was reached: no other write was started."
    return "" if synced.ok() else "; ".join(["not everything was pushed", *synced.problems[:_NAMED]])


def _followed(call: Call, ended: Iterable[Any]) -> RunResults:
    """What this dbt command has done so far, as its run results will have it."""
    from dbt_statsig.project.artifacts import RunResults
    from dbt_statsig.project.artifacts.reading import as_time

    statuses: dict[str, str] = {}
    completed: dict[str, datetime] = {}
    for result in ended:
        unique_id = result.node.unique_id
        statuses[unique_id] = _status(result)
        times = [as_time(getattr(step, "completed_at", None)) for step in getattr(result, "timing", None) or ()]
        if known := [time for time in times if time is not None]:
            completed[unique_id] = max(known)
    return RunResults(
        generated_at=datetime.now(timezone.utc),
        which=call.which,
        full_refresh=call.full_refresh,
        completed=completed,
        results=statuses,
    )


MACRO = "statsig_sync_model"
FLUSH = "statsig_sync_results"

_lock = threading.Lock()
_marked: dict[str, set[str]] = {}


def mark(invocation_id: str, unique_id: str) -> bool:
    """Note that a node's post-hook ran; whether it is the first one of this dbt invocation."""
    with _lock:
        if invocation_id not in _marked:
            _marked.clear()
        first = invocation_id not in _marked
        _marked.setdefault(invocation_id, set()).add(unique_id)
        return first


def take(invocation_id: str) -> frozenset[str]:
    """The nodes marked in this invocation; they are handed out once."""
    with _lock:
        return frozenset(_marked.pop(invocation_id, ()))


def with_marking_hook(manifest: Any) -> frozenset[str]:
    """The models with a post-hook that marks them: where there are any, only these are pushed."""
    return frozenset(
        unique_id
        for unique_id, node in manifest.nodes.items()
        for hook in getattr(getattr(node, "config", None), "post_hook", None) or ()
        if MACRO in (getattr(hook, "sql", "") or "")
    )


def has_flush(manifest: Any) -> bool:
    """Whether an on-run-end hook of dbt's live manifest pushes what was marked."""
    return any(
        "on-run-end" in (getattr(node, "tags", None) or ()) and FLUSH in (getattr(node, "raw_code", "") or "")
        for node in manifest.nodes.values()
    )
