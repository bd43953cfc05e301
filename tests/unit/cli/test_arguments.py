"""What is read from raw arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.cli.arguments import spread_lists, wants_json

WORDS = st.lists(st.sampled_from(["--select", "-s", "--kind", "--check", "--output", "a", "b", "plan"]), max_size=12)


@pytest.mark.parametrize(
    ("given_arguments", "expected"),
    [
        ("plan --select a b", "plan --select a --select b"),
        ("plan -s a b --exclude c d --check", "plan -s a -s b --exclude c --exclude d --check"),
        ("plan --select a --output json", "plan --select a --output json"),
        ("plan --select=a", "plan --select=a"),
        ("schema settings", "schema settings"),
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
        (["plan", "--output", "json"], True),
        (["plan", "--output=json", "--nonsense"], True),
        (["plan", "--output", "text"], False),
        (["plan", "json"], False),
        (["plan", "--output"], False),
        ([], False),
    ],
)
def test_wants_json(arguments: list[str], expected: bool) -> None:  # noqa: FBT001 - pytest passes it by name
    """JSON is asked for by `--output json`, in either spelling."""
    assert wants_json(arguments) is expected
