"""A reload as text: each experiment with its load and the reasons, and the sums."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dbt_statsig.report.escape import no_commands, one_line
from dbt_statsig.report.text.style import Style, counted
from dbt_statsig.vocabulary.reloads import Refresh, ReloadState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt_statsig.vocabulary.reloads import ExperimentReload, Reloaded

PLAIN = Style()
_MINUTE = 60
_GOOD = frozenset({ReloadState.PLANNED, ReloadState.STARTED, ReloadState.SUCCEEDED})
_IDLE = frozenset({ReloadState.CURRENT, ReloadState.UNDER_WAY, ReloadState.HELD})
_SIGNS = {ReloadState.SUCCEEDED: "✓", ReloadState.PLANNED: "→", ReloadState.STARTED: "→"}


def reload_text(reloaded: Reloaded, style: Style = PLAIN) -> str:
    """Every experiment with what became of it and why, and the sums."""
    return no_commands("\n".join(reload_lines(reloaded, style)) + "\n")


def reload_lines(reloaded: Reloaded, style: Style) -> list[str]:
    """The same as lines."""
    lines: list[str] = []
    for one in reloaded.experiments:
        if not (style.quiet and one.state is ReloadState.CURRENT):
            lines += _experiment(one, style)
    lines += [""] if lines else []
    for text in filter(None, (reloaded.stopped, reloaded.refused)):
        lines += style.wrap(text, indent=0)
    lines += [style.color(line, "heading") for line in style.wrap(summary(reloaded), indent=0)]
    if reloaded.refused:
        lines += style.fix(
            "See the list with `dbt-statsig reload --dry-run`, then run `dbt-statsig reload` with --most N or --force.",
            indent=2,
        )
    return lines


def summary(reloaded: Reloaded) -> str:
    """The sums in one sentence."""
    counts = Counter(one.state for one in reloaded.experiments)
    parts = [f"{counts[state]:,} {state.value}" for state in ReloadState if counts[state]]
    if reloaded.stopped and not counts:
        return "Nothing was started."
    if reloaded.refused:
        return f"Nothing was started: {', '.join(parts)}."
    if not set(counts) - _IDLE:
        return f"Nothing to reload{': ' if parts else ''}{', '.join(parts)}."
    if reloaded.dry_run:
        return f"Dry run, nothing was started: {', '.join(parts)}."
    return f"{counted(len(reloaded.experiments), 'experiment')}: {', '.join(parts)}."


def ending(one: ExperimentReload) -> str:
    """What became of the experiment, and in which time: `loaded in 3 min`."""
    took = None if one.state in _IDLE or one.load is None else one.load.seconds
    return f"{one.state.value}{'' if took is None else f' in {_duration(took)}'}"


def remarks(one: ExperimentReload, *, arrow: str = "→", brief: bool = False) -> Iterator[str]:
    """What there is to say of it beside the next step; in `brief` without the reasons for a load."""
    if not brief or one.state is ReloadState.HELD:
        yield from one.reasons
    if one.refresh is Refresh.METRIC and one.metric_ids and not brief:
        yield f"metrics: {', '.join(one.metric_ids)}"
    yield from filter(None, [one.message])
    for source in one.failing:
        place = "".join(f" {arrow} {part}" for part in (source.unique_id, source.path) if part)
        yield f'failed at metric source "{source.metric_source}"{place}'


def _experiment(one: ExperimentReload, style: Style) -> Iterator[str]:
    look = "good" if one.state in _GOOD else "quiet" if one.state in _IDLE else "error"
    sign = style.color(style.glyph(_SIGNS.get(one.state, "·" if one.state in _IDLE else "✗")), look)
    kind = f" ({one.refresh.value})" if one.refresh and one.state not in _IDLE else ""
    yield from style.wrap(f"{sign} {one_line(one.name)}{kind}: {ending(one)}", indent=0)
    for remark in remarks(one, arrow=style.glyph("→"), brief=style.quiet):
        yield from style.wrap(remark, indent=4)
    if one.permalink and one.state not in _GOOD | _IDLE:
        yield f"    {one_line(one.permalink)}"
    yield from style.fix(one.fix, indent=4)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.0f} min"
