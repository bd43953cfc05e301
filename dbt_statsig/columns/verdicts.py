"""The three-valued answers about columns, free of any SQL library."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Presence(str, Enum):
    """Whether a column exists. Absent is only ever said with proof."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Evidence(str, Enum):
    """What a verdict rests on, strongest first."""

    CONTRACT = "contract"
    CATALOG = "catalog"
    INFERRED = "inferred"
    DOCUMENTED = "documented"
    NONE = "none"


class KnownColumn(Struct, frozen=True, kw_only=True):
    """A column of a node: its name as the warehouse stores it (or as written, where `spelling_proven` is False).

    `data_type` is given only by a contract or the catalog. `tags` are the tags that the project's YAML gives it.
    """

    name: str
    evidence: Evidence
    data_type: str | None = None
    spelling_proven: bool = True
    tags: tuple[str, ...] = ()


class ColumnSet(Struct, frozen=True, kw_only=True):
    """All that is known of a node's columns, in order.

    `closed` means that there are no others; `reasons` says why not, where it is False.
    """

    columns: tuple[KnownColumn, ...]
    closed: bool
    reasons: tuple[str, ...] = ()


class Verdict(Struct, frozen=True, kw_only=True):
    """The answer about one named column.

    `stored` is the spelling to send to Statsig: the warehouse's own where it is proven, else the user's.
    `code` is a finding code of `findings.CODES`, or empty where there is nothing to say; `message` and `fix`
    go with it.
    """

    name: str
    stored: str
    presence: Presence
    evidence: Evidence
    spelling_proven: bool = False
    data_type: str | None = None
    code: str = ""
    message: str = ""
    fix: str = ""
