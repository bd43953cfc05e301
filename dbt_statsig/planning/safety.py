"""What a plan must not do unless asked twice: delete on thin evidence, or change much of what a project owns. Pure.

A wrong manifest, target or list looks like a large change; that is what is held back here. What stays as it is for lack
of evidence is no error.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from dbt_statsig.planning.asked import to_prune
from dbt_statsig.vocabulary.changes import PAST_TENSE, Action, Change, Plan, united
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.results import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dbt_statsig.vocabulary.changes import Plan
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import SourceReport, Validation
    from dbt_statsig.vocabulary.sources import Kind

_SEVERAL = 3
_LOOK_FIRST = "Check it with `{}`. If it is intended, run again with --force."
FOR_LACK_OF_EVIDENCE = frozenset({"hidden-columns-open", "partition-type-unknown"})
"""Errors that say that not enough is known: they do not matter for a source that stays as it is."""


class Limits(Struct, frozen=True, kw_only=True):
    """How much of what a project owns may change or go at once.

    The share counts from `objects` own objects on for deletions, and from `changes` on (None: the same) for all changes
    together.
    """

    percent: float
    objects: int
    changes: int | None = None

    def broken_by(self, touched: int, owned: int, *, least: int | None) -> bool:
        """Whether this is too much at once."""
        return owned >= (self.objects if least is None else least) and touched * 100 > self.percent * owned


def doubt(owned: Mapping[Kind, int], absent: Mapping[str, int]) -> str:
    """Why the manifest looks partial, or like another project's; empty where it does not.

    `owned` counts this project's live objects, `absent` those of each node that the manifest does not have.
    """
    missing, held = sum(absent.values()), sum(owned.values())
    if missing < _SEVERAL or missing * 2 < held:
        return ""
    return (
        f"{missing} of the {held} objects with this project's ownership line belong to nodes that the manifest "
        "does not have: it is partial, or another dbt project has the same name."
    )


def guarded(
    plan: Plan,
    owned: Mapping[Kind, int],
    limits: Limits,
    *,
    declares: bool,
    force: bool,
    absent: Mapping[str, int] | None = None,
) -> Plan:
    """The plan with everything blocked that breaks the limits, of a kind or of all kinds together.

    `owned` and `absent` as for `doubt`. Without `declares` (the manifest marks no node at all) every deletion is
    blocked, even with `force`, which lifts the limits only.
    """
    changes = list(plan.changes)
    if not declares:
        changes = [_block_deletion(change) if change.action.retires else change for change in changes]
    if not force:
        changes = _block_over_limit(changes, owned, limits, absent or {})
        changes = [_hinted(change) if change.unique_id in (absent or {}) else change for change in changes]
    return structs.replace(plan, changes=united(changes))


def not_replaced_elsewhere(plan: Plan, others: Mapping[str, str]) -> Plan:
    """The plan without deletions of what a node may have replaced by a source of a kind that this run leaves out.

    `others` are the nodes that declare such a source, each with that source.
    """

    def held(change: Change) -> Change:
        if change.action is not Action.DELETE or change.unique_id not in others:
            return change
        reason = f"Its node declares the {others[change.unique_id]}, which --kind excludes, so this one is not deleted."
        return change.blocked(reason, "Run it without --kind.")

    return structs.replace(plan, changes=united(map(held, plan.changes)))


def _hinted(change: Change) -> Change:
    """An object whose node the manifest does not have: retiring it takes more than --prune."""
    if change.action is not Action.ORPHAN or change.fix != to_prune(change.kind):
        return change
    fix = f"{to_prune(change.kind, '--prune --force')[:-1]}: the manifest has no such node."
    return structs.replace(change, fix=fix)


def _block_deletion(change: Change) -> Change:
    return change.blocked(
        f"The manifest declares no source, so nothing is {PAST_TENSE[change.action]}.",
        "Check the manifest. If it is intended, delete the last objects in Statsig.",
    )


def _block_over_limit(
    changes: list[Change], owned: Mapping[Kind, int], limits: Limits, absent: Mapping[str, int]
) -> list[Change]:
    touched = Counter(change.kind for change in changes if _touches(change))
    deleted = Counter(change.kind for change in changes if change.action.retires)
    lost = Counter(change.kind for change in changes if change.action.retires and not change.requires)
    everything = limits.broken_by(touched.total(), sum(owned.values()), least=limits.changes)
    doubtful = doubt(owned, absent)
    share = f"at once, more than {limits.percent:g} %."

    def of_all(kind: Kind) -> str:
        held = owned.get(kind, 0)
        if limits.broken_by(touched[kind], held, least=limits.changes):
            return f"{touched[kind]} of this project's {held} {kind.label}s would {_acts(changes, kind)} {share}"
        if everything:
            total = sum(owned.values())
            return f"{touched.total()} of this project's {total} objects would {_acts(changes, *touched)} {share}"
        return ""

    def of_deletions(change: Change) -> str:
        if not change.action.retires:
            return ""
        held, label, acts = owned.get(change.kind, 0), f"{change.kind.label}s", f"be {PAST_TENSE[change.action]}"
        if change.unique_id in absent:
            return f"The manifest has no node {change.unique_id}: that was removed, or the manifest is partial."
        if limits.broken_by(deleted[change.kind], held, least=None):
            return f"{deleted[change.kind]} of this project's {held} {label} would {acts} {share}"
        return f"All of this project's {label} ({held}) would {acts} at once." if lost[change.kind] >= held else ""

    def reason(change: Change) -> str:
        if not _touches(change):
            return ""
        return of_all(change.kind) or of_deletions(change) or doubtful

    return [
        structs.replace(one, action=Action.BLOCKED, held=one.action, reason=why, fix=_look_first(one))
        if (why := reason(one))
        else one
        for one in changes
    ]


def _acts(changes: Iterable[Change], *kinds: Kind) -> str:
    """What would be done to what is there, as `change or be archived`."""
    actions = {one.action for one in changes if one.kind in kinds and _touches(one)}
    gone = [PAST_TENSE[action] for action in (Action.ARCHIVE, Action.DELETE) if action in actions]
    some = ["change"] if any(not action.retires for action in actions) else []
    return " or ".join([*some, *(["be " + " or ".join(gone)] if gone else [])])


def _look_first(change: Change) -> str:
    return _LOOK_FIRST.format("plan --prune --force" if change.action.retires else "plan --force")


def _touches(change: Change) -> bool:
    return change.action.touches and not change.adopted


def without_uncompared(plan: Plan) -> tuple[Plan, tuple[Skipped, ...]]:
    """The plan without the sources that stay as they are for lack of evidence, and those sources."""
    left = [change for change in plan.changes if change.kept and change.action is Action.UNCHANGED]
    rest = tuple(change for change in plan.changes if not (change.kept and change.action is Action.UNCHANGED))
    return structs.replace(plan, changes=rest), tuple(
        Skipped(kind=one.kind, name=one.name, unique_id=one.unique_id, reason=one.reason) for one in left
    )


def excused(validation: Validation, plan: Plan) -> Validation:
    """The validation with a warning for each error that only says that too little is known of a source that stays."""
    kept = {(change.kind.value, change.name) for change in plan.changes if change.kept}

    def weighed(found: Finding) -> Finding:
        stays = found.code in FOR_LACK_OF_EVIDENCE and (found.kind, found.source) in kept
        return structs.replace(found, severity=Severity.WARNING) if stays else found

    def unblocked(source: SourceReport) -> SourceReport:
        return structs.replace(source, blocked=False) if (source.kind.value, source.name) in kept else source

    return structs.replace(
        validation,
        findings=tuple(map(weighed, validation.findings)),
        sources=tuple(map(unblocked, validation.sources)),
    )
