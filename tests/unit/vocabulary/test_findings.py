"""Words that messages share."""

from __future__ import annotations

import pytest

from dbt_statsig.vocabulary.findings import listed


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (list("ab"), "a, b"),
        (list("abc"), "a, b and 1 more"),
        (["a"] * 1_002, "a, a and 1,000 more"),
    ],
)
def test_listed(names: list[str], text: str) -> None:
    """A long list is cut, and says how many names are left out."""
    assert listed(names, most=2) == text
