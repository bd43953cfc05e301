"""Payloads: the SQL, the mapping and the fields that Statsig is sent, on each warehouse."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbt_statsig.columns.prover import Prover
from dbt_statsig.payloads.building import Built, Context, build_payload
from dbt_statsig.project.artifacts.nodes import NodeColumn
from dbt_statsig.project.declarations import declare
from dbt_statsig.project.settings import Settings
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.sources import IdType, Kind
from tests.unit.payloads.warehouse_cases import MAPPING, META, WAREHOUSES, project

GOLDEN = Path(__file__).parent / "golden"
CONTEXT = Context(project="shop", hidden_tags=frozenset({"pii"}), docs_url="https://docs.example/shop/")
BASE: dict[str, Any] = {"name": "A", "timestamp_column": "exposed_at", "id_type_mapping": MAPPING}


def built(adapter: str, meta: dict[str, Any] = META, *, catalog: bool = True) -> dict[str, Built]:
    """What each declaration gives, by its name."""
    manifest, evidence = project(adapter, meta=meta, catalog=catalog)
    prover = Prover(manifest, evidence)
    declared = declare(manifest, settings=Settings(), project_dir=None)
    assert [found.message for found in declared.findings] == []
    return {one.name: build_payload(one, prover, CONTEXT) for one in declared.declarations}


def one(
    meta: dict[str, Any], *, adapter: str = "duckdb", kind: Kind = Kind.METRIC_SOURCE, catalog: bool = True
) -> Built:
    """What a single block gives."""
    (result,) = built(adapter, {kind.value: BASE | meta}, catalog=catalog).values()
    return result


def sql(result: Built) -> str:
    """The SQL of a payload."""
    assert result.payload is not None
    assert isinstance(result.payload.sql, str)
    return result.payload.sql


def codes(result: Built) -> list[str]:
    """The codes of all findings."""
    return [found.code for found in result.findings]


@pytest.mark.parametrize("adapter", WAREHOUSES)
def test_golden(adapter: str) -> None:
    """All four kinds on each warehouse give the payloads that are kept (UPDATE_GOLDEN=1 writes them again)."""
    results = {name: result.payload for name, result in built(adapter).items()}
    text = msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n"
    path = GOLDEN / f"{adapter}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_known_column_but_the_hidden() -> None:
    """Without `columns`, all known columns are selected but those with a hidden tag."""
    result = one({})
    assert "email" not in result.selected
    assert "amount" in result.selected
    assert '"email"' not in sql(result)


def test_a_hidden_column_that_is_named_is_selected() -> None:
    """Naming or mapping a hidden column is a decision, and is followed."""
    assert "email" in one({"columns": ["email"]}).selected
    assert "email" in one({"id_type_mapping": {"email": "email"}}).selected


def blind(meta: dict[str, Any], *, adapter: str, **node: Any) -> Built:
    """What a single metric source gives whose node was changed so, without a catalog."""
    manifest, _ = project(adapter, meta={Kind.METRIC_SOURCE.value: BASE | meta}, catalog=False)
    changed = msgspec.structs.replace(manifest.marked()[0], **{"columns": {}, **node})
    declared = declare(manifest, settings=Settings(), project_dir=None).declarations[0]
    return build_payload(msgspec.structs.replace(declared, node=changed), Prover(manifest), CONTEXT)


def test_unknown_columns_are_all_selected() -> None:
    """Where nothing tells the columns, every column is selected, and what is mapped is reported as unproven."""
    result = blind({}, adapter="duckdb", compiled_code="select * from somewhere")
    assert sql(result) == 'SELECT\n  *\nFROM "shop"."marts"."fct_exposures"'
    assert set(codes(result)) == {"column-unknown"}


def test_hidden_columns_in_an_open_list() -> None:
    """Where the full list is not known, a hidden column cannot be left out: an error, not a guess."""
    manifest, _ = project("duckdb", meta={Kind.METRIC_SOURCE.value: BASE}, catalog=False)
    blind = msgspec.structs.replace(manifest.marked()[0], compiled_code="select * from somewhere")
    declared = declare(manifest, settings=Settings(), project_dir=None).declarations[0]
    result = build_payload(msgspec.structs.replace(declared, node=blind), Prover(manifest), CONTEXT)
    assert "hidden-columns-open" in codes(result)


def test_mapped_columns_are_always_selected() -> None:
    """`columns` adds to the mapped columns, in the model's order."""
    assert one({"columns": ["amount"]}).selected == ("user_id", "device_id", "exposed_at", "amount")


def test_columns_of_formulas_are_selected() -> None:
    """What a custom field's formula reads is in the SQL, even where `columns` does not name it."""
    result = one({"columns": ["variant"], "custom_field_mapping": {"cents": "amount * 100"}})
    assert "amount" in result.selected


def test_excluding_a_used_column_is_a_contradiction() -> None:
    """A column cannot be left out and mapped."""
    assert codes(one({"exclude_columns": ["user_id"]})) == ["contradiction"]


def test_absent_columns_are_named_with_their_key() -> None:
    """Every absent column is found at once, each under its key and with the nearest name."""
    result = one({"timestamp_column": "exposed_att", "columns": ["amunt"], "exclude_columns": ["emial"]})
    shown = {found.key: (found.code, found.fix) for found in result.findings}
    assert {key: code for key, (code, _) in shown.items()} == {
        "statsig.metric_source.timestamp_column": "column-absent",
        "statsig.metric_source.exclude_columns.0": "column-absent",
        "statsig.metric_source.columns.0": "column-absent",
    }
    assert '"exposed_at"' in shown["statsig.metric_source.timestamp_column"][1]


@pytest.mark.parametrize(
    ("column", "predicate"),
    [
        ("exposed_on", '"exposed_on" BETWEEN {statsig_start_date} AND {statsig_end_date}'),
        ("exposed_at", 'CAST("exposed_at" AS DATE) BETWEEN {statsig_start_date} AND {statsig_end_date}'),
        ("exposed_day", '"exposed_day" BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}'),
    ],
)
def test_partition_filter(column: str, predicate: str) -> None:
    """The date filter follows the column's proven type."""
    result = one({"partition_column": column})
    assert sql(result).endswith(f"\nWHERE {predicate}")
    assert codes(result) == []


def test_partition_of_unknown_type() -> None:
    """A type that nothing proves is no ground for a filter: an error, and what was built must not be pushed."""
    result = one({"partition_column": "exposed_on"}, catalog=False)
    assert result.unproven == 'No proof of the type of partition column "exposed_on".'
    assert [(found.code, found.severity) for found in result.findings] == [("partition-type-unknown", Severity.ERROR)]


def test_partition_of_a_model_that_is_not_compiled() -> None:
    """SQL that is not compiled may hold the cast that tells, so it is a warning; nothing is pushed all the same."""
    result = blind({"partition_column": "exposed_on"}, adapter="duckdb", compiled_code=None)
    found = [(found.code, found.severity) for found in result.findings if found.code != "column-unknown"]
    assert found == [("partition-type-unknown", Severity.WARNING)]
    assert result.unproven


@pytest.mark.parametrize(
    ("declared", "predicate"),
    [
        ("date", '"day" BETWEEN {statsig_start_date} AND {statsig_end_date}'),
        ("timestamp", 'CAST("day" AS DATE) BETWEEN {statsig_start_date} AND {statsig_end_date}'),
        ("integer", '"day" BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}'),
    ],
)
def test_partition_type_is_declared(declared: str, predicate: str) -> None:
    """`partition_type` says what nothing proves."""
    meta = {"partition_column": "day", "partition_type": declared}
    result = blind(meta, adapter="duckdb", compiled_code="select day, user_id, device_id, exposed_at from days")
    assert sql(result).endswith(f"WHERE {predicate}")
    assert codes(result) == []
    assert not result.unproven


@pytest.mark.parametrize(
    ("cast", "predicate"),
    [
        ("date(seen)", '"day" BETWEEN {statsig_start_date} AND'),
        ("seen::timestamp", 'CAST("day" AS DATE) BETWEEN'),
        ("cast(seen as integer)", '"day" BETWEEN {statsig_start_date_int} AND'),
    ],
)
def test_partition_type_of_the_models_own_cast(cast: str, predicate: str) -> None:
    """Where the compiled SQL casts the column itself, that is its type."""
    code = f"with days as (select {cast} as day, user_id, device_id, exposed_at from raw) select * from days"
    result = blind({"partition_column": "day"}, adapter="duckdb", compiled_code=code)
    assert predicate in sql(result)
    assert codes(result) == []


def test_a_partition_type_that_the_catalog_contradicts() -> None:
    """A date that the catalog knows as a number or a timestamp is refused: the filter would fail or lose rows."""
    for column in ("exposed_day", "exposed_at"):
        result = one({"partition_column": column, "partition_type": "date"})
        assert codes(result) == ["contradiction"]
        assert f'`partition_type` is date, but "{column}" is of type' in result.findings[0].message


def test_partition_of_text() -> None:
    """Text is cast to a day, which is a warning."""
    assert [(found.code, found.severity) for found in one({"partition_column": "variant"}).findings] == [
        ("partition-type", Severity.WARNING)
    ]


def test_partition_of_a_fraction() -> None:
    """No date filter can be built on a type such as DOUBLE, unless its column is declared to hold days as integers."""
    (found,) = one({"partition_column": "amount"}).findings
    assert (found.code, found.severity) == ("partition-type", Severity.ERROR)
    assert codes(one({"partition_column": "amount", "partition_type": "integer"})) == []


def test_where_is_placed_as_written() -> None:
    """A predicate is in parentheses, as the user wrote it, before the date filter."""
    result = one({"where": "amount > 10 or variant = 'a'", "partition_column": "exposed_on"})
    assert "\nWHERE (amount > 10 or variant = 'a')\n  AND \"exposed_on\" BETWEEN" in sql(result)


@pytest.mark.parametrize("where", ["1 = 1) or (1 = 1", "amount > 1; drop table x", "amount >", "amount > 1 -- all"])
def test_a_predicate_that_would_break_out_is_refused(where: str) -> None:
    """No payload is built from a predicate that is not one whole expression."""
    result = one({"where": where})
    assert codes(result) == ["bad-sql"]
    assert result.payload is None


def test_own_query() -> None:
    """The user's query is sent as written, and its own columns are what counts."""
    text = "select user_id, device_id, exposed_at, amount as total from exposures"
    result = one({"sql": text, "timestamp_column": "exposed_att"})
    assert sql(result) == text
    assert codes(result) == ["column-absent"]


def test_own_query_of_a_formula() -> None:
    """Formulas are read over the query's columns, not the model's."""
    text = "select user_id, device_id, exposed_at, amount as total from exposures"
    assert codes(one({"sql": text, "custom_field_mapping": {"cents": "total * 100"}})) == []
    assert codes(one({"sql": text, "custom_field_mapping": {"cents": "amount * 100"}})) == ["column-absent"]


def test_skip_validation_needs_every_type() -> None:
    """Without types nothing is skipped, and that is reported."""
    result = one({"skip_validation": True}, catalog=False)
    assert codes(result) == ["skip-validation-unproven"]
    assert result.payload is not None
    assert "skip_validation" not in msgspec.to_builtins(result.payload)


def test_table_source_shows_hidden_columns() -> None:
    """A table source cannot leave columns out, which is a warning where some are to be hidden."""
    assert codes(one({"source_type": "table"})) == ["hidden-columns-shown"]


def test_the_owner_of_an_entity_property_source_is_not_sent() -> None:
    """Statsig refuses an owner there: a warning at the key, and a payload without it; other kinds send theirs."""
    owner = {"owner": {"owner_id": "me"}}
    entity = one({"columns": ["amount"], **owner}, kind=Kind.ENTITY_PROPERTY_SOURCE)
    assert "owner-not-sent" in codes(entity)
    assert entity.payload is not None
    assert entity.payload.owner is msgspec.UNSET
    metric = one(owner)
    assert "owner-not-sent" not in codes(metric)
    assert metric.payload is not None
    assert metric.payload.owner is not msgspec.UNSET


def test_undeclared_fields_are_not_sent() -> None:
    """A payload holds what was declared and the ownership line, and nothing else."""
    result = one({})
    assert result.payload is not None
    assert set(msgspec.to_builtins(result.payload)) == {
        "name",
        "description",
        "sql",
        "timestampColumn",
        "idTypeMapping",
    }


@pytest.mark.parametrize(
    ("adapter", "selected"),
    [
        ("snowflake", ['"AMOUNT"', '"ORDER"', '"x from y --"', '"Ünit"', '"EXPOSED_AT"']),
        ("postgres", ['"amount"', '"order"', '"x from y --"', '"Ünit"', '"exposed_at"']),
        ("bigquery", ["`Amount`", "`order`", "`x from y --`", "`Ünit`", "`exposed_at`"]),
    ],
)
def test_unproven_names(adapter: str, selected: list[str]) -> None:
    """A plain name that nothing proves is spelled as the warehouse folds it, any other as written; all are quoted."""
    meta = {"columns": ["Amount", "order", "x from y --", "Ünit"], "id_type_mapping": {"userID": "user_id"}}
    result = blind(meta, adapter=adapter, compiled_code=None)
    lines = [line.strip(" ,") for line in sql(result).splitlines()]
    assert lines[1 : lines.index(next(line for line in lines if line.startswith("FROM")))][:-1] == selected
    assert result.payload is not None
    assert result.payload.id_type_mapping == (
        IdType(statsig_unit_id="userID", column="USER_ID" if adapter == "snowflake" else "user_id"),
    )


def test_quote_true_is_the_spelling() -> None:
    """`quote: true` says that a column is stored as its YAML writes it."""
    columns = {"Amount": NodeColumn(name="Amount", quote=True), "other": NodeColumn(name="other")}
    result = blind({"columns": ["Amount", "other"]}, adapter="snowflake", compiled_code=None, columns=columns)
    assert sql(result).startswith('SELECT\n  "Amount",\n  "OTHER",\n  "EXPOSED_AT"')


def test_an_absent_column_is_not_selected() -> None:
    """What is proven absent is not reported as selected."""
    result = one({"columns": ["amount", "amunt"]})
    assert result.selected == ("user_id", "device_id", "exposed_at", "amount")


def test_hidden_columns_are_named() -> None:
    """The columns that the SQL leaves out for their tags are named, but none that is used."""
    assert one({}).hidden == ("email",)
    assert one({"id_type_mapping": {"email": "email"}}).hidden == ()
    assert one({"columns": ["amount"]}).hidden == ()


@pytest.mark.parametrize(("unit", "meant"), [("userId", "userID"), ("user_id", "userID"), ("stableid", "stableID")])
def test_a_near_miss_of_a_unit_id(unit: str, meant: str) -> None:
    """Unit IDs are case-sensitive in Statsig: what only looks like a built-in one is a warning."""
    (found,) = one({"id_type_mapping": {unit: "user_id"}}).findings
    assert (found.code, found.severity) == ("unit-id-spelling", Severity.WARNING)
    assert f'"{meant}"' in found.message


def test_two_unit_ids_on_one_column() -> None:
    """Two unit IDs that read one column, however it is spelled, are a warning that names both and the column."""
    (found,) = one({"id_type_mapping": {"userID": "user_id", "stableID": "USER_ID"}}).findings
    assert (found.code, found.severity) == ("unit-id-twice", Severity.WARNING)
    assert found.message == 'The unit IDs "userID" and "stableID" both read the column "user_id".'
    assert found.key.endswith(".id_type_mapping.stableID")
    assert one({"id_type_mapping": {"userID": "user_id", "stableID": "device_id"}}).findings == ()
