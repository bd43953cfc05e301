"""Tests of selection: the syntax, the graph operators and what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.errors import UsageError
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.selection.selecting import Selection, select
from tests.unit.project.artifacts.build import manifest_bytes, node

#  source raw.t → a → b → c, and b → test; seed s → c
MANIFEST = Manifest.from_bytes(
    manifest_bytes(
        node("source.shop.raw.t"),
        node("seed.shop.s", tags=["slow"]),
        node("model.shop.a", depends_on={"nodes": ["source.shop.raw.t"]}, tags=["daily"]),
        node("model.shop.b", depends_on={"nodes": ["model.shop.a", "model.gone.x"]}, tags=["daily", "slow"]),
        node("model.shop.c", depends_on={"nodes": ["model.shop.b", "seed.shop.s"]}),
        node("test.shop.not_null_b", depends_on={"nodes": ["model.shop.b"]}),
    )
)
ALL = {"source.shop.raw.t", "seed.shop.s", "model.shop.a", "model.shop.b", "model.shop.c"}


def _short(selection: Selection) -> str:
    return " ".join(sorted(unique_id.rsplit(".", 1)[-1] for unique_id in selection.unique_ids))


def test_nothing_selected_is_everything() -> None:
    """Without words all models, snapshots, seeds and source tables are selected, and no tests."""
    assert select(MANIFEST, [], []) == Selection(unique_ids=frozenset(ALL))
    assert select(MANIFEST, [" "], [""]).unique_ids == ALL


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("b", "b"),
        ("+b", "a b t"),
        ("1+b", "a b"),
        ("0+b", "b"),
        ("b+", "b c"),
        ("a+1", "a b"),
        ("1+b+1", "a b c"),
        ("+c", "a b c s t"),
        ("1+not_null_b", "b"),
        ("source:raw+1", "a t"),
        ("a c", "a c"),
        ("tag:daily,tag:slow", "b"),
        ("tag:daily,b c", "b c"),
        ("+b,a+", "a b"),
    ],
)
def test_operators(words: str, expected: str) -> None:
    """Blanks add up, commas narrow down, and + with a depth walks the graph."""
    assert _short(select(MANIFEST, [words], [])) == expected


def test_values_given_one_by_one_add_up() -> None:
    """Repeated values are the same as one value with blanks."""
    assert _short(select(MANIFEST, ["a", "c"], [])) == "a c"


def test_exclusion_takes_away() -> None:
    """What is excluded is taken from what is selected, or from everything."""
    assert _short(select(MANIFEST, ["+c"], ["tag:slow", "source:raw"])) == "a c"
    assert _short(select(MANIFEST, [], ["b+"])) == "a s t"


def test_words_without_match_are_reported() -> None:
    """Words that match no source, included or excluded, are listed once, and the rest goes on."""
    found = select(MANIFEST, ["a", "nobody", "tag:none,a", "not_null_b", "nobody"], ["nothing"])
    assert _short(found) == "a"
    assert found.unmatched == ("nobody", "tag:none,a", "not_null_b", "nothing")


@pytest.mark.parametrize(
    "word",
    [
        "state:modified+",
        "result:error",
        "source_status:fresher+",
        "selector:nightly",
        "test_type:unit",
        "test_name:unique",
        "group:finance",
        "access:public",
        "version:latest",
        "exposure:board",
        "a,metric:m",
        "tag.x:y",
        "config:table",
        "1+state.x:modified",
    ],
)
def test_other_methods_are_refused_by_name(word: str) -> None:
    """A method that a manifest cannot answer is refused; the message has the word, the fix what can be used."""
    with pytest.raises(UsageError) as caught:
        select(MANIFEST, ["a", word], [])
    assert f'"{word}"' in caught.value.message
    assert "manifest alone" in caught.value.message
    for method in ("tag:", "path:", "config.<key>:", "source:"):
        assert method in caught.value.fix


def test_misspelled_method_gets_a_suggestion() -> None:
    """A method that is nearly one of ours gets its name suggested."""
    with pytest.raises(UsageError, match=r'"tags:" in "tags:daily"') as caught:
        select(MANIFEST, [], ["tags:daily"])
    assert 'Did you mean "tag"?' in caught.value.fix


def test_at_operator_is_refused() -> None:
    """The operator that takes the parents of all children is refused by name."""
    with pytest.raises(UsageError, match='"@" in "@a"'):
        select(MANIFEST, ["@a"], [])


@pytest.mark.parametrize("word", ["+", "tag:", "a,", "1+", "path:"])
def test_words_that_name_nothing_are_refused(word: str) -> None:
    """An operator, comma or method without a value is a mistake, not an empty selection."""
    with pytest.raises(UsageError, match="does not name anything"):
        select(MANIFEST, [word], [])


def test_cycle_in_a_manifest_made_by_hand_ends() -> None:
    """Walking a graph that runs in a circle ends."""
    manifest = Manifest.from_bytes(
        manifest_bytes(
            node("model.shop.a", depends_on={"nodes": ["model.shop.b"]}),
            node("model.shop.b", depends_on={"nodes": ["model.shop.a"]}),
        )
    )
    assert _short(select(manifest, ["+a"], [])) == "a b"


PIECES = st.text(alphabet="abc.*?[]+,:@/\\12 -_\n\0é!", max_size=12) | st.sampled_from(
    ["tag:", "path:", "source:", "**/"]
)


@given(st.lists(PIECES, max_size=4).map("".join))
def test_any_word_gives_a_selection_or_a_usage_error(word: str) -> None:
    """Whatever is typed, the answer is a selection of sources or a UsageError, and nothing else."""
    with contextlib.suppress(UsageError):
        assert select(MANIFEST, [word], [word]).unique_ids == (set() if word.strip() else ALL)
