"""Two texts line by line, with long equal stretches folded. Pure."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from dbt_statsig.report.escape import clipped
from dbt_statsig.report.text.style import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT = 2
LONGEST_LINE = 500
# Above this many lines a full comparison costs more than it tells; the middle is then shown as replaced.
MOST_LINES = 1000
# The same of pairs of equal lines: a text of one line, a thousand times, would take minutes.
MOST_PAIRS = 20_000


class Mark(str, Enum):
    """What a line of a diff is."""

    ADDED = "+"
    REMOVED = "-"
    SAME = " "
    FOLDED = "⋮"


class DiffLine(Struct, frozen=True, gc=False):
    """One line; for a folded stretch the text says how many lines it hides."""

    mark: Mark
    text: str


def _folded(lines: list[str], *, head: int, tail: int) -> list[DiffLine]:
    hidden = len(lines) - head - tail
    if hidden <= 1:
        return [DiffLine(Mark.SAME, line) for line in lines]
    return [
        *(DiffLine(Mark.SAME, line) for line in lines[:head]),
        DiffLine(Mark.FOLDED, f"{hidden:,} unchanged lines"),
        *(DiffLine(Mark.SAME, line) for line in lines[len(lines) - tail :]),
    ]


def _pairs(before: list[str], after: list[str]) -> int:
    counted = Counter(after)
    return sum(counted[line] for line in before)


def _opcodes(before: list[str], after: list[str]) -> list[tuple[str, int, int, int, int]]:
    if max(len(before), len(after)) <= MOST_LINES and _pairs(before, after) <= MOST_PAIRS:
        return list(SequenceMatcher(None, before, after, autojunk=False).get_opcodes())
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    tail = next((at for at in range(shorter - head) if before[-1 - at] != after[-1 - at]), shorter - head)
    return [
        ("equal", 0, head, 0, head),
        ("replace", head, len(before) - tail, head, len(after) - tail),
        ("equal", len(before) - tail, len(before), len(after) - tail, len(after)),
    ]


def diff_lines(before: list[str], after: list[str], *, context: int = CONTEXT) -> list[DiffLine]:
    """All changed lines with `context` equal lines around each change; the equal rest is folded."""
    result: list[DiffLine] = []
    opcodes = _opcodes(before, after)
    for position, (operation, i1, i2, j1, j2) in enumerate(opcodes):
        if operation == "equal":
            head = context if position else 0
            tail = context if position < len(opcodes) - 1 else 0
            result += _folded(before[i1:i2], head=head, tail=tail)
            continue
        result += [DiffLine(Mark.REMOVED, line) for line in before[i1:i2]]
        result += [DiffLine(Mark.ADDED, line) for line in after[j1:j2]]
    return result


def cut(lines: Sequence[DiffLine], share: int, *, longest: int = LONGEST_LINE) -> Sequence[DiffLine]:
    """As many of the lines as have room in `share` characters, and how many have not."""
    lengths = [len(line.text) for line in lines]
    if not lengths or (max(lengths) <= longest and sum(lengths) + 4 * len(lengths) <= share):
        return lines
    found: list[DiffLine] = []
    for index, line in enumerate(lines):
        text = line.text if len(line.text) <= longest else clipped(line.text, longest)
        share -= len(text) + 4
        if share < 0 and index:
            return [*found, DiffLine(Mark.FOLDED, counted(len(lines) - index, "more line"))]
        found.append(DiffLine(line.mark, text))
    return found
