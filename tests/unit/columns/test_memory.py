"""Tests of what is kept of reading SQL from run to run."""

from __future__ import annotations

import sys
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_statsig.columns import memory as module
from dbt_statsig.columns.items import (
    AliasColumns,
    Anonymous,
    Distinct,
    Drop,
    Group,
    Item,
    Name,
    Once,
    Opaque,
    Rename,
    Shape,
    Star,
)
from dbt_statsig.columns.memory import Memory, key_of, memory_of
from dbt_statsig.vocabulary.adapters import adapter_for

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
OPS = st.tuples(
    st.one_of(
        st.builds(Drop, st.frozensets(TEXT), st.booleans()),
        st.builds(Once, st.frozensets(TEXT)),
        st.builds(Rename, st.tuples(st.tuples(TEXT, TEXT))),
        st.builds(AliasColumns, st.tuples(TEXT), st.booleans()),
        st.just(Distinct()),
    )
)
LEAVES: st.SearchStrategy[Item] = st.one_of(
    st.builds(Name, TEXT), st.builds(Anonymous, TEXT), st.builds(Opaque, TEXT), st.builds(Star, st.tuples(TEXT), OPS)
)


def _grouped(inner: st.SearchStrategy[Item]) -> st.SearchStrategy[Item]:
    return st.builds(Group, st.sampled_from(["concat", "by_name"]), st.tuples(st.tuples(inner, inner)), st.just(2), OPS)


SHAPE = Shape(items=(Name("a"), Star(("t",), (Drop(frozenset({"b"})),))))


def kept(path: Path) -> bytes:
    """A file of one entry, its key."""
    key = key_of("shape", "select 1")
    memory = Memory(path)
    memory.keep(key, SHAPE)
    memory.save()
    return key


@settings(max_examples=60)
@given(st.lists(st.recursive(LEAVES, _grouped, max_leaves=6), max_size=4))
def test_any_shape_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, items: list[Item]) -> None:
    """Whatever a query gives is the same after it was written and read."""
    path = tmp_path_factory.getbasetemp() / "shapes"
    path.unlink(missing_ok=True)
    memory = Memory(path)
    memory.keep(b"key", Shape(items=tuple(items)))
    memory.save()
    assert Memory(path).recall(b"key", Shape) == Shape(items=tuple(items))


def test_nothing_is_kept_before_it_is_saved(tmp_path: Path) -> None:
    """An entry is there at once, and on disk after `save`, for its owner's eyes only."""
    path = tmp_path / "deep" / "file"
    memory = Memory(path)
    memory.keep(b"key", SHAPE)
    assert memory.recall(b"key", Shape) == SHAPE
    assert not path.exists()
    memory.save()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_an_unchanged_memory_is_not_written(tmp_path: Path) -> None:
    """A run that reads nothing new leaves the file as it is."""
    key = kept(tmp_path / "file")
    before = (tmp_path / "file").stat().st_mtime_ns
    memory = Memory(tmp_path / "file")
    assert memory.recall(key, Shape) == SHAPE
    memory.save()
    assert (tmp_path / "file").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-1],
        lambda content: content[:20] + bytes([content[20] ^ 1]) + content[21:],
        lambda _: b"",
        lambda _: b"not ours at all",
    ],
)
def test_a_damaged_file_counts_as_empty(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """A file with a single wrong bit is read again, and can be written again."""
    path = tmp_path / "file"
    key = kept(path)
    path.write_bytes(spoil(path.read_bytes()))
    memory = Memory(path)
    assert memory.recall(key, Shape) is None
    memory.keep(key, SHAPE)
    memory.save()
    assert Memory(path).recall(key, Shape) == SHAPE


def test_a_file_of_another_form_counts_as_empty(tmp_path: Path) -> None:
    """A file that is whole but holds something else is no reason to fail."""
    path = tmp_path / "file"
    body = b"\xc0"
    path.write_bytes(blake2b(body, digest_size=16).digest() + body)
    assert Memory(path).recall(b"key", Shape) is None


def test_an_entry_of_another_type_is_not_taken(tmp_path: Path) -> None:
    """What cannot be what is asked for is as if it were not there."""
    memory = Memory(tmp_path / "file")
    memory.keep(b"key", 7)
    assert memory.recall(b"key", Shape) is None


def test_other_code_remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of this program or of sqlglot kept is not taken."""
    key = kept(tmp_path / "file")
    monkeypatch.setattr(module, "__version__", "999")
    assert Memory(tmp_path / "file").recall(key, Shape) is None


def test_without_sqlglots_version_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the parser's version is unknown, every run reads again."""
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    kept(tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_a_folder_that_takes_nothing_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Where nothing can be written, the run goes on."""
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    kept(tmp_path / "taken" / "file")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "a file"


def test_a_full_memory_keeps_what_was_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit only what this run used stays; where that is too much itself, the old file does."""
    path = tmp_path / "file"
    old = Memory(path)
    old.keep(b"old", Shape(items=(Name("x" * 100),)))
    old.save()
    monkeypatch.setattr(module, "MAX_BYTES", 120)
    new = Memory(path)
    new.keep(b"new", SHAPE)
    new.save()
    assert Memory(path).recall(b"old", Shape) is None
    assert Memory(path).recall(b"new", Shape) == SHAPE
    new.keep(b"huge", Shape(items=(Name("x" * 200),)))
    new.save()
    assert Memory(path).recall(b"huge", Shape) is None


def test_keys_tell_texts_and_adapters_apart() -> None:
    """The same text of another adapter has another key; a text without a UTF-8 form has one too."""
    rules = [adapter_for(name) for name in ("postgres", "snowflake")]
    texts = ["select 1", "select 2", "select '\ud800'", "select '\udfff'"]
    keys = {key_of("shape", adapter, text) for adapter in rules for text in texts}
    assert len(keys) == len(rules) * len(texts)
    assert key_of("p", frozenset({"a", "b"})) == key_of("p", frozenset({"b", "a"}))


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"HOME": "/h"}, "/h/.cache"),
        ("linux", {"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x"),
        ("linux", {"HOME": "/h", "XDG_CACHE_HOME": "x"}, "/h/.cache"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Caches"),
        ("win32", {"USERPROFILE": "/u", "LOCALAPPDATA": "/l"}, "/l"),
    ],
)
def test_the_place(monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], folder: str) -> None:
    """The file is in the user's own folder for caches, one for each folder of manifests."""
    monkeypatch.setattr(sys, "platform", platform)
    memories = [memory_of(Path(name), environ) for name in ("/a/m.json", "/a/n.json", "/b/m.json")]
    one, same, other = (memory.path for memory in memories if memory)
    assert one.parent == Path(folder) / "dbt-statsig"
    assert one == same
    assert one != other


def test_no_place() -> None:
    """Where the environment tells no folder of the user's, nothing is kept; not in the current folder either."""
    assert memory_of(Path("/a/m.json"), {}) is None
