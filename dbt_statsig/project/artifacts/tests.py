"""dbt's generic tests, as far as they say something about one column.

Facts: dbt's manifest schemas v1 to v12; `column_name` is on the test since v1, `attached_node` since v9.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from dbt_statsig.project.artifacts.nodes import DependsOn


class _TestMetadata(Struct, frozen=True, kw_only=True):
    name: str | None = None
    namespace: str | None = None
    kwargs: dict[str, Any] | None = None

    @property
    def names(self) -> frozenset[str]:
        """What YAML may call it: its name, and the same behind its package's."""
        return frozenset({self.name, f"{self.namespace}.{self.name}"} if self.name else ())


class _TestConfig(Struct, frozen=True, kw_only=True):
    enabled: bool | None = None
    where: str | None = None


class RawTest(Struct, frozen=True, kw_only=True):
    """A node of the type test as the manifest holds it."""

    column_name: str | None = None
    attached_node: str | None = None
    test_metadata: _TestMetadata | None = None
    depends_on: DependsOn | None = None
    config: _TestConfig | None = None


class ColumnTest(Struct, frozen=True, kw_only=True):
    """A generic test of one column: its name (`not_null`), the column as the YAML writes it, the node it is about.

    `is_partial` is True where it looks at some rows only. `to` is what a relationships test compares with, as written.
    """

    name: str
    column: str
    node: str
    is_partial: bool
    to: str = ""


def build_test(raw: RawTest) -> ColumnTest | None:
    """`raw` as a ColumnTest; None for one that is about no single column of one node, or is switched off."""
    metadata = raw.test_metadata
    reads = (raw.depends_on.nodes if raw.depends_on else None) or []
    node = raw.attached_node or (reads[0] if len(reads) == 1 else "")
    if metadata is None or not metadata.name or not node or (raw.config and raw.config.enabled is False):
        return None
    kwargs = metadata.kwargs or {}
    column, to = raw.column_name or kwargs.get("column_name"), kwargs.get("to")
    if not isinstance(column, str) or not column:
        return None
    return ColumnTest(
        name=metadata.name,
        column=column,
        node=node,
        is_partial=bool(raw.config is not None and raw.config.where),
        to=to if isinstance(to, str) else "",
    )
