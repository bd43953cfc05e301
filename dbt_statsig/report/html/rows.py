"""One row for each object of a report: what it is, what happens to it, and whether that needs somebody."""

from __future__ import annotations

import re
from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct, structs

from dbt_statsig.report.escape import clipped
from dbt_statsig.report.field_diff import FieldDiff, field_diffs
from dbt_statsig.report.run_findings import fingerprint
from dbt_statsig.report.text.validation import ALWAYS_SHOWN
from dbt_statsig.vocabulary.changes import Action, Change
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.results import ObjectOutcome, Skipped, SourceReport, Status
from dbt_statsig.vocabulary.sources import Kind
from dbt_statsig.vocabulary.verdicts import Presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbt_statsig.report.subject import Subject

LONGEST_NAME = 300
EXPERIMENT = "impact-experiment"
HELD = "held by the limit"


class Group(Enum):
    """A section of the page, in order; the value is its heading."""

    ATTENTION = "Needs attention"
    HELD = "Held by the limit"
    CHANGES = "What changes"
    AFFECTED = "Not changed in Statsig, but affected"
    READY = "Ready"
    SKIPPED = "Skipped"
    FORCE = "In force"


MOST_OPEN = 10
"""So many rows of a section that changes something are open from the start."""
_OPENED = frozenset({Group.HELD, Group.CHANGES})


class Row(Struct, frozen=True, kw_only=True):
    """One object: `state` is what filters go by, `badge` the word on its badge; `anchor` is the same in every run.

    `effects` are the findings that say what the change does to it, the weightiest first; `running` is how many running
    experiments use it.
    """

    kind: Kind
    name: str
    unique_id: str
    state: str
    group: Group
    tone: str
    badge: str = ""
    change: Change | None = None
    source: SourceReport | None = None
    left: Skipped | None = None
    outcome: ObjectOutcome | None = None
    findings: tuple[Finding, ...] = ()
    effects: tuple[Finding, ...] = ()
    diffs: tuple[FieldDiff, ...] = ()
    anchor: str = ""
    running: int = 0

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


class _Known:
    """The findings by the source that they are about: its own, and what the change does to it."""

    def __init__(self, subject: Subject) -> None:
        impact = subject.validation.impact
        effects = impact.effects if impact else ()
        shown = set(map(id, effects))
        self._own = _by_source(found for found in subject.validation.findings if id(found) not in shown)
        self._effects: dict[tuple[str, str], list[Finding]] = {}
        self.running = {(one.kind.value, one.name): len(one.experiments) for one in (impact.reached if impact else ())}
        for found in effects:
            if found.source:
                self._effects.setdefault((found.kind, found.source), []).append(found)

    def of(self, unique_id: str, kind: Kind, name: str) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """Its own findings and those of its node, and the effects, the weightiest first."""
        whole = self._own.get((unique_id, "", ""), [])
        effects = sorted(self._effects.get((kind.value, name), []), key=_weight)
        return (*self._own.get((unique_id, kind.value, name), []), *whole), tuple(effects)


def _weight(found: Finding) -> tuple[object, ...]:
    """Experiments come after what happens to them, of the same severity."""
    return (-found.severity, found.code == EXPERIMENT, found.code, found.message)


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
    """All objects of the report, section by section; what experiments read comes first, then by what happens."""
    known = _Known(subject)
    sources = {(one.kind, one.name): one for one in subject.validation.sources}
    outcomes = {(entry.change.kind, entry.change.name): entry for entry in _objects(subject)}
    rows = []
    for change in subject.changes:
        source = sources.pop((change.kind, change.name), None)
        rows.append(_changed(change, source, outcomes.pop((change.kind, change.name), None), known))
    for entry in outcomes.values():
        source = sources.pop((entry.change.kind, entry.change.name), None)
        rows.append(_changed(entry.change, source, entry, known))
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
                anchor=anchor_of(one.kind, one.name),
            )
        )
    rows += [_declared(source, known) for source in sources.values()]
    rows.sort(key=_place)
    return _told_apart(rows)


def _place(row: Row) -> tuple[object, ...]:
    worst = max((found.severity for found in row.effects), default=0)
    return (
        _GROUPS[row.group],
        -row.running,
        -worst,
        _rank(row.badge or row.state),
        _KINDS[row.kind],
        row.name.casefold(),
    )


def opened(rows: Iterable[Row]) -> set[Group]:
    """The sections whose rows are open from the start."""
    counts = Counter(row.group for row in rows)
    return {group for group in _OPENED if counts[group] <= MOST_OPEN}


_PLAIN_NAME = re.compile(r"[A-Za-z0-9_. ]{1,80}")


def anchor_of(kind: Kind, name: str) -> str:
    """The name of a row in an address: `metric_source-Daily-orders`; no two objects have the same."""
    if _PLAIN_NAME.fullmatch(name):
        return f"{kind.value}-{name.replace(' ', '-')}"
    shown = quote(name[:40], safe="", errors="replace").replace("-", "%2D")
    return f"{kind.value}-{shown}-{fingerprint(name)[:8]}"


def _told_apart(rows: list[Row]) -> list[Row]:
    """The rows with anchors that differ, even where two rows are about one object."""
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        seen[row.anchor] += 1
        again = seen[row.anchor]
        found.append(row if again == 1 else structs.replace(row, anchor=f"{row.anchor}~{again}"))
    return found


def loose_findings(subject: Subject, rows: Iterable[Row]) -> tuple[list[Finding], list[Finding]]:
    """The findings that no row shows: those that come before all rows, and those that come after."""
    shown = {id(found) for row in rows for found in (*row.findings, *row.effects)}
    loose = [found for found in subject.validation.findings if id(found) not in shown]
    loose.sort(key=lambda found: -found.severity)
    first = [found for found in loose if found.severity is Severity.ERROR or found.code in ALWAYS_SHOWN]
    return first, [found for found in loose if found not in first]


def _objects(subject: Subject) -> tuple[ObjectOutcome, ...]:
    return subject.outcome.objects if subject.outcome else ()


def _by_source(findings: Iterable[Finding]) -> dict[tuple[str, str, str], list[Finding]]:
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        if one.unique_id:
            found.setdefault((one.unique_id, one.kind, one.source), []).append(one)
    return found


def _changed(change: Change, source: SourceReport | None, outcome: ObjectOutcome | None, known: _Known) -> Row:
    state, group, tone = _STATES[change.action]
    badge = ""
    findings, effects = known.of(change.unique_id, change.kind, change.name)
    if change.held:
        state, group, badge, tone = HELD, Group.HELD, change.held.value, _STATES[change.held][2]
    elif change.action is Action.UNCHANGED and effects:
        group = Group.AFFECTED
    if outcome is not None:
        state = outcome.ending
        if outcome.status is not Status.DONE:
            group, tone = Group.ATTENTION, "warn" if outcome.status is Status.NOT_STARTED else "bad"
    return Row(
        kind=change.kind,
        name=_short(change.name),
        unique_id=change.unique_id,
        state=state,
        badge=badge,
        group=group,
        tone=tone,
        change=change,
        source=source,
        outcome=outcome,
        running=known.running.get((change.kind.value, change.name), 0),
        diffs=tuple(field_diffs(change)) if change.action is not Action.CREATE else (),
        anchor=anchor_of(change.kind, change.name),
        findings=findings,
        effects=effects,
    )


def _declared(source: SourceReport, known: _Known) -> Row:
    findings, effects = known.of(source.unique_id, source.kind, source.name)
    warned = any(one.severity is Severity.WARNING for one in findings)
    state, group, tone = ("ready", Group.AFFECTED if effects else Group.READY, "warn" if warned else "good")
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
        anchor=anchor_of(source.kind, source.name),
        running=known.running.get((source.kind.value, source.name), 0),
        findings=findings,
        effects=effects,
    )


_GROUPS = {group: index for index, group in enumerate(Group)}
_KINDS = {kind: index for index, kind in enumerate(Kind)}


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
