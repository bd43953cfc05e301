"""Asks Statsig itself: each change is sent with `dryRun` first, which validates and keeps nothing."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import wait
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, structs

from dbt_statsig.errors import AuthenticationFailed, ConsoleError, Refused, Throttled
from dbt_statsig.support.threads import side_by_side
from dbt_statsig.vocabulary.changes import Action, Change, Plan, united
from dbt_statsig.vocabulary.comparison import fill_undeclared_from
from dbt_statsig.vocabulary.findings import Finding, finding

if TYPE_CHECKING:
    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.sources import Kind, Source

_PER_QUARTER = 1800
"""What Statsig's newest page says of 15 minutes; older ones say 900."""


class Checked(Struct, frozen=True, kw_only=True):
    """The plan without what Statsig refuses, a finding for each of those, and what the checking came to."""

    plan: Plan
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def check_plan(client: ConsoleClient, plan: Plan, *, concurrency: int = 8) -> Checked:
    """Send a plan's changes with `dryRun`.

    What cannot be tried: a retirement, a name that the plan itself frees first, a metric whose source the plan creates.

    Raises ConsoleError where Statsig cannot be asked; nothing was written then.
    """
    freed = _freed(plan)
    new = {(change.kind, change.name) for change in plan.changes if change.action is Action.CREATE}
    changes = [
        change
        for change in plan.changes
        if change.action.sends
        and not (change.action is Action.CREATE and change.name in freed[change.kind])
        and not (set(change.after) & new)
    ]
    tags = _known_tags(client) if any(_tags(change) for change in changes) else frozenset[str]()
    asked = side_by_side(lambda one: _ask(client, one, tags, freed[one.kind]), changes, at_once=concurrency)
    try:
        answers = [future.result() for future in asked]
    except BaseException:
        client.stop()
        for future in asked:
            future.cancel()
        wait(asked)
        raise
    refusals = {
        (change.kind, change.name): refusal
        for change, refusal in zip(changes, answers, strict=True)
        if refusal is not None
    }
    return Checked(
        plan=structs.replace(plan, changes=united(_blocked(change, refusals) for change in plan.changes)),
        findings=tuple(_finding(change, refusals) for change in changes if (change.kind, change.name) in refusals),
        notes=tuple(_notes(plan, checked=len(changes), refused=len(refusals))),
    )


def _known_tags(client: ConsoleClient) -> frozenset[str]:
    """The tags that exist; none where they cannot be read, so that sources are checked without tags."""
    try:
        return client.tags()
    except (AuthenticationFailed, Throttled):
        raise
    except ConsoleError:
        return frozenset()


def _ask(client: ConsoleClient, change: Change, tags: frozenset[str], freed: frozenset[str]) -> Refused | None:
    desired = _with_tags(change, tags)
    try:
        if change.live is None:
            client.create(change.kind, desired, dry_run=True)
        else:
            payload = fill_undeclared_from(desired, change.live)
            if change.name in freed:
                payload = structs.replace(payload, name=change.live_name)
            client.update(change.kind, change.live_name, payload, before=change.live, dry_run=True)
    except Refused as error:
        return error
    return None


def _freed(plan: Plan) -> dict[Kind, frozenset[str]]:
    """The live names that the plan itself frees before they are taken."""
    names: dict[Kind, set[str]] = defaultdict(set)
    for change in plan.changes:
        if change.action is Action.RENAME:
            names[change.kind].add(change.live_name)
    return defaultdict(frozenset, {kind: frozenset(freed) for kind, freed in names.items()})


def _tags(change: Change) -> tuple[str, ...]:
    tags = UNSET if change.desired is None else change.desired.tags
    return () if tags is UNSET or tags is None else tags


def _with_tags(change: Change, known: frozenset[str]) -> Source:
    """The payload with the tags that exist: the missing ones are created when the plan is applied."""
    if change.desired is None:
        raise ValueError("a change that writes holds the object that it writes")
    tags = tuple(tag for tag in _tags(change) if tag in known)
    return structs.replace(change.desired, tags=tags) if _tags(change) else change.desired


def _blocked(change: Change, refusals: dict[tuple[Kind, str], Refused]) -> Change:
    refusal = refusals.get((change.kind, change.name))
    if refusal is None or not change.action.sends:
        return change
    return change.blocked("Statsig refuses it in a dry run.", f"Fix the errors of this {change.kind.label}.")


def _finding(change: Change, refusals: dict[tuple[Kind, str], Refused]) -> Finding:
    refusal = refusals[change.kind, change.name]
    problems = "".join(f"\n{problem}" for problem in refusal.problems)
    return finding(
        "server-refused",
        f"{refusal.message}{problems}",
        fix=refusal.fix,
        unique_id=change.unique_id,
        kind=change.kind.value,
        source=change.name,
    )


def _notes(plan: Plan, *, checked: int, refused: int) -> list[str]:
    writes = sum(change.action.writes for change in plan.changes) - refused
    limit = f"Statsig allows about {_PER_QUARTER:,} of both in 15 minutes"
    return [
        f"Statsig checked {checked} changes with dryRun and refused {refused}; {writes} writes would follow. "
        + (f"{limit}, so this takes longer." if checked + writes > _PER_QUARTER else f"{limit}.")
    ]
