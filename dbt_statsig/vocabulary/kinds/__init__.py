"""The kinds of Statsig objects, one file each with everything about it; lists of fields are made from them.

A new kind is a new file here and a line in `SPECS`; a new field is a line in its payload and one in its block.
"""

from __future__ import annotations

from dbt_statsig.vocabulary.kinds import (
    assignment_source,
    entity_property_source,
    metric,
    metric_source,
    qualifying_event,
)
from dbt_statsig.vocabulary.kinds.assignment_source import AssignmentSource
from dbt_statsig.vocabulary.kinds.base import BlockMeta, KindSpec, OwnerMeta, SourceMeta
from dbt_statsig.vocabulary.kinds.entity_property_source import EntityPropertySource
from dbt_statsig.vocabulary.kinds.metric import Metric
from dbt_statsig.vocabulary.kinds.metric_block import MetricMeta
from dbt_statsig.vocabulary.kinds.metric_source import MetricSource
from dbt_statsig.vocabulary.kinds.qualifying_event import QualifyingEvent
from dbt_statsig.vocabulary.sources import Kind, Role

__all__ = [
    "BLOCK_KINDS",
    "EXPERIMENT_SOURCES",
    "SPECS",
    "AssignmentSource",
    "BlockMeta",
    "EntityPropertySource",
    "KindSpec",
    "Metric",
    "MetricMeta",
    "MetricSource",
    "OwnerMeta",
    "QualifyingEvent",
    "SourceMeta",
    "column_roles",
]

SPECS: dict[Kind, KindSpec] = {
    spec.kind: spec
    for spec in (
        assignment_source.SPEC,
        qualifying_event.SPEC,
        entity_property_source.SPEC,
        metric_source.SPEC,
        metric.SPEC,
    )
}
BLOCK_KINDS = tuple(kind for kind, spec in SPECS.items() if spec.within is None)
"""The kinds that have a key of their own under `meta.statsig`."""
EXPERIMENT_SOURCES = tuple(kind for kind in BLOCK_KINDS if SPECS[kind].used_by_experiments)
"""The kinds of sources that an experiment reads, by itself or through its metrics."""


def column_roles() -> dict[str, str]:
    """The roles that a column can be marked with, and the field that each fills: `group_id`, `group_id_column`."""
    fields = (field for spec in SPECS.values() for field in spec.fields(Role.COLUMN))
    return {field.removesuffix("_column"): field for field in fields}
