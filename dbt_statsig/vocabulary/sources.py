"""The four kinds of Statsig sources: their fields, and the endpoints that hold them.

Field names in Python are Statsig's own in snake_case; the name on the wire stands beside each. A field that is
`UNSET` was not declared (in a payload) or not sent (in an answer): it is never written and never compared.
Facts: Statsig's published Console API description, version 20240601.
"""

from __future__ import annotations

import unicodedata
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType, field

if TYPE_CHECKING:
    from collections.abc import Collection

API_PREFIX = "/console/v1"


def folded(name: str) -> str:
    """A form of a name that is equal for twins: names that differ only in case or in Unicode forms of a character."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


class Kind(str, Enum):
    """A kind of source; the value is the key under `meta.statsig`."""

    ASSIGNMENT_SOURCE = "assignment_source"
    QUALIFYING_EVENT = "qualifying_event"
    ENTITY_PROPERTY_SOURCE = "entity_property_source"
    METRIC_SOURCE = "metric_source"

    @property
    def label(self) -> str:
        """The kind as a person says it: `assignment source`."""
        return self.value.replace("_", " ")


class IdType(Struct, frozen=True, order=True, kw_only=True):
    """One entry of `idTypeMapping`: a Statsig unit ID and the column that holds it."""

    statsig_unit_id: str = field(name="statsigUnitID")
    column: str


class CustomField(Struct, frozen=True, order=True, kw_only=True):
    """One entry of `customFieldMapping`: a field's key and the SQL formula that gives it."""

    key: str
    formula: str


class Owner(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who owns an object; the API leaves it undefined for what it created itself."""

    owner_id: str | UnsetType = field(name="ownerID", default=UNSET)
    owner_type: str | UnsetType = field(name="ownerType", default=UNSET)
    owner_name: str | UnsetType = field(name="ownerName", default=UNSET)
    owner_email: str | UnsetType | None = field(name="ownerEmail", default=UNSET)


Text: TypeAlias = str | UnsetType | None
Flag: TypeAlias = bool | UnsetType | None


class SourceBase(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What all four kinds share."""

    name: str
    description: Text = UNSET
    tags: tuple[str, ...] | UnsetType | None = UNSET
    sql: Text = UNSET
    timestamp_column: Text = UNSET
    id_type_mapping: tuple[IdType, ...] | UnsetType | None = UNSET
    is_read_only: Flag = UNSET
    owner: Owner | UnsetType | None = UNSET
    team: Text = UNSET
    team_id: Text = field(name="teamID", default=UNSET)


class AssignmentSource(SourceBase, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One row each time a unit was exposed to an experiment's group."""

    experiment_id_column: Text = field(name="experimentIDColumn", default=UNSET)
    group_id_column: Text = field(name="groupIDColumn", default=UNSET)
    group_name_column: Text = UNSET
    is_verified: Flag = UNSET
    scheduled_reload_hour: int | UnsetType | None = UNSET


class EntityPropertySource(SourceBase, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Attributes of a unit: fixed without a timestamp column, changing over time with one."""

    timestamp_as_day: Flag = UNSET


class TableSource(SourceBase, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What metric sources and qualifying events share: a SQL query or a table.

    `skip_validation`, `all_columns` and `column_types` are written only; no answer holds them.
    """

    timestamp_as_day: Flag = UNSET
    is_verified: Flag = UNSET
    disable_cure: Flag = field(name="disableCURE", default=UNSET)
    source_type: Text = UNSET
    table_name: Text = UNSET
    date_partition_column: Text = UNSET
    custom_field_mapping: tuple[CustomField, ...] | UnsetType | None = UNSET
    skip_validation: Flag = field(name="skip_validation", default=UNSET)
    all_columns: tuple[str, ...] | UnsetType = field(name="all_columns", default=UNSET)
    column_types: tuple[str, ...] | UnsetType = field(name="column_types", default=UNSET)


class MetricSource(TableSource, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Rows from which metrics are computed."""


class QualifyingEvent(TableSource, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An exposure without experiment and group, such as "checkout was opened"."""


Source: TypeAlias = AssignmentSource | QualifyingEvent | EntityPropertySource | MetricSource

WRITE_ONLY_FIELDS = frozenset({"skip_validation", "all_columns", "column_types"})


class KindSpec(Struct, frozen=True, kw_only=True):
    """Where a kind lives in the Console API, and what the API lets be done with it."""

    kind: Kind
    payload: type[Source]
    list_path: str
    create_path: str
    object_root: str
    can_read: bool
    can_patch: bool
    can_rename: bool

    def can_send(self, fields: Collection[str]) -> bool:
        """Whether an update can send these fields (snake_case) alone: no partial update takes SQL."""
        return self.can_patch and "sql" not in fields

    def object_path(self, name: str) -> str:
        """The path of one object, its name percent-encoded as one segment.

        Dots are encoded too where the whole name is dots, or a client would fold the path.
        """
        segment = quote(name, safe="")
        if not name.strip("."):
            segment = segment.replace(".", "%2E")
        return f"{self.object_root}/{segment}"


SPECS: dict[Kind, KindSpec] = {
    spec.kind: spec
    for spec in (
        KindSpec(
            kind=Kind.ASSIGNMENT_SOURCE,
            payload=AssignmentSource,
            list_path=f"{API_PREFIX}/experiments/assignment_sources",
            create_path=f"{API_PREFIX}/experiments/assignment_sources",
            object_root=f"{API_PREFIX}/experiments/assignment_source",
            can_read=False,
            can_patch=True,
            can_rename=True,
        ),
        KindSpec(
            kind=Kind.QUALIFYING_EVENT,
            payload=QualifyingEvent,
            list_path=f"{API_PREFIX}/experiments/qualifying_events",
            create_path=f"{API_PREFIX}/experiments/qualifying_events",
            object_root=f"{API_PREFIX}/experiments/qualifying_events",
            can_read=True,
            can_patch=False,
            can_rename=False,
        ),
        KindSpec(
            kind=Kind.ENTITY_PROPERTY_SOURCE,
            payload=EntityPropertySource,
            list_path=f"{API_PREFIX}/experiments/entity_properties",
            create_path=f"{API_PREFIX}/experiments/entity_properties",
            object_root=f"{API_PREFIX}/experiments/entity_property",
            can_read=True,
            can_patch=True,
            can_rename=True,
        ),
        KindSpec(
            kind=Kind.METRIC_SOURCE,
            payload=MetricSource,
            list_path=f"{API_PREFIX}/metrics/metric_source/list",
            create_path=f"{API_PREFIX}/metrics/metric_source",
            object_root=f"{API_PREFIX}/metrics/metric_source",
            can_read=True,
            can_patch=False,
            can_rename=False,
        ),
    )
}
