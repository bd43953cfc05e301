"""The entry of a node in a property file, and what is added to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from msgspec import Struct

from dbt_statsig.importing.yaml_document import CannotEdit, Document
from dbt_statsig.importing.yaml_lines import plain
from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.project.yaml_nodes import lookup
from dbt_statsig.vocabulary.sources import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECTIONS = {"model": "models", "snapshot": "snapshots", "seed": "seeds", "source": "sources"}
_LATE = ("columns", "data_tests", "tests", "versions", "tables")


class BlockEdit(Struct, frozen=True, kw_only=True):
    """A block of a kind to add under a node's `statsig`; the values may be `Noted`."""

    node: Node
    kind: str
    block: dict[str, Any]


class DataTestEdit(Struct, frozen=True, kw_only=True):
    """A data test to add to a node: its name, or a mapping of its name to its arguments."""

    node: Node
    test: str | dict[str, Any]


class MetricsEdit(Struct, frozen=True, kw_only=True):
    """Metrics to add to a node's block of the metric source with this name."""

    node: Node
    source: str
    metrics: tuple[dict[str, Any], ...]


Edit: TypeAlias = BlockEdit | DataTestEdit | MetricsEdit


class Entry:
    """The entry of one node in a document, and the edits of that node."""

    def __init__(self, document: Document, edits: Sequence[Edit]) -> None:
        self.document = document
        self.edits = edits
        self.node = edits[0].node
        self.section = SECTIONS[self.node.resource_type]

    def add(self) -> list[dict[str, Any]]:
        """Add all edits to the entry; where there is none, the new one is returned. Raises CannotEdit."""
        entry = self._find()
        if entry is not None:
            self._add_blocks(entry)
            self._add_metrics(entry)
            self._add_tests(entry)
            return []
        if self.node.patch_path:
            name = ".".join(filter(None, (self.node.source_name, self.node.name)))
            raise CannotEdit(f"has no entry for `{name}`, which dbt read there; run `dbt parse`")
        _refuse_foreign_block(self.node)
        return [_new_entry(self.edits)]

    def _find(self) -> yaml.MappingNode | None:
        document, name = self.document, self.node.name
        if self.section == "sources":
            sources = document.named(document.root, self.section, self.node.source_name)
            found = [table for source in sources for table in document.named(source, "tables", name)]
        else:
            found = document.named(document.root, self.section, name)
        if len(found) > 1:
            lines = " and ".join(str(entry.start_mark.line + 1) for entry in found[:2])
            raise CannotEdit(f"has two entries for `{name}` (lines {lines})", found[1].start_mark.line + 1)
        return found[0] if found else None

    def _add_blocks(self, entry: yaml.MappingNode) -> None:
        blocks = _blocks(self.edits)
        if not blocks:
            return
        holder, key = self._holder(entry)
        statsig = self.document.get(holder, "statsig") if key == "statsig" else None
        if statsig is None or not _is_set(statsig):
            _refuse_foreign_block(self.node)
            value: Any = blocks
            for outer in {"config": ("statsig", "meta"), "meta": ("statsig",)}.get(key, ()):
                value = {outer: value}
            self.document.add_key(holder, key, value, late=_LATE)
            return
        for kind, listed in blocks.items():
            self._add_block(_mapping(statsig, "statsig"), kind, listed)

    def _add_block(self, statsig: yaml.MappingNode, kind: str, blocks: list[Any] | dict[str, Any]) -> None:
        held = self.document.get(statsig, kind)
        if held is None or not _is_set(held):
            self.document.add_key(statsig, kind, blocks)
        elif isinstance(held, yaml.SequenceNode):
            for block in blocks if isinstance(blocks, list) else [blocks]:
                self._refuse_again(kind, held, plain(block).get("name"))
                self.document.add_item(held, block)
        else:
            line = held.start_mark.line + 1
            raise CannotEdit(
                f"has a block `{kind}` for `{self.node.name}` already; it is not overwritten "
                "(make it a list, to which others can be added)",
                line,
            )

    def _add_metrics(self, entry: yaml.MappingNode) -> None:
        for edit in self.edits:
            if not isinstance(edit, MetricsEdit):
                continue
            block = self._source(entry, edit.source)
            held = self.document.get(block, "metrics")
            if held is None or not _is_set(held):
                self.document.add_key(block, "metrics", list(edit.metrics))
                continue
            if not isinstance(held, yaml.SequenceNode):
                raise CannotEdit("has `metrics` that are not a list", held.start_mark.line + 1)
            for metric in edit.metrics:
                self._refuse_again("metrics", held, plain(metric).get("name"))
                self.document.add_item(held, metric)

    def _source(self, entry: yaml.MappingNode, name: str) -> yaml.MappingNode:
        """The block of a metric source that is there."""
        holder, key = self._holder(entry)
        statsig = self.document.get(holder, "statsig") if key == "statsig" else None
        held = self.document.get(_mapping(statsig, "statsig"), "metric_source") if _is_set(statsig) else None
        for block in held.value if isinstance(held, yaml.SequenceNode) else [held]:
            pair = lookup(block, "name") if isinstance(block, yaml.MappingNode) else None
            if pair is not None and pair[1].value == name:
                return _mapping(block, "metric_source")
        _refuse_foreign_block(self.node)
        raise CannotEdit(f'has no block `metric_source` named "{name}" for `{self.node.name}`; run `dbt parse`')

    def _refuse_again(self, kind: str, held: yaml.SequenceNode, name: str | None) -> None:
        """A block of that name, which a manifest from before it does not have."""
        for item in held.value:
            pair = lookup(item, "name") if isinstance(item, yaml.MappingNode) else None
            if name and pair is not None and folded(str(pair[1].value)) == folded(name):
                raise CannotEdit(
                    f'has a block `{kind}` named "{name}" for `{self.node.name}` already; run `dbt parse`',
                    item.start_mark.line + 1,
                )

    def _holder(self, entry: yaml.MappingNode) -> tuple[yaml.MappingNode, str]:
        """The innermost mapping of `config.meta.statsig` that is there (or of `meta.statsig`), and the key to add."""
        get = self.document.get
        config, older = get(entry, "config"), get(entry, "meta")
        inner = get(_mapping(config, "config"), "meta") if _is_set(config) else None
        if _is_set(inner) and (not _is_set(older) or get(_mapping(older, "meta"), "statsig") is None):
            return _mapping(inner, "meta"), "statsig"
        # dbt refuses an entry that has both.
        if _is_set(older):
            return _mapping(older, "meta"), "statsig"
        return (_mapping(config, "config"), "meta") if _is_set(config) else (entry, "config")

    def _add_tests(self, entry: yaml.MappingNode) -> None:
        tests = [edit.test for edit in self.edits if isinstance(edit, DataTestEdit)]
        if not tests:
            return
        found = {key: self.document.get(entry, key) for key in ("data_tests", "tests")}
        key = next((key for key, held in found.items() if held is not None), self._usual_tests_key())
        held = found[key]
        if not _is_set(held):
            self.document.add_key(entry, key, tests, late=("columns", "versions"))
            return
        if not isinstance(held, yaml.SequenceNode):
            raise CannotEdit(f"has a `{key}`, which is not a list", held.start_mark.line + 1 if held else 0)
        for test in tests:
            self.document.add_item(held, test)

    def _usual_tests_key(self) -> str:
        """`data_tests`, but where the file has only the older word."""
        words = {"data_tests": 0, "tests": 0}
        for entry in self.document.items(self.document.root, self.section):
            for owner in (entry, *self.document.items(entry, "columns")):
                for name, _ in owner.value:
                    words[name.value] = words.get(name.value, 0) + 1
        return "tests" if words["tests"] and not words["data_tests"] else "data_tests"


def _new_entry(edits: Sequence[Edit]) -> dict[str, Any]:
    blocks = _blocks(edits)
    tests = [edit.test for edit in edits if isinstance(edit, DataTestEdit)]
    entry: dict[str, Any] = {"name": edits[0].node.name}
    entry |= {"config": {"meta": {"statsig": blocks}}} if blocks else {}
    return entry | ({"data_tests": tests} if tests else {})


def _blocks(edits: Iterable[Edit]) -> dict[str, Any]:
    """The blocks by kind: one, or a list of several."""
    found: dict[str, list[Any]] = {}
    for edit in edits:
        if isinstance(edit, BlockEdit):
            found.setdefault(plain(edit.kind), []).append(edit.block)
    return {kind: blocks[0] if len(blocks) == 1 else blocks for kind, blocks in found.items()}


def _refuse_foreign_block(node: Node) -> None:
    """A block in YAML would replace one that SQL or dbt_project.yml gives, or be replaced by it."""
    if "statsig" in node.meta:
        raise CannotEdit(
            f"does not have the `statsig` block that dbt read for `{node.name}`; it comes from SQL, dbt_project.yml "
            "or a version, or the file has changed: add the block there, or run `dbt parse`"
        )


def _is_set(node: yaml.Node | None) -> bool:
    return node is not None and bool(node.value or node.start_mark.index != node.end_mark.index)


def _mapping(node: yaml.Node | None, key: str) -> yaml.MappingNode:
    if not isinstance(node, yaml.MappingNode):
        raise CannotEdit(f"has a `{key}`, which is not a mapping", node.start_mark.line + 1 if node else 0)
    return node
