"""The hooks: a post-hook marks its model, and the end of the run pushes what was built, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.inside import marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.inside.call import Call
    from dbt_statsig.results import Synced
    from dbt_statsig.settings import Settings

FAILING_SQL = "dbt_statsig_could_not_push__see_the_log_above"
"""No SQL on any warehouse: dbt shows it as the hook's error, and ends the job with exit code 1."""

NO_FLUSH = (
    "models are marked by post-hooks, but no on-run-end hook pushes them. "
    'Add to dbt_project.yml: on-run-end: "{{ dbt_statsig.statsig_sync_results(results) }}"'
)


def mark_model(call: Call) -> str:
    """Note that a model's post-hook ran. Always gives an empty text, so that dbt has nothing to execute."""
    if not (call.is_on and call.builds and call.unique_id):
        return ""
    first = marks.mark(call.invocation_id, call.unique_id)
    if first and not marks.has_flush(call.manifest):
        call.dbt.warn(NO_FLUSH)
    return ""


def push_results(call: Call, results: Iterable[Any]) -> str:
    """Push the sources of what was built; gives an empty text, or SQL that fails where a failure shall fail the job.

    Nothing is ever raised: dbt would lose its summary.
    """
    marked = marks.take(call.invocation_id)
    if not (call.is_on and call.builds):
        return ""
    on_failure = "warn"
    try:
        settings = call.settings()
        if not settings.enabled:
            return ""
        on_failure = settings.on_failure
        statuses = {result.node.unique_id: _status(result) for result in results}
        hooked = marks.with_marking_hook(call.manifest)
        if marked or hooked:
            # A model that failed before its post-hook is not marked, but shall be named.
            failed = {unique_id for unique_id in hooked if statuses.get(unique_id) != "success"}
            statuses = {unique_id: status for unique_id, status in statuses.items() if unique_id in marked | failed}
        trouble = _push(call, settings, statuses)
    except DbtStatsigError as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 - see above: nothing may be raised
        trouble = f"internal error ({type(error).__name__})."
    if not trouble:
        return ""
    call.dbt.warn(trouble)
    return FAILING_SQL if on_failure == "fail" else ""


def _status(result: Any) -> str:
    return str(getattr(result.status, "value", result.status))


def _push(call: Call, settings: Settings, statuses: dict[str, str]) -> str:
    """Push, say what happened, and give what is to be complained about."""
    from dbt_statsig.artifacts import succeeded  # noqa: PLC0415 - only where something is to be done
    from dbt_statsig.conductor import sync  # noqa: PLC0415
    from dbt_statsig.inside.deadline import within  # noqa: PLC0415
    from dbt_statsig.inside.operations import compiled_manifest, style  # noqa: PLC0415
    from dbt_statsig.report.text import sync_text  # noqa: PLC0415

    manifest = compiled_manifest(call, succeeded(statuses))
    seconds = settings.hook_timeout
    # A request that hangs must not outlive the hook by far: dbt cannot end before it does.
    flags = {key: min(getattr(settings, key), seconds) for key in ("read_timeout", "write_timeout")}
    request = call.request(results=statuses, flags=flags)
    synced: Synced
    synced, late = within(seconds, lambda brake: sync(request, manifest=manifest, brake=brake))
    for warning in synced.planned.warnings:
        call.dbt.warn(warning)
    call.dbt.say(f"dbt-statsig: {sync_text(synced, style(quiet=True)).rstrip()}")
    if late:
        return f"the {seconds:.0f} s of hook_timeout were over: nothing more was started."
    return "not everything was pushed; see above." if not synced.ok() else ""
