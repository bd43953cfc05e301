"""What a plan must not do unless told twice: delete on thin evidence, or change much of what a project owns. Pure.

A wrong manifest, target or list looks like a large change; that is what is held back here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.changes import Action, Change, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.sources import Kind

TOUCHES = frozenset({Action.UPDATE, Action.RENAME, Action.DELETE})
"""The actions that change or remove what is there."""

_LOOK_FIRST = "See what it would do with `plan --force`; if that is meant, run again with --force."


class Limits(Struct, frozen=True, kw_only=True):
    """How much of what a project owns may change or go at once: a share, which counts from `objects` owned ones on."""

    percent: float
    objects: int

    def broken_by(self, touched: int, owned: int) -> bool:
        """Whether this is too much at once."""
        return owned >= self.objects and touched * 100 > self.percent * owned


def guarded(plan: Plan, owned: Mapping[Kind, int], limits: Limits, *, declares: bool, force: bool) -> Plan:
    """The plan with everything blocked that breaks the limits, of a kind or of all kinds together.

    `owned` counts this project's live objects. Without `declares` (the manifest marks no node at all) every deletion
    is blocked, even with `force`, which lifts the limits only.
    """
    changes = list(plan.changes)
    if not declares:
        changes = [_kept(change) if change.action is Action.DELETE else change for change in changes]
    if not force:
        changes = _held_back(changes, owned, limits)
    return structs.replace(plan, changes=tuple(changes))


def _kept(change: Change) -> Change:
    return structs.replace(
        change,
        action=Action.BLOCKED,
        reason="The manifest marks no node for Statsig at all, which is no ground to delete everything.",
        fix="Look at the manifest; delete the last objects in Statsig's console if that is meant.",
    )


def _held_back(changes: list[Change], owned: Mapping[Kind, int], limits: Limits) -> list[Change]:
    touched = Counter(change.kind for change in changes if _touches(change))
    total, of_all = touched.total(), sum(owned.values())
    everything = limits.broken_by(total, of_all)

    def reason(kind: Kind) -> str:
        if limits.broken_by(touched[kind], owned.get(kind, 0)):
            return f"{touched[kind]} of this project's {owned[kind]} {kind.label}s"
        return f"{total} of this project's {of_all} objects" if everything else ""

    return [
        structs.replace(
            change,
            action=Action.BLOCKED,
            reason=f"{why} would change or go at once, more than {limits.percent:g} %.",
            fix=_LOOK_FIRST,
        )
        if _touches(change) and (why := reason(change.kind))
        else change
        for change in changes
    ]


def _touches(change: Change) -> bool:
    return change.action in TOUCHES and not change.adopted
