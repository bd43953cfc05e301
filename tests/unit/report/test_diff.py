"""Line diffs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.report.diff import MOST_LINES, DiffLine, Mark, diff_lines

LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30)


def _side(lines: list[DiffLine], mark: Mark) -> list[str]:
    return [line.text for line in lines if line.mark in (mark, Mark.SAME)]


@given(LINES, LINES)
def test_an_unfolded_diff_holds_both_texts(before: list[str], after: list[str]) -> None:
    """The kept and removed lines are the old text, the kept and added ones the new."""
    lines = diff_lines(before, after, context=1000)
    assert _side(lines, Mark.REMOVED) == before or before == after
    assert _side(lines, Mark.ADDED) == after or before == after


@given(LINES, LINES)
def test_a_folded_diff_shows_every_change(before: list[str], after: list[str]) -> None:
    """Folding hides equal lines only."""
    marks = {Mark.ADDED, Mark.REMOVED}
    folded = [line for line in diff_lines(before, after) if line.mark in marks]
    assert folded == [line for line in diff_lines(before, after, context=1000) if line.mark in marks]


def test_folding() -> None:
    """Long equal stretches are folded to a count, two lines around each change stay."""
    before = [str(number) for number in range(20)]
    after = [*before[:10], "new", *before[10:]]
    shown = [f"{line.mark.value}{line.text}" for line in diff_lines(before, after)]
    assert shown == ["⋮8 unchanged lines", " 8", " 9", "+new", " 10", " 11", "⋮8 unchanged lines"]


def test_a_single_line_is_not_folded() -> None:
    """A fold that would hide one line only is not worth its own line."""
    assert [line.mark for line in diff_lines(["a", "b", "c"], ["a", "b", "c", "d"])] == [*[Mark.SAME] * 3, Mark.ADDED]


def test_huge_texts_are_compared_from_both_ends() -> None:
    """Texts too long for a full comparison show the middle as replaced, the ends as equal."""
    before = [f"line {number}" for number in range(MOST_LINES + 1)]
    after = [*before[:500], "new", *before[501:]]
    shown = [f"{line.mark.value}{line.text}" for line in diff_lines(before, after)]
    assert shown[3:5] == ["-line 500", "+new"]
    assert len(shown) == 8


def test_huge_texts_that_grow() -> None:
    """A huge text that only grew shows the new lines alone, even where lines repeat."""
    before = ["same"] * (MOST_LINES + 1)
    changed = [line for line in diff_lines(before, [*before, "same", "new"]) if line.mark is not Mark.SAME]
    assert [line.mark for line in changed] == [Mark.FOLDED, Mark.ADDED, Mark.ADDED]
