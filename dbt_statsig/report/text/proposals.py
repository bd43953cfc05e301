"""What `init` proposes, as text."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dbt_statsig.report.escape import lines_of, no_commands, one_line
from dbt_statsig.report.text.style import Style, counted
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from dbt_statsig.vocabulary.imports import FirstBlocks, Proposed

PLAIN = Style()
_LOOKS = {"+": "add", "-": "remove", "@": "note"}
_TITLES = {
    Kind.ASSIGNMENT_SOURCE: "Exposures",
    Kind.METRIC_SOURCE: "Events",
    Kind.QUALIFYING_EVENT: "Qualifying events",
    Kind.ENTITY_PROPERTY_SOURCE: "Users",
}


def init_text(result: FirstBlocks, style: Style = PLAIN) -> str:
    """The proposed block as a change of its file, or the models that look like sources; then the next step."""
    lines = _candidates(result, style) if result.proposed is None else _proposed(result.proposed, style)
    return no_commands("\n".join(lines) + "\n")


def _candidates(result: FirstBlocks, style: Style) -> list[str]:
    lines: list[str] = []
    order = list(Kind)
    found = sorted(result.candidates, key=lambda one: (order.index(one.kind), one.unique_id))
    width = max((len(one_line(one.name)) for one in found), default=0)
    for kind, group in groupby(found, key=lambda one: one.kind):
        lines.append(style.color(f"{_TITLES[kind]} ({kind.label})", "heading"))
        for one in group:
            lines += style.folded(f"  {one_line(one.name):<{width}}  {one_line(one.why)}", hang=4)
        lines.append("")
    if result.unread:
        sentence = (
            f"Columns are not known for {counted(result.unread, 'model')}: run `dbt compile`, or `dbt docs generate`."
        )
        lines += style.wrap(sentence, indent=0)
    if not found:
        lines.append("No model looks like exposures, events or users.")
        return [*lines, *style.fix("Choose a model: `dbt-statsig init MODEL --kind KIND`.", indent=0)]
    return [*lines, *style.fix("See a block with `dbt-statsig init MODEL`.", indent=0)]


def _proposed(one: Proposed, style: Style) -> list[str]:
    made = one.guess
    why = f"{one_line(one.unique_id)}: {made.kind.label} ({one_line(made.why)})"
    lines = [style.color(why, "heading"), ""]
    if one.diff:
        shown = lines_of(one.diff.removesuffix("\n"))
        lines += [style.color(line, _LOOKS[line[:1]]) if line[:1] in _LOOKS else line for line in shown]
        lines.append("")
    for key, hint in made.missing.items():
        options = f" Perhaps {hint}." if hint else ""
        lines += style.wrap(f"No column is certain for `{key}`.{options}", indent=0)
    if one.refusal:
        lines += style.wrap(one.refusal, indent=0)
    for found in one.findings:
        if found.severity > Severity.NOTE:
            lines += style.wrap(found.message, indent=0, first=f"{found.severity.label}: ")
            lines += style.fix(found.fix, indent=2)
    return [*lines, *style.fix(_next(one), indent=0)]


def _next(one: Proposed) -> str:
    if one.written:
        return f"Written to {one.path}. Run `dbt compile`, then `dbt-statsig validate`."
    if one.guess.missing:
        return "Add the block by hand with these keys; nothing is written while one is missing."
    if one.refusal:
        return "Add the block by hand."
    if any(found.severity is Severity.ERROR for found in one.findings):
        return "Choose other columns by hand; nothing is written while the block has errors."
    return "Check the guesses, then run it again with --write."
