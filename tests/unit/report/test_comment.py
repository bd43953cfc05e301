"""A report as the text of a comment."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_statsig.comments.azure import AzureRepos
from dbt_statsig.comments.github import GitHub
from dbt_statsig.comments.gitlab import GitLab
from dbt_statsig.report.comment import MARKS, asks_for_something, comment_text

GOOD = "<!-- dbt-statsig -->\n<!-- dbt-statsig plan project=shop -->\n\n### ✅ Statsig: nothing to do\n"
BAD = GOOD.replace("✅ Statsig: nothing to do", "❌ Statsig: 1 error")
PLACES = (
    GitHub(address="", repository="", number=1),
    GitLab(address="", notes=""),
    AzureRepos(address="", threads=""),
)
LINES = st.lists(
    st.one_of(
        st.sampled_from(["```", "````sql", "<details><summary>x</summary>", "</details>", "/merge", "/close\r/merge"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    lines=LINES,
    key=st.text(st.characters(exclude_categories=()), max_size=20),
    place=st.sampled_from(PLACES),
    limit=st.integers(500, 2_000),
)
def test_any_report_fits(lines: list[str], key: str, place: GitHub | GitLab | AzureRepos, limit: int) -> None:
    """Whatever is in it, a comment is within the limit and begins with its two hidden lines."""
    report = GOOD + "\n".join(lines)
    text = comment_text(report, key=key, link="", limit=limit, written=place.written)
    whole = comment_text(report, key=key, link="", limit=10**6, written=place.written)
    assert len(text.encode("utf-16-le")) // 2 <= limit
    assert text.splitlines()[:MARKS] == whole.splitlines()[:MARKS]
    assert (text == whole) == (len(whole.encode("utf-16-le")) // 2 <= limit)
    assert place is not PLACES[1] or not re.search(r"(?m)^/\w", text.replace("\r", "\n"))


def test_what_fits_is_not_cut() -> None:
    """A text of exactly the limit is whole; one more character cuts it. Closed folds and fences stay so."""
    report = f"{GOOD}<details>a</details>\n```\nb\n```\nc\nd"
    whole = comment_text(report, key="", link="", limit=10_000, written=str)
    assert comment_text(report, key="", link="", limit=len(whole), written=str) == whole
    cut = comment_text(report + "e" * 300, key="", link="", limit=len(whole) + 200, written=str)
    assert cut.endswith("```\nb\n```\nc\n\n\nThe rest does not fit into a comment.\n")


def test_only_a_bad_verdict_asks_for_something() -> None:
    """The verdict's line counts, not a later heading."""
    assert [asks_for_something(report) for report in (BAD, GOOD, GOOD + "\n\n\n" + BAD)] == [True, False, False]
