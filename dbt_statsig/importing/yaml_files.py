"""Blocks and data tests, added to the entries of nodes in the project's property files: in all of them, or in none.

An addition that cannot be made without a change of other lines is refused with its reason; nothing is overwritten.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import tempfile
from difflib import unified_diff
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.importing.entries import SECTIONS, BlockEdit, DataTestEdit, Edit, Entry, MetricsEdit
from dbt_statsig.importing.yaml_document import CannotEdit, Document
from dbt_statsig.importing.yaml_lines import Noted
from dbt_statsig.project.artifacts.nodes import Node  # noqa: TC001 - msgspec reads the annotations
from dbt_statsig.project.inputs import project_keys
from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "BlockEdit",
    "DataTestEdit",
    "Edit",
    "FileEdit",
    "MetricsEdit",
    "Noted",
    "Refusal",
    "edit_files",
    "write_files",
]

NEW_FILE = "_statsig.yml"
_YAML = (".yml", ".yaml")
_MAX_BYTES = 20_000_000


class Refusal(Struct, frozen=True, kw_only=True):
    """An edit that is not made, and why."""

    edit: Edit
    reason: str


class _File:
    """A property file of the project, read once."""

    def __init__(self, root: Path, shown: str) -> None:
        """Raises CannotEdit for what is no file of the project that can be read and written."""
        self.shown = shown
        self.path = (root / shown).resolve()
        self.content: bytes | None = None
        if not self.path.is_relative_to(root.resolve()):
            raise CannotEdit("is a link to a file outside of the project")
        try:
            if self.path.exists():
                if not os.access(self.path, os.W_OK) or not self.path.stat().st_mode & 0o222:
                    raise CannotEdit("is read-only")
                if self.path.stat().st_size > _MAX_BYTES:
                    raise CannotEdit(f"is larger than {_MAX_BYTES} bytes")
                self.content = read_regular(self.path)
            self.text = (self.content or b"").decode("utf-8-sig")
        except OSError as error:
            raise CannotEdit(f"cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError as error:
            raise CannotEdit(f"is not UTF-8 (byte {error.start})") from None

    def has(self, section: str) -> bool:
        """Whether it lists nodes of this section."""
        with contextlib.suppress(CannotEdit):
            document = Document(self.text)
            return isinstance(document.get(document.root, section), yaml.SequenceNode)
        return False

    def edited(self, edits: Sequence[Edit]) -> FileEdit:
        """The file with these edits. Raises CannotEdit."""
        document = Document(self.text if self.text.strip() else "version: 2\n")
        new: dict[str, list[dict[str, Any]]] = {}
        for group in _grouped(edits):
            entry = Entry(document, group)
            new.setdefault(entry.section, []).extend(entry.add())
        for entries in new.values():
            entries.sort(key=lambda one: str(one["name"]))
        for section, entries in new.items():
            listed = document.get(document.root, section)
            if isinstance(listed, yaml.SequenceNode):
                for new_entry in entries:
                    document.add_item(listed, new_entry, spaced=True)
            elif entries:
                document.add_key(document.root, section, entries, spaced=True)
        text = document.edited()
        bom = codecs.BOM_UTF8 if (self.content or b"").startswith(codecs.BOM_UTF8) else b""
        return FileEdit(path=self.path, shown=self.shown, before=self.content, after=bom + text.encode())


def edit_files(project_root: Path, edits: Iterable[Edit]) -> tuple[list[FileEdit], list[Refusal]]:
    """The files with these edits, and the edits that cannot be made. Nothing is written."""
    changes: list[FileEdit] = []
    refusals: list[Refusal] = []
    files = _Files(project_root)
    homes: dict[Path, tuple[_File, list[Edit]]] = {}
    for group in _grouped(edits):
        file, reason = files.home(group[0].node)
        if file is None:
            refusals += [Refusal(edit=edit, reason=reason) for edit in group]
        else:
            homes.setdefault(file.path, (file, []))[1].extend(group)
    for file, members in homes.values():
        change, others = _edited(file, members)
        changes += [change] if change is not None else []
        refusals += others
    return changes, refusals


def _edited(file: _File, edits: Sequence[Edit]) -> tuple[FileEdit | None, list[Refusal]]:
    """The file with all edits that it can take."""
    try:
        return file.edited(edits), []
    except CannotEdit as refused:
        reason = f"{file.shown}{f':{refused.line}' if refused.line else ''} {refused.reason}."
    groups = _grouped(edits)
    if len(groups) == 1:
        return None, [Refusal(edit=edit, reason=reason) for edit in edits]
    # One by one, to know which it is.
    alone = [_edited(file, group) for group in groups]
    good = [edit for group, (change, _) in zip(groups, alone, strict=True) if change is not None for edit in group]
    refusals = [refusal for _, refused in alone for refusal in refused]
    if not good:
        return None, refusals
    try:
        return file.edited(good), refusals
    except CannotEdit:
        return None, [Refusal(edit=edit, reason=reason) for edit in edits]


class _Refused(Exception):
    """A node has no file that may be edited."""


class _Files:
    """The property files of a project."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._project = project_keys(root).get("name", "")
        self._files: dict[str, _File] = {}
        self._of_folder: dict[tuple[str, str], list[str]] = {}

    def home(self, node: Node) -> tuple[_File | None, str]:
        """The file that has the node's entry, or that takes it; else why there is none."""
        try:
            return self._home(node), ""
        except _Refused as refused:
            return None, str(refused)

    def _home(self, node: Node) -> _File:
        if node.resource_type not in SECTIONS:
            raise _Refused(
                f"`{node.name}` is a {node.resource_type}; only models, snapshots, seeds and source tables have blocks."
            )
        if self._project and node.package_name != self._project:
            raise _Refused(f"`{node.name}` belongs to the package `{node.package_name}`; its files are not edited.")
        if not node.is_latest:
            raise _Refused(
                f"`{node.name}` (version {node.version}) is not the latest version; only that one is a source."
            )
        shown = next((path for path in (node.patch_path, node.path) if path.endswith(_YAML)), "") or self._beside(node)
        file = self._file(shown)
        if file.content is None and node.patch_path:
            raise _Refused(f"{shown} no longer exists; run `dbt parse`.")
        return file

    def _file(self, shown: str) -> _File:
        if shown not in self._files:
            try:
                self._files[shown] = _File(self._root, shown)
            except CannotEdit as refused:
                raise _Refused(f"{shown} {refused.reason}.") from None
        return self._files[shown]

    def _beside(self, node: Node) -> str:
        """The only property file of its section in the node's folder, else `_statsig.yml` in there."""
        if not node.path or not (self._root / node.path).exists():
            raise _Refused(f"`{node.name}` is in no file of the project; run `dbt parse`.")
        folder = PurePosixPath(node.path).parent
        section = SECTIONS[node.resource_type]
        key = (str(folder), section)
        if key not in self._of_folder:
            found = sorted(path.name for path in (self._root / folder).iterdir() if path.suffix in _YAML)
            self._of_folder[key] = [name for name in found if self._lists(str(folder / name), section)]
        names = self._of_folder[key]
        return str(folder / (names[0] if len(names) == 1 else NEW_FILE))

    def _lists(self, shown: str, section: str) -> bool:
        with contextlib.suppress(_Refused):
            return self._file(shown).has(section)
        return False


def _grouped(edits: Iterable[Edit]) -> list[list[Edit]]:
    """The edits of each node."""
    groups: dict[str, list[Edit]] = {}
    for edit in edits:
        groups.setdefault(edit.node.unique_id, []).append(edit)
    return list(groups.values())


class FileEdit(Struct, frozen=True, kw_only=True):
    """A file before (None: there is none) and after; `shown` is its path from the project's folder."""

    path: Path
    shown: str
    before: bytes | None
    after: bytes

    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = (
            (content or b"").decode("utf-8-sig").splitlines(keepends=True) for content in (self.before, self.after)
        )
        old_name = "/dev/null" if self.before is None else f"a/{self.shown}"
        lines = unified_diff(old, new, old_name, f"b/{self.shown}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write_files(edits: Iterable[FileEdit]) -> None:
    """Write all files, or none. Raises DbtStatsigError, for a file that has changed since it was read too."""
    edits = list(edits)
    for edit in edits:
        if (read_regular(edit.path) if edit.path.exists() else None) != edit.before:
            raise DbtStatsigError(
                f"{edit.shown} has changed since it was read; nothing was written.", fix="Run the command again."
            )
    temporary: list[Path] = []
    done: list[FileEdit] = []
    try:
        temporary.extend(_temporary(edit) for edit in edits)
        for new, edit in zip(temporary, edits, strict=True):
            done.append(edit)
            new.replace(edit.path)
    except BaseException as error:
        for edit in done:
            _restore(edit)
        if not isinstance(error, OSError):
            raise
        raise DbtStatsigError(
            f"The files could not be written: {error.strerror or error}. None of them was changed.",
            fix="Check the permissions of their folders and the space on the disk.",
        ) from None
    finally:
        for new in temporary:
            new.unlink(missing_ok=True)


def _temporary(edit: FileEdit) -> Path:
    handle, name = tempfile.mkstemp(dir=edit.path.parent, prefix=f".{edit.path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(edit.after)
        file.flush()
        os.fsync(file.fileno())
    beside = edit.path if edit.before is not None else edit.path.parent
    Path(name).chmod(beside.stat().st_mode & 0o666)
    return Path(name)


def _restore(edit: FileEdit) -> None:
    if edit.before is None:
        edit.path.unlink(missing_ok=True)
    else:
        edit.path.write_bytes(edit.before)
