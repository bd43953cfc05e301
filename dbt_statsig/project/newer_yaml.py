"""YAML that was changed after dbt wrote the manifest, so that the manifest does not hold what it declares.

The time of a file alone proves nothing: a checkout gives all files the time of now. So a file counts only where it is
newer than the manifest and the Statsig blocks in it are not those of the manifest, or where it is no YAML at all.
What cannot be known without dbt counts as the same: Jinja, a block that SQL or dbt_project.yml sets too, versions.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.artifacts.manifest import is_marked
from dbt_statsig.project.newer_semantics import Semantics
from dbt_statsig.project.yaml_nodes import YamlError, compose, lookup, plain
from dbt_statsig.project.yaml_values import JINJA, NOTHING, is_among, items_of, text_of, values_of
from dbt_statsig.support.files import read_regular
from dbt_statsig.vocabulary.findings import Finding, Location, Severity, finding, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    import yaml

    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.settings import SemanticLayerSettings

_FOLDERS = {"model-paths": "models", "source-paths": "", "seed-paths": "seeds", "snapshot-paths": "snapshots"}
_IN_LINE = re.compile(r"""^([a-z]+-paths)[ \t]*:[ \t]*\[([^\]\n#{]*)\]""", re.MULTILINE)
_OF_LINES = re.compile(r"""^([a-z]+-paths)[ \t]*:[ \t]*\n((?:[ \t]*-[^\n#{]*\n)+)""", re.MULTILINE)
_BETWEEN = re.compile(r"""[\s,"'\-]*[,\n][\s"'\-]*|^[\s"'\-]+|[\s"']+$""")
_LARGEST = 20_000_000
_WHOLE = 1_000_000
"""So many bytes are read to the last entry, as after an edit; in a checkout, where all is newer, only what matters."""
_WORD = b"statsig"
KEYS = ("statsig", "statsig_defaults")
_SECTIONS = {"models": "model", "snapshots": "snapshot", "seeds": "seed"}
# What begins with one certain sign is found at the speed of a plain search.
_ITEM = re.compile(r"\n( *)- ")
_ANCHOR = re.compile(r"&(?<=[\s,\[{:]&)\w")
_LONGEST_SEARCH = 1_000_000_000


class NewerYaml(Struct, frozen=True, kw_only=True):
    """One such file, relative to the project; `fault` says why it is no YAML (at `line`), or is empty."""

    path: str
    fault: str = ""
    line: int = 0


def newer_yaml(
    manifest: Manifest, manifest_path: Path, project_dir: Path, settings: SemanticLayerSettings
) -> tuple[NewerYaml, ...]:
    """The property files of the project itself that are newer than the manifest and declare something else."""
    return tuple(_Search(manifest, manifest_path, project_dir, settings).found())


def outdated(found: Iterable[NewerYaml], manifest: str, *, severity: Severity) -> Iterator[Finding]:
    """One finding for all files that declare something else, and one for each that is no YAML."""
    files = tuple(found)
    changed = [one.path for one in files if not one.fault]
    if changed:
        verb = "is" if len(changed) == 1 else "are"
        fact = f"{listed(changed)} {verb} newer than {manifest}: run `dbt compile`."
        yield _finding(fact, Location(changed[0]), severity)
    for one in files:
        if one.fault:
            fact = f"{one.path} is newer than {manifest}, and is not valid YAML: {one.fault}."
            yield _finding(f"{fact} Correct it, then run `dbt compile`.", Location(one.path, one.line), severity)


def _finding(message: str, place: Location, severity: Severity) -> Finding:
    return finding("manifest-outdated", message, severity=severity, location=place)


class _Search:
    """One look through the property files of a project."""

    def __init__(
        self, manifest: Manifest, manifest_path: Path, project_dir: Path, settings: SemanticLayerSettings
    ) -> None:
        self.manifest = manifest
        self.folder = project_dir
        written = manifest.generated_at
        # A time that is still to come is of a clock that goes wrong, and every file would be older.
        is_past = written is not None and written <= datetime.now(timezone.utc)
        self.written = written.timestamp() if written and is_past else manifest_path.stat().st_mtime
        self.settings = self._content_of("dbt_project.yml") or b""
        self.stems: set[str] = set()
        self.semantics = Semantics(manifest, settings, self.settings)

    def found(self) -> Iterator[NewerYaml]:
        homes: dict[str, list[Node]] = {}
        for node in self.manifest.marked():
            if node.package_name == self.manifest.project_name and node.patch_path.endswith((".yml", ".yaml")):
                homes.setdefault(node.patch_path, []).append(node)
        # What .dbtignore leaves out is no file of the project, whatever it holds.
        ignores = (self.folder / ".dbtignore").exists()
        whole = 0
        for path in sorted({*homes, *self.semantics.files, *(() if ignores else self._files())}):
            if not self._is_newer(path):
                continue
            content = self._content_of(path)
            if content is None or not self._is_own(path):
                continue
            if path in homes or _WORD in content or self.semantics.concern(path, content):
                whole += len(content)
                yield from self._judged(path, content, homes.get(path, ()), whole=whole <= _WHOLE)

    def _files(self) -> Iterator[str]:
        """Every YAML file in the project's own folders of models, seeds and snapshots."""
        text = self.settings.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        given = {key: items for pattern in (_IN_LINE, _OF_LINES) for key, items in pattern.findall(text)}
        for key, usual in _FOLDERS.items():
            if key not in given and f"{key}:" in text:
                continue
            for folder in filter(None, _BETWEEN.split(given.get(key, usual))):
                if not (self.folder / folder).resolve().is_relative_to(self.folder.resolve()):
                    continue  # `/`, or a folder beside the project: no file in there counts
                for root, _, names in os.walk(self.folder / folder):
                    self.stems.update(name.rpartition(".")[0] for name in names)
                    place = os.path.relpath(root, self.folder).replace(os.sep, "/")
                    found = (name for name in names if name.endswith((".yml", ".yaml")))
                    yield from (name if place == "." else f"{place}/{name}" for name in found)

    def _is_newer(self, path: str) -> bool:
        try:
            facts = os.stat(f"{self.folder}/{path}")  # noqa: PTH116 - a Path for each file takes longer than the call
        except (OSError, ValueError):
            return False
        return facts.st_mtime > self.written and facts.st_size <= _LARGEST

    def _is_own(self, path: str) -> bool:
        return (self.folder / path).resolve().is_relative_to(self.folder.resolve())

    def _content_of(self, path: str) -> bytes | None:
        try:
            return read_regular(self.folder / path)
        except (OSError, ValueError):
            return None

    def _judged(self, path: str, content: bytes, nodes: Collection[Node], *, whole: bool) -> Iterator[NewerYaml]:
        text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        blocks = Blocks(manifest=self.manifest, settings=self.settings, stems=self.stems)
        with suppress(YamlError):
            if not blocks.differ(compose(relevant(text, nodes), typed=True), nodes):
                if self.semantics.concern(path, content):
                    if self.semantics.differ(compose(text, typed=True), path):
                        yield NewerYaml(path=path)
                elif whole:
                    compose(text)
                return
        try:
            root = compose(text, typed=True)
        except YamlError as error:
            if error.line:
                yield NewerYaml(path=path, fault=error.message, line=error.line)
            return
        with suppress(YamlError):
            if blocks.differ(root, nodes) or self.semantics.differ(root, path):
                yield NewerYaml(path=path)


def relevant(text: str, nodes: Iterable[Node]) -> str:
    """The text of a property file, every line in its place, without the entries that can say nothing of Statsig.

    These have neither Statsig's word nor the name of one of `nodes`. It is a quick look: what is not written as usual
    may come out as something else.
    """
    words = [KEYS[0], *(node.name for node in nodes)]
    # What an entry repeats from elsewhere is not in its own lines. A search for very many names is slower than reading.
    if _ANCHOR.search(text) or len(words) * len(text) > _LONGEST_SEARCH:
        return text
    parts, done = [], 0
    while item := _ITEM.search(text, done):
        after = re.compile(rf"\n {{0,{len(item[1])}}}[^\s#]").search(text, item.end())
        end = after.start() if after else len(text)
        parts.append(text[done : item.start()])
        entry = text[item.start() : end]
        parts.append(entry if any(word in entry for word in words) else "\n" * entry.count("\n"))
        done = end
    return "".join([*parts, text[done:]])


class Blocks(Struct, frozen=True, kw_only=True):
    """What the blocks of a file are compared with.

    `settings` is the text of dbt_project.yml, `stems` are the names, without endings, of all files in dbt's folders.
    """

    manifest: Manifest
    settings: bytes
    stems: set[str]

    def differ(self, root: yaml.Node | None, nodes: Iterable[Node]) -> bool:
        """Whether a file (its root) says something else than the manifest; `nodes` are the marked ones of the file.

        Raises YamlError where a block cannot be read.
        """
        seen: set[str] = set()
        for unique_id, owners in self._entries(root):
            seen.add(unique_id)
            node = self.manifest.node(unique_id)
            if self._is_new(unique_id, owners) if node is None else self._changed(node, owners):
                return True
        return any(self._changed(node, ()) for node in nodes if node.unique_id not in seen)

    def _entries(self, root: yaml.Node | None) -> Iterator[tuple[str, tuple[yaml.Node, ...]]]:
        """Each node that the file speaks of, with the YAML that holds its meta, nearest first."""
        project = self.manifest.project_name
        for section, kind in _SECTIONS.items():
            for entry in items_of(root, section):
                # What of a versioned entry holds for one version only is not distinguished here.
                if lookup(entry, "versions") is None:
                    yield f"{kind}.{project}.{text_of(entry, 'name')}", (entry,)
        for source in items_of(root, "sources"):
            for table in items_of(source, "tables"):
                yield f"source.{project}.{text_of(source, 'name')}.{text_of(table, 'name')}", (table, source)

    def _is_new(self, unique_id: str, owners: tuple[yaml.Node, ...]) -> bool:
        """Whether a marked entry is of a node that dbt has not read: of a misspelled name dbt reads none either."""
        has_no_file = unique_id.startswith("source.") or lookup(owners[0], "relation") is not None
        is_there = has_no_file or unique_id.rpartition(".")[2] in self.stems
        return is_there and bool(values_of(owners, KEYS[0]))

    def _changed(self, node: Node, owners: tuple[yaml.Node, ...]) -> bool:
        if not node.enabled or node.version is not None or KEYS[0] in node.raw_code:
            return False
        for key in KEYS:
            declared, has = values_of(owners, key), node.meta.get(key, NOTHING)
            if not declared and has is not NOTHING and re.search(rb"\b%b\b" % key.encode(), self.settings):
                continue
            if not is_among(has, declared):
                return True
        return bool(owners) and self._columns_changed(node, owners[0])

    def _columns_changed(self, node: Node, entry: yaml.Node) -> bool:
        columns = {text_of(item, "name"): item for item in items_of(entry, "columns")}
        is_for_statsig = is_marked(node)
        for name in {*columns, *node.columns}:
            column, held = columns.get(name), node.columns.get(name)
            declared = values_of((column,), KEYS[0]) if column is not None else []
            has = held.meta.get(KEYS[0], NOTHING) if held is not None else NOTHING
            # Before dbt 1.10 a column had no config.
            ignored = has is NOTHING and self.manifest.column_config is False
            if not ignored and not is_among(has, declared):
                return True
            # A tag may hide the column from Statsig. Tags that YAML does not have may come from dbt_project.yml.
            if is_for_statsig and column is not None and held is not None and not self._tags(column) <= {*held.tags}:
                return True
        return False

    def _tags(self, column: yaml.Node) -> set[str]:
        """The tags that YAML gives a column, without those that only dbt can read."""
        config = lookup(column, "config") if self.manifest.column_config else None
        pairs = [lookup(holder, "tags") for holder in (config[1] if config else None, column)]
        given = [plain(pair[1]) for pair in pairs if pair]
        tags = [tag for one in given for tag in (one if isinstance(one, list) else [one])]
        return {tag for tag in tags if isinstance(tag, str) and not JINJA.search(tag)}
