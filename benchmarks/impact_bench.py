"""What following a change to its experiments costs beyond the requests, as a ratio to reading their answers.

`python benchmarks/impact_bench.py [--sources 200] [--experiments 500] [--metrics 3000] [--rounds 5]`

Every source is touched: half lose a column that metrics and filters read, half map a unit ID to another column. The
floor is what no plan is spared: decoding the JSON of both lists and reading each entry. Processor time, medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402 - after the path

from dbt_statsig.console.experiments import read_experiment, read_metric  # noqa: E402
from dbt_statsig.impact.experiments import with_experiments  # noqa: E402
from dbt_statsig.vocabulary.changes import Plan  # noqa: E402
from dbt_statsig.vocabulary.findings import finding  # noqa: E402
from dbt_statsig.vocabulary.progress import Silent  # noqa: E402
from dbt_statsig.vocabulary.results import ColumnEffect, Impact, Planned, Validation  # noqa: E402
from tests.made_console import seed  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.console.client import ConsoleClient
    from dbt_statsig.vocabulary.experiments import Experiment, Metric

LIMIT_SECONDS = 1.0
COLLECTIONS = {
    "assignment_sources": "assignment_source",
    "entity_property_sources": "entity_property_source",
    "metric_sources": "metric_source",
}


class Held:
    """A client whose lists have come."""

    requests = 0

    def __init__(self, experiments: list[Experiment], metrics: list[Metric]) -> None:
        self._experiments, self._metrics = tuple(experiments), tuple(metrics)

    def experiments(self) -> tuple[tuple[Experiment, ...], str]:
        """All experiments."""
        return self._experiments, ""

    def metrics(self) -> tuple[tuple[Metric, ...], str]:
        """All metrics."""
        return self._metrics, ""


def touched(content: dict[str, list[dict[str, Any]]]) -> Planned:
    """A plan of a change that touches every source."""
    effects, columns = [], []
    for collection, kind in COLLECTIONS.items():
        for number, source in enumerate(content[collection]):
            about = {"kind": kind, "source": source["name"]}
            if number % 2:
                effects.append(finding("impact-selected-column-dropped", "It no longer selects.", **about))
                columns.append(ColumnEffect(code=effects[-1].code, key="", columns=("country",), **about))
            else:
                key = f"statsig.{kind}.id_type_mapping.userID"
                effects.append(finding("impact-source-changed", "It now reads.", key=key, **about))
    validation = Validation(
        project="made",
        adapter="duckdb",
        dbt_version="1.11",
        manifest_path="manifest.json",
        sources=(),
        findings=tuple(effects),
        impact=Impact(base="base", compared=len(effects), effects=tuple(effects), columns=tuple(columns)),
    )
    return Planned(validation=validation, plan=Plan(project="made", changes=()), requests=0)


def read(raw: bytes) -> Held:
    """What a client makes of the answers."""
    lists = msgspec.json.decode(raw)
    return Held(
        [read_experiment(one, "")[1] for one in lists["experiments"]],
        [read_metric(one, "")[1] for one in lists["metrics"]],
    )


def median(act: Callable[[], object], rounds: int) -> float:
    """The median processor time of some turns, after one for nothing."""
    act()
    times = []
    for _ in range(rounds):
        started = time.process_time()
        act()
        times.append(time.process_time() - started)
    return statistics.median(times)


def main() -> None:
    """Print both times, their ratio, and what was found; exit with 1 above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--experiments", type=int, default=500)
    parser.add_argument("--metrics", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    # Of three sources two are metric sources: the others are a quarter of those each.
    content = seed(asked.experiments, asked.metrics, asked.sources * 2 // 3)
    planned = touched(content)
    raw = msgspec.json.encode({key: content[key] for key in ("experiments", "metrics")})
    held = cast("ConsoleClient", read(raw))
    result = with_experiments(planned, held, Silent()).validation
    floor = median(lambda: read(raw), asked.rounds)
    took = median(lambda: with_experiments(planned, held, Silent()), asked.rounds)
    reached = result.impact.reached if result.impact else ()
    print(
        f"{len(planned.validation.findings):,} touched sources, {asked.experiments:,} experiments, "
        f"{asked.metrics:,} metrics; medians of {asked.rounds} turns"
    )
    print(f"  reading the answers {floor:6.3f} s of the processor")
    print(f"  following them      {took:6.3f} s  {took / floor:5.2f} x")
    uses = sum(len(one.experiments) for one in reached)
    print(f"  found: {uses:,} uses of {len(reached):,} sources by experiments that are running")
    if took > LIMIT_SECONDS:
        sys.exit(f"More than {LIMIT_SECONDS:g} s beyond the requests.")


if __name__ == "__main__":
    main()
