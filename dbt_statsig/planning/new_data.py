"""Which dbt nodes have new rows after a dbt command, and which of them have another history. Pure.

A table has new rows where dbt has just built it. A view has those of the tables that it reads, directly or through
other views, whether it was built now or not; what a dbt source table holds nobody says, so a view that was built now
over one counts as new, as does a materialized view that dbt has just refreshed. A node that failed or was skipped, and
each view that reads it, is held back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.project.artifacts import Node
from dbt_statsig.project.artifacts.run_results import SUCCESS

if TYPE_CHECKING:
    from collections.abc import Iterator

READS_THROUGH = frozenset({"view", "ephemeral", "materialized_view", "dynamic_table", "streaming_table"})
"""The materializations whose rows change with those of the tables above them, without a dbt command."""
_REFRESHED = frozenset({"materialized_view", "dynamic_table", "streaming_table"})
"""Those of them that a dbt command refreshes: in some warehouses they have new rows only then."""
_NOT_BUILT = frozenset({"no-op", "reused", "unchanged"})
"""The statuses of what dbt left as it was."""
_STRATEGY = ("strategy", "unique_key", "updated_at", "check_cols", "hard_deletes", "invalidate_hard_deletes")
"""What decides how a snapshot tells versions of a row apart."""


class Freshness(Enum):
    """What a dbt command did to the rows of a node."""

    NEW = "new"
    OLD = "old"
    HELD = "held back"
    OUTSIDE = "loaded by something else than dbt"


class News(Struct, frozen=True, kw_only=True):
    """What is known of one node's rows.

    `built` are the nodes whose building gave it new rows. `why` says why it is held back; `history` why its older rows
    may be others too, or is empty.
    """

    freshness: Freshness
    built: tuple[str, ...] = ()
    why: str = ""
    history: str = ""


class Build(Struct, frozen=True, kw_only=True):
    """What one dbt command did: statuses by unique_id, in the order in which the nodes ended.

    `held` are nodes that something else than their status holds back, each with the reason. `full_refresh`: incremental
    models were built anew. `before` gives a node of an earlier manifest, None where there is none to compare with.
    """

    node: Callable[[str], Node | None]
    statuses: Mapping[str, str]
    held: Mapping[str, str] = {}
    full_refresh: bool = False
    before: Callable[[str], Node | None] | None = None


class NewData:
    """The news of each node that is asked for."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._known: dict[str, News] = {}

    def of(self, unique_id: str) -> News:
        """The news of one node."""
        if unique_id not in self._known:
            # dbt's graph has no circle, but a file may say anything.
            self._known[unique_id] = News(freshness=Freshness.OLD)
            self._known[unique_id] = self._with_history(self._news(unique_id))
        return self._known[unique_id]

    def _news(self, unique_id: str) -> News:
        node = self._build.node(unique_id)
        if node is None:
            return News(freshness=Freshness.OLD)
        if node.resource_type == "source":
            return News(freshness=Freshness.OUTSIDE)
        status = self._build.statuses.get(unique_id, "no-op")
        if status != SUCCESS and status not in _NOT_BUILT:
            return News(freshness=Freshness.HELD, why=f"{unique_id} was not built (status {status})")
        if unique_id in self._build.held:
            return News(freshness=Freshness.HELD, why=f"{unique_id}: {self._build.held[unique_id].rstrip('.')}")
        is_built = status == SUCCESS
        if node.materialized not in READS_THROUGH:
            return News(freshness=Freshness.NEW, built=(unique_id,)) if is_built else News(freshness=Freshness.OLD)
        return self._of_view(node, is_built=is_built)

    def _of_view(self, node: Node, *, is_built: bool) -> News:
        above = [self.of(parent) for parent in node.depends_on]
        for one in above:
            if one.freshness is Freshness.HELD:
                return one
        built = [parent for one in above for parent in one.built]
        outside = any(one.freshness is Freshness.OUTSIDE for one in above)
        if is_built and (outside or node.materialized in _REFRESHED):
            built.append(node.unique_id)
        if built:
            return News(freshness=Freshness.NEW, built=tuple(dict.fromkeys(built)))
        return News(freshness=Freshness.OUTSIDE if outside else Freshness.OLD)

    def _with_history(self, news: News) -> News:
        if news.freshness is not Freshness.NEW:
            return news
        reason = next(self._histories(news.built), "")
        return News(freshness=news.freshness, built=news.built, history=reason)

    def _histories(self, unique_ids: tuple[str, ...]) -> Iterator[str]:
        """Why older rows may be others: of these nodes, and of all above them that were built in the same run."""
        todo = [node for unique_id in unique_ids if (node := self._build.node(unique_id))]
        seen = set(unique_ids)
        while todo:
            node = todo.pop()
            if reason := self._history(node):
                yield reason
            for parent in node.depends_on:
                above = self._build.node(parent)
                is_built = self._build.statuses.get(parent) == SUCCESS
                if above is not None and parent not in seen and (is_built or above.materialized in READS_THROUGH):
                    seen.add(parent)
                    todo.append(above)

    def _history(self, node: Node) -> str:
        if self._build.statuses.get(node.unique_id) != SUCCESS:
            return ""
        own = node.config.get("full_refresh")
        if "incremental" in node.materialized and (own if isinstance(own, bool) else self._build.full_refresh):
            return f"{node.unique_id} was built with --full-refresh"
        before = self._build.before(node.unique_id) if self._build.before and node.resource_type == "snapshot" else None
        changed = [key for key in _STRATEGY if before and before.config.get(key) != node.config.get(key)]
        return f"{node.unique_id} has another snapshot strategy ({', '.join(changed)})" if changed else ""
