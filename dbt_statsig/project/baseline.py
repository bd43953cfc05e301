"""Known findings: what a legacy project is allowed to carry, so that only what is new fails.

A finding is recognised by its code and by what it is about, never by its message or its line, so that neither a new
wording nor a line that moved makes it new.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from dbt_statsig.errors import UsageError
from dbt_statsig.support.files import read_regular, write_whole
from dbt_statsig.vocabulary.findings import Finding, KnownFinding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BASELINE_FILE = "statsig_baseline.json"
SCHEMA_VERSION = 1
NEVER_BASELINED = ("impact-", "manifest-outdated", "nothing-selected")
"""What a change does is no state that could be known beforehand: findings of these codes are always new."""

_INDEX = re.compile(r"\[\d+\]")


class _File(Struct, frozen=True, kw_only=True):
    schema_version: int
    findings: tuple[KnownFinding, ...] = ()


class Compared(Struct, frozen=True, kw_only=True):
    """Findings by whether a baseline has them; `stale` are its entries that no finding matches any more."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    stale: tuple[KnownFinding, ...]


def identity(found: Finding) -> KnownFinding:
    """What the finding is recognised by."""
    parts = (found.code, found.unique_id, found.kind, found.source, _INDEX.sub("", found.key))
    # Half a character (a lone surrogate) has no form in a file.
    code, unique_id, kind, source, key = (part.encode(errors="backslashreplace").decode() for part in parts)
    return KnownFinding(code=code, unique_id=unique_id, kind=kind, source=source, key=key)


def baseline_of(findings: Iterable[Finding]) -> tuple[KnownFinding, ...]:
    """The entries that make all these errors and warnings known, sorted; notes need none."""
    counted = Counter(identity(found) for found in findings if _counts(found))
    return tuple(sorted(msgspec.structs.replace(entry, count=count) for entry, count in counted.items()))


def compared(entries: Iterable[KnownFinding], findings: Iterable[Finding], *, whole: bool = True) -> Compared:
    """The findings, apart by whether the entries have them.

    With `whole` False only a part of the project was looked at: what was not found may still be there.
    """
    left: Counter[KnownFinding] = Counter()
    for entry in entries:
        left[msgspec.structs.replace(entry, count=1)] += entry.count
    new, known = [], []
    for found in findings:
        same = identity(found)
        if _counts(found) and left[same] > 0:
            left[same] -= 1
            known.append(found)
        else:
            new.append(found)
    rest = (msgspec.structs.replace(entry, count=count) for entry, count in left.items() if count > 0)
    return Compared(new=tuple(new), known=tuple(known), stale=tuple(sorted(rest)) if whole else ())


def rendered(entries: Iterable[KnownFinding]) -> bytes:
    """The entries as a file: sorted, one to a line, so that versions of it compare well."""
    lines = [f"    {json.dumps(msgspec.to_builtins(entry))}" for entry in sorted(entries)]
    body = "[\n" + ",\n".join(lines) + "\n  ]" if lines else "[]"
    return f'{{\n  "schema_version": {SCHEMA_VERSION},\n  "findings": {body}\n}}\n'.encode()


def write_baseline(path: Path, entries: Iterable[KnownFinding]) -> None:
    """Write the entries, whole or not at all. Raises DbtStatsigError where that cannot be done."""
    write_whole(path, rendered(entries))


def read_baseline(path: Path) -> tuple[KnownFinding, ...]:
    """The entries of a file. Raises UsageError where it is missing, damaged, or of a version that is not known."""
    again = "Write it again with `dbt-statsig validate --write-baseline`."
    try:
        data = read_regular(path).removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise UsageError(f"The baseline {path} cannot be read: {error.strerror}.", fix=again) from None
    try:
        head = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        version = msgspec.json.decode(head.get("schema_version", b"0"))
        if version == SCHEMA_VERSION:
            return msgspec.json.decode(data, type=_File).findings
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a baseline: {error}.", fix=again) from None
    raise UsageError(f"{path} is not a baseline of version {SCHEMA_VERSION}.", fix=again)


def _counts(found: Finding) -> bool:
    return found.severity > Severity.NOTE and not found.code.startswith(NEVER_BASELINED)
