"""The keys that a block may hold, one struct per kind: they give the checks, the JSON Schema and the reference.

Fields that go to Statsig bear its names in snake_case (Statsig's Console API description, version 20240601); the
others are this program's own and say so.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from dbt_statsig.project.conversion import LINE_PATTERN, REPEATS
from dbt_statsig.vocabulary.sources import Kind

MAX_NAME = 255
MAX_TAG = 100
MAX_SQL = 1_000_000


_NAME_EXTRA = {"line": True, "code": "bad-name", "noun": "the source's name as text", "reserved": (".", "..")}
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_NAME,
        description=f"The source's name in Statsig: unique within its kind (compared without case), up to {MAX_NAME} "
        "characters. Required.",
        extra=_NAME_EXTRA,
        extra_json_schema={"pattern": r"^(?!\.{1,2}$)" + LINE_PATTERN[1:]},
    ),
]
MetricSourceName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_NAME,
        description='As for the other kinds; "list" is reserved by the Console API. Required.',
        extra={**_NAME_EXTRA, "reserved": (".", "..", "list")},
        extra_json_schema={"pattern": r"^(?!\.{1,2}$)(?![lL][iI][sS][tT]$)" + LINE_PATTERN[1:]},
    ),
]


_LINE_SCHEMA = {"pattern": LINE_PATTERN}


def _line(noun: str, longest: int) -> Meta:
    return Meta(min_length=1, max_length=longest, extra={"line": True, "noun": noun}, extra_json_schema=_LINE_SCHEMA)


Column = Annotated[str, _line("a column's name", MAX_NAME)]
UnitId = Annotated[str, _line("a Statsig unit ID", MAX_NAME)]
Tag = Annotated[str, _line("a tag", MAX_TAG)]
Line = Annotated[str, Meta(min_length=1, extra={"line": True}, extra_json_schema=_LINE_SCHEMA)]
_NOT_BLANK = {"pattern": r"\S"}
Sql = Annotated[
    str, Meta(min_length=1, max_length=MAX_SQL, extra={"noun": "SQL as text"}, extra_json_schema=_NOT_BLANK)
]


_TIMESTAMP = Meta(description="The column that holds the row's time (in UTC). Without it, dbt's `event_time` is used.")
_AS_DAY = Meta(description="true: the timestamp is a day, and joins with exposures are by date.")


class OwnerMeta(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who owns the source in Statsig."""

    owner_id: Annotated[Line | UnsetType, Meta(description="Statsig's ID of the owner.")] = UNSET
    owner_type: Annotated[Line | UnsetType, Meta(description="Statsig's type of owner, such as `USER`.")] = UNSET
    owner_name: Annotated[Line | UnsetType, Meta(description="The owner's name.")] = UNSET
    owner_email: Annotated[Line | UnsetType, Meta(description="The owner's email address.")] = UNSET


class SourceMeta(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a block of any kind may hold. A key that is `UNSET` was not declared."""

    name: Name | UnsetType = UNSET
    enabled: Annotated[bool | UnsetType, Meta(description="false: ignore the block.")] = UNSET
    description: Annotated[
        str | UnsetType,
        Meta(description="The source's description. Default: the dbt node's own; an adopted object keeps its text."),
    ] = UNSET
    tags: Annotated[tuple[Tag, ...] | UnsetType, Meta(description="Tags in Statsig, in any order.", **REPEATS)] = UNSET
    id_type_mapping: Annotated[
        Annotated[dict[UnitId, Column], Meta(min_length=1)] | UnsetType,
        Meta(description="Statsig unit ID (case-sensitive) to the column that holds it."),
    ] = UNSET
    is_read_only: Annotated[
        bool | UnsetType,
        Meta(
            description="true: the source can be edited through the Console API only, not in the console. Without it "
            "and the setting `read_only`, Statsig's value stays."
        ),
    ] = UNSET
    owner: Annotated[OwnerMeta | UnsetType | None, Meta(description="Who owns the source in Statsig.")] = UNSET
    team: Annotated[Line | UnsetType | None, Meta(description="The owning team's name in Statsig.")] = UNSET
    team_id: Annotated[Line | UnsetType | None, Meta(description="The owning team's ID in Statsig.")] = UNSET
    columns: Annotated[
        Annotated[tuple[Column, ...], Meta(min_length=1)] | UnsetType,
        Meta(description="The columns to select beside the mapped ones. Default: all known columns."),
    ] = UNSET
    exclude_columns: Annotated[tuple[Column, ...] | UnsetType, Meta(description="Columns not to select.")] = UNSET
    where: Annotated[
        Sql | UnsetType,
        Meta(description="A SQL predicate in the warehouse's dialect: only rows that match it are used."),
    ] = UNSET
    partition_column: Annotated[
        Column | UnsetType,
        Meta(
            description="Adds a filter on this column with Statsig's date macros, so that each scan reads fewer rows."
        ),
    ] = UNSET
    partition_type: Annotated[
        Literal["date", "timestamp", "integer"] | UnsetType,
        Meta(
            description=(
                "The type of `partition_column` (integer: a day such as 20240110). Needed only if neither the "
                "catalog, a contract nor a cast in the model's SQL gives the type."
            )
        ),
    ] = UNSET
    sql: Annotated[Sql | UnsetType, Meta(description="The whole query, in place of the one built from the keys.")] = (
        UNSET
    )


class AssignmentSourceMeta(SourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row each time a unit was exposed to an experiment's group."""

    timestamp_column: Annotated[Column | UnsetType, _TIMESTAMP] = UNSET
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


class EntityPropertySourceMeta(SourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Attributes of a unit: fixed without a timestamp column, changing over time with one."""

    timestamp_column: Annotated[
        Column | UnsetType | None,
        Meta(
            description="The column that holds the row's time (in UTC). Without it, dbt's `event_time` is used; null: "
            "fixed properties even where the node has an `event_time`."
        ),
    ] = UNSET
    timestamp_as_day: Annotated[bool | UnsetType, _AS_DAY] = UNSET


class TableSourceMeta(SourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What metric sources and qualifying events share: a query or a table."""

    timestamp_column: Annotated[Column | UnsetType, _TIMESTAMP] = UNSET
    timestamp_as_day: Annotated[bool | UnsetType, _AS_DAY] = UNSET
    is_verified: Annotated[bool | UnsetType, Meta(description="Marks the source as verified in Statsig.")] = UNSET
    source_type: Annotated[
        Literal["query", "table"] | UnsetType,
        Meta(description="query (the default): Statsig runs SQL; table: Statsig reads the dbt node's table itself."),
    ] = UNSET
    table_name: Annotated[
        Line | UnsetType, Meta(description="With `source_type: table`: the table's name, where it is not the node's.")
    ] = UNSET
    date_partition_column: Annotated[
        Column | UnsetType, Meta(description="With `source_type: table`: the column that partitions it by date.")
    ] = UNSET
    custom_field_mapping: Annotated[
        dict[Line, Sql] | UnsetType, Meta(description="Further fields: key to the SQL formula that gives it.")
    ] = UNSET
    disable_cure: Annotated[
        bool | UnsetType, Meta(description="true: no CURE (variance reduction by covariates) for this source.")
    ] = UNSET
    skip_validation: Annotated[
        bool | UnsetType,
        Meta(
            description=(
                "true: Statsig does not run the SQL on a push; every column and type must be proven, and "
                "Statsig must have enabled it for your project."
            )
        ),
    ] = UNSET


class QualifyingEventMeta(TableSourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exposure without experiment and group, such as "checkout was opened"."""


class MetricSourceMeta(TableSourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows from which metrics are computed."""

    name: MetricSourceName | UnsetType = UNSET


AnyMeta: TypeAlias = AssignmentSourceMeta | QualifyingEventMeta | EntityPropertySourceMeta | MetricSourceMeta

META: dict[Kind, type[AnyMeta]] = {
    Kind.ASSIGNMENT_SOURCE: AssignmentSourceMeta,
    Kind.QUALIFYING_EVENT: QualifyingEventMeta,
    Kind.ENTITY_PROPERTY_SOURCE: EntityPropertySourceMeta,
    Kind.METRIC_SOURCE: MetricSourceMeta,
}

REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.ASSIGNMENT_SOURCE: (
        "name",
        "timestamp_column",
        "experiment_id_column",
        "group_id_column",
        "id_type_mapping",
    ),
    Kind.QUALIFYING_EVENT: ("name", "timestamp_column", "id_type_mapping"),
    Kind.ENTITY_PROPERTY_SOURCE: ("name", "id_type_mapping"),
    Kind.METRIC_SOURCE: ("name", "timestamp_column", "id_type_mapping"),
}

_DATES = frozenset(
    {"statsig_start_date", "statsig_end_date", "statsig_start_date_int", "statsig_end_date_int"},
)
_WITH_START = _DATES | {"statsig_experiment_start_timestamp"}

# Statsig's docs promise the date macros for metric and assignment sources; the other two kinds are read generously.
ALLOWED_MACROS: dict[Kind, frozenset[str]] = {
    Kind.ASSIGNMENT_SOURCE: _DATES,
    Kind.QUALIFYING_EVENT: _DATES,
    Kind.ENTITY_PROPERTY_SOURCE: _WITH_START,
    Kind.METRIC_SOURCE: _WITH_START,
}


class ColumnMark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a column is to Statsig, said on the column itself."""

    unit_id: Annotated[
        UnitId | tuple[UnitId, ...] | UnsetType, Meta(description="The Statsig unit ID (or several) in this column.")
    ] = UNSET
    role: Annotated[
        Literal["timestamp", "experiment_id", "group_id", "group_name", "date_partition"]
        | tuple[Literal["timestamp", "experiment_id", "group_id", "group_name", "date_partition"], ...]
        | UnsetType,
        Meta(description="The column's role in every block of the node."),
    ] = UNSET


ROLE_FIELDS = {
    "timestamp": "timestamp_column",
    "experiment_id": "experiment_id_column",
    "group_id": "group_id_column",
    "group_name": "group_name_column",
    "date_partition": "date_partition_column",
}
