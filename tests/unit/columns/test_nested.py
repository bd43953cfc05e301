"""Tests of structs: on BigQuery, catalogs and contracts list the paths below a column as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.columns.evidence import missing_field
from dbt_statsig.vocabulary.verdicts import Presence
from tests.unit.columns.projects import get, model, prover, source

if TYPE_CHECKING:
    from dbt_statsig.columns.prover import Prover

RAW, M = "source.shop.raw.events", "model.shop.m"
LISTED = ("event_date", "device", "device.category", "device.web_info", "device.web_info.browser", "params.key")
TABLE = "`shop`.`raw`.`events`"


def events(sql: str = f"select * from {TABLE}", adapter: str = "bigquery", **fields: object) -> Prover:
    """A source with structs and a model over it."""
    return prover(source("events", **fields), model("m", sql, RAW), catalog={RAW: LISTED}, adapter=adapter)


def test_the_table_has_the_part_before_the_dot_once() -> None:
    """Paths are no columns, neither of the table nor of what selects all of it; the column's own type counts."""
    proof = events()
    for unique_id in (RAW, M):
        columns = proof.columns(get(proof, unique_id)).columns
        assert [column.name for column in columns] == ["event_date", "device", "params"]
    types = {column.name: column.data_type for column in proof.columns(get(proof, RAW)).columns}
    assert types == {"event_date": "INTEGER", "device": "INTEGER", "params": None}


def test_elsewhere_a_dot_is_part_of_the_name() -> None:
    """ClickHouse's catalog lists `n.k`, which is a column there."""
    proof = events(adapter="clickhouse")
    assert [column.name for column in proof.columns(get(proof, RAW)).columns] == list(LISTED)


def test_a_field_is_no_column() -> None:
    """Naming a field as a column is an error that says what it is; an unknown one is absent like any other."""
    proof = events()
    field = proof.verdict(get(proof, RAW), "device.category")
    assert (field.presence, field.code) == (Presence.ABSENT, "column-absent")
    assert 'a field of "device"' in field.message
    other = proof.verdict(get(proof, RAW), "nothing.category")
    assert other.presence is Presence.ABSENT
    assert "a field of" not in other.message


def test_contracts_list_paths_too() -> None:
    """The contract's fields are one column, which has the tags of all of them."""
    columns = {
        "id": {"name": "id", "data_type": "int64"},
        "customer.id": {"name": "customer.id", "data_type": "int64"},
        "customer.email": {"name": "customer.email", "data_type": "string", "config": {"tags": ["pii"]}},
    }
    node = model("m", "select 1", columns=columns, config={"contract": {"enforced": True}})
    proof = prover(node, adapter="bigquery")
    found = proof.columns(get(proof, M)).columns
    assert [(column.name, column.data_type, column.tags) for column in found] == [
        ("id", "int64", ()),
        ("customer", None, ("pii",)),
    ]
    del node["config"]["contract"]
    cataloged = prover(node, catalog={M: ("id", "customer", "customer.email")}, adapter="bigquery")
    assert [column.tags for column in cataloged.columns(get(cataloged, M)).columns] == [(), ("pii",)]


@pytest.mark.parametrize(
    ("where", "missing"),
    [
        ("device.category = 'mobile'", ""),
        ("events.device.web_info.browser = 'x'", ""),
        ("device.categry = 'mobile'", "categry"),
        ("device.web_info.brwser = 'x'", "brwser"),
        ("event_date.anything = 1", ""),
        ("params.key = 'x'", ""),
    ],
)
def test_fields_in_predicates_are_proven_by_the_paths(where: str, missing: str) -> None:
    """A field that is not among the listed paths is an error with the nearest name; what lists none is not judged."""
    proof = events()
    check = proof.check_predicate(get(proof, RAW), where, macros=frozenset())
    assert [problem.code for problem in check.problems] == (["column-absent"] if missing else [])
    if missing:
        assert f'has no field "{missing}"' in check.problems[0].message
        assert check.problems[0].fix.startswith("Did you mean")


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        (f"select device.category as c from {TABLE}", 0),
        (f"select e.device.category as c from {TABLE} e", 0),
        (f"select device.categry as c from {TABLE}", 1),
        (f"select e.device.categry as c from {TABLE} e", 1),
        (f"select p.key from {TABLE} e, unnest(e.params) p", 0),
        (f"select device.x from (select struct(1 as x) as device from {TABLE})", 0),
    ],
)
def test_fields_in_queries_are_proven_by_the_paths(sql: str, wrong: int) -> None:
    """The same in a user's own query, by any qualifier; a struct that the query makes itself is not judged."""
    proof = events()
    assert len(proof.check_query(get(proof, RAW), sql, macros=frozenset()).problems) == wrong


def test_what_is_missing() -> None:
    """The first part that is not listed; nothing where the parent lists nothing below it."""
    fields = ("a", "a.b", "c")
    assert missing_field(fields, ["a", "B"]) == ""
    assert missing_field(fields, ["a", "x", "y"]) == "x"
    assert missing_field(fields, ["c", "x"]) == ""
    assert missing_field(("a.b",), ["a"]) == ""
    assert missing_field((), ["x"]) == ""


@pytest.mark.parametrize(
    ("adapter", "name", "data_type"),
    [
        ("bigquery", "_PARTITIONTIME", "TIMESTAMP"),
        ("bigquery", "_partitiondate", "DATE"),
        ("bigquery", "_TABLE_SUFFIX", "STRING"),
        ("snowflake", "METADATA$ACTION", None),
        ("trino", "$path", None),
        ("postgres", "ctid", None),
        ("duckdb", "rowid", "BIGINT"),
        ("databricks", "_metadata", None),
        ("clickhouse", "_part", None),
    ],
)
def test_pseudo_columns(adapter: str, name: str, data_type: str | None) -> None:
    """They are in no list, which proves nothing: unknown, a note, with the type where it is documented."""
    proof = prover(model("m", "select 1 as a"), adapter=adapter)
    verdict = proof.verdict(get(proof, M), name)
    assert (verdict.presence, verdict.code, verdict.data_type) == (Presence.UNKNOWN, "column-pseudo", data_type)
    assert proof.verdict(get(proof, M), "b").presence is Presence.ABSENT


def test_a_column_that_is_called_like_a_pseudo_column() -> None:
    """What a list holds is a column like any other."""
    proof = prover(model("m", "select 1 as rowid"))
    assert proof.verdict(get(proof, M), "rowid").presence is Presence.PRESENT
