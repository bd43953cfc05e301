"""What the files of the kinds are made of: the keys that a block of any kind may hold, and all that a kind says.

The keys give the checks, the JSON Schema and the reference. Those that go to Statsig have its names in snake_case
(Statsig's Console API description, version 20240601); the others have the role `OURS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from dbt_statsig.vocabulary.sources import LINE_PATTERN, LINE_SCHEMA, REPEATS, Kind, Role, Source, fields_with

if TYPE_CHECKING:
    from collections.abc import Collection

NATIVE = "warehouseNative"
MAX_NAME = 255
MAX_TAG = 100
MAX_SQL = 1_000_000


def name_meta(description: str, *reserved: str) -> Meta:
    """The rules of a kind's name: one line that is no path segment with a meaning, and none of `reserved`."""
    letters = ("".join(f"[{letter}{letter.upper()}]" for letter in word) for word in reserved)
    others = "".join(f"(?!{word}$)" for word in letters)
    return Meta(
        min_length=1,
        max_length=MAX_NAME,
        description=description,
        extra={
            "line": True,
            "code": "bad-name",
            "noun": "the source's name as text",
            "reserved": (".", "..", *reserved),
        },
        extra_json_schema={
            "pattern": rf"^(?!\.{{1,2}}$){others}{LINE_PATTERN[1:]}",
            "patternErrorMessage": "Write one line of text, without blanks at its start or end; not "
            f"{' or '.join(f'`{word}`' for word in ('.', '..', *reserved))}.",
        },
    )


Name = Annotated[
    str,
    name_meta(
        f"The source's name in Statsig: unique within its kind (compared without case), up to {MAX_NAME} characters. "
        "Required."
    ),
]


def _line(noun: str, longest: int) -> Meta:
    return Meta(min_length=1, max_length=longest, extra={"line": True, "noun": noun}, extra_json_schema=LINE_SCHEMA)


Column = Annotated[str, _line("a column's name", MAX_NAME)]
UnitId = Annotated[str, _line("a Statsig unit ID", MAX_NAME)]
Tag = Annotated[str, _line("a tag", MAX_TAG)]
Line = Annotated[str, Meta(min_length=1, extra={"line": True}, extra_json_schema=LINE_SCHEMA)]
_NOT_BLANK = {"pattern": r"\S", "patternErrorMessage": "Write SQL: this is empty."}
Sql = Annotated[
    str, Meta(min_length=1, max_length=MAX_SQL, extra={"noun": "SQL as text"}, extra_json_schema=_NOT_BLANK)
]


TIMESTAMP = Meta(description="The column that holds the row's time (in UTC). Without it, dbt's `event_time` is used.")
AS_DAY = Meta(description="true: the timestamp is a day, and joins with exposures are by date.")


class OwnerMeta(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who owns the source in Statsig."""

    owner_id: Annotated[Line | UnsetType, Meta(description="Statsig's ID of the owner.")] = UNSET
    owner_type: Annotated[Line | UnsetType, Meta(description="Statsig's type of owner, such as `USER`.")] = UNSET
    owner_name: Annotated[Line | UnsetType, Meta(description="The owner's name.")] = UNSET
    owner_email: Annotated[Line | UnsetType, Meta(description="The owner's email address.")] = UNSET


class BlockMeta(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a block of any kind may hold. A key that is `UNSET` was not declared."""

    name: Name | UnsetType = UNSET
    enabled: Annotated[bool | UnsetType, Role.OURS, Meta(description="false: ignore the block.")] = UNSET
    adopt: Annotated[
        Line | UnsetType,
        Role.OURS,
        Meta(
            description="The name that the source has in Statsig until now: it is taken over and gets `name`, unless "
            "another dbt project owns it. In dbt targets with a `name_prefix` or a namespace only for own objects."
        ),
    ] = UNSET
    description: Annotated[
        str | UnsetType,
        Meta(description="The source's description. Default: the dbt node's own; an adopted object keeps its text."),
    ] = UNSET
    tags: Annotated[tuple[Tag, ...] | UnsetType, Meta(description="Tags in Statsig, in any order.", **REPEATS)] = UNSET


class SourceMeta(BlockMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a block of any kind of source may hold."""

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
        Annotated[tuple[Column, ...], Meta(min_length=1, extra={"all": "Remove `columns` to select all."})] | UnsetType,
        Role.OURS,
        Role.QUERY_PART,
        Meta(description="The columns to select beside the mapped ones. Default: all known columns."),
    ] = UNSET
    exclude_columns: Annotated[
        tuple[Column, ...] | UnsetType,
        Role.OURS,
        Role.QUERY_PART,
        Meta(description="Columns not to select."),
    ] = UNSET
    where: Annotated[
        Sql | UnsetType,
        Role.OURS,
        Role.QUERY_PART,
        Role.ROWS,
        Meta(description="A SQL predicate in the warehouse's dialect: only rows that match it are used."),
    ] = UNSET
    partition_column: Annotated[
        Column | UnsetType,
        Role.OURS,
        Role.QUERY_PART,
        Role.ROWS,
        Meta(
            description="Adds a filter on this column with Statsig's date macros, so that each scan reads fewer rows."
        ),
    ] = UNSET
    partition_type: Annotated[
        Literal["date", "timestamp", "integer"] | UnsetType,
        Role.OURS,
        Role.ROWS,
        Meta(
            description="The type of `partition_column` (integer: a day such as 20240110). Needed only if neither the "
            "catalog, a contract nor a cast in the model's SQL gives the type."
        ),
    ] = UNSET
    sql: Annotated[Sql | UnsetType, Meta(description="The whole query, instead of the one built from the keys.")] = (
        UNSET
    )


class TableSourceMeta(SourceMeta, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What metric sources and qualifying events share: a query or a table."""

    timestamp_column: Annotated[Column | UnsetType, TIMESTAMP] = UNSET
    timestamp_as_day: Annotated[bool | UnsetType, Role.ROWS, AS_DAY] = UNSET
    is_verified: Annotated[bool | UnsetType, Meta(description="Marks the source as verified in Statsig.")] = UNSET
    source_type: Annotated[
        Literal["query", "table"] | UnsetType,
        Role.ROWS,
        Meta(description="query (the default): Statsig runs SQL; table: Statsig reads the dbt node's table itself."),
    ] = UNSET
    table_name: Annotated[
        Line | UnsetType,
        Role.ROWS,
        Meta(description="With `source_type: table`: the table's name, where it is not the node's."),
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
            description="true: Statsig does not run the SQL on a push; every column and type must be proven, and "
            "Statsig must have enabled it for your project."
        ),
    ] = UNSET


DATES = frozenset({"statsig_start_date", "statsig_end_date", "statsig_start_date_int", "statsig_end_date_int"})
"""The macros that Statsig's documents promise for metric and assignment sources."""
DATES_AND_START = DATES | {"statsig_experiment_start_timestamp"}


def wire_form(payload: Source) -> dict[str, Any]:
    """The payload as plain values in the API's form: fields of a metric's definition under `warehouseNative`."""
    content: dict[str, Any] = msgspec.to_builtins(payload)
    names = dict(zip(payload.__struct_fields__, payload.__struct_encode_fields__, strict=True))
    inner = {names[field] for field in fields_with(type(payload), Role.NATIVE)}
    native = {name: value for name, value in content.items() if name in inner}
    outer = {name: value for name, value in content.items() if name not in inner}
    return {**outer, NATIVE: native} if native else content


def audited_as(noun: str) -> frozenset[str]:
    """The actions of the audit log on a source that they call `noun`."""
    own = {f"{verb}_echidna_{noun}" for verb in ("create", "update", "delete")}
    own |= {f"update_echidna_{noun}_{part}" for part in ("name", "is_verified")}
    return frozenset(own | {"update_echidna_source_owner", "update_echidna_source_is_verified"})


class KindSpec(Struct, frozen=True, kw_only=True):
    """A kind of source: its types, where it lives in the Console API, what the API lets be done with it, and its look.

    `reserved` are names that the API takes for itself. Experiments name sources of a kind that is
    `named_by_experiments`; one that `feeds_metrics` is read through metrics. `gives_properties`: it must have columns
    beside its roles. `scans_by_date`: a scan can be cut to days. `scans_often`: a slow view would run again and again.
    `colours` are those of the HTML report, on light and on dark paper.

    A kind that stands `within` another has its blocks inside of that kind's. `suffix` ends an object's ID in paths;
    `type_` is what it is created as, among others in one list, which is read with `list_query`. One that `archives`
    can be brought back after its retirement. `answered` are fields of answers that no write knows. `audited` are the
    actions of the audit log that change an object of the kind.
    """

    kind: Kind
    payload: type[Source]
    block: type[BlockMeta]
    required: tuple[str, ...]
    macros: frozenset[str]
    list_path: str
    create_path: str
    object_root: str
    can_read: bool
    can_patch: bool
    can_rename: bool
    colours: tuple[str, str]
    reserved: tuple[str, ...] = ()
    named_by_experiments: bool = False
    feeds_metrics: bool = False
    gives_properties: bool = False
    scans_by_date: bool = True
    scans_often: bool = False
    within: Kind | None = None
    suffix: str = ""
    type_: str = ""
    list_query: str = ""
    archives: bool = False
    answered: frozenset[str] = frozenset()
    audited: frozenset[str] = frozenset()

    @property
    def used_by_experiments(self) -> bool:
        """Whether an experiment says, by itself or through its metrics, that it reads a source of the kind."""
        return self.named_by_experiments or self.feeds_metrics

    def fields(self, role: Role) -> tuple[str, ...]:
        """The fields of the payload that have a role."""
        return fields_with(self.payload, role)

    def can_send(self, fields: Collection[str]) -> bool:
        """Whether an update can send these fields (snake_case) alone: no partial update takes SQL."""
        return self.can_patch and "sql" not in fields

    def object_path(self, name: str) -> str:
        """The path of one object, its name percent-encoded as one segment.

        Dots are encoded too where the whole name is dots, or a client would fold the path.
        """
        segment = quote(f"{name}{self.suffix}", safe="")
        if not name.strip(".") and not self.suffix:
            segment = segment.replace(".", "%2E")
        return f"{self.object_root}/{segment}"
