"""What an import gives back, and what `init` and `tests` do: values only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from dbt_statsig.errors import EXIT_DONE, EXIT_FINDINGS
from dbt_statsig.vocabulary.changes import FieldChange
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.sources import Kind

FIT = "fit_for_statsig"
PACKAGE = "dbt_statsig"
"""The dbt test of the rows, and the dbt package that it is of."""


class Exactness(str, Enum):
    """What becomes of one object of the console in an import."""

    EXACT = "exact"
    """A block that is built from keys; taking the object over changes its ownership line alone."""
    SQL = "sql"
    """The same with the object's SQL verbatim in the block."""
    CHANGES = "changes"
    """A block whose payload differs from the object in more than the ownership line."""
    NEW_MODEL = "new_model"
    """A new model with the object's query; taking the object over changes its SQL to that model's."""
    DECLARED = "declared"
    """A block of the project has its name already."""
    OWNED = "owned"
    """This project owns it already."""
    FOREIGN = "foreign"
    """Another dbt project owns it."""
    NOT_IMPORTED = "not_imported"
    """No block can be made of it."""

    @property
    def is_proven(self) -> bool:
        """Whether taking it over changes the ownership line alone."""
        return self in {Exactness.EXACT, Exactness.SQL}


class ImportedObject(Struct, frozen=True, kw_only=True):
    """One object of the console. `name` is its name there, `reason` why it became what it is, `fix` the next step.

    `matched` says by what its node was found. `block` is what is, or would be, under `config.meta.statsig` of the
    node; of a metric, under `metrics` of the block named `within`. `differences` are the fields that taking it over
    would change. `is_written` says whether the block is in a file.
    """

    kind: Kind
    name: str
    exactness: Exactness
    unique_id: str = ""
    matched: str = ""
    reason: str = ""
    fix: str = ""
    block: Mapping[str, Any] = {}
    differences: tuple[FieldChange, ...] = ()
    is_written: bool = False
    within: str = ""


class ImportedFile(Struct, frozen=True, kw_only=True):
    """A file of the project that an import changes, with the change as a unified diff."""

    path: str
    diff: str
    is_new: bool = False


class Imported(Struct, frozen=True, kw_only=True):
    """What an import found and wrote; without `wrote`, what it would write.

    `undeclared` are the tables that queries read and that no node of the project is.
    """

    project: str
    objects: tuple[ImportedObject, ...]
    files: tuple[ImportedFile, ...] = ()
    undeclared: tuple[tuple[str, ...], ...] = ()
    warnings: tuple[str, ...] = ()
    requests: int = 0
    wrote: bool = False

    def of(self, exactness: Exactness) -> tuple[ImportedObject, ...]:
        """The objects that became so."""
        return tuple(one for one in self.objects if one.exactness is exactness)

    @property
    def exit_code(self) -> int:
        """1 where a block was asked for that no file could take."""
        refused = any(one.block and one.exactness is Exactness.NOT_IMPORTED for one in self.objects)
        return EXIT_FINDINGS if refused else EXIT_DONE


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
