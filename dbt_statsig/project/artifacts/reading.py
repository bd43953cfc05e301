"""Bytes of one of dbt's JSON files to a typed value, or one error that says what the file is instead."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import msgspec
from msgspec import Struct

from dbt_statsig.errors import ArtifactError
from dbt_statsig.support.files import read_regular

if TYPE_CHECKING:
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
MAX_MB = 1_024
"""What a file may have, unpacked: a manifest of 10,000 models has some 140 MB."""
BOM = b"\xef\xbb\xbf"
SCHEMA_URL = re.compile(r"/dbt/(?P<kind>[a-z-]+)/v(?P<version>\d{1,9})(?:\.json)?/?\Z")

_PLACE = re.compile(r"JSON is malformed: (?P<why>.*) \(byte (?P<byte>\d+)\)", re.DOTALL)
_NO_JSON = re.compile(rb"-?(NaN|Infinity)")
_QUOTE = re.compile(rb'\\.|"', re.DOTALL)
_MANY_VALUES = 200_000
LEAST_IN_NODES, LEAST_IN_MAPS, _LEAST_IN_RESULTS = 32, 10, 12
"""Bytes for each value where there are many; dbt's results have 28 and more, its maps of children some 20."""

_MANY_ENTRIES = 50_000
_LEAST_OF_ENTRY = 200
"""Bytes for each entry of a large mapping: dbt's nodes have 1,000 and more, an entry takes 250 where it is `"a":1`."""

T = TypeVar("T", bound=Struct)


def as_time(value: object) -> datetime | None:
    """A time of dbt's, which is in UTC where it has no zone; None where it is none."""
    try:
        when = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)


class Key(str):
    """A key of a mapping with many entries, which are counted while they are decoded."""

    __slots__ = ()


class FileKind(Struct, frozen=True, kw_only=True):
    """One of dbt's files: its name in `metadata.dbt_schema_version`, how people call it, and the versions we read."""

    schema: str
    label: str
    newest: int
    fix: str
    others: tuple[int, ...] = ()


MANIFEST = FileKind(
    schema="manifest",
    label="manifest.json",
    newest=12,
    others=(20,),  # the betas of dbt 2.0 gave this number to the same form
    fix="Run `dbt compile` (or `dbt parse`) to write it.",
)
CATALOG = FileKind(schema="catalog", label="catalog.json", newest=1, fix="Run `dbt docs generate` to write it.")
RUN_RESULTS = FileKind(
    schema="run-results", label="run_results.json", newest=6, fix="Run `dbt build` or `dbt run` to write it."
)


class Metadata(Struct, frozen=True, kw_only=True):
    """The `metadata` block that all of dbt's files share; every value may be missing or null."""

    dbt_schema_version: str | None = None
    dbt_version: str | None = None
    generated_at: str | None = None
    invocation_id: str | None = None
    adapter_type: str | None = None
    project_name: str | None = None
    project_id: str | None = None

    @property
    def written_at(self) -> datetime | None:
        """`generated_at` as an aware time; None where it is missing or no time."""
        return as_time(self.generated_at)

    def schema(self) -> tuple[str, int]:
        """The file's kind and version as its schema URL says; `("", 0)` where it names neither."""
        match = SCHEMA_URL.search(self.dbt_schema_version or "")
        return (match["kind"], int(match["version"])) if match else ("", 0)


class _Envelope(Struct, frozen=True):
    metadata: Metadata


def read_bytes(path: Path, kind: FileKind, *, max_mb: int = MAX_MB) -> bytes:
    """The file's content, unpacked; raises ArtifactError where there is none to read, or more than `max_mb`."""
    try:
        size = path.stat().st_size
        if size > max_mb << 20:
            raise _too_large(f"{path} has {size / (1 << 20):,.1f} MB", max_mb, kind)
        data = read_regular(path)
    except FileNotFoundError:
        raise ArtifactError(f"There is no {path}.{_missing_because(path)}", fix=_instead(path, kind)) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ArtifactError(
            f"{path} cannot be read: {reason}.", fix=f"Name a {kind.label} that this user may read."
        ) from None
    return _decompressed(data, kind=kind, where=str(path), max_mb=max_mb)


def decode(data: bytes, into: type[T], *, kind: FileKind, where: str) -> T:
    """`data`, plain or gzip, as `into`; raises ArtifactError naming `where` and the fault.

    `into` must have a `metadata` field of type Metadata, with a default.
    """
    plain = _decompressed(data, kind=kind, where=where, max_mb=MAX_MB)
    if not plain or plain.isspace():  # `strip` would copy it
        raise ArtifactError(f"{where} is empty or still being written.", fix=kind.fix)
    if kind is RUN_RESULTS:  # of the others only parts are decoded to the last value
        _check_values(plain, where, least=_LEAST_IN_RESULTS)
    try:
        value: T = _decoded(plain, into, where)
    except (ValueError, RecursionError) as error:
        _check_kind(_envelope(plain), kind=kind, where=where)
        raise _not_readable(plain, error, kind=kind, where=where) from None
    _check_kind(getattr(value, "metadata", Metadata()), kind=kind, where=where)
    return value


def decode_part(raw: msgspec.Raw, into: Any, *, where: str, part: str, least: int = LEAST_IN_NODES) -> Any:
    """One part of a file that was left undecoded so far; raises ArtifactError naming `where` and `part`.

    `least` are the bytes that each value has on average where there are many. Of a mapping with Key for its keys the
    values are not counted: they must be left undecoded.
    """
    if get_args(into)[:1] != (Key,):
        _check_values(raw, f"{where}: {part}", least=least)
    try:
        return _decoded(raw, into, f"{where}: {part}")
    except (ValueError, RecursionError) as error:
        raise ArtifactError(
            f"{where}: {part} is not as dbt writes it: {_reason(error)}.", fix="Run dbt to write the file again."
        ) from None


def _decoded(data: bytes | msgspec.Raw, into: Any, what: str) -> Any:
    """JSON as `into`; raises ArtifactError where it has too many keys of the type Key for its size."""
    most = max(_MANY_ENTRIES, len(data) // _LEAST_OF_ENTRY)
    count = 0

    def key(_kind: type, text: str) -> Key:
        nonlocal count
        count += 1
        if count > most:
            raise ArtifactError(f"{what} has more than {most:,} entries.", fix="Run dbt to write the file again.")
        return Key(text)

    return msgspec.json.decode(data, type=into, dec_hook=key)


def _check_values(raw: bytes | msgspec.Raw, what: str, *, least: int) -> None:
    """Raise ArtifactError for JSON of so many tiny values that they would take far more memory than their text."""
    most = max(_MANY_VALUES, len(raw) // least)
    if len(raw) > most and _signs(text := bytes(raw)) > most and _has_more_values(text, most):
        raise ArtifactError(f"{what} has more than {most:,} values.", fix="Run dbt to write the file again.")


def _signs(text: bytes, start: int = 0, end: int | None = None) -> int:
    """How many signs of JSON there are that begin a value or divide two."""
    return sum(text.count(sign, start, end) for sign in (b",", b"[", b"{"))


def _has_more_values(text: bytes, most: int) -> bool:
    # Not by one pattern for a string: it would take memory for each of its characters.
    quotes = (found.start() for found in _QUOTE.finditer(text) if found[0] == b'"')
    count = end = 0
    for start in quotes:
        count += _signs(text, end, start)
        if count > most:
            return True
        end = next(quotes, len(text))
    return count + _signs(text, end) > most


def _instead(path: Path, kind: FileKind) -> str:
    """What to do about a file that is not there; of another name than dbt's it was named by hand."""
    near = (path.parent, path.parent / "target")
    there = next((folder / kind.label for folder in near if (folder / kind.label).is_file()), None)
    if there is not None:
        return f"Did you mean {there}?"
    return kind.fix if path.name.startswith(kind.label) else f"Name a {kind.label}, which dbt writes to `target/`."


def _missing_because(path: Path) -> str:
    folder = path.parent
    if folder.is_dir():
        return ""
    if (folder.parent / "dbt_project.yml").is_file():
        return f" The dbt project in {folder.parent} has no {folder.name} folder yet."
    return f" There is no folder {folder}, nor a dbt_project.yml beside it."


def _decompressed(data: bytes, *, kind: FileKind, where: str, max_mb: int) -> bytes:
    if data.startswith(GZIP_MAGIC):
        try:
            data = _unpacked(data, kind=kind, where=where, max_mb=max_mb)
        except EOFError:
            raise _truncated(kind, where) from None
        except (OSError, zlib.error) as error:
            raise ArtifactError(f"{where} is not readable as gzip: {_reason(error)}.", fix=kind.fix) from None
    return data.removeprefix(BOM)


def _unpacked(data: bytes, *, kind: FileKind, where: str, max_mb: int) -> bytes:
    # Deflate packs at most 1032 bytes into one.
    most = min(max_mb << 20, 1_040 * len(data))
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        plain = file.read(most + 1)
    if len(plain) > most:
        raise _too_large(f"{where} has {len(data) / (1 << 20):,.1f} MB and unpacks to more", max_mb, kind)
    return plain


def _too_large(fact: str, max_mb: int, kind: FileKind) -> ArtifactError:
    return ArtifactError(
        f"{fact}; the setting `max_artifact_mb` allows {max_mb:,} MB.",
        fix=f"If this {kind.label} is right, raise `max_artifact_mb`.",
    )


def _envelope(plain: bytes) -> Metadata | None:
    try:
        return msgspec.json.decode(plain, type=_Envelope).metadata
    except (ValueError, RecursionError):
        return None


def _check_kind(metadata: Metadata | None, *, kind: FileKind, where: str) -> None:
    """Raise where `metadata` names another kind of file or a version that is not read; None is not judged."""
    if metadata is None:
        return
    found, version = metadata.schema()
    if not found:
        raise ArtifactError(
            f"{where} is JSON, but not a {kind.label} of dbt: metadata.dbt_schema_version is missing or unknown.",
            fix=kind.fix,
        )
    if found != kind.schema:
        raise ArtifactError(f"{where} is a {found} file of dbt's, not a {kind.label}.", fix=f"Name the {kind.label}.")
    if not (1 <= version <= kind.newest or version in kind.others):
        known = "v1" if kind.newest == 1 else f"v1 to v{kind.newest}"
        raise ArtifactError(
            f"{where} has schema version v{version} (dbt {metadata.dbt_version or 'unknown'}); {known} can be read.",
            fix="Use a newer dbt-statsig, or a dbt whose files it reads.",
        )


def _not_readable(plain: bytes, error: Exception, *, kind: FileKind, where: str) -> ArtifactError:
    """What is the matter with a file that did not decode, as far as the decoder's own words tell."""
    reason = _reason(error)
    place = _PLACE.fullmatch(reason)
    if "truncated" in reason:
        return _truncated(kind, where)
    if isinstance(error, UnicodeDecodeError):
        fault = f"is not UTF-8 text: {reason}"
    elif isinstance(error, msgspec.ValidationError):
        fault = f"does not have the form of a {kind.label}: {reason}"
    elif place is None:
        fault = f"cannot be decoded: {reason}"
    elif _NO_JSON.match(plain, byte := int(place["byte"])) or "surrogate" in reason:
        fault = f"holds values that JSON does not have (NaN, Infinity, an unpaired surrogate): {reason}"
    else:
        line, column = plain.count(b"\n", 0, byte) + 1, byte - plain.rfind(b"\n", 0, byte)
        fault = f"is not JSON: line {line}, column {column}: {place['why']}"
    return ArtifactError(f"{where} {fault}.", fix=kind.fix)


def _truncated(kind: FileKind, where: str) -> ArtifactError:
    return ArtifactError(f"{where} ends too early: it is truncated or still being written.", fix=kind.fix)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error).rstrip(".")
