"""Tests of relation names: one name of one relation, however the warehouse quotes it, and nothing beside it."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.columns.prover import Prover
from dbt_statsig.columns.relations import is_relation_name
from dbt_statsig.payloads.building import Built, Context, build_payload
from dbt_statsig.project.artifacts import Manifest
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.adapters import ADAPTERS, adapter_for
from tests.corpus import CORPUS_DIRS, needs_corpus
from tests.hostile import ENDLESS
from tests.unit.project.artifacts.build import manifest_bytes, node

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    ("postgres", '"db"."schema"."t"'),
    ("postgres", '"d""b"."s t"."t;--"'),
    ("postgres", "db.schema.größe"),
    ("redshift", '"redshift-test"."s"."t$1"'),
    ("snowflake", "DB.schema.t"),
    ("snowflake", 'DB.S."GROUP"'),
    ("bigquery", "`p-1.d.t`"),
    ("bigquery", "`p`.`d`.`t`"),
    ("bigquery", "`p`.`d`.`events_*`"),
    ("bigquery", "`p.d.events_*`"),
    ("bigquery", "dev-dw.d.t"),
    ("bigquery", "`p`.`region-eu`.INFORMATION_SCHEMA.`JOBS`"),
    ("databricks", "`main`.`s`.`t`"),
    ("databricks", "hive_metastore.x.y"),
    ("spark", "delta.`/mnt/lake/t`"),
    ("athena", "AwsDataCatalog.x.y"),
    ("athena", '"awsdatacatalog"."x"."y"'),
    ("trino", '"hive"."s"."t$partitions"'),
    ("clickhouse", "`s`.`t`"),
    ("clickhouse", '"s"."t"'),
    ("sqlserver", "[db].[s].[t]"),
    ("sqlserver", "[server].[d]]b].[s].[t]"),
    ("fabric", '"wh"."s"."t"'),
    ("oracle", "s.t$x#1"),
    ("mysql", "`s`.`t`"),
    ("starrocks", "`s`.`t`"),
    ("duckdb", '"db"."main"."t"'),
    ("duckdb", "'data/file.parquet'"),
    ("duckdb", "'s3://bucket/o''clock/*.parquet'"),
    ("duckdb", "read_parquet('s3://bucket/{year}/*.parquet')"),
    ("duckdb", "read_csv(['a.csv', 'b.csv'], delim = ';', columns = {'a': 'INT'})"),
    ("motherduck", "iceberg_scan('s3://bucket/t', allow_moved_paths = true)"),
    ("an-adapter-of-their-own", '[a]."b".`c`'),
]
NO_NAMES = [
    "",
    " ",
    "a.b; drop table x",
    "(select 1)",
    "a join b",
    "a b",
    "a, b",
    "a -- x",
    "a--x",
    "a /* */",
    "a\n.b",
    "a.b\n",
    "a.b\nwhere 1 = 1",
    "a..b",
    ".a",
    "a.",
    "a.b.c.d.e",
    "a{statsig_start_date}",
    "\u201ca\u201d.\u201cb\u201d",
    "\u2018a\u2019",
    '"a',
    'a"',
    '"a".b"',
    '"a" "b"',
    '"a"b"',
    '"a""',
    '""',
    '"a\nb"',
    '"a\u2028b"',
    "`a",
    "`a``",
    "[a",
    "a]",
    "[a]]",
    "a\0",
    "f('x'",
    "f('x') t",
    "f('x') -- y",
    "f('x' /* y */)",
    "f('x');",
    "f('x'), g('y')",
    "f('x') join g('y')",
    "f('x') limit 1",
    "f((select 1))",
    "f(exists(select 1))",
    "query('select 1')",
    "'a.parquet' 'b'",
    "'a.parquet' where 1 = 1",
    "'a.parquet",
    "values (1)",
    "unnest([1])",
]


@pytest.mark.parametrize(("adapter", "name"), NAMES)
def test_names_that_adapters_write(adapter: str, name: str) -> None:
    """What dbt's adapters write as the name of a table, view or file is one."""
    assert is_relation_name(name, adapter_for(adapter))


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_more_than_a_name(name: str) -> None:
    """Whatever holds more or less than one name is none, on no warehouse."""
    assert [one for one in [*ADAPTERS, "other"] if is_relation_name(name, adapter_for(one))] == []


@pytest.mark.parametrize(
    ("adapter", "name"),
    [
        ("postgres", "`a`"),
        ("postgres", "[a]"),
        ("bigquery", '"a"'),
        ("databricks", '"a"'),
        ("postgres", "a-b.c"),
        ("postgres", "read_parquet('a')"),
        ("bigquery", "`a\\`"),
    ],
)
def test_the_quotes_of_another_warehouse(adapter: str, name: str) -> None:
    """Quotes that the warehouse does not have open no identifier there, and a backslash may hide the closing one."""
    assert not is_relation_name(name, adapter_for(adapter))


@pytest.mark.parametrize("text", sorted(ENDLESS))
@pytest.mark.parametrize("adapter", ["duckdb", "bigquery", "snowflake", "sqlserver"])
def test_endless_texts_are_no_names(adapter: str, text: str) -> None:
    """Texts that never end are no names and are not even read; shorter ones are judged in time."""
    started = time.process_time()
    assert not is_relation_name(ENDLESS[text](5_000_000), adapter_for(adapter))
    is_relation_name(ENDLESS[text](9_000), adapter_for(adapter))
    assert time.process_time() - started < 5


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize("folder", CORPUS_DIRS, ids=lambda folder: folder.name)
def test_the_names_of_real_projects(folder: Path) -> None:
    """Every relation name of the real manifests is one."""
    manifest = json.loads(gzip.decompress((folder / "manifest.json.gz").read_bytes()))
    adapter = adapter_for(manifest["metadata"]["adapter_type"])
    names = [one.get("relation_name") for one in [*manifest["nodes"].values(), *manifest["sources"].values()]]
    assert [name for name in names if name and not is_relation_name(name, adapter)] == []


def _built(*blocks: dict[str, object]) -> dict[str, Built]:
    """What the blocks of one node give whose relation name breaks out of the query, and those of an innocent node."""
    bad = node(
        "model.shop.bad", relation_name="a.b; drop table x", config={"meta": {"statsig": {"metric_source": [*blocks]}}}
    )
    good = node("model.shop.good", config={"meta": {"statsig": {"metric_source": {"name": "Good", **COLUMNS}}}})
    manifest = Manifest.from_bytes(manifest_bytes(bad, good, metadata={"adapter_type": "postgres"}))
    declared = declare(manifest, settings=Settings(), project_dir=None)
    prover = Prover(manifest, None)
    return {one.name: build_payload(one, prover, Context(project="shop")) for one in declared.declarations}


COLUMNS = {"timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}


def test_a_source_with_such_a_name_is_blocked() -> None:
    """The finding names node and value, the source has no payload; one with SQL of its own, and others, go on."""
    table = {"source_type": "table"}
    results = _built(
        {"name": "Query", **COLUMNS},
        {"name": "Table", **COLUMNS, **table},
        {"name": "Own table", **COLUMNS, **table, "table_name": "s.t"},
        {"name": "Own", **COLUMNS, "sql": "select ts, user_id from t"},
    )
    assert {name for name, result in results.items() if result.payload is None} == {"Query", "Table"}
    for name in ("Query", "Table"):
        (message,) = [found.message for found in results[name].findings if found.code == "not-a-relation"]
        assert "model.shop.bad" in message
        assert '"a.b; drop table x"' in message
