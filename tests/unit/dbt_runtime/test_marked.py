"""Which of dbt's node objects concern us, in the shapes that its versions give them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dbt_statsig.dbt_runtime.manifest import is_marked, marked_nodes, resource_type

MARK = {"statsig": {"metric_source": {"name": "Orders"}}}


def node(**fields: Any) -> SimpleNamespace:
    """One of dbt's objects."""
    return SimpleNamespace(**fields)


@pytest.mark.parametrize(
    "marked",
    [
        node(meta=MARK),
        node(meta={}, config=node(meta=MARK)),
        node(meta={}, config=node(_extra={"meta": MARK})),
        node(meta={}, columns={"a": node(meta={"statsig": {"unit_id": "userID"}})}),
        node(meta={}, columns={"a": node(meta={}, config=node(meta=MARK))}),
        node(meta={}, columns={"a": node(meta={}, _extra={"config": {"meta": MARK}})}),
    ],
    ids=["meta", "config", "config of 1.8", "column", "column's config", "column's config of 1.8"],
)
def test_marks_are_found(marked: SimpleNamespace) -> None:
    """A mark is found wherever a version of dbt keeps the meta of a node or of a column."""
    assert is_marked(marked)


def test_no_mark_is_found() -> None:
    """Other meta, our defaults alone, and objects without any meta are no marks."""
    plain = node(meta={"statsig_defaults": {"tags": ["x"]}}, config=node(meta=None), columns={"a": node(meta={})})
    assert not is_marked(plain)
    assert not is_marked(node(columns=None))


def test_all_sections_are_looked_through() -> None:
    """Marked objects of every section come, and disabled ones."""
    marked, plain = node(meta=MARK), node(meta={})
    manifest = node(
        nodes={"a": marked, "b": plain}, sources={"c": marked}, exposures={"d": marked}, disabled={"e": [plain, marked]}
    )
    assert list(marked_nodes(manifest)) == [marked] * 4


def test_models_of_the_semantic_layer() -> None:
    """The models of semantic models count where a metric or semantic model is marked, or the settings take all."""
    model = node(meta={})
    semantic = node(meta={}, depends_on=node(nodes=["model.m", "model.gone"]))

    def manifest(**metric: object) -> SimpleNamespace:
        return node(
            nodes={"model.m": model},
            sources={},
            disabled={},
            semantic_models={"s": semantic},
            metrics={"m": node(**metric)},
        )

    assert list(marked_nodes(manifest(meta={}))) == []
    assert list(marked_nodes(manifest(meta={}), all_metrics=True)) == [model]
    found = list(marked_nodes(manifest(meta=MARK)))
    assert found[0] is model
    assert len(found) == 2


def test_types_of_nodes() -> None:
    """A node's type comes as text, whether dbt has it as text or as one of its constants."""
    assert resource_type(node(resource_type="model")) == "model"
    assert resource_type(node(resource_type=node(value="seed"))) == "seed"
    assert resource_type(node()) == ""
