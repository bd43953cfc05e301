"""The head of a node: what choosing nodes needs, at a fraction of a node's cost."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from dbt_statsig.artifacts.raw_nodes import DependsOn, as_path, as_tags


class RawHead(Struct, frozen=True, kw_only=True, gc=False):
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


class Head(Struct, frozen=True, kw_only=True, gc=False):
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


def build_head(raw: RawHead, *, unique_id: str) -> Head:
    """`raw` as a Head; what it does not say is taken from `unique_id`."""
    return Head(
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
