"""The engines, each started when it is first asked for; one that is not installed is skipped with the reason."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.integration.sql_engines.names import DAY, NAMES, NUMBER, ONE_OF_THREE, ONLY_SELECTED, TIME, Answer, Engine
from tests.integration.sql_engines.zetasql import zetasql
from tests.postgres import server

if TYPE_CHECKING:
    from collections.abc import Iterator

MORE = "run `nox -s sql_engines`"
CTE = "with"
# What BigQuery's documentation says that names of columns must not hold. (In dbt's catalog a dot is a struct's field.)
NOT_IN_BIGQUERY = frozenset('!"$()*,./;?@[\\]^`{}~\n\r\t')
COLUMNS_OF = (
    "select column_name, data_type from information_schema.columns where table_name = '{}' order by ordinal_position"
)


def doubled(sign: str) -> Any:
    """A function that puts a name into such quotes, doubling those inside."""
    return lambda name: f"{sign}{name.replace(sign, sign * 2)}{sign}"


def escaped(name: str) -> str:
    """A name as ClickHouse and BigQuery take it: in backticks, with backslashes before backticks and backslashes."""
    signs = {"\\": "\\\\", "`": "\\`", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return f"`{''.join(signs.get(sign, sign) for sign in name)}`"


@contextmanager
def on_duckdb() -> Iterator[Engine]:
    """DuckDB, in memory."""
    with duckdb.connect() as connection:

        def run(sql: str) -> Answer:
            cursor = connection.execute(sql)
            return Answer([column[0] for column in cursor.description or []], cursor.fetchall())

        run('attach \':memory:\' as "my ""shop"')
        run('create schema "my ""shop"."select"')
        yield Engine(
            adapter="duckdb",
            relation='"my ""shop"."select"."awkward table"',
            run=run,
            listed=lambda: run(COLUMNS_OF.format("awkward table")).rows,
            quote=doubled('"'),
            plain=("plain_one", "MixedTwo", "LOUD3", "GrÖßE"),
            unfit=ONE_OF_THREE,
        )


@contextmanager
def on_postgres() -> Iterator[Engine]:
    """A PostgreSQL server of its own."""
    psycopg = import_module("psycopg")
    with server() as url, psycopg.connect(url) as connection:

        def run(sql: str) -> Answer:
            cursor = connection.execute(sql.encode())
            names = [column.name for column in cursor.description or []]
            return Answer(names, cursor.fetchall() if cursor.description else [])

        run('create schema "select"')
        yield Engine(
            adapter="postgres",
            relation='"postgres"."select"."awkward ""table"""',
            run=run,
            listed=lambda: run(COLUMNS_OF.format('awkward "table"')).rows,
            quote=doubled('"'),
            plain=("plain_one", "MixedTwo", "LOUD3", "n$4", "GrÖßE", "Long" * 16),
        )


@contextmanager
def on_clickhouse() -> Iterator[Engine]:
    """ClickHouse as a library."""
    pytest.importorskip("chdb", reason="chdb, ClickHouse as a library, has no wheel for this platform")
    from tests.clickhouse import session  # needs chdb

    def run(sql: str) -> Answer:
        text = session().query(sql, "JSONCompact").bytes()
        answer = json.loads(text) if text else {"meta": [], "data": []}
        return Answer([column["name"] for column in answer["meta"]], [tuple(row) for row in answer["data"]])

    # The process has one session for all: what another group of tests made goes first.
    run("drop database if exists `my shop`")
    run("create database `my shop`")
    yield Engine(
        adapter="clickhouse",
        relation="`my shop`.`select`",
        run=run,
        listed=lambda: [
            (row[0], row[1])
            for row in run("select name, type from system.columns where database = 'my shop' order by position").rows
        ],
        quote=escaped,
        create="create table {relation} engine = Memory as {query}",
        timestamp="Nullable(DateTime)",
        date="Nullable(Date)",
        plain=("plain_one", "MixedTwo", "LOUD3"),
    )


@contextmanager
def on_snowflake() -> Iterator[Engine]:
    """Snowflake's SQL on DuckDB, by fakesnow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fakesnow = pytest.importorskip("fakesnow", reason=f"fakesnow is not installed: {MORE}")
        connector = import_module("snowflake.connector")
        with fakesnow.patch(), connector.connect(database="SHOP", schema="MARTS") as connection:

            def run(sql: str) -> Answer:
                cursor = connection.cursor()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # about how fakesnow asks DuckDB
                    cursor.execute(sql)
                    return Answer([column.name for column in cursor.description], cursor.fetchall())

            yield Engine(
                adapter="snowflake",
                relation='SHOP.MARTS."awkward table"',
                run=run,
                listed=lambda: run(COLUMNS_OF.format("awkward table")).rows,
                quote=doubled('"'),
                timestamp="timestamp_ntz",
                unfit=ONE_OF_THREE,  # DuckDB, which runs the SQL, does not tell them apart
            )


@contextmanager
def on_spark() -> Iterator[Engine]:
    """Spark in one thread; it needs Java."""
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        sql = pytest.importorskip("pyspark.sql", reason=f"pyspark is not installed: {MORE}")
        patch.setitem(os.environ, "SPARK_LOCAL_IP", "127.0.0.1")
        folder = tempfile.mkdtemp(prefix="spark")
        builder = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
        spark = builder.config("spark.sql.warehouse.dir", folder).getOrCreate()

        def run(text: str) -> Answer:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about other packages' versions
                frame = spark.sql(text)
                return Answer(frame.columns, [tuple(row) for row in frame.collect()])

        try:
            yield Engine(
                adapter="spark",
                relation="`awkward_table`",
                run=run,
                listed=lambda: [(row[0], row[1]) for row in run("describe table `awkward_table`").rows],
                quote=doubled("`"),
                create="create temporary view {relation} as {query}",
                plain=("plain_one", "MixedTwo", "LOUD3"),
                unfit=ONE_OF_THREE | {"ÄÖ"},
            )
        finally:
            spark.stop()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def on_bigquery() -> Iterator[Engine]:
    """BigQuery's analyzer, which also runs queries; tables are CTEs, as it has no others."""
    zeta = zetasql()
    catalog = zeta.catalog()
    made: list[str] = []

    def run(sql: str) -> Answer:
        if sql.startswith(CTE):
            made.append(sql)
            return Answer([], [])
        builder = zeta.api.PreparedQuery.builder().set_sql(f"{made[0] if made else ''} {sql}")
        with builder.set_analyzer_options(zeta.options).set_catalog(catalog).prepare() as query:
            rows = [tuple(map(value_of, row.cell)) for row in query.execute().content.table_data.row]
            return Answer([column.name for column in query.columns], rows)

    kinds = {TIME: "TIMESTAMP", DAY: "DATE", NUMBER: "INT64", "nr": "INT64"}
    yield Engine(
        adapter="bigquery",
        relation="`awkward table`",
        run=run,
        listed=lambda: [(name, kinds.get(name, "STRING")) for name in run("select * from `awkward table`").names],
        quote=escaped,
        create=f"{CTE} {{relation}} as ({{query}})",
        plain=("plain_one", "MixedTwo", "LOUD3"),
        unfit=ONE_OF_THREE | {name for name in (*NAMES, *ONLY_SELECTED) if not (NOT_IN_BIGQUERY.isdisjoint(name))},
    )


def value_of(cell: Any) -> Any:
    """The value in a cell of a zetasql answer; None for NULL."""
    held = (cell.int64_value, cell.double_value, cell.string_value, cell.date_value, cell.timestamp_value)
    return next((value for value in held if value is not None), None)
