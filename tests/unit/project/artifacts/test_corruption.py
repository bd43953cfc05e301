"""Property tests: damaged files give ArtifactError or an answer, and nothing else."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.errors import ArtifactError
from dbt_statsig.project.artifacts import Catalog, Manifest, RunResults
from tests.unit.project.artifacts.build import MARK, catalog_bytes, manifest_bytes, node

COLUMN = {"name": "id", "config": {"meta": MARK, "tags": ["x"]}}
MANIFEST = manifest_bytes(
    node("model.shop.a", config={"meta": MARK}, columns={"id": COLUMN}),
    node("source.shop.raw.t", meta=MARK),
    node("test.shop.t", meta=MARK),
    disabled={"model.shop.off": [node("model.shop.off", meta=MARK)]},
    exposures={"exposure.shop.e": node("exposure.shop.e", meta=MARK)},
)
CATALOG = catalog_bytes({"model.shop.a": {"id": {"name": "id", "type": "int", "index": 1}}})

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


READERS: tuple[Callable[[bytes], RunResults | Catalog | Manifest], ...] = (
    RunResults.from_bytes,
    Catalog.from_bytes,
    Manifest.from_bytes,
)


def _questions(read: RunResults | Catalog | Manifest) -> list[tuple[Callable[[], Any], type]]:
    """What is asked of a file, each with the type of the answer."""
    if isinstance(read, RunResults):
        return [(read.succeeded, frozenset)]
    if isinstance(read, Catalog):
        return [(lambda: read.columns("model.shop.a") or (), tuple)]
    return [
        (read.marked, tuple),
        (read.unsupported_marked, tuple),
        (read.summaries, Mapping),
        (lambda: read.compiled, tuple),
    ]


def _answer(question: Callable[[], Any]) -> Any:
    """The answer, or the ArtifactError in its place: one that can be shown and names the next step."""
    try:
        return question()
    except ArtifactError as error:
        _helps(error)
        return error


def _helps(error: ArtifactError) -> None:
    assert error.message.isprintable()
    assert error.fix


def assert_answers(data: bytes) -> None:
    """Read the bytes as each file and ask all of it: answers of the right types, or an error that helps."""
    for reader in READERS:
        read = _answer(partial(reader, data))
        if not isinstance(read, ArtifactError):
            for question, kind in _questions(read):
                assert isinstance(_answer(question), (kind, ArtifactError))


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Bytes of any kind are none of dbt's files: each reader says so with an ArtifactError, and raises nothing else."""
    for content in (data, b"\x1f\x8b" + data):
        for reader in READERS:
            with pytest.raises(ArtifactError) as caught:
                reader(content)
            _helps(caught.value)


@given(
    good=st.sampled_from([MANIFEST, CATALOG, gzip.compress(MANIFEST)]),
    place=st.floats(0, 1),
    cut=st.integers(0, 30),
    put=st.binary(max_size=10),
)
def test_good_files_with_a_hole(good: bytes, place: float, cut: int, put: bytes) -> None:
    """A good file with some bytes cut out or put in never raises anything but ArtifactError."""
    start = int(place * len(good))
    assert_answers(good[:start] + put + good[start + cut :])


@given(
    field=st.sampled_from(
        ["name", "config", "meta", "tags", "columns", "depends_on", "version", "fqn", "package_name"]
    ),
    value=JSON,
)
def test_nodes_with_foreign_values(field: str, value: Any) -> None:
    """A node with any JSON value in any field never raises anything but ArtifactError."""
    raw = node("model.shop.a", meta=MARK)
    raw[field] = value
    assert_answers(manifest_bytes(raw, disabled=value))


def test_the_good_files_are_good() -> None:
    """The files that the other tests damage can be read."""
    manifest = Manifest.from_bytes(MANIFEST)
    assert [found.unique_id for found in manifest.marked()] == ["model.shop.a", "model.shop.off", "source.shop.raw.t"]
    assert [found.unique_id for found in manifest.unsupported_marked()] == ["exposure.shop.e", "test.shop.t"]
    assert Catalog.from_bytes(CATALOG).columns("model.shop.a")
