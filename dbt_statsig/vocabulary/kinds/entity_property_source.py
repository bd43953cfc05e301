"""Entity property sources: what is known of a unit, for segments and covariates."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from dbt_statsig.vocabulary.kinds.base import AS_DAY, DATES_AND_START, Column, KindSpec, SourceMeta, audited_as
from dbt_statsig.vocabulary.sources import API_PREFIX, Flag, Kind, Owner, Role, Source


class EntityPropertySource(Source, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Attributes of a unit: fixed without a timestamp column, changing over time with one."""

    owner: Annotated[Owner | UnsetType | None, Role.PARTS, Role.READ_ONLY] = UNSET
    timestamp_as_day: Annotated[Flag, Role.AS_DECLARED] = UNSET


class EntityPropertySourceMeta(SourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Attributes of a unit: fixed without a timestamp column, changing over time with one."""

    timestamp_column: Annotated[
        Column | UnsetType | None,
        Meta(
            description="The column that holds the row's time (in UTC). Without it, dbt's `event_time` is used; null: "
            "fixed properties even where the node has an `event_time`."
        ),
    ] = UNSET
    timestamp_as_day: Annotated[bool | UnsetType, Role.ROWS, AS_DAY] = UNSET


SPEC = KindSpec(
    kind=Kind.ENTITY_PROPERTY_SOURCE,
    payload=EntityPropertySource,
    block=EntityPropertySourceMeta,
    required=("name", "id_type_mapping"),
    macros=DATES_AND_START,  # not promised for this kind: read generously
    list_path=f"{API_PREFIX}/experiments/entity_properties",
    create_path=f"{API_PREFIX}/experiments/entity_properties",
    object_root=f"{API_PREFIX}/experiments/entity_property",
    can_read=True,
    can_patch=True,
    can_rename=True,
    colours=("#a1431a", "#ffab82"),
    named_by_experiments=True,
    gives_properties=True,
    scans_by_date=False,
    audited=audited_as("entity_property_source"),
)
