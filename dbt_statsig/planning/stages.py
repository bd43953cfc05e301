"""A plan as an ordered list of stages: what is written first, and what only after all of that has ended."""

from __future__ import annotations

from enum import Enum
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

from dbt_statsig.vocabulary.changes import Action, Change, Plan
from dbt_statsig.vocabulary.kinds import SPECS

if TYPE_CHECKING:
    from collections.abc import Iterable


class StageKind(str, Enum):
    """The stages in their order.

    `tags` come first, as older versions of the API refuse a source with a tag that does not exist. `renames` free names
    that `sources` may take. `metrics` come when their sources are there. `retirement` takes out of use what is no
    longer declared when all that replaces it is there, metrics before their sources.
    """

    TAGS = "tags"
    RENAMES = "renames"
    SOURCES = "sources"
    METRIC_RENAMES = "metric renames"
    METRICS = "metrics"
    RETIREMENT = "retirement"


class Stage(Struct, frozen=True, kw_only=True):
    """Writes that may start once the stages before have ended: `tags` to create where missing, or `changes`.

    The changes of `sources` and of `metrics` do not depend on each other; those of the other stages are written in
    their order.
    """

    kind: StageKind
    changes: tuple[Change, ...] = ()
    tags: tuple[str, ...] = ()


_STAGE_OF = {
    Action.RENAME: StageKind.RENAMES,
    Action.CREATE: StageKind.SOURCES,
    Action.UPDATE: StageKind.SOURCES,
    Action.DELETE: StageKind.RETIREMENT,
    Action.ARCHIVE: StageKind.RETIREMENT,
}
_OF_METRICS = {StageKind.RENAMES: StageKind.METRIC_RENAMES, StageKind.SOURCES: StageKind.METRICS}


def stages_of(plan: Plan) -> tuple[Stage, ...]:
    """The stages of all changes that write; a stage without any is left out."""
    changes: dict[StageKind, list[Change]] = {kind: [] for kind in StageKind}
    for change in plan.changes:
        if change.action.writes:
            stage, inner = _STAGE_OF[change.action], SPECS[change.kind].within is not None
            changes[_OF_METRICS.get(stage, stage) if inner else stage].append(change)
    for kind in (StageKind.RENAMES, StageKind.METRIC_RENAMES):
        changes[kind] = _freeing_names_first(changes[kind])
    changes[StageKind.RETIREMENT].sort(key=lambda change: SPECS[change.kind].within is None)
    tags = {tag for group in changes.values() for change in group for tag in _new_tags(change)}
    stages = [Stage(kind=kind, changes=tuple(group)) for kind, group in changes.items() if group]
    return (*([Stage(kind=StageKind.TAGS, tags=tuple(sorted(tags)))] if tags else []), *stages)


def _new_tags(change: Change) -> tuple[str, ...]:
    touches_tags = change.action is Action.CREATE or any(field.field == "tags" for field in change.fields)
    tags = change.desired.tags if change.desired is not None and touches_tags else ()
    return () if tags is UNSET or tags is None else tags


def _freeing_names_first(renames: Iterable[Change]) -> list[Change]:
    """The renames in such an order that each new name is free when its turn comes. Circles were refused by the plan."""
    by_name = {(change.kind, change.name): change for change in renames}
    after = {key: [(key[0], name) for name in change.requires] for key, change in by_name.items()}
    return [by_name[key] for key in TopologicalSorter(after).static_order() if key in by_name]
