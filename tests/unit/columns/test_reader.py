"""Tests of reading SQL once: what is remembered is what would be read."""

from __future__ import annotations

from concurrent import futures
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.columns import queries, reader
from dbt_statsig.columns import walk as shape
from dbt_statsig.columns.memory import Memory
from tests.unit.columns.projects import get, model, names, prover, source

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.columns.prover import Prover
    from dbt_statsig.vocabulary.verdicts import SqlCheck

RAW = "source.shop.raw.events"
STAR = 'select * from "shop"."raw"."events"'
QUERY = 'select id, at from "shop"."main"."m"'


def project(memory: Memory, *columns: str) -> Prover:
    """A source with these columns and a model that selects all of them."""
    return prover(source("events"), model("m", STAR, RAW), catalog={RAW: columns}, memory=memory)


def all_of(proof: Prover, *, where: str = "id > 1", sql: str = QUERY) -> tuple[Any, SqlCheck, SqlCheck, SqlCheck]:
    """Everything that needs a parser: columns, a predicate, a formula over a query, and the query."""
    node = get(proof, "model.shop.m")
    none: frozenset[str] = frozenset()
    query = proof.check_query(node, sql, macros=none)
    predicate = proof.check_predicate(node, where, macros=none)
    formula = proof.check_predicate(node, "id + 1", macros=none, columns=query.columns)
    return names(proof, "model.shop.m"), query, predicate, formula


def no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, whatever is parsed fails the test."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("SQL was parsed")

    monkeypatch.setattr(shape, "shape_of", refuse)
    monkeypatch.setattr(queries, "check_query", refuse)
    monkeypatch.setattr("dbt_statsig.columns.predicates.check_predicate", refuse)


def test_a_second_run_parses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns, predicates, formulas and queries are the same from the memory, and no parser is asked."""
    first = Memory(tmp_path / "file")
    cold = all_of(project(first, "id", "at"))
    assert cold[1].problems == ()
    first.save()
    no_parsing(monkeypatch)
    assert all_of(project(Memory(tmp_path / "file"), "id", "at")) == cold


def test_another_parent_is_another_answer(tmp_path: Path) -> None:
    """A query and a predicate that were fine are checked again when a table above them has lost a column."""
    first = Memory(tmp_path / "file")
    all_of(project(first, "id", "at"))
    first.save()
    columns, query, predicate, _ = all_of(project(Memory(tmp_path / "file"), "at"))
    assert columns == ("at",)
    assert [problem.code for problem in query.problems] == ["column-absent"]
    assert [problem.code for problem in predicate.problems] == ["column-absent"]


def test_broken_sql_is_tried_again(tmp_path: Path) -> None:
    """What did not parse is not remembered, and without a memory nothing is."""
    memory = Memory(tmp_path / "file")
    proof = prover(source("events"), model("m", "select from where", RAW), memory=memory)
    node = get(proof, "model.shop.m")
    for sql in ("id >", "id > 1"):
        proof.check_predicate(node, sql, macros=frozenset())
    assert proof.check_query(node, "select (", macros=frozenset()).problems
    assert not proof.columns(node).closed
    assert len(memory._all()) == 1


def test_many_queries_are_read_by_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes give what one gives, in the memory too; where none may start, this one reads."""
    models = [model(f"m{number}", f"select {number} as a, *, b.c from t{number % 7} b") for number in range(150)]
    alone = prover(*models)
    nodes = [get(alone, entry["unique_id"]) for entry in models]
    expected = [alone.columns(node) for node in nodes]
    monkeypatch.setattr(reader, "MIN_CHARS_FOR_PROCESSES", 1)
    memory = Memory(tmp_path / "file")
    together = prover(*models, memory=memory)
    together.prepare(nodes, jobs=2)
    assert len(memory._all()) == len({node.compiled_code for node in nodes})
    no_parsing(monkeypatch)
    assert [together.columns(node) for node in nodes] == expected
    again = prover(*models, memory=memory)
    monkeypatch.setattr(reader, "shapes_in_processes", lambda *_, **__: pytest.fail("read twice"))
    monkeypatch.setattr(reader, "is_worth_it", lambda texts, jobs: bool(texts) and jobs > 1)
    again.prepare(nodes, jobs=2)
    assert [again.columns(node) for node in nodes] == expected


def test_where_no_process_starts_this_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that starts no processes gives the same columns."""

    class Refusing:
        def __init__(self, *_: object, **__: object) -> None:
            raise OSError

    monkeypatch.setattr(reader, "MIN_CHARS_FOR_PROCESSES", 1)
    monkeypatch.setattr(futures, "ProcessPoolExecutor", Refusing)
    proof = prover(model("m", "select 1 as a"), model("n", "select 2 as b"))
    proof.prepare([get(proof, "model.shop.m"), get(proof, "model.shop.n")], jobs=2)
    assert names(proof, "model.shop.n") == ("b",)


def test_little_sql_is_read_by_this_process() -> None:
    """For little SQL, or with one job, no process is started."""
    assert not reader.is_worth_it(["select 1"], 4)
    assert not reader.is_worth_it(["x" * reader.MIN_CHARS_FOR_PROCESSES], 1)
    assert reader.is_worth_it(["x" * reader.MIN_CHARS_FOR_PROCESSES], 2)
