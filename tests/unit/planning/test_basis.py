"""What is live against what is declared, where the evidence of one side is weaker than that of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from dbt_statsig.columns.prover import Prover
from dbt_statsig.payloads.building import Context, build_payload
from dbt_statsig.planning.basis import read_list
from dbt_statsig.planning.matching import Action, Change, Desired, Live, Scope, build_plan
from dbt_statsig.project.artifacts import Catalog, Manifest
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.settings import Settings
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.vocabulary.sources import Source

MODEL = "model.shop.orders"
TYPES = {"user_id": "TEXT", "ts": "TIMESTAMP", "ds": "DATE", "amount": "FLOAT", "email": "TEXT"}
BLOCK: dict[str, Any] = {
    "name": "Orders",
    "timestamp_column": "ts",
    "id_type_mapping": {"userID": "user_id"},
    "partition_column": "ds",
    "where": "amount > 0",
}
SHORT: dict[str, Any] = {"name": "Orders", "timestamp_column": "ts", "id_type_mapping": {"userID": "user_id"}}
SQL = f"select {', '.join(TYPES)} from raw_orders"
EVIDENCE: dict[str, dict[str, Any]] = {
    "none": {},
    "sql": {"sql": SQL},
    "catalog": {"catalog": True},
    "both": {"sql": SQL, "catalog": True},
}


def wanted(
    block: dict[str, Any] | None = None,
    *,
    base: dict[str, Any] = BLOCK,
    kind: str = "metric_source",
    adapter: str = "duckdb",
    sql: str = "",
    catalog: bool = False,
    types: dict[str, str] = TYPES,
    hide: tuple[str, ...] = (),
    config: dict[str, Any] | None = None,
    schema: str = "main",
) -> Desired:
    """What one block asks for with this evidence; without compiled SQL, that is what is missing."""
    upper = adapter == "snowflake"
    model = node(
        MODEL,
        relation_name=f"{schema}.orders",
        compiled_code=sql or None,
        columns={name: {"name": name, "tags": ["pii"], "config": {"tags": ["pii"]}} for name in hide},
        config={"materialized": "table", **(config or {}), "meta": {"statsig": {kind: {**base, **(block or {})}}}},
    )
    manifest = Manifest.from_bytes(manifest_bytes(model, metadata={"adapter_type": adapter}))
    names = {name.upper() if upper else name: kind for name, kind in types.items()}
    columns = {name: {"name": name, "type": kind, "index": at} for at, (name, kind) in enumerate(names.items(), 1)}
    prover = Prover(manifest, Catalog.from_bytes(catalog_bytes({MODEL: columns})) if catalog else None)
    (declaration,) = declare(manifest, settings=Settings(), project_dir=None).declarations
    built = build_payload(declaration, prover, Context(project="shop", hidden_tags=frozenset({"pii"})))
    opened = {found.code for found in built.findings} & {"hidden-columns-open"}
    uncompiled = () if sql or not built.basis.is_weak else (MODEL,)
    return Desired(
        kind=declaration.kind,
        name=declaration.name,
        unique_id=MODEL,
        payload=built.payload,
        blocked="It has errors." if opened else "",
        excused=bool(opened),
        basis=structs.replace(built.basis, uncompiled=uncompiled),
    )


def live_of(item: Desired, **edits: Any) -> Source:
    """The object that a push of it leaves, and what somebody edited."""
    assert item.payload is not None
    return structs.replace(item.payload, **edits)


def change(item: Desired, *live: Source, force: bool = False) -> Change:
    """What the plan says of it."""
    (only,) = build_plan([item], {item.kind: Live(items=live)}, Scope(project="shop", force=force)).changes
    return only


def written(one: Change) -> dict[str, Any]:
    """The fields that would change, with their new values."""
    return {field.field: field.after for field in one.fields}


@pytest.mark.parametrize("adapter", ["duckdb", "snowflake", "bigquery", "postgres", "clickhouse"])
@pytest.mark.parametrize("later", EVIDENCE)
@pytest.mark.parametrize("first", ["sql", "catalog", "both"])
def test_evidence_alone_changes_nothing(adapter: str, first: str, later: str) -> None:
    """Whatever of compiled SQL and catalog is there at the push and later, an unchanged project changes nothing."""
    found = change(wanted(adapter=adapter, **EVIDENCE[later]), live_of(wanted(adapter=adapter, **EVIDENCE[first])))
    assert (found.action, written(found)) == (Action.UNCHANGED, {})


@pytest.mark.parametrize(
    ("block", "hide"),
    [
        ({"columns": ["amount", "email"]}, ()),
        ({"exclude_columns": ["amount"]}, ()),
        ({"custom_field_mapping": {"cents": "amount * 100"}}, ()),
        ({"source_type": "table"}, ()),
        ({"sql": "select user_id, ts from orders"}, ()),
        ({}, ("email",)),
    ],
)
@pytest.mark.parametrize("adapter", ["duckdb", "snowflake"])
def test_every_way_to_choose_columns(adapter: str, block: dict[str, Any], hide: tuple[str, ...]) -> None:
    """A source without evidence stays as it is, however its columns are chosen."""
    before, later = (
        wanted(block, base=SHORT, adapter=adapter, hide=hide, **EVIDENCE[each]) for each in ("both", "none")
    )
    found = change(later, live_of(before))
    assert (found.action, written(found)) == (Action.UNCHANGED, {})


def test_what_is_not_compared_is_named() -> None:
    """A source that stays for lack of evidence says so, with the SQL that is missing and the next step."""
    found = change(wanted(), live_of(wanted(sql=SQL)))
    assert found.kept
    assert found.reason == (
        "Its SQL is not compared: its columns depend on SQL that the last dbt command did not compile: "
        "model.shop.orders. Run `dbt compile` to compare it."
    )
    assert not change(wanted(sql=SQL, catalog=True), live_of(wanted(sql=SQL))).kept


INCREMENTAL = {"materialized": "incremental"}


@pytest.mark.parametrize("block", [{}, {"exclude_columns": ["amount"]}])
def test_a_table_with_a_history(block: dict[str, Any]) -> None:
    """What only the catalog tells of an incremental table stays selected without one, old columns too."""
    types = {**TYPES, "old": "TEXT"}
    before = live_of(wanted(block, base=SHORT, config=INCREMENTAL, sql=SQL, catalog=True, types=types))
    assert '"old"' in str(before.sql)
    found = change(wanted(block, base=SHORT, config=INCREMENTAL, sql=SQL), before)
    assert (found.action, found.kept) == (Action.UNCHANGED, True)
    more = {"exclude_columns": [*block.get("exclude_columns", ()), "old"]}
    assert change(wanted(more, base=SHORT, config=INCREMENTAL, sql=SQL), before).action is not Action.UNCHANGED


def test_a_custom_materialization_keeps_what_it_adds() -> None:
    """Columns that a materialization adds stay selected where its SQL is all that is known; new ones are added."""
    config = {"materialized": "audited"}
    before = live_of(wanted(config=config, sql=SQL, catalog=True, types={**TYPES, "loaded_at": "TIMESTAMP"}))
    found = change(wanted(config=config, sql=SQL), before)
    assert (found.action, found.kept) == (Action.UNCHANGED, True)
    plain = live_of(wanted(config=config, sql=SQL))
    assert written(change(wanted(config=config, sql=SQL.replace("email", "email, more")), plain)).keys() == {"sql"}


def test_other_fields_are_written_beside_kept_sql() -> None:
    """A field that depends on no evidence is written, and the SQL goes back as it is."""
    live = live_of(wanted(sql=SQL))
    found = change(wanted({"tags": ["core"]}), live)
    assert (found.action, found.kept, written(found)) == (Action.UPDATE, True, {"tags": ("core",)})
    assert found.desired is not None
    assert found.desired.sql == live.sql


@pytest.mark.parametrize(
    "edit",
    [
        {"where": "amount > 1"},
        {"partition_column": "ts"},
        {"timestamp_column": "ds"},
        {"id_type_mapping": {"userID": "email"}},
        {"id_type_mapping": {"userID": "user_id", "stableID": "email"}},
        {"columns": ["amount"]},
    ],
)
def test_a_changed_declaration_waits_for_evidence(edit: dict[str, Any]) -> None:
    """What was declared again is held back until SQL is compiled, and written with --force."""
    live = live_of(wanted(sql=SQL, catalog=True))
    found = change(wanted(edit), live)
    assert found.action is Action.BLOCKED
    assert found.reason.startswith("It differs from what is declared, but its columns depend on SQL")
    assert found.fix == "Run `dbt compile`, then run this again. --force writes it as it is now."
    assert change(wanted(edit), live, force=True).action is Action.UPDATE
    assert change(wanted(edit, sql=SQL), live).action is Action.UPDATE


def test_another_table_waits_for_evidence() -> None:
    """A source whose table moved is held back too; with its SQL compiled it is written."""
    live = live_of(wanted(sql=SQL))
    assert change(wanted(schema="other"), live).action is Action.BLOCKED
    assert change(wanted(schema="other", sql=SQL), live).action is Action.UPDATE


def test_a_column_that_the_live_list_lacks() -> None:
    """A list that lacks a column which is mapped now is not kept."""
    live = live_of(wanted({"columns": ["amount"]}, sql=SQL))
    found = change(wanted({"columns": ["amount"], "id_type_mapping": {"userID": "user_id", "stableID": "email"}}), live)
    assert found.action is Action.BLOCKED


def test_a_lost_catalog_names_its_command() -> None:
    """Where SQL is compiled and the columns are unknown still, the catalog is asked for."""
    star = "select * from nowhere"
    live = live_of(wanted(sql=star, catalog=True))
    found = change(wanted(sql=star), live)
    assert (found.action, found.kept) == (Action.UNCHANGED, True)
    assert found.reason.endswith(
        "not all of its columns and their types are known. Run `dbt docs generate` to compare it."
    )
    assert change(wanted({"where": "amount > 1"}, sql=star), live).action is Action.BLOCKED


def test_nothing_better_can_be_known() -> None:
    """A source whose columns nothing tells is created, and updated, with every column."""
    star = "select * from nowhere"
    first = wanted(sql=star)
    assert change(first).action is Action.CREATE
    assert written(change(wanted({"where": "amount > 1"}, sql=star), live_of(first))).keys() == {"sql"}


def test_nothing_is_created_without_the_sql_that_shows_its_columns() -> None:
    """A new source waits for compiled SQL; --force creates it."""
    found = change(wanted())
    assert found.action is Action.BLOCKED
    assert found.reason.startswith("Not created yet: its columns depend on SQL")
    assert change(wanted(), force=True).action is Action.CREATE
    assert change(wanted(catalog=True)).action is Action.CREATE


def test_a_rename_keeps_or_waits() -> None:
    """An object that gets a new name keeps its SQL, and waits where that would have to change too."""
    old = live_of(wanted({"name": "Old"}, base=SHORT, kind="entity_property_source", sql=SQL))
    found = change(wanted(base=SHORT, kind="entity_property_source"), old)
    assert (found.action, found.kept, written(found)) == (Action.RENAME, True, {"name": "Orders"})
    edited = wanted({"where": "amount > 1"}, base=SHORT, kind="entity_property_source")
    assert change(edited, old).action is Action.BLOCKED
    assert change(edited, old, force=True).action is Action.RENAME


def test_a_rename_that_waits_frees_no_name() -> None:
    """A name that a waiting rename still holds is not given to another object."""
    kind = "entity_property_source"
    held = live_of(wanted({"name": "A"}, base=SHORT, kind=kind, sql=SQL))
    waits = wanted({"name": "B", "where": "amount > 1"}, base=SHORT, kind=kind)
    other = structs.replace(held, name="C", description="Managed by dbt: shop/model.shop.other")
    follows = structs.replace(wanted({"name": "A"}, base=SHORT, kind=kind, sql=SQL), unique_id="model.shop.other")
    plan = build_plan([waits, follows], {waits.kind: Live(items=(held, other))}, Scope(project="shop"))
    assert [(one.name, one.action) for one in plan.changes] == [("A", Action.BLOCKED), ("B", Action.BLOCKED)]


def test_every_column_and_the_whole_list_mean_the_same() -> None:
    """`SELECT *` and a list of all columns there are is no difference; a list that leaves one out is."""
    star = live_of(wanted(sql="select * from nowhere"))
    assert star.sql is not None
    assert "*" in str(star.sql)
    assert change(wanted(sql=SQL), star).action is Action.UNCHANGED
    assert written(change(wanted({"exclude_columns": ["email"]}, sql=SQL), star)).keys() == {"sql"}
    assert written(change(wanted(sql=SQL, hide=("email",)), star)).keys() == {"sql"}


def test_hidden_columns_are_never_kept() -> None:
    """A live list that shows a column tagged as hidden is not kept; the declaration's error stays."""
    shown = live_of(wanted(sql=SQL))
    found = change(wanted(hide=("email",)), shown)
    assert (found.action, found.reason) == (Action.BLOCKED, "It has errors.")
    assert change(wanted(hide=("email",)), live_of(wanted(sql="select * from nowhere"))).action is Action.BLOCKED


def test_a_proven_change_of_columns_is_written() -> None:
    """A column that compiled SQL adds or drops is a change, in every spelling."""
    live = live_of(wanted(sql=SQL))
    for sql in ("select user_id, ts, ds, amount from t", SQL.replace("email", "email, more")):
        assert written(change(wanted(sql=sql), live)).keys() == {"sql"}


@pytest.mark.parametrize(
    ("types", "same"),
    [({"ds": "DATE"}, True), ({"ds": "TIMESTAMP"}, True), ({"ds": "INTEGER"}, False)],
)
def test_the_date_filter_by_type(types: dict[str, str], same: bool) -> None:  # noqa: FBT001 - a case's value
    """A cast to a day is as good as a DATE alone, and what a TIMESTAMP needs; an integer's filter is another one."""
    cast = live_of(wanted(sql=SQL, catalog=True, types={**TYPES, "ds": "TIMESTAMP"}))
    found = change(wanted(sql=SQL, catalog=True, types={**TYPES, **types}), cast)
    assert (found.action is Action.UNCHANGED) is same
    bare = live_of(wanted(sql=SQL, catalog=True))
    found = change(wanted(sql=SQL, catalog=True, types={**TYPES, "ds": "TIMESTAMP"}), bare)
    assert found.action is Action.UPDATE


def test_an_unknown_type_keeps_the_live_filter() -> None:
    """Where nothing tells the type any more, the filter that is live stays, whichever it is, and is named."""
    live = live_of(wanted(sql=SQL, catalog=True, types={**TYPES, "ds": "INTEGER"}))
    found = change(wanted(sql=SQL), live)
    assert (found.action, found.kept) == (Action.UNCHANGED, True)


@pytest.mark.parametrize(
    "edit",
    [
        lambda sql: sql.replace("\n", "\r\n").replace("  ", "\t"),
        lambda sql: "\n  " + sql + "\n",
    ],
)
def test_white_space_and_the_order_of_columns(edit: Callable[[str], str]) -> None:
    """What a server may rearrange in the SQL is no difference, whatever the evidence."""
    live = live_of(wanted(sql=SQL, catalog=True))
    again = ", ".join(reversed(TYPES))
    for compiled in ("", f"select {again} from raw_orders"):
        found = change(wanted(sql=compiled), structs.replace(live, sql=edit(str(live.sql))))
        assert found.action is Action.UNCHANGED


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, b + 1 FROM t",
        "SELECT a",
        "SELECT DISTINCT a FROM t",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "",
        "SELECT",
    ],
)
def test_other_sql_is_no_list(sql: str) -> None:
    """A SQL of another form than ours is compared as text."""
    assert read_list(sql) == (None, "")
    live = live_of(wanted(sql=SQL), sql=sql)
    assert change(wanted(), live).action is Action.BLOCKED
    assert written(change(wanted(sql=SQL), live)).keys() == {"sql"}


def test_a_live_object_without_columns() -> None:
    """An object that lacks its mapping gets it."""
    live = live_of(wanted(sql=SQL), id_type_mapping=None, timestamp_column=None)
    assert written(change(wanted(sql=SQL), live)).keys() == {"id_type_mapping", "timestamp_column"}


def test_awkward_names_are_read() -> None:
    """Quoted names of every kind, with their own quote in them, are read as they were written."""
    names = ['"a""b"', "`c``d`", "[e]]f]", "g_1", "größe", '"h,i"', '"j FROM k"']
    assert read_list(f"SELECT {', '.join(names)} FROM t") == (names, "FROM t")
