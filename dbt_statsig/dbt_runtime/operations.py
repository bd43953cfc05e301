"""`dbt run-operation statsig_validate`, `_plan` and `_sync`: the command line's answers, from within dbt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from msgspec import structs

from dbt_statsig.commands.plan import plan
from dbt_statsig.commands.sync import sync
from dbt_statsig.commands.validate import validate
from dbt_statsig.console.key import without_keys
from dbt_statsig.dbt_runtime.call import OPERATION, kinds, names, switch, words
from dbt_statsig.dbt_runtime.manifest import live_manifest, marked_nodes
from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.project.lineage import uncompiled
from dbt_statsig.report.text.report import plan_text, sync_text, validation_text
from dbt_statsig.report.text.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.dbt_runtime.call import Call
    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.request import Request

Answer = dict[str, Any]


def validate_operation(call: Call, **given: Any) -> Answer:
    """The answer of `validate`, shown to the user; raises dbt's own error where it is not well."""

    def answer(request: Request, manifest: Manifest) -> tuple[int, str]:
        validation = validate(request, manifest=manifest)
        return validation.exit_code, validation_text(validation, style())

    return _operation(call, "statsig_validate", given, answer)


def plan_operation(call: Call, **given: Any) -> Answer:
    """The same of `plan`."""

    def answer(request: Request, manifest: Manifest) -> tuple[int, str]:
        planned = plan(request, manifest=manifest)
        for warning in planned.warnings:
            call.dbt.warn(warning)
        return planned.exit_code, plan_text(planned, style())

    return _operation(call, "statsig_plan", given, answer)


def sync_operation(call: Call, *, dry_run: object = False, **given: Any) -> Answer:
    """The same of `sync`."""

    def answer(request: Request, manifest: Manifest) -> tuple[int, str]:
        request = structs.replace(request, dry_run=switch(dry_run, "dry_run"))
        synced = sync(request, manifest=manifest)
        for warning in synced.planned.warnings:
            call.dbt.warn(warning)
        return synced.exit_code, sync_text(synced, style(), dry_run=request.dry_run)

    return _operation(call, "statsig_sync", given, answer)


def style(*, quiet: bool = False) -> Style:
    """Plain text: it goes through dbt's log, into files too."""
    return Style(unicode="utf" in (getattr(sys.stdout, "encoding", None) or "").lower(), quiet=quiet)


def compiled_manifest(call: Call, only: frozenset[str] | None) -> Manifest:
    """The live manifest, with all SQL compiled that the marked nodes in scope rest on."""
    all_metrics = call.settings().semantic_layer.metrics == "all"
    manifest = live_manifest(call.manifest, all_metrics=all_metrics)
    wanted = {node.unique_id for node in marked_nodes(call.manifest, all_metrics=all_metrics)}
    missing = uncompiled(manifest, wanted if only is None else wanted & only)
    enabled = [unique_id for unique_id in missing if unique_id in call.manifest.nodes]
    if not enabled:
        return manifest
    return live_manifest(call.manifest, compiled=call.dbt.compiled(enabled), all_metrics=all_metrics)


def _operation(
    call: Call, name: str, given: dict[str, Any], answer: Callable[[Request, Manifest], tuple[int, str]]
) -> Answer:
    try:
        if not call.is_on or not call.settings().enabled:
            call.dbt.say(f"{name}: switched off, nothing done.")
            return {"exit_code": 0, "report": ""}
        _check_place(call, name)
        request = _request(call, **given)
        code, report = answer(request, compiled_manifest(call, request.selected))
        report = without_keys(report, request.environ)
    except DbtStatsigError as error:
        call.dbt.fail(f"{name}: {error}")
        raise
    call.dbt.say(report.rstrip("\n"))
    if code:
        call.dbt.fail(f"{name}: see above; exit code {code} on the command line.")
    return {"exit_code": code, "report": report}


def _check_place(call: Call, name: str) -> None:
    if call.which not in OPERATION:
        raise UsageError(
            f"{name} is for `dbt run-operation`, not for a hook.",
            fix="In on-run-end, write: {{ dbt_statsig.statsig_sync_results(results) }}",
        )


def _request(
    call: Call,
    *,
    select: object = None,
    exclude: object = None,
    only_kinds: object = None,
    strict: object = False,
    prune: object = False,
    adopt: object = None,
    delete_metrics: object = False,
) -> Request:
    chosen, without = words(select, "select"), words(exclude, "exclude")
    return call.request(
        selected=call.dbt.selected(chosen, without) if chosen or without else None,
        kinds=kinds(only_kinds),
        strict=switch(strict, "strict"),
        prune=switch(prune, "prune"),
        adopt=names(adopt, "adopt"),
        delete_metrics=switch(delete_metrics, "delete_metrics"),
    )
