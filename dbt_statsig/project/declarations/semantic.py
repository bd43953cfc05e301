"""What dbt's semantic layer adds to the blocks of nodes, as if it were in their YAML, and where it comes from."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.vocabulary.sources import Kind

COMPUTED = frozenset(
    {
        "aggregation",
        "value_column",
        "where",
        "criteria",
        "numerator",
        "denominator",
        "steps",
        "components",
        "percentile",
    }
)
"""What a metric of dbt's cannot be given: what it computes is in dbt alone."""


class Origin(Struct, frozen=True, kw_only=True):
    """A metric or semantic model in the project's YAML; `section` is the manifest's, `model` the dbt model's name."""

    section: str
    name: str
    path: str
    package_name: str
    model: str = ""


class SemanticBlocks(Struct, frozen=True, kw_only=True):
    """One node's meta with what is added, and the origins of its added paths."""

    node: Node
    meta: dict[str, Any]
    origins: dict[tuple[str | int, ...], Origin] = {}


class SemanticFault(Struct, frozen=True, kw_only=True):
    """What cannot be taken from a metric or semantic model; `path` goes on below `statsig` in its meta.

    `names` are the metrics that it blocks, or that are not declared for it (none: all of the node); `source` is the
    semantic model that cannot be a source.
    """

    code: str
    message: str
    fix: str
    origin: Origin | None = None
    path: tuple[str | int, ...] = ()
    unique_id: str = ""
    names: tuple[str, ...] = ()
    source: str = ""


class SemanticLayer(Struct, frozen=True, kw_only=True):
    """All that the semantic layer adds, and what it cannot; `disabled` are unique_id and name of disabled metrics."""

    blocks: tuple[SemanticBlocks, ...] = ()
    disabled: tuple[tuple[str, str], ...] = ()
    faults: tuple[SemanticFault, ...] = ()

    @property
    def refused(self) -> tuple[tuple[Kind, str, str], ...]:
        """Kind, unique_id and name (empty: unknown) of what is asked for and may not be declared."""
        known = [one for one in self.faults if one.unique_id]
        metrics = ((Kind.METRIC, one.unique_id, name) for one in known for name in one.names or ("",))
        return (*metrics, *((Kind.METRIC_SOURCE, one.unique_id, one.source) for one in known if one.source))


NO_METRICS = SemanticLayer()
