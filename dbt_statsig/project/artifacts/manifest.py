"""dbt's manifest.json, of which only what is asked for gets decoded.

Facts: dbt's manifest schemas v1 (dbt 0.19) to v12 (dbt 1.8 to 1.12, and dbt 2.x).
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Raw, Struct

from dbt_statsig.project.artifacts.nodes import (
    COLUMN_CONFIG_SINCE,
    SELECTABLE_TYPES,
    DependsOn,
    NodeSummary,
    RawNode,
    RawSummary,
    build_node,
    build_summary,
)
from dbt_statsig.project.artifacts.reading import (
    LEAST_IN_MAPS,
    LEAST_IN_NODES,
    MANIFEST,
    MAX_MB,
    Key,
    Metadata,
    decode,
    decode_part,
    read_bytes,
)
from dbt_statsig.project.artifacts.semantic_models import Metric, SemanticModel, build_metric, build_semantic_model
from dbt_statsig.project.artifacts.tests import ColumnTest, RawTest, build_test
from dbt_statsig.vocabulary.findings import nearest
from dbt_statsig.vocabulary.kinds import BLOCK_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from dbt_statsig.project.artifacts.nodes import Node

META_KEY = "statsig"
DEFAULTS_KEY = "statsig_defaults"
# Misspelt keys (`statsigs`, `Statsig`) are found too, so that they can be reported; defaults alone mark nothing.
# What every mark holds: plain letters are found at twice the speed of a pattern, and most nodes do not have them.
LETTERS = re.compile(rb"tatsig")
MARK = re.compile(rb'"[Ss]tatsig(?!_defaults")\w*"\s*:')
COMPILED = re.compile(rb'"compiled_(?:code|sql)"\s*:\s*"[^"]')
# A block of Statsig's under a key that is misspelled: what such keys hold is looked for in two quick steps, as above.
ENDINGS = (re.compile(rb'_source"'), re.compile(rb'_event"'))
BLOCK = re.compile(b'"(?:%s)"\\s*:' % "|".join(kind.value for kind in BLOCK_KINDS).encode())
OTHER_LANGUAGE = re.compile(rb'"language"\s*:\s*"(?!sql")')
TEST_PREFIX = "test."
SEMANTIC_SECTIONS = ("metrics", "semantic_models")
OTHER_SECTIONS = ("exposures", "metrics", "semantic_models", "saved_queries", "functions", "unit_tests")


class Macro(Struct, frozen=True, kw_only=True):
    """A macro's text, and the macros that it calls."""

    macro_sql: str | None = None
    depends_on: DependsOn | None = None


class _File(Struct, frozen=True, kw_only=True):
    metadata: Metadata = Metadata()
    nodes: dict[Key, Raw] | None = None
    sources: dict[Key, Raw] | None = None
    disabled: Raw = Raw(b"null")
    exposures: Raw = Raw(b"null")
    metrics: Raw = Raw(b"null")
    semantic_models: Raw = Raw(b"null")
    saved_queries: Raw = Raw(b"null")
    functions: Raw = Raw(b"null")
    unit_tests: Raw = Raw(b"null")
    macros: Raw = Raw(b"null")
    child_map: Raw = Raw(b"null")


class Manifest:
    """A manifest whose nodes stay bytes until they are asked for; `load_manifest` and `from_bytes` make one.

    Whatever decodes a node raises ArtifactError where that node is not as dbt writes it.
    """

    def __init__(self, file: _File, path: Path | None) -> None:
        """Use `load_manifest` or `from_bytes`."""
        metadata = file.metadata
        self.path = path
        self.dbt_version = metadata.dbt_version or ""
        self.schema_version = metadata.schema()[1]
        self.generated_at: datetime | None = metadata.written_at
        self.invocation_id = metadata.invocation_id or ""
        self.adapter_type = metadata.adapter_type or ""
        self._metadata = metadata
        self._file = file
        self._where = str(path or MANIFEST.label)
        parts = (file.nodes or {}, file.sources or {})
        self._enabled: dict[str, Raw] = {str(unique_id): raw for part in parts for unique_id, raw in part.items()}
        self.column_config = _columns_have_config(self.dbt_version)
        self._nodes: dict[str, Node] = {}
        self._disabled_raw: dict[str, list[Raw]] | None = None
        self._summaries: dict[str, NodeSummary] | None = None
        self._single_summaries: dict[str, NodeSummary] = {}
        self._found: tuple[str, ...] | None = None
        self._test_ids: dict[str, list[str]] | None = None
        self._macros: dict[str, Raw] | None = None

    def __repr__(self) -> str:
        """Whose it is and how large."""
        return f"Manifest({self._where!r}, dbt {self.dbt_version}, {len(self._enabled)} nodes)"

    @classmethod
    def from_bytes(cls, data: bytes, path: Path | None = None) -> Manifest:
        """The manifest in `data`, plain or gzip; raises ArtifactError where there is none that can be read."""
        file = decode(data, _File, kind=MANIFEST, where=str(path or MANIFEST.label))
        return cls(file, path)

    @cached_property
    def project_name(self) -> str:
        """The project's name; before dbt 1.6 only its hash is given, which one of the packages' names must have."""
        if self._metadata.project_name or not self._metadata.project_id:
            return self._metadata.project_name or ""
        packages = {unique_id.split(".")[1] for unique_id in self._enabled if "." in unique_id}
        hashes = {hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(): name for name in packages}
        return hashes.get(self._metadata.project_id, "")

    def marked(self) -> tuple[Node, ...]:
        """The models, snapshots, seeds and source tables that bear a `statsig` meta key, or whose columns do.

        Sorted by unique_id; disabled ones are among them, with `enabled=False`.
        """
        found = [
            node
            for unique_id in [*self._candidates(), *self._marked_disabled()]
            if (node := self.node(unique_id)) and node.resource_type in SELECTABLE_TYPES and is_marked(node)
        ]
        return tuple(sorted(found, key=lambda node: node.unique_id))

    def unsupported_marked(self) -> tuple[Node, ...]:
        """Marked nodes of types that cannot be a source: tests, analyses, exposures, macros and the like."""
        found = [
            node
            for unique_id in self._candidates()
            if (node := self.node(unique_id)) and node.resource_type not in SELECTABLE_TYPES and is_marked(node)
        ]
        # Metrics and semantic models have keys of their own: see `dbt_statsig.semantic_layer`.
        for section in (*(one for one in OTHER_SECTIONS if one not in SEMANTIC_SECTIONS), "macros"):
            raw: Raw = getattr(self._file, section)
            if MARK.search(raw):
                members = self._section(section).items()
                nodes = (self._build(member, unique_id) for unique_id, member in members if MARK.search(member))
                found += [node for node in nodes if is_marked(node)]
        return tuple(sorted(found, key=lambda node: node.unique_id))

    @property
    def has_semantic_layer(self) -> bool:
        """Whether it holds any metric; nothing is decoded for that."""
        return len(self._file.metrics) > len(b"null")

    @property
    def marks_semantic_layer(self) -> bool:
        """Whether a metric or semantic model may bear a `statsig` meta key."""
        return any(MARK.search(getattr(self._file, section)) for section in SEMANTIC_SECTIONS)

    @cached_property
    def semantic_models(self) -> tuple[SemanticModel, ...]:
        """The semantic models."""
        members = self._section("semantic_models").items()
        return tuple(build_semantic_model(self._part(raw, dict[str, Any], key), key) for key, raw in members)

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics."""
        members = self._section("metrics").items()
        return tuple(build_metric(self._part(raw, dict[str, Any], key), key) for key, raw in members)

    def node(self, unique_id: str) -> Node | None:
        """The node, model to source table (a disabled one where no other has the id); None: not in here."""
        if unique_id not in self._nodes:
            raw = self._enabled.get(unique_id)
            if raw is not None:
                self._nodes[unique_id] = self._build(raw, unique_id)
            elif unique_id in self._disabled():
                nodes = [self._build(raw, unique_id, enabled=False) for raw in self._disabled()[unique_id]]
                self._nodes[unique_id] = next((node for node in nodes if is_marked(node)), nodes[0])
        return self._nodes.get(unique_id)

    def summaries(self) -> Mapping[str, NodeSummary]:
        """The summaries of all enabled members of dbt's graph, tests and exposures too, by unique_id."""
        if self._summaries is None:
            members = dict(self._enabled)
            for section in OTHER_SECTIONS:
                members.update(self._section(section))
            self._summaries = {
                unique_id: build_summary(self._part(raw, RawSummary, unique_id), unique_id=unique_id)
                for unique_id, raw in members.items()
            }
        return self._summaries

    def summary(self, unique_id: str) -> NodeSummary | None:
        """The summary of one enabled node or source table, without reading those of all; None: there is none."""
        if self._summaries is not None:
            return self._summaries.get(unique_id)
        raw = self._enabled.get(unique_id)
        if raw is None:
            return None
        if unique_id not in self._single_summaries:
            self._single_summaries[unique_id] = build_summary(
                self._part(raw, RawSummary, unique_id), unique_id=unique_id
            )
        return self._single_summaries[unique_id]

    @cached_property
    def has_tests(self) -> bool:
        """False where it holds no test at all, so that it does not tell what is untested."""
        return any(unique_id.startswith(TEST_PREFIX) for unique_id in self._enabled)

    def column_tests(self, unique_id: str) -> tuple[ColumnTest, ...]:
        """The generic tests of a node's columns."""
        found = []
        for test_id in self._tests_of().get(unique_id, ()):
            raw = self._enabled.get(test_id) if test_id.startswith(TEST_PREFIX) else None
            test = build_test(self._part(raw, RawTest, test_id)) if raw is not None else None
            if test is not None and test.node == unique_id:
                found.append(test)
        return tuple(found)

    def tested_by(self, test_id: str) -> tuple[str, ...]:
        """The nodes that a data test is about: the one it is attached to, else all that it reads."""
        raw = self._enabled.get(test_id)
        if raw is None:
            return ()
        test: RawTest = self._part(raw, RawTest, test_id)
        if test.attached_node:
            return (test.attached_node,)
        return tuple((test.depends_on.nodes if test.depends_on else None) or ())

    def test_names(self, test_id: str) -> frozenset[str]:
        """What a generic test is called in YAML: its name, and the same behind its package's."""
        raw = self._enabled.get(test_id)
        metadata = None if raw is None else self._part(raw, RawTest, test_id).test_metadata
        return frozenset() if metadata is None else metadata.names

    def generic_tests(self, unique_id: str) -> frozenset[str]:
        """The names of the generic tests that a node has in its YAML."""
        tests = (one for one in self._tests_of().get(unique_id, ()) if unique_id in self.tested_by(one))
        return frozenset(name for one in tests for name in self.test_names(one))

    def _tests_of(self) -> dict[str, list[str]]:
        """The children of each node; where dbt wrote no map of them, all tests under the nodes that they read."""
        if self._test_ids is None:
            into = dict[str, list[str]] | None
            self._test_ids = self._part(self._file.child_map, into, "child_map", least=LEAST_IN_MAPS) or {}
            if not self._test_ids:
                for unique_id, raw in self._enabled.items():
                    if unique_id.startswith(TEST_PREFIX):
                        reads = self._part(raw, RawTest, unique_id).depends_on
                        for parent in (reads.nodes if reads else None) or ():
                            self._test_ids.setdefault(parent, []).append(unique_id)
        return self._test_ids

    @property
    def unique_ids(self) -> Iterable[str]:
        """Those of all enabled nodes and source tables; nothing is decoded for them."""
        return self._enabled.keys()

    @property
    def macros(self) -> Mapping[str, Raw]:
        """All macros by unique_id, undecoded."""
        if self._macros is None:
            self._macros = self._section("macros")
        return self._macros

    def macro(self, unique_id: str) -> Macro | None:
        """The macro; None: not in here."""
        raw = self.macros.get(unique_id)
        return None if raw is None else self._part(raw, Macro, unique_id)

    def holds(self, unique_id: str) -> bool:
        """Whether it has a node or source table of that ID, enabled or disabled."""
        return unique_id in self._enabled or unique_id in self._disabled()

    @property
    def is_empty(self) -> bool:
        """True when it holds no node and no source at all, enabled or disabled."""
        return not self._enabled and not self._disabled()

    @property
    def compiled(self) -> tuple[int, int]:
        """How many SQL models have compiled code, and how many SQL models there are."""
        models = [
            raw
            for unique_id, raw in self._enabled.items()
            if unique_id.startswith("model.") and not OTHER_LANGUAGE.search(raw)
        ]
        return sum(COMPILED.search(raw) is not None for raw in models), len(models)

    def _candidates(self) -> tuple[str, ...]:
        """The enabled nodes whose bytes hold the key anywhere: few enough to decode."""
        if self._found is None:
            self._found = tuple(unique_id for unique_id, raw in self._enabled.items() if _may_be_marked(raw))
        return self._found

    def _marked_disabled(self) -> Iterator[str]:
        if not MARK.search(self._file.disabled):
            return iter(())
        return (
            unique_id
            for unique_id, raws in self._disabled().items()
            if unique_id not in self._enabled and any(MARK.search(raw) for raw in raws)
        )

    def _disabled(self) -> dict[str, list[Raw]]:
        """By unique_id; the first versions of the manifest hold a plain list, later ones a mapping of lists."""
        if self._disabled_raw is None:
            found: dict[str, list[Raw]] = {}
            content: Any = self._part(self._file.disabled, list[Raw] | dict[str, list[Raw]] | None, "disabled")
            if isinstance(content, list):
                for raw in content:
                    unique_id = self._part(raw, RawNode, "a disabled node").unique_id or ""
                    found.setdefault(unique_id, []).append(raw)
            else:
                found.update({unique_id: raws for unique_id, raws in (content or {}).items() if raws})
            self._disabled_raw = found
        return self._disabled_raw

    def _section(self, section: str) -> dict[str, Raw]:
        raw: Raw = getattr(self._file, section)
        found: dict[Key, Raw] = self._part(raw, dict[Key, Raw], section) if len(raw) > len(b"null") else {}
        return {str(unique_id): member for unique_id, member in found.items()}

    def _part(self, raw: Raw, into: Any, part: str, *, least: int = LEAST_IN_NODES) -> Any:
        return decode_part(raw, into, where=self._where, part=part, least=least)

    def _build(self, raw: Raw, unique_id: str, *, enabled: bool = True) -> Node:
        decoded: RawNode = self._part(raw, RawNode, unique_id)
        return build_node(
            decoded,
            unique_id=unique_id,
            resource_type=unique_id.split(".", 1)[0],
            enabled=enabled,
            column_config=self.column_config,
        )


def load_manifest(path: Path, *, max_mb: int = MAX_MB) -> Manifest:
    """The manifest at `path`, plain or gzip; raises ArtifactError where there is none that can be read."""
    return Manifest.from_bytes(read_bytes(path, MANIFEST, max_mb=max_mb), path)


def is_marked(node: Node) -> bool:
    """True when the node's own meta, or that of one of its columns, has the key `statsig` or one that resembles it.

    A `statsig` under `config` itself counts too: it is a block in the wrong place.
    """
    if META_KEY in node.config:
        return True
    keys = [*node.meta, *(key for column in node.columns.values() for key in column.meta)]
    return any(key != DEFAULTS_KEY and key.casefold().startswith(META_KEY) for key in keys) or any(
        is_misspelled(key, value) for key, value in node.meta.items()
    )


def is_misspelled(key: object, value: object) -> bool:
    """Whether a meta key is nearly `statsig`, and holds a block of some kind."""
    kinds = isinstance(value, dict) and not value.keys().isdisjoint(kind.value for kind in BLOCK_KINDS)
    return kinds and key != META_KEY and bool(nearest(str(key), [META_KEY]))


def _may_be_marked(raw: Raw) -> bool:
    if LETTERS.search(raw) and MARK.search(raw):
        return True
    return any(ending.search(raw) for ending in ENDINGS) and BLOCK.search(raw) is not None


def _columns_have_config(dbt_version: str) -> bool | None:
    """Whether that dbt gives columns a config; None where the version does not tell, as one that is a date."""
    match = re.match(r"(\d{1,4})\.(\d{1,4})", dbt_version)
    if match is None or len(match[1]) == len("2026"):
        return None
    return (int(match[1]), int(match[2])) >= COLUMN_CONFIG_SINCE
