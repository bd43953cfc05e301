"""Cases about what is built from a declaration, and where its findings are placed."""

from __future__ import annotations

from tests.integration.cases.case import Case, case


@case("clickhouse-int-untyped")
def _(given: Case) -> None:
    """A type that nothing proves is no ground for a cast of the partition column."""
    sql = given.plan().sql
    assert sql.endswith("`day_int` BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}")
    manifest = given.folder / "target" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("toUInt32(day_int)", "day_int"), encoding="utf-8")
    planned = given.plan()
    assert planned.changes == ["blocked"]
    assert planned.errors == ['partition-type-unknown: No proof of the type of partition column "day_int".']


@case("clickhouse-nullable")
def _(given: Case) -> None:
    """A Nullable timestamp becomes a day without a cast that fails at NULL."""
    planned = given.plan()
    assert planned.sql.endswith("WHERE toDate(`occurred_at`) BETWEEN {statsig_start_date} AND {statsig_end_date}")


@case("disabled-by-target")
def _(given: Case) -> None:
    """A model that is disabled in this target is a note, and nothing is reported of its columns."""
    validated = given.validate()
    assert validated.code == 0
    found = [one for one in validated.findings if one["unique_id"] == "model.shop.disq"]
    assert [one["severity"] for one in found] == ["note"]
    assert {source["unique_id"] for source in validated.body["validation"]["sources"]} == {"model.shop.jin"}


@case("meta-in-sql-config-location")
def _(given: Case) -> None:
    """A block in `{{ config(meta=…) }}` is placed in the model's own file."""
    validated = given.validate("--project-dir", ".", "--manifest", "manifest.json")
    places = {one["path"] for one in validated.findings if one["code"] == "column-absent"}
    assert places == {"models/m_sqlconf.sql"}


@case("package-yaml-location")
def _(given: Case) -> None:
    """What a package's YAML declares is placed there, never in a file of the same name in the project."""
    validated = given.validate("--project-dir", ".", "--manifest", "manifest.json")
    found = [one for one in validated.findings if one["unique_id"] == "model.pkg.events" and one["severity"] == "error"]
    assert {one["path"] for one in found} == {"dbt_packages/pkg/models/pk.yml"}
    text = (given.folder / "dbt_packages/pkg/models/pk.yml").read_text(encoding="utf-8").splitlines()
    assert all("tsx" in text[one["line"] - 1] for one in found)


@case("quote-true-unproven-snowflake")
def _(given: Case) -> None:
    """`quote: true` says how a name is stored, so it is quoted."""
    lines = given.plan().source["payload"]["sql"].splitlines()
    assert {'"userId"', '"createdAt"'} <= {line.strip(" ,") for line in lines}


@case("snowflake-number")
def _(given: Case) -> None:
    """`NUMBER` without a scale is an integer."""
    assert given.plan().sql.endswith('"DAY_INT" BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}')


@case("unquoted-postgres")
def _(given: Case) -> None:
    """What is not a plain identifier is never placed in SQL without quotes, nor is a reserved word."""
    sql = given.plan().source["payload"]["sql"]
    names = ["order", "card_number from pii.cards --", "occurred_at", "user id"]
    selected = ",\n".join(f'  "{name}"' for name in names)
    assert sql.startswith(f'SELECT\n{selected}\nFROM "db"."sch"."t"\nWHERE CAST("day of" AS DATE)')


@case("where-line-comment")
def _(given: Case) -> None:
    """A line comment that ends within the predicate swallows nothing."""
    planned = given.plan()
    assert planned.errors == []
    assert "-- no test rows\n  and user_id is not null" in planned.sql
