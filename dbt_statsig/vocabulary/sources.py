"""What all kinds of Statsig objects share: their fields, and the roles that say how a field is treated.

Field names in Python are Statsig's own in snake_case; the name on the wire stands beside each. A field that is
`UNSET` was not declared (in a payload) or not sent (in an answer): it is never written and never compared.
Facts: Statsig's published Console API description, version 20240601. Each kind has its own file in `kinds/`.
"""

from __future__ import annotations

import functools
import inspect
import re
import unicodedata
from enum import Enum, auto
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

if TYPE_CHECKING:
    from collections.abc import Mapping

API_PREFIX = "/console/v1"
# Both ECMA-262 and Python take this; the second half is needed because Python's `$` also matches before a line break.
LINE_PATTERN = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$(?!\n)"
LINE_SCHEMA = {
    "pattern": LINE_PATTERN,
    "patternErrorMessage": "Write one line of text, without blanks at its start or end.",
}
"""What a JSON Schema says of one line of text; editors show the message in place of the pattern."""
# For the Meta of a list of texts that may name one twice: it counts once. The JSON Schema says the same.
REPEATS: Final[dict[str, Any]] = {"extra": {"repeats": True}, "extra_json_schema": {"uniqueItems": False}}


def folded(name: str) -> str:
    """A form of a name that is equal for twins: names that differ only in case or in Unicode forms of a character."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def natural(name: str) -> tuple[object, ...]:
    """What lists of names are sorted by: without case, and `exp_2` before `exp_10`."""
    parts = tuple(
        (part,) if index % 2 == 0 else (len(part.lstrip("0")), part.lstrip("0"))
        for index, part in enumerate(re.split(r"([0-9]+)", name.casefold()))
    )
    return parts, name


class Kind(str, Enum):
    """A kind of object; the value is its key under `meta.statsig`, or, of metrics, its name for `--kind`."""

    ASSIGNMENT_SOURCE = "assignment_source"
    QUALIFYING_EVENT = "qualifying_event"
    ENTITY_PROPERTY_SOURCE = "entity_property_source"
    METRIC_SOURCE = "metric_source"
    METRIC = "metric"

    @property
    def label(self) -> str:
        """The kind as a person says it: `assignment source`."""
        return self.value.replace("_", " ")


class Role(Enum):
    """How a field is treated. A role stands in the field's annotation; every list of fields is made from these."""

    COLUMN = auto()
    """Names one column: it is proven, and sent as the warehouse spells it."""
    NEVER_EMPTY = auto()
    """A column without which a row counts for nothing."""
    AS_DECLARED = auto()
    """Is sent as it was declared."""
    TABLE_ONLY = auto()
    """Is only for `source_type: table`."""
    SQL = auto()
    """Is compared as SQL: white space between tokens does not count."""
    SET = auto()
    """Is compared without order and repetitions."""
    PARTS = auto()
    """Is compared in its declared parts only."""
    WRITE_ONLY = auto()
    """Is sent along; no answer holds it."""
    READ_ONLY = auto()
    """Is in answers; Statsig refuses it in a write."""
    OURS = auto()
    """A key of a block that Statsig does not have: it shapes the SQL, or the block itself."""
    QUERY_PART = auto()
    """A part of the query that is built, so not for blocks with their own SQL or a table."""
    NATIVE = auto()
    """Stands under `warehouseNative` in the API's bodies."""
    NESTED = auto()
    """Is compared part by part; parts that are empty are not there."""
    UPDATE_ONLY = auto()
    """Is taken by updates alone: after a creation it is sent on its own."""
    ROWS = auto()
    """A key of a block that decides which rows there are or what they mean: the impact of a change names it."""


class Default(Struct, frozen=True):
    """Stands in a field's annotation: what an answer without the field means. It is compared without case."""

    value: str


@functools.cache
def roles_of(struct: type[Struct]) -> Mapping[str, frozenset[Role | Default]]:
    """The roles of each field of a payload or block type, in the order of its fields."""
    found: dict[str, frozenset[Role | Default]] = {}
    for base in struct.__bases__:
        if base is not Struct:
            found |= roles_of(base)
    # Not typing.get_type_hints: it reads the annotations of all bases again for each type, which takes 5 ms in all.
    for name, hint in inspect.get_annotations(struct, eval_str=True).items():
        found[name] = frozenset(one for one in getattr(hint, "__metadata__", ()) if isinstance(one, (Role, Default)))
    return found


@functools.cache
def fields_with(struct: type[Struct], role: Role) -> tuple[str, ...]:
    """The fields that have a role, in order."""
    return tuple(name for name, roles in roles_of(struct).items() if role in roles)


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


class Source(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What all kinds share; of a metric, SQL, units and owner are never set.

    The fields without a role in how they are sent are built in `payloads`.
    """

    name: str
    description: Text = UNSET
    tags: Annotated[tuple[str, ...] | UnsetType | None, Role.AS_DECLARED, Role.SET] = UNSET
    sql: Annotated[Text, Role.SQL] = UNSET
    timestamp_column: Annotated[Text, Role.COLUMN] = UNSET
    id_type_mapping: Annotated[tuple[IdType, ...] | UnsetType | None, Role.SET] = UNSET
    is_read_only: Flag = UNSET
    owner: Annotated[Owner | UnsetType | None, Role.PARTS] = UNSET
    team: Annotated[Text, Role.AS_DECLARED] = UNSET
    team_id: Annotated[Text, Role.AS_DECLARED] = field(name="teamID", default=UNSET)


class TableSource(Source, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What metric sources and qualifying events share: a SQL query or a table."""

    timestamp_as_day: Annotated[Flag, Role.AS_DECLARED] = UNSET
    is_verified: Annotated[Flag, Role.AS_DECLARED] = UNSET
    disable_cure: Annotated[Flag, Role.AS_DECLARED] = field(name="disableCURE", default=UNSET)
    source_type: Annotated[Text, Role.AS_DECLARED, Default("query")] = UNSET
    table_name: Annotated[Text, Role.TABLE_ONLY] = UNSET
    date_partition_column: Annotated[Text, Role.COLUMN, Role.TABLE_ONLY] = UNSET
    custom_field_mapping: Annotated[tuple[CustomField, ...] | UnsetType | None, Role.SET] = UNSET
    skip_validation: Annotated[Flag, Role.WRITE_ONLY] = field(name="skip_validation", default=UNSET)
    all_columns: Annotated[tuple[str, ...] | UnsetType, Role.WRITE_ONLY] = field(name="all_columns", default=UNSET)
    column_types: Annotated[tuple[str, ...] | UnsetType, Role.WRITE_ONLY] = field(name="column_types", default=UNSET)
