"""What `init` gives back: a first block for a node, or the nodes that look like sources. Values only."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from dbt_statsig.errors import EXIT_DONE, EXIT_FINDINGS
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.sources import Kind


class Guess(Struct, frozen=True, kw_only=True):
    """A block of a kind: its keys, the reason for each, and what could not be decided (key to what it might be)."""

    kind: Kind
    why: str
    block: dict[str, Any]
    reasons: dict[str, str] = {}
    missing: dict[str, str] = {}


class Candidate(Struct, frozen=True, kw_only=True):
    """A node that looks like a source of a kind, and why."""

    unique_id: str
    name: str
    kind: Kind
    why: str


class Proposed(Struct, frozen=True, kw_only=True):
    """A block for one node: `diff` is the change of its file, `refusal` says why none can take it.

    `findings` are those that the block would have. `written` says whether the file has it.
    """

    unique_id: str
    guess: Guess
    path: str = ""
    diff: str = ""
    refusal: str = ""
    findings: tuple[Finding, ...] = ()
    written: bool = False


class FirstBlocks(Struct, frozen=True, kw_only=True):
    """A proposal for one node, or (None) the candidates of the project; `unread` nodes have no known column."""

    project: str
    proposed: Proposed | None = None
    candidates: tuple[Candidate, ...] = ()
    unread: int = 0

    @property
    def exit_code(self) -> int:
        """1 for a block that would not be pushed as it is, or that no file can take."""
        one = self.proposed
        if one is None:
            return EXIT_DONE
        has_errors = any(found.severity is Severity.ERROR for found in one.findings)
        return EXIT_FINDINGS if one.guess.missing or one.refusal or has_errors else EXIT_DONE
