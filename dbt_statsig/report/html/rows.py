"""One row for each object of a report: what it is, what happens to it, and whether that needs somebody."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.report.escape import clipped
from dbt_statsig.report.text.style import counted
from dbt_statsig.vocabulary.changes import Action, Change
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.results import ObjectOutcome, Skipped, SourceReport, Status
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.verdicts import Presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbt_statsig.report.subject import Subject

LONGEST_NAME = 300


class Group(Enum):
    """A section of the page, in order; the value is its heading."""

    ATTENTION = "Needs attention"
    CHANGES = "What changes"
    FORCE = "In force"
    READY = "Ready"
    SKIPPED = "Skipped"


class Row(Struct, frozen=True, kw_only=True):
    """One object: `state` is the word on its badge, `note` what is worth knowing before it is opened."""

    kind: Kind
    name: str
    unique_id: str
    state: str
    group: Group
    tone: str
    change: Change | None = None
    source: SourceReport | None = None
    left: Skipped | None = None
    outcome: ObjectOutcome | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def note(self) -> str:
        """How many fields change, how many columns are proven, how many findings there are."""
        parts = [counted(len(self.findings), "finding")] if self.findings else []
        fields = self.change.fields if self.change else ()
        if fields:
            parts.append(counted(len(fields), "field"))
        return " · ".join(parts)

    @property
    def proven(self) -> str:
        """`7/8 proven`, or nothing where no column is used."""
        uses = self.source.columns if self.source else ()
        present = sum(use.verdict.presence is Presence.PRESENT for use in uses)
        return f"{present}/{len(uses)} proven" if uses else ""

    @property
    def all_proven(self) -> bool:
        """Whether every column that is used is proven."""
        return all(use.verdict.presence is Presence.PRESENT for use in (self.source.columns if self.source else ()))


_STATES: dict[Action, tuple[str, Group, str]] = {
    Action.FOREIGN: (Action.FOREIGN.label, Group.ATTENTION, "bad"),
    Action.BLOCKED: ("blocked", Group.ATTENTION, "bad"),
    Action.ORPHAN: (Action.ORPHAN.label, Group.ATTENTION, "warn"),
    Action.DELETE: ("delete", Group.CHANGES, "remove"),
    Action.ARCHIVE: ("archive", Group.CHANGES, "remove"),
    Action.UPDATE: ("update", Group.CHANGES, "change"),
    Action.RENAME: ("rename", Group.CHANGES, "change"),
    Action.CREATE: ("create", Group.CHANGES, "add"),
    Action.UNCHANGED: ("unchanged", Group.FORCE, "calm"),
}
_ORDER = (
    *("failed", "unknown", "refused", Action.FOREIGN.label, "blocked", Action.ORPHAN.label, "not started"),
    *(
        "delete",
        "deleted",
        "archive",
        "archived",
        "update",
        "updated",
        "adopted",
        "rename",
        "renamed",
        "create",
        "created",
        "already applied",
    ),
)


def rows_of(subject: Subject) -> list[Row]:
    """All objects of the report, those that need somebody first; within a section by what happens, kind and name."""
    findings = _by_source(subject.validation.findings)
    sources = {(one.kind, one.name): one for one in subject.validation.sources}
    outcomes = {(entry.change.kind, entry.change.name): entry for entry in _objects(subject)}
    rows = []
    for change in subject.changes:
        source = sources.pop((change.kind, change.name), None)
        rows.append(_changed(change, source, outcomes.pop((change.kind, change.name), None), findings))
    for entry in outcomes.values():
        source = sources.pop((entry.change.kind, entry.change.name), None)
        rows.append(_changed(entry.change, source, entry, findings))
    for one in subject.planned.skipped if subject.planned else ():
        source = sources.pop((one.kind, one.name), None)
        rows.append(
            Row(
                kind=one.kind,
                name=_short(one.name),
                unique_id=one.unique_id,
                state="skipped",
                group=Group.SKIPPED,
                tone="calm",
                source=source,
                left=one,
            )
        )
    rows += [_declared(source, findings) for source in sources.values()]
    groups, kinds = list(Group), list(Kind)
    rows.sort(key=lambda row: (groups.index(row.group), _rank(row.state), kinds.index(row.kind), row.name.casefold()))
    return rows


def loose_findings(subject: Subject, rows: Iterable[Row]) -> list[Finding]:
    """The findings that no row shows."""
    shown = {id(found) for row in rows for found in row.findings}
    if subject.validation.impact:
        shown |= set(map(id, subject.validation.impact.effects))
    return [found for found in subject.validation.findings if id(found) not in shown]


def _objects(subject: Subject) -> tuple[ObjectOutcome, ...]:
    return subject.outcome.objects if subject.outcome else ()


def _by_source(findings: Iterable[Finding]) -> dict[tuple[str, str, str], list[Finding]]:
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        if one.unique_id:
            found.setdefault((one.unique_id, one.kind, one.source), []).append(one)
    return found


def _findings(
    unique_id: str, kind: Kind, name: str, findings: dict[tuple[str, str, str], list[Finding]]
) -> tuple[Finding, ...]:
    whole = findings.get((unique_id, "", ""), [])
    return (*findings.get((unique_id, kind.value, name), []), *whole)


def _changed(
    change: Change,
    source: SourceReport | None,
    outcome: ObjectOutcome | None,
    findings: dict[tuple[str, str, str], list[Finding]],
) -> Row:
    state, group, tone = _STATES[change.action]
    if outcome is not None:
        state = outcome.ending
        if outcome.status is not Status.DONE:
            group, tone = Group.ATTENTION, "warn" if outcome.status is Status.NOT_STARTED else "bad"
    return Row(
        kind=change.kind,
        name=_short(change.name),
        unique_id=change.unique_id,
        state=state,
        group=group,
        tone=tone,
        change=change,
        source=source,
        outcome=outcome,
        findings=_findings(change.unique_id, change.kind, change.name, findings),
    )


def _declared(source: SourceReport, findings: dict[tuple[str, str, str], list[Finding]]) -> Row:
    mine = _findings(source.unique_id, source.kind, source.name, findings)
    warned = any(found.severity is Severity.WARNING for found in mine)
    state, group, tone = ("ready", Group.READY, "warn" if warned else "good")
    if source.blocked:
        state, group, tone = ("blocked", Group.ATTENTION, "bad")
    return Row(
        kind=source.kind,
        name=_short(source.name),
        unique_id=source.unique_id,
        state=state,
        group=group,
        tone=tone,
        source=source,
        findings=mine,
    )


def _rank(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)


def _short(name: str) -> str:
    return clipped(name, LONGEST_NAME)


def tiles(rows: Iterable[Row]) -> Iterator[tuple[str, str, int]]:
    """Each state with its tone and count, in the order of the rows."""
    counts: dict[str, list[Row]] = {}
    for row in rows:
        counts.setdefault(row.state, []).append(row)
    yield from ((state, group[0].tone, len(group)) for state, group in counts.items())
