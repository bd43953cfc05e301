"""What was found wrong, or worth knowing, in a project: values, never exceptions.

Every finding has a code from `CODES`; the catalogue is what `explain` prints and what the docs list.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.vocabulary.finding_codes import CODES, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Comparing two words takes time with the product of their lengths.
_LONGEST_NAME = 200

__all__ = ["CODES", "Finding", "Location", "Severity", "did_you_mean", "listed", "nearest"]


class Location(Struct, frozen=True, order=True):
    """A place in a file: path relative to the dbt project, line and column counted from 1 (0: not known)."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`path:line:column`, as editors and CI systems parse it."""
        return ":".join([self.path, *(str(part) for part in (self.line, self.column) if part)])


class Finding(Struct, frozen=True, kw_only=True):
    """One fault or remark.

    `key` is the path of the YAML key from the node's meta down (`statsig.assignment_source.timestamp_column`);
    `kind` and `source` name the declared source that it concerns, or are empty where it concerns the whole node
    (or, with an empty `unique_id`, the whole project).
    """

    code: str
    severity: Severity
    message: str
    fix: str = ""
    unique_id: str = ""
    kind: str = ""
    source: str = ""
    key: str = ""
    location: Location | None = None

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Place first, so that a reader walks a file from top to bottom."""
        place = self.location or Location("")
        return (place.path, place.line, place.column, self.unique_id, self.key, -self.severity, self.code, self.message)


def finding(
    code: str,
    message: str,
    *,
    severity: Severity | None = None,
    fix: str = "",
    unique_id: str = "",
    kind: str = "",
    source: str = "",
    key: str = "",
    location: Location | None = None,
) -> Finding:
    """A finding of the severity that the catalogue gives to `code`, unless one is given."""
    return Finding(
        code=code,
        severity=CODES[code].severity if severity is None else severity,
        message=message,
        fix=fix,
        unique_id=unique_id,
        kind=kind,
        source=source,
        key=key,
        location=location,
    )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like `word`, compared without case; None when nothing is near, or for a very long word."""
    if len(word) > _LONGEST_NAME:
        return None
    folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """`a, b and 3 more`: the first names, and how many others there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean "…"?`, or an empty string."""
    match = nearest(word, known)
    return f'Did you mean "{match}"?' if match else ""


class KnownFinding(Struct, frozen=True, kw_only=True, order=True, forbid_unknown_fields=True):
    """What a finding is recognised by, and how many there are of it; the place of a block in its list does not count.

    `count` is how many equal findings are known: several columns of one list may lack under one key.
    """

    code: str
    unique_id: str = ""
    kind: str = ""
    source: str = ""
    key: str = ""
    count: int = 1
