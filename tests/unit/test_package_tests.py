"""The generic tests' SQL for every warehouse, rendered without dbt."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import duckdb
import pytest
import sqlglot

from dbt_statsig.vocabulary.adapters import adapter_for
from tests.package_sql import FOLDER, Refused, node, rendered

WAREHOUSES = (
    *("athena", "bigquery", "clickhouse", "databricks", "duckdb", "fabric", "postgres", "redshift", "snowflake"),
    *("spark", "sqlserver", "trino"),
)
UNITS = {"userID": "user_id", "deviceID": "device_id"}
ASSIGNED = {
    "name": "It's one",
    "timestamp_column": "ts",
    "experiment_id_column": "experiment_id",
    "group_id_column": "group",
    "group_name_column": "group name",
    "id_type_mapping": UNITS,
}
CHECKS = sorted(file.stem for file in FOLDER.glob("*.sql") if file.read_text(encoding="utf-8").startswith("{% test"))


def assigned(**more: Any) -> dict[str, Any]:
    """A node with an assignment source."""
    return node("exposures", "shop.marts.exposures", assignment_source={**ASSIGNED, **more})


@pytest.mark.parametrize("adapter", WAREHOUSES)
def test_every_warehouse_can_read_it(adapter: str) -> None:
    """The SQL of all checks of all kinds, in dbt's own query around a test, is SQL of that warehouse."""
    fixed: dict[str, Any] = {"name": "P", "id_type_mapping": UNITS}
    nodes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (assigned(partition_column="ds"), {"weights": {"e": {"a": 9, "b'": 1}}, "also": ["no_duplicate_exposures"]}),
        (
            node(
                "rest",
                "shop.marts.rest",
                entity_property_source=fixed,
                metric_source={**fixed, "timestamp_column": "ts"},
            ),
            {"also": ["one_to_one_ids"], "max_age_hours": 3},
        ),
    ]
    for one, arguments in nodes:
        sql = rendered("fit_for_statsig", adapter, one, **arguments)
        whole = f"select count(*) as failures from (\n{sql}\n) dbt_internal_test"
        parsed = sqlglot.parse_one(whole, dialect=adapter_for(adapter).dialect)
        assert parsed.find(sqlglot.exp.Union) is not None


@pytest.mark.parametrize("place", [0, 1])
def test_critical_values(place: int) -> None:
    """The limits of chi-square are scipy's for p = 0.01 and 0.001, from 1 to 30 degrees and, nearly, beyond."""
    special = import_module("scipy.special")  # has no types
    limits = re.findall(r"statsig_chi > (\(case .*? end\))", rendered("sample_ratio", "duckdb", assigned()))
    # The query names the limit of an error first, then that of any row.
    limit = limits[1 - place].replace("statsig_groups - 1", "df")
    with duckdb.connect() as connection:
        rows = connection.execute(f"select df, {limit} from range(1, 80) r(df)").fetchall()
    for degrees, value in rows:
        exact = special.chdtri(degrees, [0.01, 0.001][place])
        assert value == pytest.approx(exact, rel=1e-5 if degrees <= 30 else 2e-3), degrees


def test_only_what_is_needed_is_read() -> None:
    """The query names the mapped columns, the last days and the partition, and no column besides."""
    sql = rendered("one_group_per_unit", "duckdb", assigned(partition_column="ds", where="is_bot = 0"), days=7)
    assert re.search(r"where \(is_bot = 0\s*\)\s*and ds >= '\d{4}-\d\d-\d\d'\s*and \(ts >= '\d{4}-\d\d-\d\d'", sql)
    assert '"group"' in sql
    assert "group name" not in sql
    assert "*" not in re.sub(r"count\(\*\)|\w+\.\*|\* (?=from|1\.0)|_crossed \* ", "", sql)
    whole = rendered(
        "one_group_per_unit", "duckdb", assigned(partition_type="integer", partition_column="ds"), days=None
    )
    assert "ds" not in whole.split()
    numbers = rendered("one_group_per_unit", "duckdb", assigned(partition_type="integer", partition_column="ds"))
    assert re.search(r"ds >= \d{8}\n", numbers)


def test_own_sql_and_macros() -> None:
    """A block's own query is read in place of the table, with Statsig's macros as dates."""
    sql = "select * from raw.x where d between {statsig_start_date} and {statsig_end_date} and i > 0;"
    text = rendered("unit_ids_filled", "duckdb", assigned(sql=sql), days=3)
    assert "from (\nselect * from raw.x where d between cast('20" in text
    assert "{statsig" not in text
    assert ";" not in text
    assert "shop.marts.exposures" not in text


def test_defaults_marks_and_blocks() -> None:
    """A node's defaults, its event time and its column marks count, the nearest wins, and disabled blocks do not."""
    one = {
        **node(
            "m",
            "shop.m",
            metric_source=[{"name": "A", "enabled": "False"}, "B", {"name": "C", "timestamp_column": "c_ts"}],
        ),
        "columns": {
            "uid": {"name": "uid", "config": {"meta": {"statsig": {"unit_id": ["userID", "userid"]}}}},
            "day": {"name": "day", "quote": True, "meta": {"statsig": {"role": "timestamp"}}},
        },
    }
    one["config"]["meta"]["statsig_defaults"] = {"metric_source": {"where": "ok"}, "timestamp_column": "never"}
    one["config"]["event_time"] = "created"
    text = rendered("fit_for_statsig", "duckdb", one, days=7)
    assert "'A'" not in text
    assert "'B'" in text
    assert '"day" >= ' in text
    assert "c_ts >= " in text
    assert text.count("where (ok") == 2
    assert "userID, userid" in text
    assert "never" not in text
    assert "created" not in text


@pytest.mark.parametrize(
    ("test", "arguments", "output"),
    [
        ("fit_for_statsig", {"assigned_by": "me"}, 'assigned_by is "me"'),
        ("fit_for_statsig", {"skip": [*CHECKS]}, "`skip` names every check"),
        ("same_unit_space", {"kind": "metric_source"}, "needs `assignments`"),
        ("fit_for_statsig", {"source": "Two"}, 'no block named "Two"'),
    ],
)
def test_arguments_that_make_no_sense(test: str, arguments: dict[str, Any], output: str) -> None:
    """Arguments that make no sense are refused with what would."""
    with pytest.raises(Refused, match=re.escape(output)):
        rendered(test, "duckdb", assigned(), **arguments)


@pytest.mark.parametrize(
    ("adapter", "kind", "offset"),
    [
        ("snowflake", "TIMESTAMP_TZ", "extract(timezone_hour from ts) * 60 + extract(timezone_minute from ts)"),
        ("trino", "timestamp(3) with time zone", "timezone_hour(ts) * 60 + timezone_minute(ts)"),
        ("sqlserver", "datetimeoffset", "datepart(tz, ts)"),
        ("snowflake", "TIMESTAMP_NTZ", ""),
        ("postgres", "timestamp with time zone", ""),  # keeps no zone
    ],
)
def test_a_mix_of_zones(adapter: str, kind: str, offset: str) -> None:
    """Where the type of the timestamp keeps an offset for each row, rows with different ones are reported."""
    one = {**assigned(), "types": {"TS": kind}}
    for test in ("timestamps_sane", "fit_for_statsig"):
        sql = rendered(test, adapter, one)
        assert (f"max({offset}) - min({offset}) as statsig_zones" in sql) == bool(offset)
        assert ("statsig_zones > 0" in sql) == bool(offset)
        assert sqlglot.parse_one(sql, dialect=adapter_for(adapter).dialect) is not None
    assert "statsig_zones" not in rendered("fresh_enough", adapter, one)


def test_a_small_difference_with_a_small_p() -> None:
    """Groups that differ by less than 0.1 % of the units only warn, however small p is; more of it is an error."""
    weights = {"control": 999, "test": 1}
    sql = rendered(
        "sample_ratio", "duckdb", assigned(id_type_mapping={"userID": "user_id"}), days=None, weights=weights
    )
    for units, expected in ((38, (38, 0)), (48, (48, 1)), (30, None)):
        with duckdb.connect() as connection:
            connection.execute("create schema marts; attach ':memory:' as shop; create schema shop.marts")
            connection.execute(
                "create table shop.marts.exposures as select 'e' as experiment_id, i as user_id, now() as ts, "
                f"case when i < {units} then 'test' else 'control' end as \"group\" from range(20000) t(i)"
            )
            rows = connection.execute(f"select total - found, is_error from ({sql})").fetchall()
        wanted = set() if expected is None else {expected, (20_000 - units, expected[1])}
        assert set(rows) <= wanted
        assert bool(rows) == bool(wanted)
