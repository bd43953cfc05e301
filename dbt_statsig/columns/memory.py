"""What reading SQL gave, kept on disk from run to run: a warm run need not import a parser.

An entry depends on the SQL, the rules of the adapter and the code that read it, never on other nodes, so that it
cannot grow old: other code has another stamp, other SQL another key.
"""

from __future__ import annotations

import contextlib
import os
import sys
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from dbt_statsig import __version__
from dbt_statsig.errors import DbtStatsigError
from dbt_statsig.support.files import check_own, read_own, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

MAX_BYTES = 64_000_000
_DIGEST = 16


class _Content(msgspec.Struct, array_like=True):
    stamp: bytes
    entries: dict[bytes, msgspec.Raw]


class Memory:
    """The entries of one file, read when the first is asked for.

    A file that is missing, damaged or written by other code counts as empty, and so does one that another user may have
    written.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is read yet, and nothing is written before `save`."""
        self.path = path
        self._stamp = stamp()
        self._entries: dict[bytes, msgspec.Raw] | None = None
        self._used: set[bytes] = set()
        self._is_new = False

    def recall(self, key: bytes, kind: type[T]) -> T | None:
        """The entry, or None where there is none of that type."""
        raw = self._all().get(key)
        if raw is None:
            return None
        try:
            found = msgspec.msgpack.decode(raw, type=kind)
        except msgspec.DecodeError:
            return None
        self._used.add(key)
        return found

    def keep(self, key: bytes, value: Any) -> None:
        """Have an entry for later runs."""
        self._all()[key] = msgspec.Raw(msgspec.msgpack.encode(value))
        self._used.add(key)
        self._is_new = True

    def save(self) -> None:
        """Write what is new. A folder that cannot be written to is no reason to fail: the next run reads again."""
        if not self._is_new or not self._stamp:
            return
        entries = self._all()
        if _size(entries) > MAX_BYTES:
            entries = {key: raw for key, raw in entries.items() if key in self._used}
        body = msgspec.msgpack.encode(_Content(self._stamp, entries))
        if len(body) > MAX_BYTES:
            return
        with contextlib.suppress(OSError, DbtStatsigError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_own(self.path.parent)
            write_whole(self.path, blake2b(body, digest_size=_DIGEST).digest() + body, durable=False)
            self._is_new = False

    def _all(self) -> dict[bytes, msgspec.Raw]:
        if self._entries is None:
            self._entries = self._read()
        return self._entries

    def _read(self) -> dict[bytes, msgspec.Raw]:
        try:
            content = read_own(self.path)
        except OSError:
            return {}
        body = content[_DIGEST:]
        if blake2b(body, digest_size=_DIGEST).digest() != content[:_DIGEST]:
            return {}
        try:
            found = msgspec.msgpack.decode(body, type=_Content)
        except msgspec.DecodeError:
            return {}
        return found.entries if found.stamp == self._stamp else {}


def memory_of(manifest: Path, environ: Mapping[str, str]) -> Memory | None:
    """The memory for a manifest's folder, in the user's folder for caches; None where there is no such folder."""
    folder = cache_folder(environ)
    if not folder:
        return None
    name = blake2b(str(manifest.absolute().parent).encode(errors="surrogateescape"), digest_size=_DIGEST).hexdigest()
    return Memory(Path(folder) / f"{name}.sql-read")


def key_of(what: str, *given: Any) -> bytes:
    """The key of what follows from the given values alone."""
    try:
        content = msgspec.msgpack.encode((what, given), order="deterministic")
    except UnicodeEncodeError:
        # Lone surrogates have no UTF-8 form. The text is not parsed from this, only compared with others.
        content = repr((what, given)).encode(errors="backslashreplace")
    return blake2b(content, digest_size=_DIGEST).digest()


def _size(entries: Mapping[bytes, msgspec.Raw]) -> int:
    return sum(len(bytes(raw)) for raw in entries.values())


def stamp() -> bytes:
    """Which code reads SQL: this package's and sqlglot's version, and the text of the files that do it.

    Empty where that is not known, so that nothing is kept. sqlglot itself is not imported for it.
    """
    here = Path(__file__).parent
    seen = blake2b(f"{__version__} {sys.version_info[:2]}".encode(), digest_size=_DIGEST)
    try:
        parser = find_spec("sqlglot")
        folder = Path((parser.submodule_search_locations or [])[0]) if parser else here
        seen.update((folder / "_version.py").read_bytes())
        seen.update(b"compiled" if find_spec("sqlglotc") else b"")
        for file in (*sorted(here.glob("*.py")), *sorted((here.parent / "vocabulary").glob("*.py"))):
            seen.update(file.read_bytes())
    except (OSError, IndexError, ValueError):
        return b""
    return seen.digest()


def cache_folder(environ: Mapping[str, str]) -> str:
    """Our folder in the user's folder for caches; empty where the environment does not tell of one."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    parts = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    given = [environ.get(name, "") for name in ("XDG_CACHE_HOME", "LOCALAPPDATA")]
    caches = next(filter(os.path.isabs, given), "")  # one that is relative has to be ignored (XDG), and would be here
    if not (caches or home):
        return ""
    return os.path.join(caches or os.path.join(home or "", *parts), "dbt-statsig")  # noqa: PTH118 - pathlib is slow
