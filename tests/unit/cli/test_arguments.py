"""What is read from raw arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.cli.app import given as options_of
from dbt_statsig.cli.app import spread_lists

WORDS = st.lists(st.sampled_from(["--select", "-s", "--kind", "--check", "--output", "a", "b", "plan"]), max_size=12)


@pytest.mark.parametrize(
    ("given_arguments", "expected"),
    [
        ("plan --select a b", "plan --select a --select b"),
        ("plan -s a b --exclude c d --check", "plan -s a -s b --exclude c --exclude d --check"),
        ("plan --select a --output json", "plan --select a --output json"),
        ("plan --select=a", "plan --select=a"),
        ("schema settings", "schema settings"),
        ("run --kind a b -- dbt run --select a b", "run --kind a --kind b -- dbt run --select a b"),
    ],
)
def test_spread_lists(given_arguments: str, expected: str) -> None:
    """Values after one list option become one option each; nothing else moves."""
    assert spread_lists(given_arguments.split()) == expected.split()


@given(WORDS)
def test_spreading_twice_is_spreading_once(arguments: list[str]) -> None:
    """What is spread already stays as it is."""
    once = spread_lists(arguments)
    assert spread_lists(once) == once


@given(WORDS)
def test_spreading_only_adds_list_options(arguments: list[str]) -> None:
    """Every argument is kept, in order."""
    remaining = iter(spread_lists(arguments))
    assert all(argument in remaining for argument in arguments)


@pytest.mark.parametrize(
    ("arguments", "form", "reports"),
    [
        (["plan", "--output", "json"], "json", None),
        (["plan", "--output=github", "--nonsense", "--report=json:x"], "github", ["json:x"]),
        (["plan", "--nonsense", "x", "--report", "json:x", "y", "--report", "z"], None, ["json:x", "z"]),
        (["plan", "--output", "json", "--output", "text"], "text", None),
        (["plan", "--select", "--output", "json"], None, None),
        (["plan", "json"], None, None),
        (["plan", "--report", "json:x", "--output"], None, ["json:x"]),
        (["run", "--output", "json", "--", "dbt", "ls", "--output", "text"], "json", None),
        (["schema", "--output", "json"], "json", None),
        (["paln", "--output", "json"], "json", None),
        ([], None, None),
    ],
)
def test_options_of_a_line_that_makes_no_sense(
    arguments: list[str], form: str | None, reports: list[str] | None
) -> None:
    """Form and reports are found in either spelling, the last form counts, and a value of another option is none."""
    found = options_of(arguments)
    assert (found.get("output"), found.get("reports")) == (form, reports)
