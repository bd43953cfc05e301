"""What declaring gives: typed blocks, findings, and the blocks that could not be read."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.project.declarations.places import KeyPath, NodePlaces
from dbt_statsig.vocabulary.findings import Finding, Location
from dbt_statsig.vocabulary.sources import Kind


class Declaration(Struct, frozen=True, kw_only=True):
    """One block of a node's meta, merged with its column marks and defaults.

    `meta` is the typed block of the kind. `key` is its place (`statsig.assignment_source`,
    `statsig.qualifying_event[1]`). `origins` holds, for each declared key, the path in the node's YAML (or the
    settings) that gave it. A metric has the metric source `within` which it is, and those of the `others` that the
    project declares, by the names in its block.
    """

    kind: Kind
    node: Node
    meta: Any
    name: str
    key: str
    path: KeyPath
    places: NodePlaces
    origins: dict[str, KeyPath]
    within: Declaration | None = None
    others: dict[str, Declaration] = {}

    @property
    def location(self) -> Location | None:
        """The place of the block."""
        return self.locate()

    def locate(self, *path: str | int) -> Location | None:
        """The place of a key of this declaration, wherever it was declared; else the nearest place known.

        `locate("id_type_mapping", "userID")` is the mapping's entry, or the mark of the column that gave it.
        """
        if not path:
            return self.places.at(self.path)
        for length in range(len(path), 0, -1):
            origin = self.origins.get(".".join(str(part) for part in path[:length]))
            if origin is not None:
                return self.places.at((*origin, *path[length:]))
        return self.places.at((*self.path, *path))

    def __repr__(self) -> str:
        """Which block it is, without the node."""
        return f"Declaration({self.node.unique_id}, {self.key}, {self.name!r})"


class FaultyBlock(Struct, frozen=True, kw_only=True):
    """A block that could not become a declaration; its object in the console must not count as an orphan.

    `name` is what the block calls itself, or empty; with `has_name` it is the object's name if not empty.
    """

    kind: Kind
    unique_id: str
    name: str = ""
    has_name: bool = False


class DeclaredName(Struct, frozen=True, kw_only=True):
    """A source that the project declares, selected or not."""

    kind: Kind
    unique_id: str
    name: str


class Declared(Struct, frozen=True, kw_only=True):
    """All selected declarations, all findings about them, and what else must not count as an orphan.

    `faulty`, `names` and `disabled` (blocks with `enabled: false` in this dbt target) cover the whole project, whatever
    was selected.
    """

    declarations: tuple[Declaration, ...]
    findings: tuple[Finding, ...]
    faulty: tuple[FaultyBlock, ...] = ()
    names: tuple[DeclaredName, ...] = ()
    disabled: tuple[DeclaredName, ...] = ()
