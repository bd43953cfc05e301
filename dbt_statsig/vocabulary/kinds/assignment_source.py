"""Assignment sources: which unit was exposed to which group of which experiment."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from dbt_statsig.vocabulary.kinds.base import DATES, TIMESTAMP, Column, KindSpec, SourceMeta, audited_as
from dbt_statsig.vocabulary.sources import API_PREFIX, Flag, Kind, Role, Source, Text


class AssignmentSource(Source, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One row each time a unit was exposed to an experiment's group."""

    experiment_id_column: Annotated[Text, Role.COLUMN, Role.NEVER_EMPTY] = field(
        name="experimentIDColumn", default=UNSET
    )
    group_id_column: Annotated[Text, Role.COLUMN, Role.NEVER_EMPTY] = field(name="groupIDColumn", default=UNSET)
    group_name_column: Annotated[Text, Role.COLUMN] = UNSET
    is_verified: Annotated[Flag, Role.AS_DECLARED] = UNSET
    scheduled_reload_hour: Annotated[int | UnsetType | None, Role.AS_DECLARED] = UNSET


class AssignmentSourceMeta(SourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row each time a unit was exposed to an experiment's group."""

    timestamp_column: Annotated[Column | UnsetType, TIMESTAMP] = UNSET
    experiment_id_column: Annotated[
        Column | UnsetType, Meta(description="The column that holds the experiment's ID.")
    ] = UNSET
    group_id_column: Annotated[Column | UnsetType, Meta(description="The column that holds the group's ID.")] = UNSET
    group_name_column: Annotated[
        Column | UnsetType, Meta(description="The column that holds the group's display name.")
    ] = UNSET
    is_verified: Annotated[bool | UnsetType, Meta(description="Marks the source as verified in Statsig.")] = UNSET
    scheduled_reload_hour: Annotated[
        Annotated[int, Meta(ge=0, le=23)] | UnsetType | None,
        Meta(description="The hour (UTC, 0 to 23) at which Statsig scans the source each day; null: never."),
    ] = UNSET


SPEC = KindSpec(
    kind=Kind.ASSIGNMENT_SOURCE,
    payload=AssignmentSource,
    block=AssignmentSourceMeta,
    required=("name", "timestamp_column", "experiment_id_column", "group_id_column", "id_type_mapping"),
    macros=DATES,
    list_path=f"{API_PREFIX}/experiments/assignment_sources",
    create_path=f"{API_PREFIX}/experiments/assignment_sources",
    object_root=f"{API_PREFIX}/experiments/assignment_source",
    can_read=False,
    can_patch=True,
    can_rename=True,
    colours=("#6c3fc5", "#c3a6ff"),
    named_by_experiments=True,
    scans_often=True,
    audited=audited_as("assignment_source"),
)
