"""Objects given back to the console: without the ownership line, and editable there again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from dbt_statsig.planning.kept import compared
from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.ownership import likely_owner, owner_name, released_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from dbt_statsig.planning.asked import Live, Scope
    from dbt_statsig.vocabulary.sources import Kind, Source


def release_plan(
    live: Mapping[Kind, Live], names: Collection[str], scope: Scope, *, locked: Collection[tuple[Kind, str]]
) -> Plan:
    """The updates that release the objects of these names; those of other owners are refused.

    `locked` are the objects that this project made read-only in the console.
    """
    changes = (
        _released(kind, item, scope, is_locked=(kind, item.name) in locked)
        for kind, held in live.items()
        for item in held.items
        if item.name in names
    )
    return Plan(project=scope.project, namespace=scope.namespace, changes=tuple(changes))


def releasable(live: Mapping[Kind, Live], scope: Scope) -> Iterator[tuple[Kind, str]]:
    """The objects that this project owns, by kind and name."""
    for kind, held in live.items():
        for item in held.items:
            owner = likely_owner(item.description)
            if owner is not None and owner.owner == scope.owner:
                yield kind, item.name


def _released(kind: Kind, item: Source, scope: Scope, *, is_locked: bool) -> Change:
    owner = likely_owner(item.description)
    if owner is None or owner.owner != scope.owner:
        whose = f'dbt project "{owner_name(owner.project, owner.namespace)}" owns it' if owner else "nobody owns it"
        reason = f"Not managed by this project: {whose}."
        fix = "Release it from that project." if owner else ""
        return Change(
            action=Action.FOREIGN, kind=kind, name=item.name, live_name=item.name, reason=reason, fix=fix, live=item
        )
    desired = structs.replace(item, description=released_text(item.description))
    reason = ""
    if item.is_read_only is True and is_locked:
        desired = structs.replace(desired, is_read_only=False)
    elif item.is_read_only is True:
        reason = "It stays read-only in the console: neither its block nor a setting made it so."
    return Change(
        action=Action.UPDATE,
        kind=kind,
        name=item.name,
        unique_id=owner.unique_id,
        live_name=item.name,
        fields=compared(desired, item).fields,
        reason=reason,
        desired=desired,
        live=item,
    )
