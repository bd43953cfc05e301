"""Files that change together: all of them are written, or none."""

from __future__ import annotations

import os
import tempfile
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable


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
