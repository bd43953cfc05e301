"""What we need to know of a dbt node: one frozen type for models, snapshots, seeds and source tables."""

from __future__ import annotations

from sys import intern
from typing import Any

import msgspec
from msgspec import Struct

BUILT = frozenset({"model", "seed", "snapshot"})
"""The resource types that dbt builds as relations."""
SELECTABLE_TYPES = ("model", "snapshot", "seed", "source")
COLUMN_CONFIG_SINCE = (1, 10)
NOT_NULL = ("not_null", "primary_key")

Map = dict[str, Any]
_EMPTY: Map = {}


class NodeColumn(Struct, frozen=True, kw_only=True):
    """A column as the project's YAML documents it.

    `data_type`, and `not_null` (a constraint says so), are to be trusted only under an enforced contract.
    """

    name: str
    data_type: str | None = None
    quote: bool = False
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = {}
    not_null: bool = False


class Node(Struct, frozen=True, kw_only=True):
    """A model, snapshot, seed or source table.

    `identifier` is the name in the warehouse (alias, or a source's identifier), `path` the SQL, CSV or YAML file,
    `patch_path` the YAML file that documents the node (both relative to the project), `file_hash` the SHA-256 of the
    file's text (empty: not known), `meta` the merged `config.meta` over `meta`, `compiled_code` the SQL as compiled
    (None: not compiled, or Python), `raw_code` the SQL before that, `macros` the macros that it calls.
    """

    unique_id: str
    name: str
    resource_type: str
    package_name: str
    database: str | None = None
    schema: str | None = None
    identifier: str = ""
    relation_name: str | None = None
    language: str = "sql"
    compiled_code: str | None = None
    raw_code: str = ""
    macros: tuple[str, ...] = ()
    materialized: str = ""
    enabled: bool = True
    description: str = ""
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = {}
    columns: dict[str, NodeColumn] = {}
    depends_on: tuple[str, ...] = ()
    version: str | int | float | None = None
    latest_version: str | int | float | None = None
    path: str = ""
    patch_path: str = ""
    fqn: tuple[str, ...] = ()
    source_name: str = ""
    file_hash: str = ""
    contract_enforced: bool = False
    event_time: str = ""
    snapshot_meta_column_names: dict[str, str] = {}
    config: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """The node as messages call it."""
        if self.resource_type == "source":
            return f"the source table {self.source_name}.{self.name}"
        return f"the {self.resource_type} {self.name}"

    @property
    def is_latest(self) -> bool:
        """True for unversioned models and for the latest version of a versioned one."""
        return self.version is None or str(self.version) == str(self.latest_version)

    @property
    def is_uncompiled(self) -> bool:
        """True for a model or snapshot in SQL that the manifest holds uncompiled."""
        return self.resource_type in {"model", "snapshot"} and self.language == "sql" and not self.compiled_code


class RawColumn(Struct, frozen=True, kw_only=True):
    """A documented column; `config` came with dbt 1.10."""

    name: str | None = None
    data_type: str | None = None
    quote: bool | None = None
    tags: str | list[Any] | None = None
    meta: Map | None = None
    config: Map | None = None
    constraints: list[Any] | None = None


class DependsOn(Struct, frozen=True):
    """The nodes that a node reads, and the macros that it calls (null for some that dbt 1.5 did not find)."""

    nodes: list[str] | None = None
    macros: list[str | None] | None = None

    @property
    def called(self) -> tuple[str, ...]:
        """The macros that are named."""
        return tuple(name for name in self.macros or () if name)


class Checksum(Struct, frozen=True):
    """What dbt tells a file by: a hash of its text, or (`path`, for large seeds) nothing."""

    name: str | None = None
    checksum: str | None = None


class RawNode(Struct, frozen=True, kw_only=True):
    """The fields that we read; every one may be missing or null in some version."""

    unique_id: str | None = None
    name: str | None = None
    resource_type: str | None = None
    package_name: str | None = None
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    identifier: str | None = None
    relation_name: str | None = None
    language: str | None = None
    compiled_code: str | None = None
    compiled_sql: str | None = None
    raw_code: str | None = None
    raw_sql: str | None = None
    description: str | None = None
    tags: str | list[Any] | None = None
    meta: Map | None = None
    columns: dict[str, RawColumn] | None = None
    depends_on: DependsOn | None = None
    version: str | int | float | None = None
    latest_version: str | int | float | None = None
    original_file_path: str | None = None
    patch_path: str | None = None
    fqn: list[str] | None = None
    source_name: str | None = None
    checksum: Checksum | None = None
    contract: Map | None = None
    config: Map | None = None


def build_node(raw: RawNode, *, unique_id: str, resource_type: str, enabled: bool, column_config: bool | None) -> Node:
    """`raw` as a Node; `resource_type` is used where it has none.

    Words that thousands of nodes and columns repeat are held once.
    `column_config`: dbt 1.10 or later wrote it, where columns are recognised by their `config` alone; None: not known,
    so that a column with a config is recognised by it.
    """
    config = raw.config or {}
    kind = raw.resource_type or resource_type
    name = raw.name or unique_id.rsplit(".", 1)[-1]
    language = raw.language or "sql"
    contract = _mapping(config.get("contract")) or raw.contract or {}
    names = _mapping(config.get("snapshot_meta_column_names"))
    return Node(
        unique_id=unique_id,
        name=name,
        resource_type=intern(kind),
        package_name=intern(raw.package_name or ""),
        database=raw.database and intern(raw.database),
        schema=raw.schema and intern(raw.schema),
        identifier=(raw.identifier if kind == "source" else raw.alias) or name,
        relation_name=raw.relation_name or None,
        language=intern(language),
        compiled_code=(raw.compiled_code or raw.compiled_sql or None) if language == "sql" else None,
        raw_code=(raw.raw_code or raw.raw_sql or "") if language == "sql" else "",
        macros=raw.depends_on.called if raw.depends_on else (),
        materialized=_text(config.get("materialized")) or (kind if kind in ("seed", "snapshot") else ""),
        enabled=enabled and config.get("enabled") is not False,
        description=raw.description or "",
        tags=as_tags(raw.tags),
        meta=merged_meta(raw),
        columns={
            intern(key): _column(key, column, own_config=column_config) for key, column in (raw.columns or {}).items()
        },
        depends_on=tuple((raw.depends_on.nodes if raw.depends_on else None) or ()),
        version=raw.version,
        latest_version=raw.latest_version,
        path=as_path(raw.original_file_path),
        patch_path=as_path(raw.original_file_path if kind == "source" else raw.patch_path),
        fqn=tuple(raw.fqn or ()),
        source_name=raw.source_name or "",
        file_hash=(raw.checksum.checksum or "") if raw.checksum and raw.checksum.name == "sha256" else "",
        contract_enforced=contract.get("enforced") is True,
        event_time=_text(config.get("event_time")),
        snapshot_meta_column_names={key: value for key, value in names.items() if isinstance(value, str)},
        config=config,
    )


def merged_meta(raw: RawNode) -> Map:
    """`config.meta` over the older `meta`, key by key."""
    older, newer = raw.meta or _EMPTY, _mapping((raw.config or {}).get("meta"))
    # dbt writes the one into the other, so that there are thousands of times two alike.
    return newer if older.keys() <= newer.keys() else {**older, **newer}


def as_tags(value: str | list[Any] | None) -> tuple[str, ...]:
    """Tags as a tuple, whether YAML held one word or a list."""
    values = [value] if isinstance(value, str) else value or []
    return tuple(tag for tag in values if isinstance(tag, str))


def as_path(value: str | None) -> str:
    """A path of a manifest in the form `models/x.yml`: without the project before it, and as POSIX writes it."""
    return (value or "").split("://", 1)[-1].replace("\\", "/")


def _column(key: str, raw: RawColumn, *, own_config: bool | None) -> NodeColumn:
    config = raw.config or {}
    meta, tags = _mapping(config.get("meta")), as_tags(config.get("tags"))
    if own_config is False or (own_config is None and raw.config is None):
        meta = {**raw.meta, **meta} if raw.meta else meta
        tags = tuple(dict.fromkeys((*as_tags(raw.tags), *tags)))
    return NodeColumn(
        name=intern(raw.name or key),
        data_type=intern(raw.data_type) if raw.data_type else None,
        quote=raw.quote is True,
        tags=tags,
        meta=meta,
        not_null=any(_mapping(one).get("type") in NOT_NULL for one in raw.constraints or ()),
    )


def _mapping(value: Any) -> Map:
    return value if isinstance(value, dict) else _EMPTY


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class RawSummary(Struct, frozen=True, kw_only=True, gc=False):
    """The same as the manifest holds it; every field may be missing or null in some version."""

    name: str | None = None
    resource_type: str | None = None
    package_name: str | None = None
    fqn: list[str] | None = None
    original_file_path: str | None = None
    patch_path: str | None = None
    tags: str | list[Any] | None = None
    depends_on: DependsOn | None = None
    config: msgspec.Raw = msgspec.Raw(b"{}")
    source_name: str | None = None
    version: str | int | float | None = None
    relation_name: str | None = None


class NodeSummary(Struct, frozen=True, kw_only=True, gc=False):
    """A node of any type that takes part in dbt's graph; `path` and `patch_path` as in `Node`, `config` undecoded."""

    unique_id: str
    name: str
    resource_type: str
    package_name: str
    fqn: tuple[str, ...]
    path: str
    patch_path: str
    tags: tuple[str, ...]
    depends_on: tuple[str, ...]
    config: msgspec.Raw
    source_name: str
    version: str | int | float | None
    relation_name: str | None

    @property
    def is_versioned(self) -> bool:
        """True for one version of a versioned model."""
        return self.resource_type == "model" and self.version is not None


def build_summary(raw: RawSummary, *, unique_id: str) -> NodeSummary:
    """`raw` as a NodeSummary; what it does not say is taken from `unique_id`."""
    return NodeSummary(
        unique_id=unique_id,
        name=raw.name or unique_id.rsplit(".", 1)[-1],
        resource_type=raw.resource_type or unique_id.split(".", 1)[0],
        package_name=raw.package_name or "",
        fqn=tuple(raw.fqn or ()),
        path=as_path(raw.original_file_path),
        patch_path=as_path(raw.patch_path),
        tags=as_tags(raw.tags),
        depends_on=tuple((raw.depends_on.nodes if raw.depends_on else None) or ()),
        config=raw.config,
        source_name=raw.source_name or "",
        version=raw.version,
        relation_name=raw.relation_name or None,
    )
