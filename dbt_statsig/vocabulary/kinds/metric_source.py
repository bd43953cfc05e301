"""Metric sources: the rows that metrics are computed from."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from dbt_statsig.vocabulary.kinds.base import (
    DATES_AND_START,
    MAX_NAME,
    KindSpec,
    TableSourceMeta,
    audited_as,
    name_meta,
)
from dbt_statsig.vocabulary.kinds.metric_block import MetricMeta  # noqa: TC001  # msgspec reads it at run time
from dbt_statsig.vocabulary.sources import API_PREFIX, Kind, Role, TableSource

RESERVED = ("list",)
MetricSourceName = Annotated[
    str,
    name_meta(
        f"The source's name in Statsig: unique within its kind (compared without case), up to {MAX_NAME} characters, "
        'not "list", which the Console API reserves. Required.',
        *RESERVED,
    ),
]


class MetricSource(TableSource, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Rows from which metrics are computed."""


class MetricSourceMeta(TableSourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows from which metrics are computed."""

    name: MetricSourceName | UnsetType = UNSET
    metrics: Annotated[
        tuple[MetricMeta, ...] | UnsetType,
        Role.OURS,
        Meta(description="The metrics that are computed from these rows, each a mapping of the keys of `metric`."),
    ] = UNSET


SPEC = KindSpec(
    kind=Kind.METRIC_SOURCE,
    payload=MetricSource,
    block=MetricSourceMeta,
    required=("name", "timestamp_column", "id_type_mapping"),
    macros=DATES_AND_START,
    list_path=f"{API_PREFIX}/metrics/metric_source/list",
    create_path=f"{API_PREFIX}/metrics/metric_source",
    object_root=f"{API_PREFIX}/metrics/metric_source",
    can_read=True,
    can_patch=False,
    can_rename=False,
    colours=("#a3246e", "#ff9ad0"),
    reserved=RESERVED,
    feeds_metrics=True,
    audited=audited_as("metric_source"),
)
