"""The hooks: a post-hook marks its model, and the end of the run pushes what was built, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.errors import DbtStatsigError, TargetNotAllowed
from dbt_statsig.inside import marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dbt_statsig.inside.call import Call
    from dbt_statsig.results import Synced
    from dbt_statsig.settings import Settings

TEST_PREFIX = "test."
_NAMED = 5
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
            kept = marked | failed | {unique_id for unique_id in statuses if unique_id.startswith(TEST_PREFIX)}
            statuses = {unique_id: status for unique_id, status in statuses.items() if unique_id in kept}
        trouble = _push(call, settings, _allowed(call, settings, statuses))
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
    from dbt_statsig.guard import refused_place  # noqa: PLC0415 - only where something is to be done
    from dbt_statsig.inside.marked import marked_nodes  # noqa: PLC0415

    marked = {node.unique_id: node for node in marked_nodes(call.manifest) if node.unique_id in statuses}
    refused = {unique_id: why for unique_id, node in marked.items() if (why := refused_place(node, settings))}
    if refused:
        names = ", ".join(marked[unique_id].name for unique_id in list(refused)[:_NAMED])
        call.dbt.say(
            f"dbt-statsig: not pushed: {names}{' …' if len(refused) > _NAMED else ''}. {next(iter(refused.values()))}"
        )
    return {unique_id: status for unique_id, status in statuses.items() if unique_id not in refused}


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
    return "" if synced.ok() else "; ".join(["not everything was pushed", *synced.problems[:_NAMED]])
