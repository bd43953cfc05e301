"""What a plan says of an import's blocks, and the better of two blocks of one object. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from dbt_statsig.importing.matching import Match
from dbt_statsig.importing.yaml_lines import jinja_in
from dbt_statsig.planning.adoption import is_ownership_line
from dbt_statsig.project.artifacts.nodes import Node
from dbt_statsig.vocabulary.changes import Action, Change, FieldChange
from dbt_statsig.vocabulary.imports import Exactness, ImportedObject
from dbt_statsig.vocabulary.sources import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dbt_statsig.vocabulary.findings import Finding


class Candidate(Struct, frozen=True, kw_only=True):
    """An object that may become a block, with its node."""

    kind: Kind
    live: Source
    name: str
    node: Node
    match: Match

    @property
    def key(self) -> tuple[Kind, str]:
        """The object: names differ within a kind."""
        return self.kind, self.live.name


class Tried(Struct, frozen=True, kw_only=True):
    """A block and what taking the object over by it would change; `reason` and `fix` where it is no plain update."""

    block: dict[str, Any]
    differences: tuple[FieldChange, ...] = ()
    reason: str = ""
    fix: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether only the ownership line changes."""
        return not (self.differences or self.reason)


def judged(block: dict[str, Any], change: Change | None, faults: Sequence[Finding]) -> Tried:
    """What a change says of the block that it comes from. A block that dbt would render is none."""
    if key := next((key for key, value in block.items() if jinja_in({key: value})), ""):
        return Tried(block={}, reason=f"`{key}` contains `{jinja_in(block)}`: in a property file dbt would render it.")
    reason = " ".join(dict.fromkeys(one.message for one in faults))
    fix = faults[0].fix if faults else ""
    if change is None:
        return Tried(block={}, reason=reason or "Its name cannot be declared in a block.", fix=fix)
    differences = tuple(field for field in change.fields if not is_ownership_line(field))
    if not faults and (change.kept or change.action is not Action.UPDATE):
        reason, fix = change.reason or f"A plan says: {change.action.label}.", change.fix
    return Tried(block=block, differences=differences, reason=reason, fix=fix)


def result_of(one: Candidate, first: Tried | None, second: Tried | None) -> ImportedObject:
    """The object with the better of its blocks."""
    base = ImportedObject(
        kind=one.kind,
        name=one.live.name,
        exactness=Exactness.EXACT,
        unique_id=one.node.unique_id,
        matched=one.match.why,
    )
    if first is not None and first.is_exact:
        return structs.replace(base, block=first.block)
    if second is not None and second.is_exact:
        why = one.match.not_plain or _why_not(first)
        why = f"{why[:1].upper()}{why[1:].rstrip('.')}." if why else ""
        return structs.replace(base, exactness=Exactness.SQL, block=second.block, reason=why)
    # Where the SQL makes no difference, the keys read better.
    tried = [each for each in (second, first) if each is not None]
    best = min(tried, key=lambda each: (len(each.differences), bool(each.reason)))
    if first is not None and [f.field for f in first.differences] == [f.field for f in best.differences]:
        best = first if bool(first.reason) <= bool(best.reason) else best
    if not best.block:
        return structs.replace(base, exactness=Exactness.NOT_IMPORTED, reason=best.reason, fix=best.fix)
    return structs.replace(
        base,
        exactness=Exactness.CHANGES,
        block=best.block,
        differences=best.differences,
        reason=best.reason,
        fix=best.fix,
    )


def _why_not(first: Tried | None) -> str:
    if first is None:
        return ""
    fields = ", ".join(field.field for field in first.differences)
    return first.reason or f"as keys it would change: {fields}"
