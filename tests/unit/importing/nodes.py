"""Nodes of a small project for tests of YAML files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_statsig.importing.yaml_files import BlockEdit
from dbt_statsig.project.artifacts.nodes import Node

if TYPE_CHECKING:
    from pathlib import Path

FILE = "models/schema.yml"
BLOCK: dict[str, Any] = {"name": "Signups", "timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}


def node(name: str = "a", *, kind: str = "model", patch: str | None = FILE, **fields: Any) -> Node:
    """A node of the project `shop`; `patch` is the file that documents it."""
    folder, ending = {"model": ("models", "sql"), "seed": ("seeds", "csv")}.get(kind, ("snapshots", "sql"))
    given: dict[str, Any] = {
        "unique_id": f"{kind}.shop.{name}",
        "name": name,
        "resource_type": kind,
        "package_name": "shop",
        "path": f"{folder}/{name}.{ending}",
        "patch_path": patch or "",
    }
    return Node(**{**given, **fields})


def block(of: Node | None = None, kind: str = "metric_source", **fields: Any) -> BlockEdit:
    """An edit that adds a block."""
    return BlockEdit(node=of or node(), kind=kind, block={**BLOCK, **fields})


def project(folder: Path, **files: str | bytes) -> Path:
    """A dbt project `shop` with its model `a`; keys are paths with `__` for `/` and no ending."""
    folder.mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    for name in ("models/a.sql", "models/b.sql", "seeds/s.csv", "snapshots/n.sql"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("select 1", encoding="utf-8")
    for name, content in files.items():
        file = folder / f"{name.replace('__', '/')}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
