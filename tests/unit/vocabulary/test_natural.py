"""The order of names in lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.vocabulary.sources import natural


def test_numbers_count_by_their_value() -> None:
    """`exp_2` comes before `exp_10`, upper and lower case are alike, and a name before the one that it begins."""
    names = ["exp_10", "Exp_2", "exp", "exp_1 b", "exp_1 a", "10", "9", "exp_02"]
    assert sorted(names, key=natural) == ["9", "10", "exp", "exp_1 a", "exp_1 b", "Exp_2", "exp_02", "exp_10"]


@given(st.lists(st.text(alphabet="aA0129_é٣ ", max_size=8), unique=True))
def test_every_two_names_have_an_order(names: list[str]) -> None:
    """The order is the same whatever came first, and no two names count as equal."""
    ordered = sorted(names, key=natural)
    names.reverse()
    assert sorted(names, key=natural) == ordered
    assert len({natural(name) for name in names}) == len(names)
