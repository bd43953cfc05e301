"""The text of each command: a whole report as one string that ends with a line break."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.planning.stages import stages_of
from dbt_statsig.report.escape import no_commands, one_line
from dbt_statsig.report.text.lists import diagnosis_lines, diagnosis_summary
from dbt_statsig.report.text.plan import (
    SHOWN_PER_CODE,
    generated_lines,
    is_brief,
    left_lines,
    legend_lines,
    outcome_lines,
    outcome_summary,
    plan_lines,
    plan_summary,
)
from dbt_statsig.report.text.reloads import reload_lines, summary
from dbt_statsig.report.text.style import Style, counted, counted_objects, error_text
from dbt_statsig.report.text.validation import findings_lines, source_lines, tally, verdict_line
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.results import Planned, Status, Synced

if TYPE_CHECKING:
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.changes import Plan
    from dbt_statsig.vocabulary.findings import Finding, KnownFinding
    from dbt_statsig.vocabulary.inspections import Diagnosis
    from dbt_statsig.vocabulary.results import Failure, Impact, Validation

PLAIN = Style()


def render(subject: Subject) -> str:
    """The whole report."""
    result = subject.result
    if isinstance(result, Synced):
        return sync_text(result, subject.style, dry_run=subject.dry_run)
    if isinstance(result, Planned):
        return plan_text(result, subject.style)
    return validation_text(result, subject.style)


def render_failure(failure: Failure) -> str:
    """The message and the next step."""
    return error_text(failure.message, failure.fix, PLAIN)


def headline(subject: Subject) -> str:
    """The sums in one sentence, as the whole report ends with them."""
    result = subject.result
    if isinstance(result, Synced):
        reloaded = "" if result.reloaded is None else f" {summary(result.reloaded)}"
        return f"{_synced_summary(result, dry_run=subject.dry_run)}{reloaded}"
    return _planned_summary(result) if isinstance(result, Planned) else verdict_line(result)[0]


def _joined(lines: list[str]) -> str:
    return no_commands("\n".join(lines) + "\n")


def _least(style: Style, otherwise: Severity) -> Severity:
    """In quiet style only findings that block something are shown."""
    return Severity.ERROR if style.quiet else otherwise


def validation_text(validation: Validation, style: Style = PLAIN) -> str:
    """Every source with the evidence for its columns, every finding by file, and the verdict."""
    lines = [] if style.quiet else source_lines(validation, style)
    lines += findings_lines(own_findings(validation), style, least=_least(style, Severity.NOTE))
    lines += [*impact_lines(validation.impact, style), *baseline_lines(validation, style)]
    return _joined([*lines, *style.sums(*verdict_line(validation))])


def _planned_lines(planned: Planned, style: Style, *, writes: bool = True) -> list[str]:
    least = _least(style, Severity.WARNING)
    return [
        *findings_lines(own_findings(planned.validation), style, least=least, at_most=SHOWN_PER_CODE),
        *impact_lines(planned.validation.impact, style),
        *plan_lines(planned.plan, style, writes=writes),
        *(_stage_lines(planned.plan) if style.verbose else ()),
        *(line for note in planned.notes for line in style.wrap(note, indent=0, first="Note: ")),
        *left_lines(planned.skipped, style),
    ]


def _stage_lines(plan: Plan) -> list[str]:
    """The order of the writing, where there is more than one stage."""
    stages = [f"{stage.kind.value} ({len(stage.tags or stage.changes):,})" for stage in stages_of(plan)]
    return [f"Written in this order: {', '.join(stages)}.", ""] if len(stages) > 1 else []


def plan_text(planned: Planned, style: Style = PLAIN) -> str:
    """Errors and warnings, then what a sync would change, and the sums."""
    plan = planned.plan
    lines = [*_planned_lines(planned, style), *generated_lines(plan, style), *legend_lines(plan, style)]
    return _joined([*lines, *style.sums(_planned_summary(planned), _look(planned, planned.validation))])


def _planned_summary(planned: Planned) -> str:
    """The sums of a plan; where every source was unchanged, that."""
    if planned.skipped and not planned.plan.changes:
        return f"Nothing to do: {counted_objects(one.kind for one in planned.skipped)} skipped."
    if planned.validation.unmatched and not planned.plan.changes:
        return "Nothing to do: the selection matches no declared source."
    if not (planned.plan.changes or planned.validation.sources or planned.validation.ok()):
        return "Nothing to do: no declared source could be read."
    if not (planned.plan.changes or any(found.code == "nothing-declared" for found in planned.validation.findings)):
        return "Nothing to do: no declared source is part of this run."
    return plan_summary(planned.plan)


def _left(plan: Plan) -> str:
    """What a sync left alone because it had to."""
    actions = [change.action for change in plan.changes]
    counts = ((actions.count(action), action.label) for action in (Action.FOREIGN, Action.BLOCKED))
    return ", ".join(f"{count:,} {words}" for count, words in counts if count)


def sync_text(synced: Synced, style: Style = PLAIN, *, dry_run: bool = False) -> str:
    """The plan (of many changes only what is not written), what became of each change, and the sums."""
    written = len(synced.outcome.objects)
    # What was written is in the result, line by line: of many, and in quiet style, it is not shown twice.
    repeats = bool(written) and not dry_run and (style.quiet or is_brief(written, style))
    lines = _planned_lines(synced.planned, style, writes=not repeats)
    lines += outcome_lines(synced.outcome, style, heading="Of the saved plan" if dry_run else "Result")
    look = _look(synced, synced.planned.validation)
    lines += style.sums(_synced_summary(synced, dry_run=dry_run), look)
    return _joined(lines if synced.reloaded is None else [*lines, "", *reload_lines(synced.reloaded, style)])


def _look(result: Planned | Synced, validation: Validation) -> str:
    """The look of the last line: that of the worst there is in the report."""
    return "error" if result.exit_code else "good" if validation.ok(strict=True) else "warning"


def _synced_summary(synced: Synced, *, dry_run: bool = False) -> str:
    """The sums of a sync: of what was written, or of the plan where nothing was."""
    plan = synced.planned.plan
    if dry_run:
        statuses = [entry.status for entry in synced.outcome.objects]
        refusals = statuses.count(Status.REFUSED)
        more = f" {counted(refusals, 'change')} of the saved plan would be refused." if refusals else ""
        return f"Dry run, nothing was written: {_planned_summary(synced.planned)}{more}"
    if not synced.outcome.objects and synced.outcome.stopped:
        return "Nothing was written: the run stopped early."
    if not synced.outcome.objects:
        return _planned_summary(synced.planned)
    shown = {(entry.change.kind, entry.change.name) for entry in synced.outcome.objects}
    others = (change for change in plan.changes if (change.kind, change.name) not in shown)
    unchanged = sum(change.action is Action.UNCHANGED for change in others)
    return outcome_summary(synced.outcome, unchanged=unchanged, others=_left(plan))


def diagnosis_text(diagnosis: Diagnosis, style: Style = PLAIN) -> str:
    """The checks, the settings with their origins, and whether all is well."""
    outcomes = {check.ok for check in diagnosis.checks}
    look = "error" if False in outcomes else "warning" if None in outcomes else "good"
    return _joined([*diagnosis_lines(diagnosis, style), style.color(diagnosis_summary(diagnosis), look)])


_MOST_STALE = 10


def own_findings(validation: Validation) -> tuple[Finding, ...]:
    """The findings that have no section of their own."""
    effects = set() if validation.impact is None else set(map(id, validation.impact.effects))
    return tuple(found for found in validation.findings if id(found) not in effects)


def impact_lines(impact: Impact | None, style: Style) -> list[str]:
    """Source by source what the change does to it, then what it does above them; no line where nobody asked."""
    if impact is None:
        return []
    effects = [found for found in impact.effects if not style.quiet or found.severity > Severity.NOTE]
    if style.quiet and not effects:
        return []
    base = style.color(f"(against {one_line(impact.base)})", "quiet")
    lines = [f"{style.color('Effects of this change', 'heading')}  {base}"]
    for home, group in groupby(sorted(effects, key=_order), key=_home):
        lines += style.folded(f"  {home}", hang=4)
        for found in group:
            lead = f"{found.severity.label}  "
            prose = style.wrap(found.message, indent=4, first=lead)
            prose[0] = prose[0].replace(lead, style.severity(found.severity) + "  ", 1)
            lines += [*prose, *style.fix(found.fix, indent=6)]
    if impact.summary:
        lines += style.folded(f"  {impact.summary}", hang=4)
    return [*lines, *_experiments(impact, style), ""]


def baseline_lines(validation: Validation, style: Style) -> list[str]:
    """How many findings the baseline knew, and its entries that may go."""
    baseline = validation.baseline
    if baseline is None:
        return []
    path = one_line(baseline.path)
    lines = [] if style.quiet else [f"In the baseline {path}, not shown: {tally(baseline.known) or 'nothing'}."]
    if baseline.stale:
        number = counted(len(baseline.stale), "entry", "entries")
        match = "matches" if len(baseline.stale) == 1 else "match"
        shown = f"{number} of {path} no longer {match} a finding; regenerate it with --write-baseline."
        lines += style.wrap(shown, indent=0)
        for entry in baseline.stale[:_MOST_STALE]:
            lines += style.folded(f"  {one_line(_entry(entry))}", hang=4)
        if len(baseline.stale) > _MOST_STALE:
            lines.append(f"  and {len(baseline.stale) - _MOST_STALE:,} more")
    return [*lines, ""] if lines else []


def _experiments(impact: Impact, style: Style) -> list[str]:
    if impact.experiments is None:
        return []
    names = ", ".join(f"{one.name} ({one.status})" if one.status else one.name for one in impact.experiments)
    return style.wrap(f"Running experiments that use affected sources: {names or 'none'}.", indent=2)


def _order(found: Finding) -> tuple[object, ...]:
    return (not found.source, found.kind, found.source, found.unique_id, -found.severity, found.code, found.message)


def _home(found: Finding) -> str:
    if found.source:
        return one_line(f"{found.kind.replace('_', ' ')} {found.source}")
    if found.code == "impact-experiments-unchecked":
        return "experiments"
    return "upstream of the sources" if found.unique_id else "not compared"


def _entry(entry: KnownFinding) -> str:
    about = " ".join(part for part in (entry.unique_id, entry.kind, entry.source, entry.key) if part)
    times = f"  ({entry.count} times)" if entry.count > 1 else ""
    return f"{entry.code}  {about}{times}"
