"""Where in a project's YAML a key is: read only when asked for, and never a reason to fail.

dbt's manifest names the property file of a node but no line. The file is read beside the project; where only one
entry has the node's name, just that entry's lines are composed, which is many times faster than the whole file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dbt_statsig.vocabulary.findings import Finding, Location, finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import yaml

    from dbt_statsig.project.artifacts.nodes import Node
    from dbt_statsig.project.declarations.semantic import Origin

KeyPath: TypeAlias = tuple[str | int, ...]

MAX_FILE_BYTES = 20_000_000
SETTINGS = "dbt_statsig.yml"
PROJECT = "dbt_project.yml"
_PROJECT_KEYS = re.compile(
    r"""^(?P<key>name|packages-install-path)[ \t]*:[ \t]*["']?(?P<value>[^"'#\n]+)""", re.MULTILINE
)
_SECTIONS = {"model": "models", "snapshot": "snapshots", "seed": "seeds", "source": "sources"}


class Entry:
    """A mapping of YAML and the line that its text began at."""

    def __init__(self, node: yaml.Node, offset: int = 0) -> None:
        """`offset` is the number of lines before the composed text."""
        self.node = node
        self.offset = offset


class Document:
    """One YAML file of the project, composed at most once; `fault` says why it could not be read."""

    def __init__(self, path: str, root: Path) -> None:
        self.path = path
        self._root = root
        self.fault: Finding | None = None

    @cached_property
    def text(self) -> str:
        """The text, empty where the file is missing, foreign to the project, or unreadable."""
        try:
            file = (self._root / self.path).resolve()
            if not file.is_relative_to(self._root.resolve()) or not file.is_file():
                return ""
            if file.stat().st_size > MAX_FILE_BYTES:
                self._unreadable(f"it is larger than {MAX_FILE_BYTES} bytes")
                return ""
            return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            self._unreadable(f"it is not UTF-8 (byte {error.start})")
        except (OSError, ValueError) as error:
            self._unreadable(str(getattr(error, "strerror", None) or "its path is not valid"))
        return ""

    @cached_property
    def root(self) -> yaml.Node | None:
        """The root node of the whole file."""
        from dbt_statsig.project import yaml_nodes  # PyYAML is paid for only where a place is needed

        try:
            return yaml_nodes.compose(self.text)
        except yaml_nodes.YamlError as error:
            self._unreadable(error.message, error.line, error.column)
            return None

    def entry(self, section: str, name: str) -> Entry | None:
        """The only entry of a section that has a name, from its own lines; None where that is not certain."""
        from dbt_statsig.project import yaml_nodes

        cut = self._index.lines_of(section, name)
        if cut is None:
            return None
        try:
            node = yaml_nodes.compose(self.text[cut])
        except yaml_nodes.YamlError:
            return None
        items = getattr(node, "value", None)
        return Entry(items[0], self.text.count("\n", 0, cut.start)) if items and len(items) == 1 else None

    @cached_property
    def _index(self) -> EntryIndex:
        return EntryIndex(self.text)

    def _unreadable(self, why: str, line: int = 0, column: int = 0) -> None:
        self.fault = finding(
            "yaml-unreadable",
            f"{self.path} cannot be read: {why}. Lines in it are not known.",
            fix="Correct the file. The findings themselves come from dbt's manifest.",
            location=Location(self.path, line, column),
        )


class Places:
    """The YAML files of one project."""

    def __init__(self, project_dir: Path | None) -> None:
        """Without a folder only file names are given, no lines."""
        self.project_dir = project_dir
        self._documents: dict[str, Document] = {}

    def document(self, path: str) -> Document | None:
        """The file at a path relative to the project."""
        if self.project_dir is None or not path.endswith((".yml", ".yaml")):
            return None
        if path not in self._documents:
            self._documents[path] = Document(path, self.project_dir)
        return self._documents[path]

    def text(self, path: str) -> str:
        """The text of any file of the project; empty where it cannot be read."""
        return Document(path, self.project_dir).text if self.project_dir is not None else ""

    def folder_of(self, package: str) -> str:
        """The folder of an installed package, with a slash behind it; empty for the project itself."""
        document = self.document(PROJECT)
        if document is None or not package:
            return ""
        keys = {found["key"]: found["value"].strip() for found in _PROJECT_KEYS.finditer(document.text)}
        if keys.get("name", package) == package:
            return ""
        return f"{keys.get('packages-install-path', 'dbt_packages').rstrip('/')}/{package}/"

    def faults(self) -> list[Finding]:
        """One finding for each file that was needed and could not be read."""
        return [document.fault for document in self._documents.values() if document.fault is not None]

    def origin(self, origin: Origin, path: KeyPath = ()) -> Location | None:
        """The place of a metric or semantic model, or of a key that its meta gives below `statsig` and its kind."""
        file = self.folder_of(origin.package_name) + origin.path
        document = self.document(file)
        root = document.root if document is not None else None
        models = _items(_value(root, "models"))
        entry = _named(_value(root, origin.section), origin.name)
        if origin.section == "metrics":
            kind, inside = "metric", [_named(_value(model, "metrics"), origin.name) for model in models]
            entry = entry or next((one for one in inside if one is not None), None)
            holders = [entry]
        else:
            kind = "metric_source"
            entry = entry or _named(_value(root, "models"), origin.model or origin.name)
            holders = [_value(entry, "semantic_model"), entry]
        if entry is None:
            return Location(file) if file else None
        metas = [_value(one, "meta") for holder in holders for one in (_value(holder, "config"), holder)]
        path = path[1:] if path[:1] == (kind,) else path  # where all of `statsig` comes from a semantic model
        found = [descend(meta, ("statsig", kind, *path)) for meta in metas if meta is not None]
        wanted = len(path) + 2
        exact = next((one[0] for one in found if one is not None and one[1] == wanted and path), None)
        return Location(file, *(exact or (entry.start_mark.line + 1, entry.start_mark.column + 1)))

    def setting(self, path: KeyPath) -> Location:
        """The place of a key in the settings file."""
        document = self.document(SETTINGS)
        root = document.root if document is not None else None
        found = descend(root, path) if root is not None else None
        return Location(SETTINGS, *(found[0] if found else ()))


class NodePlaces:
    """The places of one node's keys. Paths are those of the node's meta, or begin with `columns`, name."""

    def __init__(self, node: Node, places: Places, origins: Mapping[KeyPath, Origin] | None = None) -> None:
        """`origins` are the paths that metrics and semantic models gave."""
        self._origins = origins or {}
        self._node = node
        self._places = places
        self._folder = places.folder_of(node.package_name)
        self.path = self._folder + (node.patch_path or node.path).replace("\\", "/")

    def at(self, path: KeyPath) -> Location | None:
        """The place of a key, or of the nearest thing above it that is known."""
        if path[:1] == (SETTINGS,):
            return self._places.setting(path[1:])
        for length in range(len(path), 0, -1):
            origin = self._origins.get(path[:length])
            if origin is not None:
                return self._places.origin(origin, path[length:])
        best: tuple[int, tuple[int, int]] | None = None
        for entry in self._entries:
            for meta, rest in self._metas(entry, path):
                found = descend(meta, rest)
                if found is not None and (best is None or found[1] > best[0]):
                    line, column = found[0]
                    best = (found[1], (line + entry.offset, column))
        if best is not None:
            return Location(self.path, *best[1])
        return self._in_project(path) or self._in_code(path) or self._fallback()

    def duplicates(self) -> Iterator[tuple[KeyPath, int, Location]]:
        """Each key of the node's blocks and marks that occurs twice: its path, the first one's line, its own place."""
        from dbt_statsig.project import yaml_nodes

        marked = [column.name for column in self._node.columns.values() if "statsig" in column.meta]
        for entry in self._entries:
            try:
                found = [
                    again
                    for root, path in _statsig_parts(entry.node, marked)
                    for again in yaml_nodes.duplicates(root, path)
                ]
            except yaml_nodes.YamlError:
                continue
            for duplicate in found:
                if any(str(part).startswith("statsig") for part in duplicate.path):
                    line, column = duplicate.again
                    place = Location(self.path, line + entry.offset, column)
                    yield duplicate.path, duplicate.first[0] + entry.offset, place

    @cached_property
    def _entries(self) -> list[Entry]:
        """The YAML of the node, nearest first: its version, itself, and the source around a table."""
        document = self._places.document(self.path)
        if document is None or not document.text:
            return []
        section = _SECTIONS.get(self._node.resource_type, "models")
        if section == "sources":
            return list(_source_entries(document, self._node))
        entry = document.entry(section, self._node.name)
        if entry is None:
            found = _named(_value(document.root, section), self._node.name)
            entry = Entry(found) if found is not None else None
        if entry is None:
            return []
        version = _version(entry.node, self._node.version)
        return [Entry(version, entry.offset), entry] if version is not None else [entry]

    @staticmethod
    def _metas(entry: Entry, path: KeyPath) -> Iterator[tuple[yaml.Node, KeyPath]]:
        owner: yaml.Node | None = entry.node
        rest = path
        if path[:1] == ("columns",) and len(path) > 1:
            owner, rest = _named(_value(entry.node, "columns"), str(path[1])), path[2:]
        holders = (_value(owner, "config"), owner)
        # The holders themselves: `statsig` beside `meta`, in the wrong place.
        for found in (*(_value(one, "meta") or _value(one, "+meta") for one in holders), *holders):
            if found is not None:
                yield found, rest

    def _in_project(self, path: KeyPath) -> Location | None:
        """A key that dbt_project.yml gives to the node's folder."""
        document = self._places.document(PROJECT)
        if document is None or not document.text or path[:1] == ("columns",):
            return None
        level = _value(document.root, _SECTIONS.get(self._node.resource_type, "models"))
        found = None
        for part in ("", *self._node.fqn):
            level = _value(level, part) if part else level
            for key in ("+meta", "meta"):
                found = descend(_value(level, key), path) or found
        return Location(PROJECT, *found[0]) if found else None

    def _in_code(self, path: KeyPath) -> Location | None:
        """The model's own file, where its `{{ config(meta=…) }}` speaks of Statsig and its YAML does not."""
        file = self._folder + self._node.path
        if not file.endswith((".sql", ".py")) or not str(path[0]).startswith("statsig"):
            return None
        return Location(file) if "statsig" in self._places.text(file) else None

    def _fallback(self) -> Location | None:
        for entry in self._entries:
            mark = entry.node.start_mark
            return Location(self.path, mark.line + 1 + entry.offset, mark.column + 1)
        return Location(self.path) if self.path else None


def descend(node: yaml.Node | None, path: KeyPath) -> tuple[tuple[int, int], int] | None:
    """The place of the deepest part of a path that is there, and how many parts that is; None for none."""
    from dbt_statsig.project.yaml_nodes import lookup, place

    found = None
    for depth, part in enumerate(path, start=1):
        if isinstance(part, int):
            items = getattr(node, "value", None)
            if not isinstance(items, list) or part >= len(items) or isinstance(items[part], tuple):
                break
            node = items[part]
            found = (place(node.start_mark), depth)
        else:
            pair = lookup(node, part)
            if pair is None:
                break
            node = pair[1]
            found = (place(pair[0].start_mark), depth)
    return found


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    from dbt_statsig.project.yaml_nodes import lookup

    pair = lookup(node, key) if node is not None else None
    return pair[1] if pair else None


def _name(node: yaml.Node | None, key: str = "name") -> str:
    value = getattr(_value(node, key), "value", "")
    return value if isinstance(value, str) else ""


def _named(items: yaml.Node | None, name: str, key: str = "name") -> yaml.Node | None:
    return next((item for item in _items(items) if _name(item, key) == name), None)


def _items(items: yaml.Node | None) -> list[yaml.Node]:
    listed = getattr(items, "value", None)
    return [item for item in listed if not isinstance(item, tuple)] if isinstance(listed, list) else []


def _version(entry: yaml.Node, version: object) -> yaml.Node | None:
    return None if version is None else _named(_value(entry, "versions"), str(version), "v")


def _source_entries(document: Document, node: Node) -> Iterator[Entry]:
    source = _named(_value(document.root, "sources"), node.source_name)
    table = _named(_value(source, "tables"), node.name)
    yield from (Entry(found) for found in (table, source) if found is not None)


def _statsig_parts(entry: yaml.Node, marked: list[str]) -> Iterator[tuple[yaml.Node, KeyPath]]:
    """The meta mappings of a node's entry and of its marked columns, each with the path before its keys."""
    columns = _value(entry, "columns") if marked else None
    owners: list[tuple[yaml.Node | None, KeyPath]] = [(entry, ())]
    owners += [(_named(columns, name), ("columns", name)) for name in marked]
    for owner, path in owners:
        for holder in (_value(owner, "config"), owner):
            meta = _value(holder, "meta")
            if meta is not None:
                yield meta, path


_ITEM = re.compile(r"( *)- +name: *(?:\"([^\"]*)\"|'([^']*)'|([^\s#][^#]*?)) *(?:#.*)?")
# From the line end before it on: so it is found at the speed of a plain search.
_TOP = re.compile(r"\n([^ \-#\n].*)")
_FIRST_ITEM = re.compile(r"^( *)- ", re.MULTILINE)


class EntryIndex:
    """The top-level lines of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        tops = _TOP.finditer(f"\n{text}")
        self._tops = [(match.start(), match.end() - 1, match[1].split("#")[0].strip()) for match in tops]

    def lines_of(self, section: str, name: str) -> slice | None:
        """Where the only item of this name is, if it is an entry of this section; None where that is uncertain."""
        items = list(self._items(name))
        if len(items) != 1:
            return None
        start, body, indent = items[0]
        place = bisect_right(self._tops, (start,)) - 1
        if place < 0 or self._tops[place][2] != f"{section}:":
            return None
        first = _FIRST_ITEM.search(self._text, self._tops[place][1])
        if first is None or len(first[1]) != indent:
            return None
        end = re.compile(rf"^ {{0,{indent}}}[^\s#]", re.MULTILINE).search(self._text, body)
        return slice(start, end.start() if end else len(self._text))

    def _items(self, name: str) -> Iterator[tuple[int, int, int]]:
        """Start, end and indentation of each line that begins an item of this name."""
        at = self._text.find(name)
        while at >= 0 and name:
            start = self._text.rfind("\n", 0, at) + 1
            end = self._text.find("\n", at)
            end = len(self._text) if end < 0 else end
            match = _ITEM.fullmatch(self._text, start, end)
            if match and name in match.groups()[1:]:
                yield start, end, len(match[1])
            at = self._text.find(name, end)
