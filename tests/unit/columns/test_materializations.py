"""Tests of what a table has where its SQL is known: tables have a history, SQL has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.vocabulary.verdicts import Evidence, Presence
from tests.unit.columns.projects import get, model, names, prover

if TYPE_CHECKING:
    from dbt_statsig.columns.prover import Prover

M = "model.shop.m"
SQL = "select 1 as a, 2 as b"
PRESENT, ABSENT, UNKNOWN = Presence.PRESENT, Presence.ABSENT, Presence.UNKNOWN


def of(
    materialized: str,
    on_schema_change: str = "ignore",
    *,
    catalog: tuple[str, ...] | None = None,
    stale: bool = False,
    sql: str = SQL,
    **config: Any,
) -> Prover:
    """A prover of one model `m`, and of a view `v` that selects all of it."""
    node = model("m", sql, config={"materialized": materialized, "on_schema_change": on_schema_change, **config})
    view = model("v", 'select * from "shop"."main"."m"', M, config={"materialized": "view"})
    return prover(node, view, catalog=None if catalog is None else {M: catalog}, stale=stale)


def judged(proof: Prover, name: str) -> tuple[Presence, Evidence, str]:
    """Presence, evidence and code of one column of `m`."""
    verdict = proof.verdict(get(proof, M), name)
    assert bool(verdict.message) == bool(verdict.fix) == bool(verdict.code)
    return verdict.presence, verdict.evidence, verdict.code


@pytest.mark.parametrize("materialized", ["view", "table", "external", "distributed_table"])
def test_what_is_rebuilt_is_what_its_sql_gives(materialized: str) -> None:
    """Views and tables have the SQL's columns and no others."""
    proof = of(materialized)
    assert proof.columns(get(proof, M)).closed
    assert judged(proof, "a") == (PRESENT, Evidence.INFERRED, "")
    assert judged(proof, "old") == (ABSENT, Evidence.INFERRED, "column-absent")


@pytest.mark.parametrize("on_schema_change", ["sync_all_columns", "fail"])
def test_incremental_tables_that_follow_their_sql(on_schema_change: str) -> None:
    """With `sync_all_columns` and `fail` an incremental table has what its SQL gives."""
    proof = of("incremental", on_schema_change)
    assert proof.columns(get(proof, M)).closed
    assert judged(proof, "old") == (ABSENT, Evidence.INFERRED, "column-absent")


@pytest.mark.parametrize("materialized", ["incremental", "distributed_incremental", "materialized_view"])
def test_tables_that_keep_their_first_columns(materialized: str) -> None:
    """Without a catalog nothing says which of the SQL's columns such a table has, nor that it lacks an old one."""
    proof = of(materialized)
    columns = proof.columns(get(proof, M))
    assert (columns.closed, columns.complete, columns.selectable) == (False, True, False)
    assert "--full-refresh" in columns.reasons[0]
    assert judged(proof, "a") == (UNKNOWN, Evidence.POSSIBLE, "")
    assert judged(proof, "old") == (UNKNOWN, Evidence.NONE, "column-not-filled")
    assert proof.verdict(get(proof, M), "aa").fix == 'Did you mean "a"?'


@pytest.mark.parametrize(("materialized", "change"), [("incremental", "append_new_columns"), ("snapshot", "ignore")])
def test_tables_that_only_gain_columns(materialized: str, change: str) -> None:
    """They have all that their SQL gives, and may be incomplete: a SELECT lists the SQL's columns."""
    node = model(
        "m",
        SQL,
        kind="snapshot" if materialized == "snapshot" else "model",
        config={"materialized": materialized, "on_schema_change": change},
    )
    proof = prover(node)
    unique_id = f"{'snapshot' if materialized == 'snapshot' else 'model'}.shop.m"
    columns = proof.columns(get(proof, unique_id))
    assert (columns.closed, columns.selectable) == (False, True)
    assert proof.verdict(get(proof, unique_id), "a").presence is PRESENT
    assert proof.verdict(get(proof, unique_id), "old").code == "column-not-filled"


def test_a_fresh_catalog_decides_about_an_incremental_table() -> None:
    """The catalog's columns are selected; a new one needs --full-refresh, an old one is not filled any more."""
    proof = of("incremental", catalog=("a", "old"))
    assert names(proof, M) == ("a", "old")
    assert proof.columns(get(proof, M)).closed
    assert judged(proof, "a") == (PRESENT, Evidence.CATALOG, "")
    assert judged(proof, "old") == (PRESENT, Evidence.CATALOG, "column-not-filled")
    missing = proof.verdict(get(proof, M), "b")
    assert (missing.presence, missing.code) == (ABSENT, "column-not-built")
    assert missing.fix.startswith("Build the model with `--full-refresh`")


def test_an_old_catalog_of_an_incremental_table() -> None:
    """What the old catalog and the SQL both have is there; what only one has may be there or not."""
    proof = of("incremental", catalog=("a",), stale=True)
    columns = proof.columns(get(proof, M))
    assert [column.name for column in columns.columns] == ["a"]
    assert (columns.closed, columns.selectable) == (False, True)
    assert "also selects b" in columns.reasons[0]
    assert judged(proof, "a") == (PRESENT, Evidence.CATALOG, "")
    assert judged(proof, "b") == (UNKNOWN, Evidence.POSSIBLE, "catalog-stale")
    kept = of("incremental", catalog=("a", "b", "old"), stale=True)
    assert judged(kept, "old") == (UNKNOWN, Evidence.POSSIBLE, "column-not-filled")
    assert names(kept, M) == ("a", "b", "old")
    assert not kept.columns(get(kept, M)).selectable


def test_an_old_catalog_of_a_table_that_gains_columns() -> None:
    """A new column is there once built, an old one until --full-refresh."""
    proof = of("incremental", "append_new_columns", catalog=("a", "old"), stale=True)
    columns = proof.columns(get(proof, M))
    assert [(column.name, column.is_certain) for column in columns.columns] == [
        ("a", True),
        ("b", True),
        ("old", False),
    ]
    assert judged(proof, "b")[0] is PRESENT
    assert judged(proof, "old")[0] is UNKNOWN


def test_an_old_catalog_of_a_snapshot() -> None:
    """A snapshot never loses a column, so that an old catalog's columns are all there."""
    node = model("m", SQL, kind="snapshot", config={"materialized": "snapshot"})
    proof = prover(node, catalog={"snapshot.shop.m": ("a", "old")}, stale=True)
    found = proof.verdict(get(proof, "snapshot.shop.m"), "old")
    assert (found.presence, found.code) == (PRESENT, "column-not-filled")
    assert proof.columns(get(proof, "snapshot.shop.m")).selectable
    assert "old" in names(proof, "snapshot.shop.m")


def test_a_contract_of_a_table_that_only_gains_columns() -> None:
    """The contract's columns are there; others may be too, and are where the catalog has them."""
    columns = {"a": {"name": "a", "data_type": "int"}}
    config = {"materialized": "incremental", "on_schema_change": "append_new_columns", "contract": {"enforced": True}}
    nodes = (
        model("m", SQL, columns=columns, config=config),
        model("v", 'select * from "shop"."main"."m"', M, config={"materialized": "view"}),
    )
    proof = prover(*nodes)
    listed = proof.columns(get(proof, M))
    assert (listed.closed, listed.selectable) == (False, True)
    assert judged(proof, "a") == (PRESENT, Evidence.CONTRACT, "")
    assert judged(proof, "old")[0] is UNKNOWN
    assert proof.verdict(get(proof, "model.shop.v"), "old").presence is UNKNOWN
    assert judged(prover(*nodes, catalog={M: ("a", "old")}), "old")[0] is PRESENT


def test_a_materialization_of_the_project() -> None:
    """What is not dbt's own may add columns: the SQL's are selected, and no other is called absent."""
    proof = of("audited")
    columns = proof.columns(get(proof, M))
    assert (columns.closed, columns.selectable) == (False, True)
    assert judged(proof, "a") == (PRESENT, Evidence.INFERRED, "")
    assert judged(proof, "loaded_at") == (UNKNOWN, Evidence.NONE, "column-unknown")
    assert judged(of("audited", catalog=("a", "b", "loaded_at")), "loaded_at") == (PRESENT, Evidence.CATALOG, "")
    assert proof.verdict(get(proof, "model.shop.v"), "loaded_at").presence is UNKNOWN


def test_dbts_own_materialization_overridden() -> None:
    """A project that defines `table` itself is not trusted to build what the SQL gives; an adapter's package is."""
    macro = {"macro_sql": "", "depends_on": {"macros": []}}
    overridden = of("table")
    overridden._manifest._macros = {"macro.shop.materialization_table_default": macro}  # type: ignore[dict-item]
    assert judged(overridden, "old")[0] is UNKNOWN
    adapters = of("table")
    adapters._manifest._macros = {"macro.dbt_duckdb.materialization_table_duckdb": macro}  # type: ignore[dict-item]
    assert judged(adapters, "old")[0] is ABSENT


def test_a_materialization_that_makes_no_table() -> None:
    """dbt-duckdb's `table_function` makes a macro: nothing is proven of it."""
    proof = of("table_function")
    assert judged(proof, "a")[0] is UNKNOWN
    assert "makes no table" in proof.verdict(get(proof, M), "a").message


def test_partitioning_by_ingestion_time_takes_its_field() -> None:
    """BigQuery puts the field into _PARTITIONTIME: it is no column of the table."""
    partition = {"field": "Day", "data_type": "date", "time_ingestion_partitioning": True}
    node = model(
        "m",
        "select 1 as day, 2 as b",
        config={"materialized": "incremental", "on_schema_change": "sync_all_columns", "partition_by": partition},
    )
    proof = prover(node, adapter="bigquery")
    assert names(proof, M) == ("b",)
    assert judged(proof, "day")[0] is ABSENT
    plain = {**partition, "time_ingestion_partitioning": False}
    node["config"]["partition_by"] = plain
    assert names(prover(node, adapter="bigquery"), M) == ("day", "b")


def test_children_inherit_what_is_not_sure() -> None:
    """A view over all columns of an incremental table has what the table has; one that names them has these."""
    proof = of("incremental")
    columns = proof.columns(get(proof, "model.shop.v"))
    assert [(column.name, column.evidence) for column in columns.columns] == [
        ("a", Evidence.POSSIBLE),
        ("b", Evidence.POSSIBLE),
    ]
    assert not columns.closed
    named = prover(
        model("m", SQL, config={"materialized": "incremental"}),
        model("v", 'select b as c, 1 as d from "shop"."main"."m"', M),
    )
    assert named.columns(get(named, "model.shop.v")).closed
    renamed = prover(
        model("m", SQL, config={"materialized": "incremental"}),
        model("v", 'select * rename (b as c), 1 as a from "shop"."main"."m"', M),
    )
    listed = renamed.columns(get(renamed, "model.shop.v"))
    assert {column.name for column in listed.columns if not column.is_certain} >= {"c"}


def test_children_of_a_table_with_a_catalog() -> None:
    """A fresh catalog of the parent counts for its children, an old one as far as it goes."""
    fresh = of("incremental", catalog=("a", "old"))
    assert names(fresh, "model.shop.v") == ("a", "old")
    assert fresh.columns(get(fresh, "model.shop.v")).closed
    old = of("incremental", catalog=("a", "old"), stale=True)
    listed = old.columns(get(old, "model.shop.v"))
    assert [(column.name, column.is_certain) for column in listed.columns] == [("a", True), ("old", False)]
    assert not listed.closed
