"""A row's head: what it is, what happens to it in a line, who reads it, and how much is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.report.brief import MOST, briefs
from dbt_statsig.report.html.markup import prose, worded
from dbt_statsig.report.html.rows import EXPERIMENT, Group
from dbt_statsig.report.text.style import counted
from dbt_statsig.report.text.validation import tally
from dbt_statsig.vocabulary.changes import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.report.brief import Brief
    from dbt_statsig.report.html.rows import Row

_LONGEST = 180


def head(row: Row) -> str:
    """The markup of the head; the page's script reads its parts by their classes."""
    look = "good" if row.all_proven else "warn"
    proven = f"<i class={look}>{row.proven}</i>" if row.proven else ""
    return (
        f'<summary><span class="badge {row.tone}">{row.badge or row.state}</span>'
        f"<span class=who><b>{worded(row.name, 400)}</b> <span class=quiet>{worded(row.unique_id)}</span></span>"
        f"<span class=what>{''.join(_what(row))}</span>"
        f'<span class=meta><span class="kind {row.kind.value}">{row.kind.label}</span> {proven}</span></summary>'
    )


def _what(row: Row) -> Iterator[str]:
    if row.running:
        yield f'<span class="pill warn">{counted(row.running, "running experiment")}</span>'
    if row.group is Group.HELD:
        yield f'<span class="pill warn">{row.state}</span>'
    text = _sentence(row)
    if text:
        yield f"<span class=says>{prose(text, _LONGEST)}</span>"
    if row.change and row.group is not Group.ATTENTION:
        yield from _briefs(briefs(row.change, row.diffs))
    if row.findings and row.group is not Group.ATTENTION:
        yield f"<span class=says>{tally(row.findings)}</span>"


def _sentence(row: Row) -> str:
    """What is worth reading before the row is opened; empty where the changes speak for themselves."""
    if row.outcome and row.outcome.message:
        return row.outcome.message
    if row.left:
        return row.left.reason
    if row.group is Group.ATTENTION:
        worst = max(row.findings, key=lambda found: found.severity, default=None)
        return worst.message if worst else row.change.reason if row.change else ""
    if row.group is Group.AFFECTED:
        return next((found.message for found in row.effects if found.code != EXPERIMENT), "")
    if row.change and row.change.action in (Action.DELETE, Action.ARCHIVE):
        return row.change.reason
    return ""


def _briefs(found: list[Brief]) -> Iterator[str]:
    for one in found[:MOST]:
        yield f"<span class=f><b>{worded(one.label)}</b>{_values(one)}</span>"
    if len(found) > MOST:
        yield f"<span class=says>and {len(found) - MOST:,} more</span>"


def _values(one: Brief) -> str:
    if one.moves:
        return f" <del>{worded(one.gone)}</del> → <ins>{worded(one.new)}</ins>"
    new = f" <ins>+{worded(one.new)}</ins>" if one.new else ""
    return new + (f" <del>&minus;{worded(one.gone)}</del>" if one.gone else "")
