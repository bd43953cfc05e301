"""A report for a pull request's comment: the sums, a table, and a folded diff for each object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dbt_statsig.report.diff import Mark
from dbt_statsig.report.escape import clipped, one_line
from dbt_statsig.report.field_diff import field_diffs
from dbt_statsig.report.run_findings import COULD_NOT_RUN, problems
from dbt_statsig.report.subject import plan_hash
from dbt_statsig.report.text.report import headline
from dbt_statsig.report.text.style import counted
from dbt_statsig.vocabulary.changes import Action
from dbt_statsig.vocabulary.findings import Severity, listed
from dbt_statsig.vocabulary.results import Status
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dbt_statsig.report.diff import DiffLine
    from dbt_statsig.report.field_diff import FieldDiff
    from dbt_statsig.report.subject import Subject
    from dbt_statsig.vocabulary.changes import Change
    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import Failure, Skipped

MARKER = "<!-- dbt-statsig -->"
# GitHub takes 65,536 characters of a comment; the rest of the room is for whoever posts it.
LIMIT = 60_000
_SHARE = 0.3
_LONGEST_DIFF = 6_000
_LONGEST_FAILURE = 4_000
_POINTER = "The whole report has them: `--report html:FILE`, or the log of this job."
_FOLDED = (Action.CREATE, Action.UPDATE, Action.RENAME)
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

    The first line is always the same, so that one comment can be found and replaced; the second names the plan.
    """
    room = LIMIT - len(_POINTER) - 200
    parts = _head(subject)
    parts += _impact(subject, int(room * _SHARE))
    effects = _effects(subject)
    findings = [_finding(found, subject) for found in problems(subject) if id(found) not in effects]
    parts += _fitted("Findings", "", findings, int(room * _SHARE))
    parts += _baseline(subject)
    parts += _fitted("", *_table(subject), int(room * _SHARE))
    left = [f"- {one.kind.label} {code(one.name)}: {prose(one.reason)}" for one in _left(subject)]
    parts += _fitted("Skipped", "", left, int(room * _SHARE / 3))
    used = sum(_size(part) + 2 for part in parts)
    details = [_detail(change) for change in _changes(subject) if _is_folded(change)]
    details += [text for change in subject.changes for text in _generated(change)]
    parts += _fitted("", "", details, room - used)
    return "\n\n".join(parts) + "\n"


def render_failure(failure: Failure) -> str:
    """The message as a quotation, then the next step, both cut short: a longer text helps nobody in a comment."""
    message = [prose(line) for line in failure.message[:_LONGEST_FAILURE].splitlines() if line.strip()]
    parts = [
        f"{MARKER}\n<!-- dbt-statsig {failure.command} {COULD_NOT_RUN} -->",
        f"### Statsig: `{failure.command or 'dbt-statsig'}` could not run",
        "\n".join(f"> {line}  " for line in message).rstrip(),
        *(prose(line) for line in failure.fix[:_LONGEST_FAILURE].splitlines() if line.strip()),
    ]
    return "\n\n".join(parts) + "\n"


def _is_folded(change: Change) -> bool:
    return change.action in _FOLDED or (change.action is Action.BLOCKED and bool(change.fields))


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


def _head(subject: Subject) -> list[str]:
    validation = subject.validation
    word = re.sub(r"[^A-Za-z0-9_.@]", "", validation.owner)[:100]
    digest = f" plan={plan_hash(subject.planned.plan)}" if subject.planned else ""
    about = [f"dbt project {code(validation.owner)}"]
    about += [prose(validation.adapter, 50)] if validation.adapter else []
    about += [f"dbt {prose(validation.dbt_version, 50)}"] if validation.dbt_version else []
    if subject.planned and subject.planned.binding and subject.planned.binding.target:
        about.append(f"target {code(subject.planned.binding.target)}")
    notes = [f"> {prose(note)}" for note in subject.planned.notes] if subject.planned else []
    notes += [f"> {prose(note)}" for note in subject.outcome.notes] if subject.outcome else []
    return [
        f"{MARKER}\n<!-- dbt-statsig {subject.command} project={word}{digest} -->",
        f"### Statsig: {prose(headline(subject))}",
        ", ".join(about) + ".",
        *notes[:20],
    ]


def _effects(subject: Subject) -> set[int]:
    impact = subject.validation.impact
    return set(map(id, impact.effects)) if impact else set()


def _impact(subject: Subject, room: int) -> list[str]:
    """What the change does, against the base's artifacts; nothing where nobody asked."""
    impact = subject.validation.impact
    if impact is None:
        return []
    blocks = [_finding(found, subject) for found in impact.effects]
    blocks += [f"\n{impact.summary}" if blocks else impact.summary] if impact.summary else []
    if impact.experiments is not None:
        names = listed([code(one.name) for one in impact.experiments], most=50)
        blocks.append(f"\nRunning experiments that use affected sources: {names or 'none'}.")
    return _fitted("Effects of this change", "", blocks, room)


def _baseline(subject: Subject) -> list[str]:
    """How much a baseline kept apart, and what of it may go."""
    baseline = subject.validation.baseline
    if baseline is None:
        return []
    stale = f" {counted(len(baseline.stale), 'entry is', 'entries are')} stale: they no longer match a finding."
    known = f"In the baseline {code(baseline.path)}, not shown: {counted(len(baseline.known), 'finding')}."
    return [known + (stale if baseline.stale else "")]


def _finding(found: Finding, subject: Subject) -> str:
    place = code(subject.path_of(found.location) + _line(found)) if found.location else code(found.unique_id)
    label = found.severity.label
    weight = f"**{label}**" if found.severity is Severity.ERROR else label
    fix = f" {prose(found.fix, 500)}" if found.fix else ""
    return f"- {weight} {code(found.code)}{' ' + place if place else ''}: {prose(found.message)}{fix}"


def _line(found: Finding) -> str:
    return f":{found.location.line}" if found.location and found.location.line else ""


def _left(subject: Subject) -> Iterable[Skipped]:
    return subject.planned.skipped if subject.planned else ()


def _table(subject: Subject) -> tuple[str, list[str]]:
    """The head and the rows of the summary: objects that a plan touches, or kinds for a validation."""
    if subject.outcome is not None and subject.outcome.objects and not subject.dry_run:
        rows = [
            _row(
                f"**{entry.status.value}**" if entry.status is not Status.DONE else entry.status.value,
                entry.change.action.label,
                code(entry.change.name),
                entry.change.kind.label,
                prose(entry.message, 300),
            )
            for entry in subject.outcome.objects
        ]
        return _table_head("Result", "Action", "Source", "Kind", "Message"), rows
    if subject.planned is None:
        return _table_head("Kind", "Sources", "Ready", "Blocked"), list(_kind_rows(subject))
    rows = [
        _row(
            change.action.label,
            code(change.name) + (f" (was {code(change.live_name)})" if change.action is Action.RENAME else ""),
            change.kind.label,
            code(change.unique_id),
            _what(change),
        )
        for change in _changes(subject)
    ]
    return _table_head("Action", "Source", "Kind", "dbt node", "What"), rows


def _kind_rows(subject: Subject) -> Iterable[str]:
    for kind in Kind:
        blocked = [source.blocked for source in subject.validation.sources if source.kind is kind]
        if blocked:
            ready = len(blocked) - sum(blocked)
            yield _row(f"{kind.label}s", f"{len(blocked):,}", f"{ready:,}", f"{sum(blocked):,}")


def _changes(subject: Subject) -> list[Change]:
    shown = [change for change in subject.changes if change.action in _ORDER]
    return sorted(shown, key=lambda change: _ORDER.index(change.action))


def _what(change: Change) -> str:
    origin = prose(change.origin.text, 300) if change.origin is not None else ""
    return " ".join(part for part in (_difference(change), origin) if part)


def _difference(change: Change) -> str:
    if change.action is Action.CREATE:
        return "new"
    if change.fields:
        names = ", ".join(code(field.field) for field in change.fields)
        return f"{names}: {prose(change.reason, 300)}" if change.action is Action.BLOCKED else names
    return prose(change.reason, 300)


def _table_head(*cells: str) -> str:
    return f"{_row(*cells)}\n{_row(*('---' for _ in cells))}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _detail(change: Change) -> str:
    fields = field_diffs(change)
    words = "" if change.action is Action.CREATE else f", {counted(len(fields), 'field')}"
    adopted = ", adopted" if change.adopted else ""
    summary = f"<b>{change.action.label}</b> {change.kind.label} {_html(change.name)}{words}{adopted}"
    return f"<details><summary>{summary}</summary>\n\n{diff_of(fields, limit=_LONGEST_DIFF)}\n\n</details>"


def _generated(change: Change) -> Iterable[str]:
    """The SQL that Statsig generates for a metric."""
    for unit, sql in change.generated:
        summary = f"Statsig's SQL for the metric {_html(change.live_name)}, unit {_html(unit)}"
        body = fenced(clipped(sql, _LONGEST_DIFF).splitlines(), "sql")
        yield f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _html(name: str) -> str:
    """A name as code inside of an HTML block, where Markdown is not read."""
    shown = code(name)
    return f"<code>{shown[1:-1]}</code>" if shown.startswith("`") else shown


# After a zero-width space neither @name nor #1 is a reference any more.
_PROSE = {
    **{character: f"&#{ord(character)};" for character in "&<>|`\\*[]{}~$!"},
    "@": "@&#8203;",
    "#": "#&#8203;",
}
_PROSE_TABLE = str.maketrans(_PROSE)
_CODE_TABLE = str.maketrans({character: f"&#{ord(character)};" for character in "&<>|`\\*_[]{}~$!@#:\"'"})
_PLAIN_CODE = re.compile(r"[\w .,/()=;:+-]*")
_FENCE = re.compile(r"`+")
# Inside of a word it means nothing: fct_orders.
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINK = re.compile(r"(?i)\b(https?|ftp)://|\bwww\.")


def prose(text: str, limit: int = 1_000) -> str:
    """The text as one line of plain words: no markup, mention, reference or link comes of it."""
    shown = clipped(" ".join(text.splitlines()), limit).translate(_PROSE_TABLE)
    shown = _EMPHASIS.sub("&#95;", shown)
    return _LINK.sub(lambda found: found[0].replace(":", "&#58;").replace(".", "&#46;"), shown)


def code(text: str, limit: int = 200) -> str:
    """The text as code in a line, safe in a table's cell too."""
    shown = clipped(text, limit)
    if not shown.strip():
        return ""
    if _PLAIN_CODE.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    return f"<code>{shown.translate(_CODE_TABLE)}</code>"


def fenced(lines: Iterable[str], language: str = "diff") -> str:
    """The lines as code in a fence that none of them can close."""
    body = "\n".join(map(one_line, lines))
    ticks = "`" * max(3, 1 + max((len(run) for run in _FENCE.findall(body)), default=0))
    return f"{ticks}{language}\n{body}\n{ticks}"


def diff_of(fields: Iterable[FieldDiff], *, limit: int) -> str:
    """Field after field as one fenced diff of at most about `limit` characters."""
    lines: list[str] = []
    room = limit
    for field in fields:
        lines.append(f"@@ {field.field} @@")
        for line in _lines(field):
            room -= len(line) + 1
            if room < 0:
                return fenced([*lines, "  (the rest is not shown)"])
            lines.append(line)
    return fenced(lines)


def _lines(field: FieldDiff) -> list[str]:
    if field.lines:
        return [_diff_line(line) for line in field.lines]
    return [f"- {field.before}", f"+ {field.after}"] if field.before else [f"+ {field.after}"]


def _diff_line(line: DiffLine) -> str:
    mark = " " if line.mark is Mark.FOLDED else line.mark.value
    text = f"({line.text})" if line.mark is Mark.FOLDED else line.text
    return f"{mark} {clipped(text, 500)}".rstrip()
