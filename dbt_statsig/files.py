"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from dbt_statsig.errors import DbtStatsigError


def write_whole(path: Path, content: bytes, *, private: bool = True, durable: bool = True) -> None:
    """Put `content` in the file's place; a reader sees the old file or the new one.

    It is for its owner's eyes only, unless `private` is False: then as the umask says. A link is replaced, never
    followed. Unless `durable`, a power cut may leave less. Raises DbtStatsigError where that cannot be done; then the
    old file stands.
    """
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
        fix="Name a file in a folder that exists and can be written to, on a disk with space left.",
    )
