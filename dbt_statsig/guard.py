"""Whether this dbt target may push: a development schema must never reach the production console by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.errors import ArtifactError, TargetRefused

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.artifacts import Manifest, Node
    from dbt_statsig.settings import Settings


def known_target(given: str | None, manifest: Manifest, run_results: Path) -> str:
    """The dbt target: as given, else as the run results of the manifest's own dbt command say; empty if unknown."""
    if given:
        return given
    if not run_results.is_file():
        return ""
    from dbt_statsig.artifacts import load_run_results  # noqa: PLC0415 - needed only where nobody named the target

    try:
        results = load_run_results(run_results)
    except ArtifactError:
        return ""
    same_run = bool(results.invocation_id) and results.invocation_id == manifest.invocation_id
    return results.target if same_run else ""


def check_target(target: str, settings: Settings) -> None:
    """Raise TargetRefused where targets are listed in the settings and this one is not among them, or unknown."""
    allowed = settings.allowed_targets
    if allowed is None or target in allowed:
        return
    listed = ", ".join(allowed) or "none"
    if not target:
        raise TargetRefused(
            f"Nothing was pushed: the dbt target is not known, and only these may push: {listed}.",
            fix="Name it with --target, as it was given to the dbt command that wrote the manifest.",
        )
    raise TargetRefused(
        f'Nothing was pushed: the dbt target "{target}" may not push; allowed: {listed}.',
        fix="Add it to `allowed_targets` in dbt_statsig.yml if it is meant to.",
    )


def refused_place(node: Node, settings: Settings) -> str:
    """Why this node's database or schema may not be pushed; empty where it may."""
    for what, place, allowed in (
        ("database", node.database, settings.allowed_databases),
        ("schema", node.schema, settings.allowed_schemas),
    ):
        if allowed is not None and (place or "").casefold() not in {name.casefold() for name in allowed}:
            return f'Its {what} "{place or ""}" is not one that may be pushed (allowed_{what}s: {", ".join(allowed)}).'
    return ""
