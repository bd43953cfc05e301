"""Everything that blocks something, as findings: those of the project, and what a plan or a sync ran into."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.errors import EXIT_CANNOT_RUN
from dbt_statsig.report.escape import one_line
from dbt_statsig.vocabulary import finding_codes
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.code import DOCS
from dbt_statsig.vocabulary.finding_codes import CODES, Code
from dbt_statsig.vocabulary.findings import Finding, Severity
from dbt_statsig.vocabulary.results import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.findings import Location

COULD_NOT_RUN = "could-not-run"
_E, _W = Severity.ERROR, Severity.WARNING
RUN_CODES: dict[str, Code] = {
    "not-ours": Code(
        _E,
        "Statsig has an object of this name that is not managed by this project.",
        "Adopt it with `--adopt`, or choose another name.",
    ),
    "not-pushed": Code(_E, "A declared source is blocked.", "Fix what the message says."),
    "write-failed": Code(_E, "Statsig refused a write, or the write failed.", "Correct what Statsig's message says."),
    "write-refused": Code(_E, "The object changed after the plan was made.", "Plan again."),
    "outcome-unknown": Code(_E, "A write was sent and got no usable answer.", "Run it again."),
    "not-started": Code(_W, "The run ended before this write started.", "Run it again."),
    "stopped-early": Code(_E, "The run ended early.", "Fix what the message says, then run it again."),
    "no-longer-declared": Code(
        _W,
        "An object of this project is no longer declared.",
        "Run `sync --prune`, which deletes sources and archives metrics, or declare it again.",
    ),
    COULD_NOT_RUN: Code(
        _E, "A command could not run, or stopped before its end.", "Fix what the message says, then run it again."
    ),
    "console-warning": Code(_W, "A warning about Statsig's answers or this run.", "Read the message."),
}
RULES: dict[str, Code] = {**CODES, **RUN_CODES}
_STATUSES = {
    Status.FAILED: "write-failed",
    Status.REFUSED: "write-refused",
    Status.UNKNOWN: "outcome-unknown",
    Status.NOT_STARTED: "not-started",
}


def rule(code: str) -> Code:
    """What is known of a code; an unknown one explains itself by its message alone."""
    return RULES.get(code) or Code(Severity.WARNING, code, "")


def page_of(code: str) -> str:
    """The address of the page about a code; of the list of all where it has none."""
    return f"{DOCS}/findings/{code}/" if code in RULES else f"{DOCS}/findings/"


class Example(Struct, frozen=True):
    """What has a finding, and what has not."""

    bad: str
    good: str


@cache
def _examples() -> dict[str, dict[str, str]]:
    import yaml  # `explain` alone reads it

    path = Path(finding_codes.__file__).with_name("examples.yml")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def example_of(code: str) -> Example | None:
    """What has the finding of that code, and what has not; None where no example shows it."""
    known = _examples().get(code)
    return None if known is None else Example(**known)


def place_of(found: Finding) -> str:
    """The line of a file; where no line is known, the node too."""
    place = str(found.location or "")
    return place if found.location and found.location.line else " ".join(filter(None, (place, found.unique_id)))


def sentence(found: Finding, *, between: str = " ") -> str:
    """The message and the fix; where no line of a file says whom it concerns, its node does."""
    is_placed = found.location is not None and found.location.line
    node = "" if is_placed or found.unique_id in found.message else f"{found.unique_id}: "
    return between.join(filter(None, map(one_line, (node + found.message, found.fix)))) or rule(found.code).meaning


def fingerprint(*parts: str) -> str:
    """What CI systems recognise a finding by when its line has moved."""
    return hashlib.sha256("\n".join(parts).encode(errors="backslashreplace")).hexdigest()


def fingerprint_of(found: Finding) -> str:
    """The fingerprint of a finding."""
    return fingerprint(found.code, found.unique_id, found.kind, found.source, found.key)


def project_file(root: str) -> str:
    """Where a finding without a file is shown: CI systems drop what has none."""
    return f"{root}/dbt_project.yml" if root else "dbt_project.yml"


RELOAD = "Reload: "
"""Before each problem of a reload."""


def problems(subject: Subject) -> list[Finding]:
    """The project's findings, the refusals of the plan and the failures of the sync: worst first, then by place."""
    found = [*subject.validation.findings, *_of_plan(subject), *_of_outcome(subject), *_of_reload(subject)]
    return sorted(found, key=lambda one: (-one.severity, one.sort_key))


def _of_plan(subject: Subject) -> Iterator[Finding]:
    if subject.planned is None:
        return
    blocked = {(one.kind, one.name) for one in subject.validation.sources if one.blocked}
    places = _places(subject)
    for change in subject.changes:
        if change.action is Action.FOREIGN:
            yield _about(change, "not-ours", change.reason, change.fix, places)
        elif change.action is Action.ORPHAN:
            yield _about(change, "no-longer-declared", change.reason, change.fix, places)
        elif change.action is Action.BLOCKED and (change.kind, change.name) not in blocked:
            yield _about(change, "not-pushed", change.reason, change.fix, places)
    for warning in subject.planned.warnings:
        yield Finding(code="console-warning", severity=_W, message=warning)


def _of_outcome(subject: Subject) -> Iterator[Finding]:
    if subject.outcome is None:
        return
    places = _places(subject)
    for entry in subject.outcome.objects:
        if entry.status in _STATUSES:
            yield _about(entry.change, _STATUSES[entry.status], entry.message, entry.fix, places)
    if subject.outcome.stopped:
        yield Finding(code="stopped-early", severity=_E, message=subject.outcome.stopped)


def _of_reload(subject: Subject) -> Iterator[Finding]:
    """What went wrong in a reload after a sync: it makes the exit code too."""
    if subject.reloaded is None:
        return
    code = "outcome-unknown" if subject.reloaded.exit_code == EXIT_CANNOT_RUN else "write-failed"
    for problem in subject.reloaded.problems:
        yield Finding(code=code, severity=_E, message=f"{RELOAD}{problem}")


def _places(subject: Subject) -> dict[tuple[str, str], Location | None]:
    return {(one.kind.value, one.name): one.location for one in subject.validation.sources}


def _about(
    change: Change, code: str, message: str, fix: str, places: dict[tuple[str, str], Location | None]
) -> Finding:
    return Finding(
        code=code,
        severity=RUN_CODES[code].severity,
        message=f"{change.kind.label} {change.name}: {message or RUN_CODES[code].meaning}",
        fix=fix or RUN_CODES[code].remedy,
        unique_id=change.unique_id,
        kind=change.kind.value,
        source=change.name,
        location=places.get((change.kind.value, change.name)),
    )
