"""The arguments of macros, as YAML and Jinja give them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.dbt_runtime.call import kinds, names, switch, words
from dbt_statsig.errors import UsageError
from dbt_statsig.vocabulary.sources import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def test_words_and_names() -> None:
    """A selection is parted by blanks, a name is not; both come as a text or as a list."""
    assert words("a b", "select") == words(["a", "b"], "select") == ["a", "b"]
    assert words(None, "select") == []
    assert names("a b", "adopt") == {"a b"}
    assert names(["a b", "c"], "adopt") == {"a b", "c"}
    assert names(None, "adopt") == frozenset()


def test_kinds() -> None:
    """Kinds come by their names, and a wrong one is reported with the nearest, or with all."""
    assert kinds("metric_source qualifying_event") == {Kind.METRIC_SOURCE, Kind.QUALIFYING_EVENT}
    assert kinds(None) == frozenset()
    with pytest.raises(UsageError, match="Choose one of: assignment_source"):
        kinds("zzz")


@pytest.mark.parametrize(
    ("value", "meaning"), [(True, True), ("True", True), ("false", False), (None, False), ("", False), (False, False)]
)
def test_switches(value: object, meaning: bool) -> None:  # noqa: FBT001 - a table's column
    """The words that YAML and Jinja give for yes and no are understood."""
    assert switch(value, "strict") is meaning


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (names, [1], "`x` takes a name or a list of names."),
        (switch, "perhaps", "`x` takes true or false."),
        (words, {"a": 1}, "`x` takes a string or a list of strings."),
    ],
)
def test_a_wrong_value(read: Callable[[object, str], object], value: object, message: str) -> None:
    """A value of another type is refused with what the argument takes."""
    with pytest.raises(UsageError) as refusal:
        read(value, "x")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    "read",
    [lambda value: words(value, "x"), lambda value: names(value, "x"), lambda value: switch(value, "x"), kinds],
    ids=["words", "names", "switch", "kinds"],
)
@given(value=ANYTHING)
def test_any_value_is_taken_or_refused(read: Callable[[object], object], value: object) -> None:
    """Whatever a macro is given is understood, or refused as an error of usage."""
    with contextlib.suppress(UsageError):
        assert read(value) is not None
