"""What we need to know of a dbt node: one frozen type for models, snapshots, seeds and source tables."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

BUILT = frozenset({"model", "seed", "snapshot"})
"""The resource types that dbt builds as relations."""


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
    def is_latest(self) -> bool:
        """True for unversioned models and for the latest version of a versioned one."""
        return self.version is None or str(self.version) == str(self.latest_version)

    @property
    def is_uncompiled(self) -> bool:
        """True for a model or snapshot in SQL that the manifest holds uncompiled."""
        return self.resource_type in {"model", "snapshot"} and self.language == "sql" and not self.compiled_code
