"""What a plan is asked for: declarations, live objects, and what the run may touch. Values only."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from dbt_statsig.planning.basis import Basis
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.ownership import owner_name
from dbt_statsig.vocabulary.sources import Kind, Source

FIX_FINDINGS = "Run `dbt-statsig validate` to see them, and fix them."


def to_prune(kind: Kind, options: str = "--prune") -> str:
    """The command that takes an object out of use which nothing declares any more."""
    return f"To {'archive' if SPECS[kind].archives else 'delete'} it, run `sync {options}`."


class Desired(Struct, frozen=True, kw_only=True):
    """What one declaration asks for; `blocked` says why it must not be pushed (and `fix` what to do), or is empty.

    Where the payload's description is only a default, an object that is taken over keeps its text. One that is disabled
    in this dbt target asks for nothing; its object stays as it is. `basis` is the evidence that the payload was built
    on (None: nothing of it rests on any). `excused` says that it is blocked for lack of evidence only, which does not
    matter where the live object can be kept.
    """

    kind: Kind
    name: str
    unique_id: str
    payload: Source | None
    blocked: str = ""
    fix: str = FIX_FINDINGS
    disabled: bool = False
    default_description: bool = False
    basis: Basis | None = None
    excused: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is written for it."""
        return bool(self.blocked) or self.disabled or self.payload is None


class Live(Struct, frozen=True, kw_only=True):
    """What the console holds of one kind; `complete` is False where the list may lack some."""

    items: tuple[Source, ...]
    complete: bool = True


class Scope(Struct, frozen=True, kw_only=True):
    """What this run may touch: only objects of this project and namespace.

    `adopt` names foreign objects that may become ours; `adopt_all` lets in all that no other project owns. With
    `adopt_from` (owners as the ownership line names them), the objects of these may, or those of `adopt` alone, but
    for those `declared_there`.
    `named` are objects that the project's own files name for adoption, each with its kind and the name that it gets;
    of these only what nobody owns is taken. `renamed` are names that own objects had before, by the same.
    `selected_ids` are the nodes in scope (None: all). `protected` are nodes whose declarations could not be read: what
    they own is neither changed nor taken for an orphan. `prefixes` are those of other dbt targets: what has one, but
    no namespace, was pushed from there by a version that knew none, and is neither renamed nor deleted. With `force`,
    what waits for evidence is written too.
    """

    project: str
    namespace: str = ""
    adopt: frozenset[str] = frozenset()
    adopt_all: bool = False
    adopt_from: frozenset[str] = frozenset()
    declared_there: frozenset[tuple[Kind, str]] = frozenset()
    named: frozenset[tuple[Kind, str, str]] = frozenset()
    renamed: frozenset[tuple[Kind, str, str]] = frozenset()
    selected_ids: frozenset[str] | None = None
    protected: frozenset[tuple[Kind, str]] = frozenset()
    unread: frozenset[tuple[Kind, str, str]] = frozenset()
    prune: bool = False
    delete_metrics: bool = False
    force: bool = False
    prefix: str = ""
    prefixes: Mapping[str, str] = {}

    @property
    def owner(self) -> str:
        """The owner as the ownership line names it."""
        return owner_name(self.project, self.namespace)
