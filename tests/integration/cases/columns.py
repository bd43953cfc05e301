"""Cases about the columns that a table has."""

from __future__ import annotations

from tests.integration.cases.case import Case, case


@case("bq-catalog-nested-source")
def _(given: Case) -> None:
    """BigQuery's nested paths are no columns: the part before the first dot is one, once."""
    right = ["event_date", "event_timestamp", "event_name", "event_params", "user_pseudo_id", "device", "ts"]
    assert sorted(given.names("m")) == sorted(right)
    assert sorted(given.plan().selected) == sorted(right)


@case("bq-contract-nested")
def _(given: Case) -> None:
    """Nested fields of an enforced contract are one column on BigQuery."""
    assert sorted(given.plan().selected) == ["customer", "ordered_at", "user_id"]


@case("bq-pseudo-partition-column")
def _(given: Case) -> None:
    """A pseudo column is in no catalog, which proves nothing."""
    assert "column-absent" not in given.validate().codes


@case("bq-time-ingestion-partitioning")
def _(given: Case) -> None:
    """The field of time ingestion partitioning is no column of the table."""
    assert "day" not in given.names("m")
    assert "day" not in given.plan().selected


@case("clickhouse-join-qualified-name")
def _(given: Case) -> None:
    """A qualified column whose name another joined table has too keeps its qualifier."""
    listed = given.columns("m")
    names = [column["name"] for column in listed["columns"]]
    assert "user_id" not in names
    assert not listed["closed"] or sorted(names) == ["id", "ts", "users.user_id"]


@case("custom-materialization-adds-columns")
def _(given: Case) -> None:
    """What a project's own materialisation builds is not what its SQL gives."""
    assert not any("loaded_at" in error for error in given.validate().errors)


@case("except-nested-field-databricks")
def _(given: Case) -> None:
    """EXCEPT of a struct's field drops no column."""
    assert given.names("m") == ["user_id", "ts", "addr"]
    assert given.validate().findings == []


@case("exclude-qualified-duckdb")
def _(given: Case) -> None:
    """EXCLUDE of a qualified name drops the column of that table alone."""
    assert given.names("m") == ["user_id", "ts", "visit_id", "id2"]
    assert given.validate().findings == []


@case("incremental-and-snapshot-keep-columns")
def _(given: Case) -> None:
    """A table that is never rebuilt keeps columns that its SQL no longer gives."""
    assert not any("legacy" in error for error in given.validate().errors)
    after = given.validate("--catalog", "catalog-after.json")
    assert not any("legacy" in error for error in after.errors)
    assert "column-going" not in after.codes


@case("incremental-new-column-ignored")
def _(given: Case) -> None:
    """A column that is new in the SQL of an incremental model is not selected."""
    platform = [one for one in given.columns("exposures")["columns"] if one["name"] == "platform"]
    assert not any(one["evidence"] == "inferred" for one in platform)
    assert "platform" not in given.plan().selected


@case("snowflake-changes-clause")
def _(given: Case) -> None:
    """CHANGES adds columns to a star."""
    assert not any("METADATA$ACTION" in error for error in given.validate().errors)
