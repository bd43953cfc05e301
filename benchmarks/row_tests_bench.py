"""What the dbt test `fit_for_statsig` costs on a large table, beside one count over the same rows, on DuckDB.

`python benchmarks/row_tests_bench.py [MILLIONS]`
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.package_sql import node, rendered  # after the path

ROUNDS = 3
TABLE = """
create table exposures as select
  'experiment ' || (i % 20) as experiment_id, case when i % 2 = 0 then 'control' else 'test' end as group_id,
  case when i % 2 = 0 then 'Control' else 'Test' end as group_name, 'user_' || (i % 3000000) as user_id,
  now()::timestamp - to_seconds((i % 2000000)::int) as ts
from range({}) t(i)
"""
BLOCK = {
    "name": "Exposures",
    "timestamp_column": "ts",
    "experiment_id_column": "experiment_id",
    "group_id_column": "group_id",
    "group_name_column": "group_name",
    "id_type_mapping": {"userID": "user_id"},
}


def main() -> None:
    """Print the processor's seconds of both, and how many times more the test takes."""
    rows = int(float(sys.argv[1]) * 1_000_000) if len(sys.argv) > 1 else 10_000_000
    exposures = node("exposures", "exposures", assignment_source=BLOCK)
    checks = {"also": ["no_duplicate_exposures"], "max_age_hours": 48}
    queries = {
        "count": "select count(*), count(distinct user_id) from exposures where ts >= current_date - 30",
        "test": rendered("fit_for_statsig", "duckdb", exposures, **checks),
    }
    with duckdb.connect() as connection:
        connection.execute(TABLE.format(rows))
        best = dict.fromkeys(queries, float("inf"))
        for _ in range(ROUNDS):
            for name, sql in queries.items():
                began = time.process_time()
                connection.execute(sql).fetchall()
                best[name] = min(best[name], time.process_time() - began)
    ratio = best["test"] / best["count"]
    sys.stdout.write(f"{rows:,} rows: count {best['count']:.2f} s, all tests {best['test']:.2f} s, {ratio:.1f} times\n")


if __name__ == "__main__":
    main()
