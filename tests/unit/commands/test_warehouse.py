"""`validate --warehouse`: dbt is stood in for by a small program that runs the statements on DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from msgspec import structs

from dbt_statsig.commands.validate import validate
from dbt_statsig.errors import QueryFailed, UsageError
from dbt_statsig.project.request import Request
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.verdicts import Evidence
from tests.dbt_program import duckdb_program
from tests.unit.impact.two_states import marked, staging, write
from tests.unit.project.artifacts.build import catalog_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.vocabulary.findings import Finding
    from dbt_statsig.vocabulary.results import Validation

ORDERS = {"name": "Orders", "timestamp_column": "ordered_at", "id_type_mapping": {"userID": "user_id"}}
TABLE = "create table shop.main.{0} as select now()::timestamp as ordered_at, 'u' as user_id, 1.5 as amount"


def source(
    name: str = "orders", columns: str = "ordered_at, user_id, amount", *, above: str = "stg", **block: Any
) -> dict[str, Any]:
    """A model that is a metric source."""
    statsig = {"metric_source": {**ORDERS, "name": name.capitalize(), **block}}
    return marked(name, columns, above=above, statsig=statsig)


def asked(folder: Path, *nodes: dict[str, Any], tables: tuple[str, ...] = ("orders",), **given: Any) -> Validation:
    """The validation of these nodes, where the warehouse has these tables."""
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        for table in tables:
            connection.execute(TABLE.format(table))
    manifest = write(folder / "target", staging(), *nodes) / "manifest.json"
    known = {"environ": {}, "flags": {"cache": False}, "dbt": duckdb_program(folder / "shop.duckdb"), **given}
    return validate(Request(project_dir=folder, manifest=manifest, warehouse=True, **known))


def refused(found: Validation) -> list[Finding]:
    """What the warehouse refuses."""
    return [one for one in found.findings if one.code == "warehouse-refused"]


def test_the_warehouse_is_the_evidence(tmp_path: Path) -> None:
    """Columns and types that come back are the evidence, also where no SQL tells them."""
    found = asked(tmp_path, source(columns="*", above="unknown"))
    (report,) = found.sources
    assert {use.verdict.evidence for use in report.columns} == {Evidence.WAREHOUSE}
    assert report.columns[0].verdict.data_type == "TIMESTAMP"
    assert [one for one in found.findings if one.severity > Severity.NOTE] == []
    assert found.exit_code == 0


def test_a_column_that_the_warehouse_lacks(tmp_path: Path) -> None:
    """A column that only the table lacks is an error at its key, once, and says that the model must be built."""
    found = asked(tmp_path, source(columns="ordered_at, user_id, total", timestamp_column="total"))
    (error,) = [one for one in found.findings if one.severity is Severity.ERROR]
    assert (error.code, error.key) == ("column-not-built", "statsig.metric_source.timestamp_column")
    assert error.fix == "Build the model."


def test_a_name_that_no_table_has(tmp_path: Path) -> None:
    """A misspelled column is absent by the warehouse, with the nearest name; its query's refusal is not told twice."""
    found = asked(tmp_path, source(columns="*", above="unknown", timestamp_column="orderd_at"))
    (error,) = [one for one in found.findings if one.severity is Severity.ERROR]
    assert error.code == "column-absent"
    assert error.message.endswith("the warehouse does not have it.")
    assert error.fix == 'Did you mean "ordered_at"?'


def test_a_name_in_a_formula(tmp_path: Path) -> None:
    """A column that a formula names and the table lacks is one error, with the nearest name."""
    found = asked(tmp_path, source(columns="*", above="unknown", custom_field_mapping={"x": "amunt / 2"}))
    (error,) = [one for one in found.findings if one.severity is Severity.ERROR]
    assert (error.code, error.fix) == ("column-absent", 'Did you mean "amount"?')


def test_a_column_that_the_next_build_removes(tmp_path: Path) -> None:
    """A column that the table still has, and the contract no longer lists, is a warning."""
    listed = {name: {"name": name, "data_type": "x"} for name in ("ordered_at", "user_id")}
    node = source(timestamp_column="amount", columns="ordered_at, user_id")
    node["config"] |= {"contract": {"enforced": True}}
    found = asked(tmp_path, {**node, "columns": listed})
    (warning,) = [one for one in found.findings if one.code == "column-going"]
    assert "its enforced contract does not give it" in warning.message


def test_one_failing_source_hides_no_other(tmp_path: Path) -> None:
    """Each statement that is refused is a finding at its own key, with the warehouse's message; the rest is proven."""
    nodes = (
        source("a", where="strpos(user_id) > 1"),
        source("b", custom_field_mapping={"half": "amount / 2", "bad": "strpos(user_id)"}),
        source("c", sql="select ordered_at, user_id from shop.main.nowhere"),
        source("d"),
        source("e"),
        source("f", sql="select ordered_at, user_id, amount as paid from shop.main.e"),
    )
    found = asked(tmp_path, *nodes, tables=("a", "b", "c", "e", "f"))
    told = {(one.source, one.key.removeprefix("statsig.metric_source")): one.message for one in refused(found)}
    assert list(told) == [("A", ".where"), ("B", ".custom_field_mapping.bad"), ("C", ".sql"), ("D", "")]
    assert "strpos" in told["A", ".where"]
    assert told["B", ".custom_field_mapping.bad"].startswith("The warehouse refuses the formula of `bad`: Binder Error")
    assert told["D", ""].startswith('The warehouse refuses "shop"."main"."d": Catalog Error: Table with name d')
    blocked = {one.name for one in found.sources if one.blocked}
    assert blocked == {"A", "B", "C", "D"}
    (own,) = [one for one in found.sources if one.name == "F"]
    assert {use.verdict.evidence for use in own.columns} == {Evidence.WAREHOUSE}
    assert found.exit_code == 1


def test_filters_of_metrics(tmp_path: Path) -> None:
    """A metric's predicates run over its source's rows and custom fields; one that is refused is at its line."""
    metrics = [
        {"name": "Half", "aggregation": "count", "where": "half > 1"},
        {"name": "Broken", "aggregation": "count", "where": "strpos(user_id) > 1"},
    ]
    fields = {"half": "amount / 2", "other": "strpos(user_id)"}
    found = asked(tmp_path, source(custom_field_mapping=fields, metrics=metrics))
    field, error = refused(found)
    assert field.key.endswith(".other")
    assert (error.source, error.kind) == ("Broken", "metric")
    assert error.key.endswith(".where")
    assert error.message.startswith("The warehouse refuses the filter: Binder Error")
    gone = asked(tmp_path, source("lost", metrics=metrics), tables=())
    assert [one.source for one in refused(gone)] == ["Lost"]


def test_what_files_must_prove(tmp_path: Path) -> None:
    """What a sync needs proven by dbt's files is a warning where the warehouse knows it, and is not ready."""
    found = asked(tmp_path, source(partition_column="ordered_at"))
    (warning,) = [one for one in found.findings if one.severity > Severity.NOTE]
    assert (warning.code, warning.severity) == ("partition-type-unknown", Severity.WARNING)
    assert warning.message.endswith("The warehouse knows it now, but `sync` goes by dbt's files.")
    (report,) = found.sources
    assert {use.role: use.verdict.data_type for use in report.columns}["partition_column"] == "TIMESTAMP"
    assert report.blocked


def test_above_the_catalog(tmp_path: Path) -> None:
    """The warehouse wins over a catalog; what a sync would still stop at is a warning."""
    listed = {"model.shop.orders": {"ordered_at": {"name": "ordered_at", "type": "DATE", "index": 1}}}
    (tmp_path / "catalog.json").write_bytes(catalog_bytes(listed))
    sql = "select ordered_at, user_id from shop.main.orders where ordered_at::date >= {statsig_start_date}"
    found = asked(tmp_path, source(), source("own", sql=sql), catalog=tmp_path / "catalog.json")
    (report, own) = found.sources
    assert {use.verdict.evidence for use in report.columns} == {Evidence.WAREHOUSE}
    assert report.columns[0].verdict.data_type == "TIMESTAMP"
    assert own.payload is None
    assert {(one.code, one.severity) for one in found.findings} == {("catalog-stale", Severity.WARNING)}
    assert {one.source for one in found.findings} == {"Orders", "Own"}
    assert all("The warehouse knows it now, but `sync` goes by dbt's files." in one.message for one in found.findings)
    assert found.exit_code == 0


def test_macros_are_dates(tmp_path: Path) -> None:
    """Statsig's macros in the user's own SQL are dates, and its columns are those that came back."""
    sql = "select ordered_at, user_id from shop.main.orders where ordered_at::date >= {statsig_start_date}"
    found = asked(tmp_path, source(sql=sql))
    (report,) = found.sources
    assert {use.verdict.evidence for use in report.columns} == {Evidence.WAREHOUSE}
    assert refused(found) == []


def test_a_warehouse_that_cannot_be_asked(tmp_path: Path) -> None:
    """No dbt, and a warehouse that is away, end the run with one reason and exit code 2."""
    with pytest.raises(UsageError, match="no dbt on the PATH"):
        asked(tmp_path, source(), dbt=None)
    away = duckdb_program(tmp_path / "nowhere" / "x.duckdb")
    with pytest.raises(QueryFailed, match=r"The warehouse cannot be asked: IO Error: Cannot open database.*") as raised:
        asked(tmp_path, source(), tables=(), dbt=away)
    assert raised.value.exit_code == 2
    assert raised.value.fix == "Check the profile and target with `dbt debug`."
    with pytest.raises(UsageError):
        asked(tmp_path, source(), tables=(), dbt=structs.replace(away, words=(str(tmp_path / "dbt"),)))


def test_nothing_in_scope(tmp_path: Path) -> None:
    """A project without sources asks nothing."""
    found = asked(tmp_path, dbt=duckdb_program(tmp_path / "nowhere" / "x.duckdb"))
    assert found.sources == ()
