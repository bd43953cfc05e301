"""The answer to the question that a reviewer has first: is it safe, and if not, why? Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.report.run_findings import RUN_CODES, problems
from dbt_statsig.report.text.reloads import summary
from dbt_statsig.report.text.style import counted, counted_objects
from dbt_statsig.report.text.validation import ALWAYS_SHOWN
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.kinds import SPECS
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.findings import Finding

_UNCHECKED = "impact-experiments-unchecked"
NOT_CHECKED = "running experiments were not checked"
_REMARKS = {
    "manifest-outdated": "the manifest may not be the one to check",
    "nothing-selected": "the selection matches no declared source",
}


class Verdict(Struct, frozen=True, kw_only=True):
    """`tone` is bad, warn or good; `lead` the answer, `reasons` why, the weightiest first."""

    tone: str
    lead: str
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """The answer in one line."""
        return f"{self.lead}: {', '.join(self.reasons)}" if self.reasons else self.lead


def verdict(subject: Subject) -> Verdict:
    """Of a validation or plan, whether to merge; of a sync, whether Statsig now holds all that is declared."""
    if subject.outcome is not None and not subject.dry_run:
        return _of_sync(subject)
    against, doubts = _against(subject), tuple(_doubts(subject))
    if against:
        return Verdict(tone="bad", lead="Not safe to merge", reasons=(*against, *doubts))
    if doubts:
        return Verdict(tone="warn", lead="Check before you merge", reasons=(*doubts, *_sums(subject)))
    # Who did not compare with Statsig does not know what a merge does there.
    lead = "Safe to merge" if subject.planned else "No errors"
    return Verdict(tone="good", lead=lead, reasons=(*_sums(subject), *_nobody_reads(subject)))


def without_held(subject: Subject) -> list[Finding]:
    """All problems but those that only repeat, object by object, that the limit holds it back."""
    held = {(change.kind.value, change.name) for change in subject.changes if change.held}
    return [one for one in problems(subject) if one.code != "not-pushed" or (one.kind, one.source) not in held]


def _against(subject: Subject) -> tuple[str, ...]:
    """What must not be: errors, and all that is held back."""
    errors = sum(found.severity is Severity.ERROR for found in without_held(subject))
    found = [counted(errors, "error")] if errors else []
    found += _held(subject)
    if subject.planned and subject.planned.conflict:
        found.append("sync would refuse all of it")
    return tuple(found)


def _held(subject: Subject) -> list[str]:
    held = sum(change.held is not None for change in subject.changes)
    return [f"{counted(held, 'change')} held by the limit"] if held else []


def _skipped(subject: Subject) -> tuple[str, ...]:
    skipped = len(subject.planned.skipped) if subject.planned else 0
    return (f"{skipped:,} skipped",) if skipped else ()


def _doubts(subject: Subject) -> Iterator[str]:
    """What somebody should look at, errors or not."""
    impact = subject.validation.impact
    reached = len(impact.experiments or ()) if impact else 0
    if reached:
        yield f"{counted(reached, 'running experiment')} {'reads' if reached == 1 else 'read'} what changes"
    gone = sum(change.action.retires for change in subject.changes)
    if gone:
        yield counted(gone, "deletion")
    effects = sum(_is_grave(found) for found in impact.effects) if impact else 0
    if effects:
        yield f"{counted(effects, 'effect')} to check"
    if _is_unchecked(subject):
        yield NOT_CHECKED
    codes = {found.code for found in subject.validation.findings} & ALWAYS_SHOWN
    yield from (_REMARKS[code] for code in sorted(codes))
    blocked = sum(source.blocked for source in subject.validation.sources)
    if blocked and subject.planned is None and subject.validation.ok():
        # Their proof is missing, or their errors are in the baseline.
        yield f"{counted(blocked, 'object')} cannot be pushed"
    if subject.planned and subject.planned.warnings:
        yield f"{counted(len(subject.planned.warnings), 'warning')} about this run"


def _is_grave(found: Finding) -> bool:
    """Whether somebody should look at an effect; experiments are counted by themselves."""
    return found.severity is Severity.WARNING and found.code not in {_UNCHECKED, "impact-experiment"}


def _is_unchecked(subject: Subject) -> bool:
    """Whether something changes that experiments can read, and nobody knows which do, or whether these are all."""
    impact = subject.validation.impact
    if impact is not None and any(
        found.code == _UNCHECKED and found.severity > Severity.NOTE for found in impact.effects
    ):
        return True
    if impact is not None and impact.experiments is not None:
        return False
    kinds = {change.kind for change in subject.changes if change.action.touches or change.held}
    if impact is not None:
        kinds |= {Kind(found.kind) for found in impact.effects if found.kind}
    return any(SPECS[kind].used_by_experiments for kind in kinds)


def _sums(subject: Subject) -> tuple[str, ...]:
    """What would be written, or what is ready."""
    if subject.planned is None:
        ready = counted_objects(source.kind for source in subject.validation.sources if not source.blocked)
        return (f"{ready} ready", "not compared with Statsig")
    writes = Counter(change.action.value for change in subject.changes if change.action.sends)
    words = (f"{counted(writes[word], word)}" for word in ("create", "update", "rename") if writes[word])
    nothing = () if any(change.action.retires for change in subject.changes) else ("nothing to write",)
    return (*(tuple(words) or nothing), *_skipped(subject))


def _nobody_reads(subject: Subject) -> tuple[str, ...]:
    impact = subject.validation.impact
    return ("no running experiment reads what changes",) if impact and impact.experiments == () else ()


def _of_sync(subject: Subject) -> Verdict:
    past = "Released" if subject.command == "release" else "Pushed"
    objects = subject.outcome.objects if subject.outcome else ()
    counts = Counter(entry.status for entry in objects)
    missed = [status for status in Status if counts[status] and status is not Status.DONE]
    reasons = [f"{counts[status]:,} {status.value}" for status in missed]
    errors = sum(found.severity is Severity.ERROR and found.code not in _ENDINGS for found in without_held(subject))
    reasons += [counted(errors, "error")] if errors else []
    reasons += _held(subject)
    is_stopped = bool(subject.outcome and subject.outcome.stopped)
    reasons += ["the run stopped early"] if is_stopped else []
    if reasons:
        lead = "Not everything was"
        if (objects or is_stopped) and not counts[Status.DONE]:
            # What has no answer may have been written.
            lead = "Nothing is known to be" if counts[Status.UNKNOWN] else "Nothing was"
        return Verdict(tone="bad", lead=f"{lead} {past.lower()}", reasons=tuple(reasons))
    if subject.reloaded is not None and not subject.reloaded.ok():
        return Verdict(tone="bad", lead="Not everything was reloaded", reasons=(summary(subject.reloaded).rstrip("."),))
    endings = Counter(entry.ending for entry in objects)
    sums = tuple(f"{count:,} {ending}" for ending, count in endings.items())
    nothing = "Nothing to release" if subject.command == "release" else "Nothing to push"
    return Verdict(tone="good", lead=past if objects else nothing, reasons=(*sums, *_skipped(subject)))


_ENDINGS = frozenset(RUN_CODES) & {"write-failed", "write-refused", "outcome-unknown", "not-started", "stopped-early"}
