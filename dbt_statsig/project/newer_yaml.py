"""YAML that was changed after dbt wrote the manifest, so that the manifest does not hold what it declares.

The time of a file alone proves nothing: a checkout gives all files the time of now. So a file counts only where it is
newer than the manifest and the Statsig blocks in it are not those of the manifest, or where it is no YAML at all.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.support.files import read_regular
from dbt_statsig.vocabulary.findings import Finding, Location, Severity, finding, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from dbt_statsig.project.artifacts import Manifest
    from dbt_statsig.project.artifacts.nodes import Node

_FOLDERS = {"model-paths": "models", "source-paths": "", "seed-paths": "seeds", "snapshot-paths": "snapshots"}
_IN_LINE = re.compile(r"""^([a-z]+-paths)[ \t]*:[ \t]*\[([^\]\n#{]*)\]""", re.MULTILINE)
_OF_LINES = re.compile(r"""^([a-z]+-paths)[ \t]*:[ \t]*\n((?:[ \t]*-[^\n#{]*\n)+)""", re.MULTILINE)
_BETWEEN = re.compile(r"""[\s,"'\-]*[,\n][\s"'\-]*|^[\s"'\-]+|[\s"']+$""")
_LARGEST = 20_000_000
_WHOLE = 1_000_000
"""So many bytes are read to the last entry, as after an edit; in a checkout, where all is newer, only what matters."""
_WORD = b"statsig"


class NewerYaml(Struct, frozen=True, kw_only=True):
    """One such file, relative to the project; `fault` says why it is no YAML (at `line`), or is empty."""

    path: str
    fault: str = ""
    line: int = 0


def newer_yaml(manifest: Manifest, manifest_path: Path, project_dir: Path) -> tuple[NewerYaml, ...]:
    """The property files of the project itself that are newer than the manifest and declare something else."""
    return tuple(_Search(manifest, manifest_path, project_dir).found())


def outdated(found: Iterable[NewerYaml], manifest: str, *, severity: Severity) -> Iterator[Finding]:
    """One finding for all files that declare something else, and one for each that is no YAML."""
    files = tuple(found)
    changed = [one.path for one in files if not one.fault]
    if changed:
        verb = "is" if len(changed) == 1 else "are"
        told = f"{listed(changed)} {verb} newer than {manifest}: run `dbt compile`."
        yield _finding(told, Location(changed[0]), severity)
    for one in files:
        if one.fault:
            told = f"{one.path} is newer than {manifest}, and is not valid YAML: {one.fault}."
            yield _finding(f"{told} Correct it, then run `dbt compile`.", Location(one.path, one.line), severity)


def _finding(message: str, place: Location, severity: Severity) -> Finding:
    return finding("manifest-outdated", message, severity=severity, location=place)


class _Search:
    """One look through the property files of a project."""

    def __init__(self, manifest: Manifest, manifest_path: Path, project_dir: Path) -> None:
        self.manifest = manifest
        self.folder = project_dir
        written = manifest.generated_at
        # A time that is still to come is of a clock that goes wrong, and every file would be older.
        is_past = written is not None and written <= datetime.now(timezone.utc)
        self.written = written.timestamp() if written and is_past else manifest_path.stat().st_mtime
        self.settings = self._text("dbt_project.yml") or b""
        self.stems: set[str] = set()

    def found(self) -> Iterator[NewerYaml]:
        homes: dict[str, list[Node]] = {}
        for node in self.manifest.marked():
            if node.package_name == self.manifest.project_name and node.patch_path.endswith((".yml", ".yaml")):
                homes.setdefault(node.patch_path, []).append(node)
        # What .dbtignore leaves out is no file of the project, whatever it holds.
        ignores = (self.folder / ".dbtignore").exists()
        whole = 0
        for path in sorted({*homes, *(() if ignores else self._files())}):
            if not self._is_newer(path):
                continue
            content = self._text(path)
            if content is not None and (path in homes or _WORD in content) and self._is_own(path):
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

    def _text(self, path: str) -> bytes | None:
        try:
            return read_regular(self.folder / path)
        except (OSError, ValueError):
            return None

    def _judged(self, path: str, content: bytes, nodes: Collection[Node], *, whole: bool) -> Iterator[NewerYaml]:
        from dbt_statsig.project.yaml_blocks import Blocks, relevant  # with it comes PyYAML, which few runs need
        from dbt_statsig.project.yaml_nodes import YamlError, compose

        text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        blocks = Blocks(manifest=self.manifest, settings=self.settings, stems=self.stems)
        with suppress(YamlError):
            if not blocks.differ(compose(relevant(text, nodes), typed=True), nodes):
                if whole:
                    compose(text)
                return
        try:
            root = compose(text, typed=True)
        except YamlError as error:
            if error.line:
                yield NewerYaml(path=path, fault=error.message, line=error.line)
            return
        with suppress(YamlError):
            if blocks.differ(root, nodes):
                yield NewerYaml(path=path)
