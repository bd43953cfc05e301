"""The generic tests' SQL on real engines: each finds what DuckDB finds in the same rows.

`nox -s sql_engines` brings the engines that are skipped here.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sql_engines import engines
from tests.integration.sql_engines.test_awkward_names import STARTS
from tests.package_sql import node, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.sql_engines.names import Engine

pytestmark = pytest.mark.timeout(1800)

DAY = "2026-01-0"
# (experiment, group, its name, user, device, time): crossover, a sample ratio, empty units, an old time, two names.
ROWS = [
    *(("e", "a" if n < 24 else "b", "A", f"u{n}", f"d{n // 2}", f"{DAY}2 10:00:00") for n in range(30)),
    *(("e", "b", "B", f"u{n}", f"d{n // 2}", f"{DAY}3 10:00:00") for n in range(4)),
    ("e", "a", "it's", "u5", "d1", "1970-01-01 00:00:00"),
    ("e", "a", "A", None, None, f"{DAY}2 10:00:00"),
    ("e", "a", "A", "", "null", f"{DAY}2 10:00:00"),
    ("", "a", "A", "u9", "d9", "2100-01-01 00:00:00"),
    ("e", None, "A", "u8", "d8", None),
    *(("even", "ab"[n % 2], "A", f"u{n}", f"d{n}", f"{DAY}4 00:00:00") for n in range(30)),
]
COLUMNS = ("experiment_id", "group_id", "group_name", "user_id", "device_id", "ts")
ASSIGNED = {
    "name": "It's \\ one",
    "timestamp_column": "ts",
    "experiment_id_column": "experiment_id",
    "group_id_column": "group_id",
    "group_name_column": "group_name",
    "id_type_mapping": {"userID": "user_id", "deviceID": "device_id"},
    "where": "experiment_id is not null",
}
FIXED = {"name": "P", "id_type_mapping": ASSIGNED["id_type_mapping"]}
EVENTS = {**FIXED, "timestamp_column": "ts"}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "assignment": ("fit_for_statsig", {"assignment_source": ASSIGNED}, {"also": ["no_duplicate_exposures"]}),
    "weights": ("sample_ratio", {"assignment_source": ASSIGNED}, {"weights": {"e": {"a": 9, "c": 1}, "f": {"a": 1}}}),
    "one unit": ("sample_ratio", {"assignment_source": ASSIGNED}, {"unit_id": "userID"}),
    "fixed": ("fit_for_statsig", {"entity_property_source": FIXED}, {"also": ["one_to_one_ids"]}),
    "events": ("fit_for_statsig", {"metric_source": EVENTS}, {"max_age_hours": 1}),
}
SHOWN = "problem, source_name, experiment, group_id, unit_id, column_name, found, total, share, threshold, chi_square"


def literal(value: str | None, engine: Engine, column: str) -> str:
    """A value of the table in SQL."""
    kind = engine.timestamp if column == "ts" else TEXTS.get(engine.adapter, "varchar(100)")
    return f"cast({'null' if value is None else repr(value)} as {kind}) as {column}".replace('"', "'").replace(
        "'it's'", "'its'"
    )


TEXTS = {"clickhouse": "Nullable(String)", "bigquery": "string", "spark": "string"}


def table(engine: Engine) -> str:
    """The query that makes the table."""
    rows = (", ".join(literal(value, engine, name) for name, value in zip(COLUMNS, row, strict=True)) for row in ROWS)
    return " union all ".join(f"select {row}" for row in rows)


def found(engine: Engine, case: str) -> list[tuple[Any, ...]]:
    """What a test finds, sorted; numbers with six digits, as engines add in different orders."""
    test, blocks, arguments = CASES[case]
    sql = rendered(test, engine.adapter, node("t", engine.relation, **blocks), days=None, min_units=10, **arguments)
    rows = engine.run(f"select {SHOWN}, is_error from (\n{sql}\n) dbt_internal_test").rows
    # `found` of fresh_enough is the time that has passed.
    return sorted(tuple(shown(value) for value in row) for row in rows if row[0] != "fresh_enough")


def shown(value: Any) -> str:
    """A value as text."""
    return "" if value is None else value if isinstance(value, str) else f"{float(value):.6g}"


@pytest.fixture(scope="module")
def expected() -> dict[str, list[tuple[Any, ...]]]:
    """What DuckDB finds."""
    with engines.on_duckdb() as engine:
        engine.run(engine.create.format(relation=engine.relation, query=table(engine)))
        return {case: found(engine, case) for case in CASES}


@pytest.fixture(scope="module", params=[name for name in STARTS if name != "duckdb"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The engine with the table."""
    with ExitStack() as stack:
        started = stack.enter_context(STARTS[request.param]())
        started.run(started.create.format(relation=started.relation, query=table(started)))
        yield started


@pytest.mark.parametrize("case", CASES)
def test_the_same_everywhere(engine: Engine, expected: dict[str, list[tuple[Any, ...]]], case: str) -> None:
    """Every engine finds the same rows, with the same numbers."""
    assert found(engine, case) == expected[case]


def test_what_is_found(expected: dict[str, list[tuple[Any, ...]]]) -> None:
    """The rows have something of everything."""
    assert {row[0] for rows in expected.values() for row in rows} >= {
        "group_names_stable",
        "no_duplicate_exposures",
        "one_row_per_unit",
        "one_to_one_ids",
        "sample_ratio",
        "timestamps_sane",
        "unit_ids_filled",
    }
