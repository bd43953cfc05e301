"""Payloads: the SQL, the mapping and the fields that Statsig is sent, on each warehouse."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbt_statsig.columns.prover import Prover
from dbt_statsig.declarations import declare
from dbt_statsig.payloads.building import Built, Context, build_payload
from dbt_statsig.settings import Settings
from dbt_statsig.sources import Kind
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
    """All four kinds on each warehouse give the payloads that are kept (UPDATE_GOLDEN=1 writes them anew)."""
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


def test_unknown_columns_are_all_selected() -> None:
    """Where nothing tells the columns, every column is selected, and what is mapped is told as unproven."""
    manifest_meta = {Kind.METRIC_SOURCE.value: BASE}
    manifest, _ = project("duckdb", meta=manifest_meta, catalog=False)
    marked = manifest.marked()[0]
    blind = msgspec.structs.replace(marked, compiled_code="select * from somewhere", columns={})
    declared = declare(manifest, settings=Settings(), project_dir=None).declarations[0]
    result = build_payload(msgspec.structs.replace(declared, node=blind), Prover(manifest), CONTEXT)
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
    told = {found.key: (found.code, found.fix) for found in result.findings}
    assert {key: code for key, (code, _) in told.items()} == {
        "statsig.metric_source.timestamp_column": "column-absent",
        "statsig.metric_source.exclude_columns.0": "column-absent",
        "statsig.metric_source.columns.0": "column-absent",
    }
    assert '"exposed_at"' in told["statsig.metric_source.timestamp_column"][1]


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
    """Without a proven type the column is cast to a day, which is told."""
    result = one({"partition_column": "exposed_on"}, catalog=False)
    assert 'CAST("exposed_on" AS DATE) BETWEEN' in sql(result)
    assert codes(result) == ["partition-type-unknown"]


def test_partition_of_text() -> None:
    """A partition column that is no date at all is a warning."""
    assert codes(one({"partition_column": "variant"})) == ["partition-type"]


def test_where_is_placed_as_written() -> None:
    """A predicate stands in parentheses, as the user wrote it, before the date filter."""
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
    """Without types nothing is skipped, and that is told."""
    result = one({"skip_validation": True}, catalog=False)
    assert codes(result) == ["skip-validation-unproven"]
    assert result.payload is not None
    assert "skip_validation" not in msgspec.to_builtins(result.payload)


def test_table_source_shows_hidden_columns() -> None:
    """A table source cannot leave columns out, which is a warning where some are to be hidden."""
    assert codes(one({"source_type": "table"})) == ["hidden-columns-shown"]


def test_undeclared_fields_are_not_sent() -> None:
    """A payload holds what was declared, the ownership line and the read-only mark, and nothing else."""
    result = one({})
    assert result.payload is not None
    assert set(msgspec.to_builtins(result.payload)) == {
        "name",
        "description",
        "sql",
        "timestampColumn",
        "idTypeMapping",
        "isReadOnly",
    }


def test_unproven_spelling_is_not_quoted_where_case_folds() -> None:
    """On a warehouse that folds case, a name that nothing proves stands as it was written, unquoted."""
    manifest, _ = project("snowflake", meta={Kind.METRIC_SOURCE.value: BASE | {"columns": ["amount"]}}, catalog=False)
    blind = msgspec.structs.replace(manifest.marked()[0], compiled_code=None, columns={})
    declared = declare(manifest, settings=Settings(), project_dir=None).declarations[0]
    result = build_payload(msgspec.structs.replace(declared, node=blind), Prover(manifest), CONTEXT)
    assert sql(result).startswith("SELECT\n  amount,\n  exposed_at,\n  user_id,\n  device_id\nFROM")
