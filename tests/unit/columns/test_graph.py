"""Tests of following stars through manifests that no dbt would write."""

from __future__ import annotations

import time

import pytest

from tests.unit.columns.projects import get, model, names, prover, source


def star(table: str) -> str:
    """All columns of a model."""
    return f'select * from "shop"."main"."{table}"'


def test_models_that_depend_on_each_other() -> None:
    """A circle of models has columns that are not known, with the reason, whichever is asked first."""
    circle = [model(f"m{n}", star(f"m{(n + 1) % 3}"), f"model.shop.m{(n + 1) % 3}") for n in range(3)]
    for first in range(3):
        proof = prover(*circle)
        found = [proof.columns(get(proof, f"model.shop.m{(first + n) % 3}")) for n in range(3)]
        assert not any(columns.closed for columns in found)
        assert any("depends on itself" in reason for columns in found for reason in columns.reasons)


def test_a_model_that_depends_on_itself() -> None:
    """A model among its own parents is not known, and those that read it are not either."""
    proof = prover(model("m", star("m"), "model.shop.m"), model("n", star("m"), "model.shop.m"))
    assert not proof.columns(get(proof, "model.shop.m")).closed
    assert not proof.columns(get(proof, "model.shop.n")).closed


DEFERRED = 'select * from "shop"."prod"."stg"'
WRITTEN = "select * from {{ ref('stg') }}"
HARD_CODED = "select * from shop.prod.stg -- {% if x %}{{ ref('stg') }}{% endif %}"
BOTH = f'{DEFERRED} union all select * from "shop"."main"."stg"'


@pytest.mark.parametrize(
    ("compiled", "written", "expected"),
    [
        (DEFERRED, WRITTEN, ("a", "b")),
        ('select * from "prod"."stg"', WRITTEN, ("a", "b")),
        ("select * from stg", WRITTEN, ()),
        (DEFERRED, HARD_CODED, ()),
        (DEFERRED, "", ()),
        (BOTH, WRITTEN, ()),
        ('select * from "shop"."prod"."other"', WRITTEN, ()),
    ],
)
def test_a_deferred_parent(compiled: str, written: str, expected: tuple[str, ...]) -> None:
    """`dbt --defer` reads a parent where another target built it: in place of its own relation, never beside it."""
    parent = model("stg", "select 1 as a, 2 as b")
    proof = prover(parent, model("child", compiled, "model.shop.stg", raw_code=written))
    columns = proof.columns(get(proof, "model.shop.child"))
    assert tuple(column.name for column in columns.columns) == expected
    assert columns.closed is bool(expected)


def test_a_table_of_a_parents_name_that_is_declared() -> None:
    """A table that the project declares itself is that table, whatever a parent is called."""
    parent, other = model("stg", "select 1 as a"), source("stg")
    child = model("child", 'select * from "shop"."raw"."stg"', "model.shop.stg", raw_code=WRITTEN)
    assert "a" not in names(prover(parent, other, child), "model.shop.child")


def test_parents_that_are_not_there() -> None:
    """A parent that the manifest lacks is passed over."""
    proof = prover(model("m", "select 1 as a", "model.shop.gone", "nonsense"))
    assert names(proof, "model.shop.m") == ("a",)


def test_a_chain_of_two_thousand_models() -> None:
    """Stars through 2,000 models are followed to the source, in no more than linear time."""
    raw = "source.shop.raw.events"
    chain = [model("m0", 'select * from "shop"."raw"."events"', raw)]
    chain += [model(f"m{n}", star(f"m{n - 1}"), f"model.shop.m{n - 1}") for n in range(1, 2_000)]
    proof = prover(source("events"), *chain, catalog={raw: ("id", "at")})
    started = time.perf_counter()
    assert names(proof, "model.shop.m1999") == ("id", "at")
    assert time.perf_counter() - started < 30
