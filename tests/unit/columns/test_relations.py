"""Tests of relation names and of finding the node that a table in SQL names."""

from __future__ import annotations

from typing import Any

import pytest

from dbt_statsig.columns.relations import find, matches, node_parts, parts_of
from dbt_statsig.project.artifacts.nodes import Node


def model(name: str, relation: str | None, **fields: Any) -> Node:
    """A model with a relation."""
    return Node(
        unique_id=f"model.p.{name}",
        name=name,
        resource_type="model",
        package_name="p",
        relation_name=relation,
        **fields,
    )


@pytest.mark.parametrize(
    ("relation", "parts"),
    [
        ('"db"."S c"."t"', ("db", "S c", "t")),
        ("DB.PUBLIC.t", ("DB", "PUBLIC", "t")),
        ("`p-1`.`d`.`t`", ("p-1", "d", "t")),
        ("`p-1.d.t`", ("p-1", "d", "t")),
        ("[a]]b].[c]", ("a]b", "c")),
        ('"a""b"."c.d"', ('a"b', "c.d")),
        ("t", ("t",)),
        ('"never closed', ("never closed",)),
    ],
)
def test_parts(relation: str, parts: tuple[str, ...]) -> None:
    """A relation name falls into its parts, whichever way it is quoted."""
    assert parts_of(relation) == parts


@pytest.mark.parametrize(
    ("table", "relation", "score"),
    [
        (("db", "s", "t"), ("db", "s", "t"), 2),
        (("S", "T"), ("db", "s", "t"), 1),
        (("s", "t"), ("db", "s", "t"), 2),
        (("x", "s", "t"), ("db", "s", "t"), 0),
        (("t",), ("db", "s", "t"), 0),
        (("t",), ("t",), 2),
        ((), ("t",), 0),
    ],
)
def test_matching(table: tuple[str, ...], relation: tuple[str, ...], score: int) -> None:
    """Two trailing parts are needed; case is a weaker match."""
    assert matches(table, relation) == score


def test_parts_without_a_relation_name() -> None:
    """Manifests that hold no relation name give its parts; an ephemeral model has none."""
    assert node_parts(model("m", None, database="d", schema="s", identifier="alias")) == ("d", "s", "alias")
    assert node_parts(model("m", None, schema="s")) == ("s", "m")
    assert node_parts(model("m", None, schema="s", materialized="ephemeral")) == ()


def test_the_exact_spelling_wins() -> None:
    """Of two relations that differ by case only, the exact one is meant; where none is exact, neither."""
    lower, upper = model("a", "d.s.t"), model("b", "d.s.T")
    assert find(("d", "s", "T"), [lower, upper]) is upper
    assert find(("D", "S", "t"), [lower, upper]) is None
    assert find(("d", "s", "z"), [lower, upper]) is None
