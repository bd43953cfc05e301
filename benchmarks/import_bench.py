"""What an import costs, as a ratio to `validate` of the same project in the same run.

`python benchmarks/import_bench.py [--models 5000] [--objects 500] [--rounds 3]`

One project has blocks, which `validate` proves. Its twin has none, and a console (the emulator) holds as many objects
made by hand that read its models: plain queries, filters by date, whole tables, joins and computed columns in turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from made_project import make
from process import Run, measure

from dbt_statsig.emulator import running

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = "happened_at::date between {{statsig_start_date}} and {{statsig_end_date}}"
QUERIES = (
    "select user_id, happened_at, status from main.{}",
    f"select user_id, happened_at, status from made.main.{{}} where status = 'done' and {DAYS}",
    "select * from main.{}",
    "select a.user_id, a.happened_at, b.status from main.{0} a join main.{0} b using (row_id)",
    "select user_id, happened_at, measure_1 + 1 as one_more from main.{}",
)


def objects(models: int, count: int) -> Iterator[dict[str, Any]]:
    """Metric sources that read one model each, spread over the whole project."""
    for number in range(count):
        model = f"d{number * (models // 10) // count}_int_joined"
        yield {
            "name": f"Made by hand {number}",
            "sql": QUERIES[number % len(QUERIES)].format(model),
            "timestampColumn": "happened_at",
            "idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id"}],
            "tags": [],
        }


def main() -> None:
    """Print the processor's seconds of both commands, and the requests of one import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=5_000)
    parser.add_argument("--objects", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    held = list(objects(asked.models, asked.objects))
    with tempfile.TemporaryDirectory() as scratch, running(seed={"metric_sources": held}) as console:
        folder = Path(scratch)
        make(folder / "marked", models=asked.models, marked=asked.objects)
        make(folder / "plain", models=asked.models, marked=0)
        names = {
            "STATSIG_CONSOLE_API_KEY": console.key,
            "DBT_STATSIG_BASE_URL": console.url,
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        environ = {**os.environ, **names}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        words = (sys.executable, "-m", "dbt_statsig")
        runs = {
            "validate": Run((*words, "validate", "--no-cache", "-q"), folder / "marked", environ),
            "import": Run((*words, "import", "--no-cache", "-q"), folder / "plain", environ),
        }
        took = measure(runs, rounds=asked.rounds)
        requests = len(console.requests) // (asked.rounds + 1)
    floor = took["validate"].cpu_seconds
    print(f"{asked.models:,} models, {asked.objects:,} blocks or objects; medians of {asked.rounds} turns")
    for name, result in took.items():
        ratio = result.cpu_seconds / floor
        print(
            f"  {name:10} {result.cpu_seconds:7.2f} s of the processor  {ratio:5.2f} x  {result.peak_megabytes:5.0f} MB"
        )
    print(f"  requests of an import: {requests}")


if __name__ == "__main__":
    main()
