"""Writes proven on a real DuckDB file."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.integration.emulator.samples import CREATES
from tests.integration.emulator.servers import started
from tests.integration.emulator.warehouse_cases import (
    ANSWERS_TO_UPDATES,
    CASES,
    METRIC,
    TABLES,
    Case,
    answers_to_broken_sql,
    answers_to_updates,
    assert_judged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.emulator.servers import Start, Started

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
connection.close()
print("released", flush=True)
sys.stdin.readline()
"""


def filled(folder: Path) -> Path:
    """A DuckDB file with a few tables."""
    path = folder / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        for table in TABLES:
            connection.execute(table)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A test's own DuckDB file."""
    return filled(tmp_path)


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Started, Path]]:
    """An emulator over the module's own file."""
    path = filled(tmp_path_factory.mktemp("shop"))
    with started(warehouse=str(path)) as one:
        yield one, path


@pytest.fixture
def holder(shop: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open to write, until it reads a line."""
    command = [sys.executable, "-c", HOLD, str(shop)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_writes(proven: tuple[Started, Path], case: Case) -> None:
    """What runs and has its columns is accepted, all else is refused with the property at fault."""
    one, shop = proven
    one.server.reset()
    assert_judged(one.client, case)
    held = one.server.state.as_seed()[case.collection]
    assert [item["name"] for item in held] == ([] if case.refused else [case.body["name"]])
    with duckdb.connect(str(shop)) as connection:
        assert len(connection.execute("show tables").fetchall()) == 3


def test_updates(start: Start, shop: Path) -> None:
    """An update whose SQL lacks a column, or that names a column which is not there, is refused with the property."""
    assert answers_to_updates(start(warehouse=str(shop)).client) == ANSWERS_TO_UPDATES


def test_skipping(start: Start, shop: Path) -> None:
    """SQL that the warehouse refuses is accepted with `skip_validation` alone; that key is not stored."""
    assert answers_to_broken_sql(start(warehouse=str(shop)).client) == (400, 201, set())


def test_names_of_columns_ignore_case(start: Start, shop: Path) -> None:
    """DuckDB takes a column by any case, so the mapping may spell it so."""
    body = {**METRIC, "timestampColumn": "TS"}
    assert start(warehouse=str(shop)).client.post(CREATES["metric_sources"], json=body).status_code == 201


def test_the_relation_name_of_dbt(start: Start, shop: Path) -> None:
    """A relation with the file's name as its database is found."""
    body = {**METRIC, "sql": 'select "user_id", "ts" from "shop"."main"."orders"'}
    assert start(warehouse=str(shop)).client.post(CREATES["metric_sources"], json=body).status_code == 201


def test_the_message_is_the_databases(start: Start, shop: Path) -> None:
    """A refusal says what the database says, in one line and without the emulator's own query."""
    body = {**METRIC, "sql": "select user_id, ts from nowhere"}
    answer = start(warehouse=str(shop)).client.post(CREATES["metric_sources"], json=body)
    message = answer.json()["errors"][0]["errorMessage"]
    assert "Table with name nowhere does not exist! Did you mean" in message
    assert "LINE" not in message


def test_a_file_that_is_not_there(start: Start, tmp_path: Path) -> None:
    """503 names the file, and none is made."""
    path = tmp_path / "none.duckdb"
    answer = start(warehouse=str(path)).client.post(CREATES["metric_sources"], json=METRIC)
    assert answer.status_code == 503
    assert str(path) in answer.json()["message"]
    assert not path.exists()


def test_a_file_that_another_process_holds(start: Start, shop: Path, holder: subprocess.Popen[str]) -> None:
    """After a short wait it is 503; while waiting, the check goes on as soon as the file is free."""
    assert holder.stdin is not None
    assert (
        start(warehouse=str(shop), lock_wait=0.2).client.post(CREATES["metric_sources"], json=METRIC).status_code == 503
    )
    release = threading.Timer(0.3, lambda: holder.stdin and (holder.stdin.write("\n"), holder.stdin.flush()))
    release.start()
    before = time.monotonic()
    answer = start(warehouse=str(shop), lock_wait=10).client.post(CREATES["metric_sources"], json=METRIC)
    release.join()
    assert answer.status_code == 201
    assert time.monotonic() - before < 8


def test_the_file_is_free_between_two_checks(start: Start, shop: Path) -> None:
    """Dbt can write to the file while the emulator runs, and the next check sees what it wrote."""
    client = start(warehouse=str(shop)).client
    body = {**METRIC, "sql": "select user_id, ts from fresh"}
    assert client.post(CREATES["metric_sources"], json=body).status_code == 400
    with duckdb.connect(str(shop)) as connection:
        connection.execute("create table fresh as select user_id, ts from orders")
    assert client.post(CREATES["metric_sources"], json=body).status_code == 201
