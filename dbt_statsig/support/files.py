"""Files written whole or not at all, and read only where they are files."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

from dbt_statsig.errors import DbtStatsigError


def read_regular(path: Path) -> bytes:
    """The content of a file. Raises OSError, for a pipe or a device too: reading one may never end."""
    with _opened(path) as file:
        return file.read()


def read_own(path: Path) -> bytes:
    """The content of a file that only this user can have written. Raises OSError for any other, and for a link.

    Where the system knows no owners (Windows) every file counts as the user's own.
    """
    check_own(path.parent)
    with _opened(path, getattr(os, "O_NOFOLLOW", 0)) as file:
        _check_owner(os.fstat(file.fileno()))
        return file.read()


def check_own(folder: Path) -> None:
    """Raise OSError for a folder that is another user's, or that others may write to."""
    _check_owner(folder.stat())


def _check_owner(found: os.stat_result) -> None:
    if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise PermissionError(errno.EPERM, "others may have written it")


def _opened(path: Path, flags: int = 0) -> BinaryIO:
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | flags)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")


def write_whole(path: Path, content: bytes, *, private: bool = True, durable: bool = True) -> None:
    """Put `content` in the file's place; a reader sees the old file or the new one.

    It is for its owner's eyes only, unless `private` is False: then as the umask says. A link is replaced, never
    followed. Unless `durable`, a power cut may leave less. Raises DbtStatsigError where that cannot be done; then the
    old file remains. So it does for what is no file, such as /dev/null, or a link to it.
    """
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "a pipe or a device"
        raise DbtStatsigError(f"{path} could not be written: it is {what}.", fix="Name a file.")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _failed(path, error) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        if not private:
            temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _failed(path, error) from None
        raise


def _umask() -> int:
    """The process's own; there is no way to read it but to set it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _failed(path: Path, error: OSError) -> DbtStatsigError:
    return DbtStatsigError(
        f"{path} could not be written: {error.strerror or error}.",
        fix="Name a file in a folder that exists and can be written to, on a disk with free space.",
    )
