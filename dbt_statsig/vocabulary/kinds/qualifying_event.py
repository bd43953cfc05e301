"""Qualifying events: what makes a unit count in an analysis, without an experiment."""

from __future__ import annotations

from dbt_statsig.vocabulary.kinds.base import DATES, KindSpec, TableSourceMeta
from dbt_statsig.vocabulary.sources import API_PREFIX, Kind, TableSource


class QualifyingEvent(TableSource, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An exposure without experiment and group, such as "checkout was opened"."""


class QualifyingEventMeta(TableSourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exposure without experiment and group, such as "checkout was opened"."""


SPEC = KindSpec(
    kind=Kind.QUALIFYING_EVENT,
    payload=QualifyingEvent,
    block=QualifyingEventMeta,
    required=("name", "timestamp_column", "id_type_mapping"),
    macros=DATES,  # not promised for this kind: read generously
    list_path=f"{API_PREFIX}/experiments/qualifying_events",
    create_path=f"{API_PREFIX}/experiments/qualifying_events",
    object_root=f"{API_PREFIX}/experiments/qualifying_events",
    can_read=True,
    can_patch=False,
    can_rename=False,
    colours=("#0d7480", "#6fd3df"),
)
