"""Tests of proving columns over whole projects."""

from __future__ import annotations

import pytest

from dbt_statsig.vocabulary.verdicts import Evidence, Presence
from tests.unit.columns.projects import get, model, names, prover, source

RAW = "source.shop.raw.events"
COLUMNS = {RAW: ("id", "at")}
STAR = 'select * from "shop"."raw"."events"'


def test_stars_are_followed_to_the_source() -> None:
    """A chain of models with stars ends at the source's entry in the catalog."""
    proof = prover(
        source("events"),
        model("stg", STAR, RAW),
        model("fct", 'select *, 1 as one from "shop"."main"."stg"', "model.shop.stg"),
        catalog=COLUMNS,
    )
    columns = proof.columns(get(proof, "model.shop.fct"))
    assert columns.closed
    assert names(proof, "model.shop.fct") == ("id", "at", "one")
    assert {column.evidence for column in columns.columns} == {Evidence.INFERRED}


def test_a_fresh_catalog_gives_types_and_closes() -> None:
    """A fresh catalog's list is the list, with its types."""
    proof = prover(model("m", "select 1 as a, 2 as b"), catalog={"model.shop.m": ("a",)})
    columns = proof.columns(get(proof, "model.shop.m"))
    assert [(column.name, column.data_type) for column in columns.columns] == [("a", "INTEGER")]
    assert columns.closed
    assert proof.verdict(get(proof, "model.shop.m"), "b").code == "column-not-built"


def test_a_stale_catalog_yields_to_complete_inference() -> None:
    """The columns are those of the SQL; types are kept where the old catalog still fits."""
    proof = prover(model("m", "select 1 as a, 2 as b"), catalog={"model.shop.m": ("a", "gone")}, stale=True)
    columns = proof.columns(get(proof, "model.shop.m"))
    assert [(column.name, column.data_type) for column in columns.columns] == [("a", "INTEGER"), ("b", None)]
    assert columns.closed
    gone = proof.verdict(get(proof, "model.shop.m"), "gone")
    assert (gone.presence, gone.code) == (Presence.UNKNOWN, "column-going")
    assert "the next build removes it" in gone.message


def test_a_stale_catalog_and_open_inference_stay_open() -> None:
    """Neither is complete: what both have is shown, and the list is open."""
    proof = prover(model("m", "select 1 as b, * from elsewhere"), catalog={"model.shop.m": ("a",)}, stale=True)
    columns = proof.columns(get(proof, "model.shop.m"))
    assert [column.name for column in columns.columns] == ["a", "b"]
    assert not columns.closed
    assert "older than the manifest" in columns.reasons[0]
    assert proof.verdict(get(proof, "model.shop.m"), "c").code == "catalog-stale"


def test_stale_sources_prove_no_absence() -> None:
    """What rests on an old catalog of a source is shown as complete, but a missing column is only a warning."""
    proof = prover(source("events"), model("m", STAR, RAW), catalog=COLUMNS, stale=True)
    assert names(proof, "model.shop.m") == ("id", "at")
    assert proof.columns(get(proof, RAW)).closed
    assert proof.verdict(get(proof, "model.shop.m"), "other").presence is Presence.UNKNOWN
    assert proof.verdict(get(proof, RAW), "other").code == "catalog-stale"


def test_an_enforced_contract_closes_the_list() -> None:
    """The contract's columns, folded as the warehouse folds them, are the list, for children too."""
    columns = {"Id": {"name": "Id", "data_type": "int"}, "Q": {"name": "Qq", "quote": True, "data_type": "int"}}
    proof = prover(
        model("m", "select *, 1 from nowhere", columns=columns, config={"contract": {"enforced": True}}),
        model("child", "select * from shop.main.m", "model.shop.m"),
        adapter="snowflake",
    )
    listed = proof.columns(get(proof, "model.shop.m"))
    assert [(column.name, column.data_type, column.evidence) for column in listed.columns] == [
        ("ID", "int", Evidence.CONTRACT),
        ("Qq", "int", Evidence.CONTRACT),
    ]
    assert names(proof, "model.shop.child") == ("ID", "Qq")
    assert proof.verdict(get(proof, "model.shop.m"), "missing").evidence is Evidence.CONTRACT


def test_a_parent_that_is_unknown_takes_its_catalog() -> None:
    """Where a parent's SQL does not tell its columns, its fresh catalog entry does."""
    nodes = (model("m", "select * from elsewhere"), model("child", 'select * from "shop"."main"."m"', "model.shop.m"))
    catalog = {"model.shop.m": ("a",)}
    assert names(prover(*nodes, catalog=catalog), "model.shop.child") == ("a",)
    withheld = prover(*nodes, catalog=catalog, use_catalog_of_models=False)
    assert withheld.columns(get(withheld, "model.shop.child")).columns == ()
    stale = prover(*nodes, catalog=catalog, stale=True)
    assert not stale.columns(get(stale, "model.shop.child")).closed


def test_ephemeral_parents_are_read_through() -> None:
    """The tables of an ephemeral parent are parents too, since dbt puts its SQL into the child's."""
    ephemeral = model("eph", STAR, RAW, config={"materialized": "ephemeral"})
    ephemeral["relation_name"] = None
    child = model("m", f"with __dbt__cte__eph as ({STAR}) select * from __dbt__cte__eph", "model.shop.eph")
    assert names(prover(source("events"), ephemeral, child, catalog=COLUMNS), "model.shop.m") == ("id", "at")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ("a", "dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")),
        (
            {"hard_deletes": "new_record", "snapshot_meta_column_names": {"dbt_valid_to": "until"}},
            ("a", "dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "until", "dbt_is_deleted"),
        ),
    ],
)
def test_snapshots_have_dbts_own_columns(config: dict[str, object], expected: tuple[str, ...]) -> None:
    """A snapshot has what its query gives and the columns that dbt adds, under their configured names."""
    proof = prover(
        model("s", "select 1 as a", kind="snapshot", config={"materialized": "snapshot", **config}),
        model("m", 'select * from "shop"."main"."s"', "snapshot.shop.s"),
    )
    assert names(proof, "snapshot.shop.s") == expected
    assert names(proof, "model.shop.m") == expected


def test_a_snapshot_of_a_snapshot_has_them_once() -> None:
    """Columns that the query gives already are not added twice."""
    proof = prover(model("s", "select 1 as dbt_scd_id", kind="snapshot"))
    assert names(proof, "snapshot.shop.s").count("dbt_scd_id") == 1


def test_an_undeclared_seed_of_the_project_is_known() -> None:
    """A table that is no declared parent, but a seed or source of the project, is taken from the catalog."""
    proof = prover(source("events"), model("m", STAR), catalog=COLUMNS)
    assert names(proof, "model.shop.m") == ("id", "at")


def test_an_undeclared_model_is_not_taken() -> None:
    """A model that is read without ref() may have been built before or after: its columns are not known."""
    proof = prover(model("m", "select 1 as a"), model("child", 'select * from "shop"."main"."m"'))
    columns = proof.columns(get(proof, "model.shop.child"))
    assert not columns.closed
    assert "not a declared parent" in columns.reasons[0]


def test_two_nodes_of_one_table_share_its_entry() -> None:
    """A seed without an entry is known where a source stands for the same table."""
    seed = model("events", None, kind="seed")
    seed["relation_name"] = '"shop"."raw"."events"'
    proof = prover(source("events"), seed, catalog=COLUMNS)
    assert names(proof, "seed.shop.events") == ("id", "at")


def test_a_source_table_that_nothing_proves() -> None:
    """It is called as in dbt, `source.table`, and the next step is the catalog: dbt does not compile it."""
    proof = prover(source("events", source_name="raw"))
    verdict = proof.verdict(get(proof, "source.shop.raw.events"), "at")
    assert verdict.message.startswith('No proof that the source table raw.events has a column "at"')
    assert verdict.fix.startswith("Run `dbt docs generate`. It lists only tables that exist")


REASONS = [
    (model("m", None), "no compiled SQL"),
    (model("m", 'select * from "shop"."main"."m"'), "of itself"),
    (model("m", "select * from a.b.c"), "a.b.c, which is not a declared parent"),
    (model("m", STAR, RAW), "a source table without an entry"),
    (model("m", "selec"), "no query"),
    (model("m", 'select * from "shop"."main"."n"', "model.shop.n"), "no compiled SQL"),
]


@pytest.mark.parametrize(("node", "reason"), REASONS)
def test_reasons(node: dict[str, object], reason: str) -> None:
    """An open list says what keeps it open."""
    proof = prover(source("events"), model("n", None), node)
    columns = proof.columns(get(proof, "model.shop.m"))
    assert not columns.closed
    assert reason in columns.reasons[0]


def test_a_python_model_is_not_inferred() -> None:
    """A model in Python says that it is one."""
    python = model("m", "def model(dbt, session): ...")
    python["language"] = "python"
    proof = prover(python)
    assert proof.columns(get(proof, "model.shop.m")).reasons == ("it is written in Python",)


def test_a_circle_ends() -> None:
    """Models of a hand-made manifest that depend on each other are unknown, not endless."""
    proof = prover(
        model("a", 'select *, 1 as x from "shop"."main"."b"', "model.shop.b"),
        model("b", 'select *, 2 as y from "shop"."main"."a"', "model.shop.a"),
    )
    for unique_id in ("model.shop.a", "model.shop.b"):
        assert not proof.columns(get(proof, unique_id)).closed


def test_tags_come_from_the_documentation() -> None:
    """A column has the tags that YAML gives it, however the name is written there."""
    columns = {"EMAIL": {"name": "EMAIL", "tags": ["pii"], "config": {"tags": ["pii"]}}}
    proof = prover(model("m", "select 1 as email", columns=columns))
    assert [column.tags for column in proof.columns(get(proof, "model.shop.m")).columns] == [("pii",)]


def test_an_unknown_adapter_uses_the_catalog_alone() -> None:
    """Without a dialect nothing is inferred, and nothing is checked as SQL."""
    nodes = (source("events"), model("m", "select 1 as a", RAW))
    proof = prover(*nodes, catalog={"model.shop.m": ("A",)}, adapter="sqlite")
    node = get(proof, "model.shop.m")
    assert proof.verdict(node, "a").stored == "A"
    assert proof.check_predicate(node, "((", macros=frozenset()).problems == ()
    assert not proof.check_query(node, "((", macros=frozenset()).columns.closed
    bare = prover(*nodes, adapter="sqlite")
    assert "sqlite" in bare.columns(get(bare, "model.shop.m")).reasons[0]


def test_a_long_chain_of_models() -> None:
    """A chain of a thousand models with stars is followed without recursion."""
    chain = [model("m0", "select 1 as a")]
    chain += [model(f"m{n}", f'select * from "shop"."main"."m{n - 1}"', f"model.shop.m{n - 1}") for n in range(1, 1000)]
    assert names(prover(*chain), "model.shop.m999") == ("a",)
