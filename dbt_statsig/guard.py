"""Whether this dbt target may push: a development schema must never reach the production console by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.errors import ArtifactError, TargetRefused
from dbt_statsig.namespace import needs_target

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.artifacts import Manifest, Node
    from dbt_statsig.request import Request
    from dbt_statsig.settings import Settings


_NAME_IT = (
    "Name it with --target, as it was given to the dbt command that wrote the manifest; "
    "`dbt-statsig run -- dbt build` and the macros know it by themselves."
)


class Target(Struct, frozen=True, kw_only=True):
    """The dbt target of a run, empty where it is not known; `doubt` says what contradicts it."""

    name: str
    doubt: str = ""


def known_target(request: Request, manifest: Manifest, run_results: Path) -> Target:
    """The dbt target that the manifest was made for.

    What dbt itself said for this manifest counts first, then the run results of the same dbt command, then what
    somebody says. manifest.json does not hold its target.
    """
    claims = [
        ("dbt says", request.known_target or ""),
        (f"{run_results.name} of the same dbt command says", _recorded(manifest, run_results)),
        ("--target (or DBT_TARGET) says", request.target or ""),
    ]
    made = [(who, name) for who, name in claims if name]
    if not made:
        return Target(name="")
    (who, known), *others = made
    doubts = (f'{other} "{name}", but {who} "{known}".' for other, name in others if name != known)
    return Target(name=known, doubt=next(doubts, ""))


def check_target(target: Target, settings: Settings) -> None:
    """Raise TargetRefused for a target that is doubtful, not listed, or not known although settings depend on it."""
    if target.doubt:
        raise TargetRefused(
            f"Nothing was pushed: {target.doubt}",
            fix="Name the target that the manifest was made for, or let dbt write the manifest again.",
        )
    if not target.name and (setting := needs_target(settings)):
        raise TargetRefused(
            f"Nothing was pushed: the dbt target is not known, and `{setting}` depends on it.",
            fix=_NAME_IT,
        )
    allowed = settings.allowed_targets
    if allowed is None or target.name in allowed:
        return
    listed = ", ".join(allowed) or "none"
    if not target.name:
        raise TargetRefused(
            f"Nothing was pushed: the dbt target is not known, and only these may push: {listed}.",
            fix=_NAME_IT,
        )
    raise TargetRefused(
        f'Nothing was pushed: the dbt target "{target.name}" may not push; allowed: {listed}.',
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


def _recorded(manifest: Manifest, run_results: Path) -> str:
    if not run_results.is_file():
        return ""
    from dbt_statsig.artifacts import load_run_results  # noqa: PLC0415 - needed only where dbt did not say it

    try:
        results = load_run_results(run_results)
    except ArtifactError:
        return ""
    same_run = bool(results.invocation_id) and results.invocation_id == manifest.invocation_id
    return results.target if same_run else ""
