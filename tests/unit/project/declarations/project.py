"""A dbt project of one property file, with the manifest that dbt would write for it."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import yaml

from dbt_statsig.project.artifacts import Manifest, Node
from dbt_statsig.project.declarations import Declared, declare
from dbt_statsig.project.settings import Settings
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.vocabulary.findings import Finding

FILE = "models/_shop.yml"


class OneNode:
    """A manifest of one marked node."""

    def __init__(self, **fields: Any) -> None:
        """A model `a` of the project `p`, with further fields."""
        given = {"unique_id": "model.p.a", "name": "a", "resource_type": "model", "package_name": "p"}
        self.node = Node(**{**given, "relation_name": "a", **fields})

    def marked(self) -> tuple[Node, ...]:
        """The node."""
        return (self.node,)

    def unsupported_marked(self) -> tuple[Node, ...]:
        """None."""
        return ()


def declared(
    text: str,
    project_dir: Path,
    *,
    settings: Settings | None = None,
    fields: dict[str, dict[str, Any]] | None = None,
    **choice: Any,
) -> Declared:
    """What a property file declares; `fields` are further fields of nodes, by the node's name."""
    source = dedent(text)
    file = project_dir / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    content = yaml.safe_load(source)
    nodes = [_node("model", entry, fields or {}) for entry in content.get("models", [])]
    for source_entry in content.get("sources", []):
        for table in source_entry["tables"]:
            unique_id = f"source.shop.{source_entry['name']}.{table['name']}"
            nodes.append(_node("source", table, fields or {}, unique_id=unique_id))
    manifest = Manifest.from_bytes(manifest_bytes(*nodes))
    return declare(manifest, settings=settings or Settings(), project_dir=project_dir, **choice)


def one_model(meta: str, project_dir: Path, *, columns: str = "", **options: Any) -> Declared:
    """What one model, `fct_orders`, declares by the YAML of its `config.meta`, which begins in line 5."""
    text = (
        "models:\n  - name: fct_orders\n    config:\n      meta:\n" + indent(dedent(meta).strip("\n"), " " * 8) + "\n"
    )
    if columns:
        text += "    columns:\n" + indent(dedent(columns).strip("\n"), " " * 6) + "\n"
    return declared(text, project_dir, **options)


def output(found: Finding) -> str:
    """A finding in one line: code, place, message."""
    return f"{found.code} {found.location} {found.message}"


def _node(kind: str, entry: dict[str, Any], fields: dict[str, dict[str, Any]], **own: Any) -> dict[str, Any]:
    name = entry["name"]
    columns = {
        column["name"]: {"name": column["name"], "config": column.get("config", {})}
        for column in entry.get("columns", [])
    }
    meta = entry.get("meta", {}) | entry.get("config", {}).get("meta", {})
    unique_id = own.get("unique_id", f"{kind}.shop.{name}")
    given = fields.get(name, {})
    config = {"materialized": "table", "meta": meta} | given.get("config", {})
    rest: dict[str, Any] = {
        "relation_name": f'"db"."main"."{name}"',
        "patch_path": f"shop://{FILE}",
        "columns": columns,
    }
    if kind == "source":
        rest["original_file_path"] = FILE
    return node(unique_id, **(rest | given | {"config": config}))
