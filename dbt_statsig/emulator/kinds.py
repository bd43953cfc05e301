"""The four kinds of source, as Statsig's published API description gives them: fields, paths, what may be done."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

__all__ = ["KINDS", "WRITE_ONLY", "FieldType", "Kind", "Operation"]

FieldType = Literal["string", "boolean", "strings", "units", "formulas", "hour", "owner", "source_type", "text_or_null"]
Operation = Literal["create", "update", "patch"]

WRITE_ONLY = frozenset({"dryRun", "skip_validation", "all_columns", "column_types"})


class Kind(Struct, frozen=True, kw_only=True):
    """One kind: `collection` is its name here (seed, control endpoints), the paths follow `/console/v1/`.

    `read_only` are fields that answers hold and that no write knows; `audited` is what the actions of the audit log
    call it, empty where none is published.
    """

    collection: str
    title: str
    fields: dict[str, FieldType]
    on_create: tuple[str, ...]
    on_update: tuple[str, ...]
    defaults: dict[str, Any]
    list_path: tuple[str, ...]
    create_path: tuple[str, ...]
    item_path: tuple[str, ...]
    renames: bool
    patches: bool
    reads_one: bool
    macros: frozenset[str]
    read_only: frozenset[str] = frozenset()
    audited: str = ""

    @property
    def writable(self) -> dict[str, FieldType]:
        """The fields that writes know."""
        return {name: field_type for name, field_type in self.fields.items() if name not in self.read_only}

    def required(self, operation: Operation) -> tuple[str, ...]:
        """The fields without which this write is refused."""
        return {"create": self.on_create, "update": self.on_update, "patch": ()}[operation]

    def refused(self, operation: Operation) -> frozenset[str]:
        """The fields that other writes take, and this one refuses."""
        if operation == "patch":
            return frozenset({"sql"})
        return frozenset() if self.renames or operation == "create" else frozenset({"name"})

    @property
    def missing_is_published(self) -> bool:
        """Whether the published description says that a missing object gives 404."""
        return self.renames


_DATES = frozenset(
    {"statsig_start_date", "statsig_end_date", "statsig_start_date_int", "statsig_end_date_int"},
)
_START = frozenset({"statsig_experiment_start_timestamp"})

_COMMON: dict[str, FieldType] = {
    "name": "string",
    "description": "string",
    "tags": "strings",
    "sql": "string",
    "timestampColumn": "string",
    "idTypeMapping": "units",
    "isReadOnly": "boolean",
    "owner": "owner",
    "team": "text_or_null",
    "teamID": "text_or_null",
    "dryRun": "boolean",
}
_TABLE_LIKE: dict[str, FieldType] = {
    **_COMMON,
    "timestampAsDay": "boolean",
    "isVerified": "boolean",
    "disableCURE": "boolean",
    "sourceType": "source_type",
    "tableName": "string",
    "datePartitionColumn": "string",
    "customFieldMapping": "formulas",
    "skip_validation": "boolean",
    "all_columns": "strings",
    "column_types": "strings",
}
_TABLE_LIKE_DEFAULTS: dict[str, Any] = {
    "timestampAsDay": False,
    "isReadOnly": False,
    "isVerified": False,
    "disableCURE": False,
    "sourceType": "query",
    "tableName": "",
    "customFieldMapping": [],
}
_ASSIGNMENT = ("sql", "timestampColumn", "experimentIDColumn", "groupIDColumn", "idTypeMapping")
_ENTITY = ("sql", "idTypeMapping")
_TABLE = ("sql", "timestampColumn", "idTypeMapping")

KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        kind.collection: kind
        for kind in (
            Kind(
                collection="assignment_sources",
                title="Assignment source",
                fields={
                    **_COMMON,
                    "experimentIDColumn": "string",
                    "groupIDColumn": "string",
                    "groupNameColumn": "string",
                    "isVerified": "boolean",
                    "scheduledReloadHour": "hour",
                },
                on_create=("name", *_ASSIGNMENT),
                on_update=_ASSIGNMENT,
                defaults={"isVerified": False, "isReadOnly": False},
                list_path=("experiments", "assignment_sources"),
                create_path=("experiments", "assignment_sources"),
                item_path=("experiments", "assignment_source"),
                renames=True,
                patches=True,
                reads_one=False,
                macros=_DATES,
                audited="echidna_assignment_source",
            ),
            Kind(
                collection="entity_property_sources",
                title="Entity property source",
                fields={**_COMMON, "timestampAsDay": "boolean"},
                on_create=("name", *_ENTITY),
                on_update=_ENTITY,
                defaults={"timestampColumn": "", "timestampAsDay": False, "isReadOnly": False},
                list_path=("experiments", "entity_properties"),
                create_path=("experiments", "entity_properties"),
                item_path=("experiments", "entity_property"),
                renames=True,
                patches=True,
                reads_one=True,
                macros=_DATES | _START,
                read_only=frozenset({"owner"}),
                audited="echidna_entity_property_source",
            ),
            Kind(
                collection="qualifying_events",
                title="Qualifying event",
                fields=_TABLE_LIKE,
                on_create=("name", *_TABLE),
                on_update=_TABLE,
                defaults=_TABLE_LIKE_DEFAULTS,
                list_path=("experiments", "qualifying_events"),
                create_path=("experiments", "qualifying_events"),
                item_path=("experiments", "qualifying_events"),
                renames=False,
                patches=False,
                reads_one=True,
                macros=_DATES,
            ),
            Kind(
                collection="metric_sources",
                title="Metric source",
                fields=_TABLE_LIKE,
                on_create=("name", *_TABLE),
                on_update=_TABLE,
                defaults=_TABLE_LIKE_DEFAULTS,
                list_path=("metrics", "metric_source", "list"),
                create_path=("metrics", "metric_source"),
                item_path=("metrics", "metric_source"),
                renames=False,
                patches=False,
                reads_one=True,
                macros=_DATES | _START,
                audited="echidna_metric_source",
            ),
        )
    }
)
