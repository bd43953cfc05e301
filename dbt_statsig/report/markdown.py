"""A report for a pull request's comment: the verdict, a table of what changes, the errors, and the rest folded."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.report.brief import MOST, Brief, briefs
from dbt_statsig.report.diff import DiffLine, Mark
from dbt_statsig.report.escape import clipped
from dbt_statsig.report.field_diff import FieldDiff, field_diffs, source_fields
from dbt_statsig.report.markdown_text import code, diff_of, fenced, html_code, linked, message, prose
from dbt_statsig.report.run_facts import facts, run_facts
from dbt_statsig.report.run_findings import COULD_NOT_RUN, RELOAD, page_of
from dbt_statsig.report.subject import plan_hash
from dbt_statsig.report.text.reloads import ending, remarks
from dbt_statsig.report.text.report import headline
from dbt_statsig.report.text.style import counted
from dbt_statsig.report.text.validation import ALWAYS_SHOWN, tally
from dbt_statsig.report.verdict import verdict, without_held
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dbt_statsig.report.run_facts import Fact
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.reloads import ExperimentReload
    from dbt_statsig.vocabulary.results import Failure

MARKER = "<!-- dbt-statsig -->"
# GitHub takes 65,536 characters of a comment; the rest of the room is for whoever posts it.
LIMIT = 60_000
_TABLE, _ERRORS, _FOLD = 0.35, 0.25, 0.12
"""The shares of the room; the diffs have what remains."""
_LONGEST_DIFF = 6_000
_LONGEST_FAILURE = 4_000
_MOST_NOTES, _MOST_REASONS, _MOST_USERS = 20, 5, 20
_POINTER = "The whole report has them: `--report html:FILE`, or the log of this job."
SIGNS = {"good": "✅", "warn": "⚠️", "bad": "❌"}
_EXPERIMENT = "impact-experiment"
_FOLDED = (Action.CREATE, Action.UPDATE, Action.RENAME, Action.DELETE, Action.ARCHIVE, Action.BLOCKED)
_ORDER = (
    Action.FOREIGN,
    Action.BLOCKED,
    Action.DELETE,
    Action.ARCHIVE,
    Action.UPDATE,
    Action.RENAME,
    Action.CREATE,
    Action.ORPHAN,
)


def render(subject: Subject) -> str:
    """At most `LIMIT` bytes of UTF-8; what does not fit is counted, with a pointer to the whole report.

    The first line is always the same, so that one comment can be found and replaced; the second names the plan and the
    commit.
    """
    room = LIMIT - len(_POINTER) - 200
    found = without_held(subject)
    effects = _effects(subject)
    # The experiments of a reload have a list of their own.
    listed = {f"{RELOAD}{line}" for line in subject.reloaded.failures} if subject.reloaded else set()
    found = [one for one in found if one.message not in listed]
    weighty = [one for one in found if one.severity is Severity.ERROR or one.code in ALWAYS_SHOWN]
    shown = set(map(id, (*effects, *weighty)))
    rest = [one for one in found if id(one) not in shown and one.code != "console-warning"]
    parts = _head(subject)
    parts += _fitted("", *_table(subject), int(room * _TABLE))
    parts += _held(subject)
    parts += _fitted("Errors", "", [_finding(one, subject) for one in weighty], int(room * _ERRORS))
    parts += _folded("Effects of this change", _effect_lines(subject, effects), int(room * _FOLD))
    parts += _folded(tally(rest), [_finding(one, subject) for one in rest], int(room * _FOLD))
    parts += _folded("Skipped", list(_skipped(subject)), int(room * _FOLD / 2))
    # Each of its three parts may end with a pointer.
    left = max(room - sum(_size(part) + 2 for part in parts) - 3 * (len(_POINTER) + 150), 0)
    parts += _reloaded(subject, min(int(room * _FOLD), left // 4))
    parts += _baseline(subject)
    used = sum(_size(part) + 2 for part in parts)
    details = [_detail(one) for one in _changes(subject) if one.action in _FOLDED]
    details += [text for change in subject.changes for text in _generated(change)]
    parts += _fitted("", "", details, room - used)
    return "\n\n".join(parts) + "\n"


def render_failure(failure: Failure) -> str:
    """The message as a quotation, then the next step, both cut short: a longer text helps nobody in a comment."""
    lines = [prose(line) for line in failure.message[:_LONGEST_FAILURE].splitlines() if line.strip()]
    about = _about(run_facts(failure.run))
    parts = [
        f"{MARKER}\n<!-- dbt-statsig {failure.command} {COULD_NOT_RUN}{_commit(failure.run.commit)} -->",
        f"### {SIGNS['bad']} Statsig: `{failure.command or 'dbt-statsig'}` could not run",
        "\n".join(f"> {line}  " for line in lines).rstrip(),
        *(prose(line) for line in failure.fix[:_LONGEST_FAILURE].splitlines() if line.strip()),
        *([about] if about else []),
    ]
    return "\n\n".join(parts) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace")) + 1


def _fitted(title: str, head: str, blocks: Sequence[str], room: int) -> list[str]:
    """As many of the blocks as there is room for, under their title and table head, and how many were left out."""
    if not blocks:
        return []
    kept: list[str] = []
    for block in blocks:
        room -= _size(block)
        if room < 0:
            break
        kept.append(block)
    body = "\n".join([*([head] if head and kept else []), *kept])
    parts = [f"#### {title}"] if title else []
    parts += [body] if kept else []
    if len(kept) < len(blocks):
        parts.append(f"{len(blocks) - len(kept):,} more not shown. {_POINTER}")
    return parts


def _folded(title: str, blocks: Sequence[str], room: int) -> list[str]:
    """The blocks that have room, behind their title."""
    body = "\n\n".join(_fitted("", "", blocks, room))
    return [f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"] if body else []


def _head(subject: Subject) -> list[str]:
    """Verdict, sums, the run, and the remarks that concern all of it."""
    word = re.sub(r"[^A-Za-z0-9_.@]", "", subject.validation.owner)[:100]
    digest = f" plan={plan_hash(subject.planned.plan)}" if subject.planned else ""
    answer = verdict(subject)
    notes = [*subject.planned.warnings, *subject.planned.notes] if subject.planned else []
    notes += subject.outcome.notes if subject.outcome else ()
    impact = subject.validation.impact
    return [
        f"{MARKER}\n<!-- dbt-statsig {subject.command} project={word}{digest}{_commit(subject.run.commit)} -->",
        f"### {SIGNS[answer.tone]} Statsig: {message(answer.text)}",
        message(headline(subject)),
        _about(facts(subject)),
        *(f"> {message(note)}" for note in notes[:_MOST_NOTES]),
        *([message(impact.summary)] if impact and impact.summary else []),
    ]


def _commit(commit: str) -> str:
    return f" commit={commit}" if re.fullmatch("[0-9a-f]{7,64}", commit) else ""


def _about(some: Iterable[Fact]) -> str:
    """What is known of the run, in one small paragraph."""
    return " · ".join(
        f"{fact.name} {linked(code(fact.value) if fact.is_code else prose(fact.value), fact.url)}" for fact in some
    )


def _held(subject: Subject) -> list[str]:
    """Why the limit holds changes back, each reason once."""
    reasons = dict.fromkeys((change.reason, change.fix) for change in subject.changes if change.held)
    return [f"> Held by the limit: {message(reason)} {message(fix)}" for reason, fix in [*reasons][:_MOST_REASONS]]


def _effects(subject: Subject) -> tuple[Finding, ...]:
    impact = subject.validation.impact
    return impact.effects if impact else ()


def _effect_lines(subject: Subject, effects: Iterable[Finding]) -> list[str]:
    """What the change does, source by source; the sources that the weightiest effects are about come first."""
    homes = [
        (home, sorted(some, key=lambda found: (-found.severity, found.code, found.message)))
        for home, some in groupby(sorted(effects, key=_home), key=_home)
    ]
    homes.sort(key=lambda entry: -entry[1][0].severity)
    lines = []
    for (kind, source, unique_id), some in homes:
        name = f"{kind.replace('_', ' ')} {code(source)}" if source else code(unique_id) or "not compared"
        lines.append(f"- {name}")
        for found in some:
            lines.append(f"  {_finding(found, subject, in_list=True)}")
            lines += _users(subject, found) if found.code == _EXPERIMENT else ()
    return lines


def _users(subject: Subject, found: Finding) -> Iterator[str]:
    """The experiments that a finding is about, with their pages and owners."""
    for one, use in subject.users_of(found.kind, found.source)[:_MOST_USERS]:
        through = f"through {', '.join(use.metrics)}" if use.metrics else ", ".join(use.uses)
        words = (linked(code(one.name or one.id), one.permalink), *map(prose, (one.status, str(one.owner), through)))
        yield f"    - {' · '.join(filter(None, words))}"


def _home(found: Finding) -> tuple[str, str, str]:
    return (found.kind, found.source, "" if found.source else found.unique_id)


def _reloaded(subject: Subject, room: int) -> list[str]:
    """The warnings of a reload and its experiments: what went wrong, then the others folded."""
    reloaded = subject.reloaded
    if reloaded is None:
        return []
    wrong, rest = ([one for one in reloaded.experiments if one.is_problem is is_wrong] for is_wrong in (True, False))
    return [
        *_fitted("", "", [f"- {message(text)}" for text in reloaded.warnings], room),
        *_fitted("Results not loaded", "", list(map(_experiment, wrong)), room),
        *_folded(f"Results of {counted(len(rest), 'experiment')}", list(map(_experiment, rest)), room),
    ]


def _experiment(one: ExperimentReload) -> str:
    kind = f" ({one.refresh.value})" if one.refresh else ""
    head = f"- {linked(code(one.name or one.id), one.permalink)}{kind}: {ending(one)}"
    return "\n".join([head, *(f"  - {message(text, 500)}" for text in (*remarks(one), one.fix) if text)])


def _baseline(subject: Subject) -> list[str]:
    """How much a baseline kept apart, and what of it may go."""
    baseline = subject.validation.baseline
    if baseline is None:
        return []
    stale = f" {counted(len(baseline.stale), 'entry is', 'entries are')} stale: they no longer match a finding."
    known = f"In the baseline {code(baseline.path)}, not shown: {counted(len(baseline.known), 'finding')}."
    return [known + (stale if baseline.stale else "")]


def _finding(found: Finding, subject: Subject, *, in_list: bool = False) -> str:
    """One finding; where no line of a file says whom it concerns, its node does, unless it is `in_list` of that."""
    label, place = found.severity.label, found.location
    parts = [f"**{label}**" if found.severity is Severity.ERROR else label]
    parts.append(linked(code(found.code), page_of(found.code)))
    if place and place.path:
        line = f":{place.line}" if place.line else ""
        parts.append(linked(code(subject.path_of(place) + line), subject.url_of(place)))
    if found.unique_id and not (place and place.line) and not in_list:
        parts.append(code(found.unique_id))
    fix = f" {message(found.fix, 500)}" if found.fix else ""
    return f"- {' '.join(filter(None, parts))}: {message(found.message)}{fix}"


def _skipped(subject: Subject) -> Iterator[str]:
    for one in subject.planned.skipped if subject.planned else ():
        yield f"- {one.kind.label} {code(one.name)}: {message(one.reason)}"


def _table(subject: Subject) -> tuple[str, list[str]]:
    """The head and the rows of the summary: objects that a plan touches, or kinds for a validation."""
    if subject.outcome is not None and subject.outcome.objects and not subject.dry_run:
        rows = [
            _row(
                f"**{entry.status.value}**" if entry.status is not Status.DONE else entry.ending,
                _name(entry.change),
                message(entry.message, 300) or entry.change.action.label,
            )
            # What did not end well must not be what is cut.
            for entry in sorted(subject.outcome.objects, key=lambda one: one.status is Status.DONE)
        ]
        return _table_head("Result", "Source", "Message"), rows
    if subject.planned is None:
        return _table_head("Kind", "Sources", "Ready", "Blocked"), list(_kind_rows(subject))
    running = _running(subject)
    rows = []
    for change in [*_changes(subject), *_affected(subject)]:
        action = f"{change.held.label}, held by the limit" if change.held else change.action.label
        reads = running.get((change.kind.value, change.name), 0)
        what = "<br>".join(filter(None, [_experiments(reads), *_what(change)]))
        rows.append(_row(action, _name(change), what))
    return _table_head("Action", "Source", "What"), rows


def _running(subject: Subject) -> dict[tuple[str, str], int]:
    """How many running experiments read each source."""
    impact = subject.validation.impact
    return {(one.kind.value, one.name): len(one.experiments) for one in impact.reached} if impact else {}


def _experiments(count: int) -> str:
    return f"**{counted(count, 'running experiment')}**" if count else ""


def _affected(subject: Subject) -> list[Change]:
    """What is not changed in Statsig while its model changes for it."""
    about = {(found.kind, found.source) for found in _effects(subject)}
    return [
        change
        for change in subject.changes
        if change.action is Action.UNCHANGED and (change.kind.value, change.name) in about
    ]


def _name(change: Change) -> str:
    """The object with its kind and node below it: a phone has no room for three columns of names."""
    was = f" (was {code(change.live_name)})" if change.action is Action.RENAME else ""
    below = ", ".join(filter(None, [change.kind.label, code(change.unique_id)]))
    return f"{code(change.name)}{was}<br>{below}"


def _kind_rows(subject: Subject) -> Iterator[str]:
    for kind in Kind:
        blocked = [source.blocked for source in subject.validation.sources if source.kind is kind]
        if blocked:
            ready = len(blocked) - sum(blocked)
            yield _row(f"{kind.label}s", f"{len(blocked):,}", f"{ready:,}", f"{sum(blocked):,}")


def _changes(subject: Subject) -> list[Change]:
    """Those that a reader has to know, what experiments read first among equals."""
    running = _running(subject)
    shown = [change for change in subject.changes if change.action in _ORDER]
    return sorted(shown, key=lambda one: (_ORDER.index(one.action), -running.get((one.kind.value, one.name), 0)))


def _what(change: Change) -> Iterator[str]:
    """The fields with small diffs, or the reason; then who made the difference."""
    found = briefs(change, field_diffs(change) if change.fields else ())
    yield from (_brief(one) for one in found[:MOST])
    if len(found) > MOST:
        yield f"and {len(found) - MOST:,} more"
    if change.action is Action.UNCHANGED:
        yield "its model changes"
    elif not change.held and (not found or change.action is Action.BLOCKED):
        yield message(change.reason, 300) or ("new" if change.action is Action.CREATE else "")
    if change.origin is not None:
        yield prose(change.origin.text, 300)


def _brief(one: Brief) -> str:
    if one.moves:
        return f"{code(one.label)}: {code(one.gone)} → {code(one.new)}"
    texts = (("+", one.new), ("−", one.gone))  # noqa: RUF001 - the sign of what goes
    signs = [f"{sign}{text if text.isdecimal() else code(text)}" for sign, text in texts if text]
    return " ".join([code(one.label), *signs])


def _table_head(*cells: str) -> str:
    return f"{_row(*cells)}\n{_row(*('---' for _ in cells))}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _detail(change: Change) -> str:
    """One object folded: its diff; what goes is all that it holds, and without a diff there is the reason."""
    does = change.held or change.action
    fields = [_gone(field) for field in source_fields(change.live)] if does.retires and change.live else []
    fields = fields or field_diffs(change)
    words = f", {counted(len(fields), 'field')}" if fields and does is not Action.CREATE and not does.retires else ""
    words += ", adopted" if change.adopted else ""
    words += ", held by the limit" if change.held else ""
    summary = f"<b>{does.label}</b> {change.kind.label} {html_code(change.name)}{words}"
    reason = "" if change.held else " ".join(filter(None, map(message, (change.reason, change.fix))))
    body = "\n\n".join(filter(None, [reason, diff_of(fields, limit=_LONGEST_DIFF) if fields else ""]))
    return f"<details><summary>{summary}</summary>\n\n{body or 'No details.'}\n\n</details>"


def _generated(change: Change) -> Iterator[str]:
    """The SQL that Statsig generates for a metric."""
    for unit, sql in change.generated:
        summary = f"Statsig's SQL for the metric {html_code(change.live_name)}, unit {html_code(unit)}"
        body = fenced(clipped(sql, _LONGEST_DIFF).splitlines(), "sql")
        yield f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _gone(field: FieldDiff) -> FieldDiff:
    lines = field.lines or (DiffLine(Mark.ADDED, field.after),)
    return FieldDiff(field=field.field, lines=tuple(DiffLine(Mark.REMOVED, line.text) for line in lines))
