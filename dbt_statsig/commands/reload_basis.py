"""What a reload rests on: this project's sources in Statsig, the news of each, and what a sync changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.planning.new_data import Build, Freshness, NewData, News
from dbt_statsig.planning.owned import owned_nodes
from dbt_statsig.planning.reloading import Changed, changed_by
from dbt_statsig.project.artifacts import RunResults, failed, load_manifest
from dbt_statsig.project.target import refused_place
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.kinds import EXPERIMENT_SOURCES
from dbt_statsig.vocabulary.ownership import owner_name
from dbt_statsig.vocabulary.results import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from dbt_statsig.commands.pipeline import DeclaredProject
    from dbt_statsig.planning.asked import Live
    from dbt_statsig.project.artifacts import Node
    from dbt_statsig.project.request import Request
    from dbt_statsig.vocabulary.results import Synced
    from dbt_statsig.vocabulary.sources import Kind

_SKIPPED = "Another node failed (`after_failure: skip`)"


def owned_sources(
    project: DeclaredProject, live: Mapping[Kind, Live], synced: Synced | None
) -> dict[tuple[Kind, str], str]:
    """This project's sources in Statsig, each with its node, but for nodes whose place may not be pushed.

    An experiment may still name a source as it was called before the sync. A dry run has what it would create.
    """
    owner = owner_name(project.inputs.project, project.namespace)
    owned = {
        key: unique_id
        for key, unique_id in owned_nodes(live, lambda line: line.owner == owner).items()
        if (node := project.manifest.node(unique_id)) is not None and not refused_place(node, project.settings)
    }
    owned |= {(kind, old): owned[kind, new] for kind, old, new in _renamed(synced) if (kind, new) in owned}
    changes = synced.planned.plan.changes if synced is not None and project.request.dry_run else ()
    to_come = (one for one in changes if one.action is Action.CREATE and one.kind in EXPERIMENT_SOURCES)
    return owned | {(one.kind, one.name): one.unique_id for one in to_come}


def news(
    project: DeclaredProject, followed: RunResults, owned: Mapping[tuple[Kind, str], str]
) -> dict[tuple[Kind, str], News]:
    """What is new or held back of each source; new rows only of nodes that are selected."""
    held = dict(project.held)
    if project.settings.after_failure == "skip" and failed(followed.results):
        held = {**dict.fromkeys(followed.succeeded(), _SKIPPED), **held}
    found = NewData(
        Build(
            node=project.manifest.node,
            statuses=followed.results,
            held=held,
            full_refresh=followed.full_refresh,
            before=_before(project.request, max_mb=project.settings.max_artifact_mb),
        )
    )
    chosen = project.chosen
    news = {key: found.of(unique_id) for key, unique_id in owned.items()}
    return {
        key: one
        for key, one in news.items()
        if one.freshness is Freshness.HELD
        or (one.freshness is Freshness.NEW and (chosen is None or owned[key] in chosen))
    }


def unwritten(synced: Synced) -> Iterator[tuple[tuple[Kind, str], News]]:
    """The sources that a sync was to write and did not, which hold back what reads them."""
    left = [(one.change, one.status.value) for one in synced.outcome.objects if one.status is not Status.DONE]
    left += [(one, one.action.value) for one in synced.planned.plan.changes if one.action is Action.BLOCKED]
    for change, status in left:
        news = News(freshness=Freshness.HELD, why=f"the sync did not write it (status {status})")
        yield from (((change.kind, name), news) for name in (change.name, change.live_name) if name)


def _renamed(synced: Synced | None) -> Iterator[tuple[Kind, str, str]]:
    """The sources that a sync renamed: kind, old and new name."""
    for one in () if synced is None else synced.outcome.objects:
        change = one.change
        if one.status is Status.DONE and change.live_name and change.live_name != change.name:
            yield change.kind, change.live_name, change.name


def _before(request: Request, *, max_mb: int) -> Callable[[str], Node | None] | None:
    if request.state is None:
        return None
    plain = request.state / "manifest.json"
    packed: Path = plain.with_suffix(".json.gz")
    return load_manifest(packed if packed.is_file() and not plain.is_file() else plain, max_mb=max_mb).node


def changed(synced: Synced | None, *, dry_run: bool) -> Changed:
    """What the sync wrote that changes results, or would write."""
    if synced is None:
        return Changed()
    if dry_run:
        return changed_by(change for change in synced.planned.plan.changes if change.action.writes)
    return changed_by(one.change for one in synced.outcome.objects if one.status is Status.DONE)
