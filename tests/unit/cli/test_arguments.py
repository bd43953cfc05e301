"""What is read from raw arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.cli.app import spread_lists, wanted_form

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
    ("arguments", "expected"),
    [
        (["plan", "--output", "json"], "json"),
        (["plan", "--output=github", "--nonsense"], "github"),
        (["plan", "--output", "json", "--output", "text"], "text"),
        (["plan", "json"], "text"),
        (["plan", "--output"], ""),
        (["run", "--", "dbt", "ls", "--output", "json"], "text"),
        ([], "text"),
    ],
)
def test_wanted_form(arguments: list[str], expected: str) -> None:
    """The form is what the last `--output` says, in either spelling; text where nobody says anything."""
    assert wanted_form(arguments) == expected
