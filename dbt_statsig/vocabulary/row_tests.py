"""What `tests` finds: the marked nodes without a test of their rows, and the YAML that adds it."""

from __future__ import annotations

from msgspec import Struct

from dbt_statsig.vocabulary.imports import ImportedFile

FIT = "fit_for_statsig"
PACKAGE = "dbt_statsig"


class NotAdded(Struct, frozen=True, kw_only=True):
    """A node to whose YAML the test cannot be added, and why."""

    unique_id: str
    reason: str


class RowTests(Struct, frozen=True, kw_only=True):
    """The declared nodes that have the test and those that lack it, and the changed files."""

    tested: tuple[str, ...]
    untested: tuple[str, ...]
    files: tuple[ImportedFile, ...] = ()
    not_added: tuple[NotAdded, ...] = ()
    wrote: bool = False
    unmatched: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where the test cannot be added to a node."""
        return int(bool(self.not_added))
