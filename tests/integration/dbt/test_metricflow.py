"""Metrics of the example project: MetricFlow's own SQL and the emulator's give equal values over the same days.

MetricFlow is no dependency of this project: `nox -s metricflow` installs it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from dbt_statsig.emulator.metric_sql import overall_sql
from tests.integration.cli_process import KEY, environment
from tests.integration.shop import BIN, EXAMPLE, build_shop, command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.dbt,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        shutil.which("mf", path=str(BIN)) is None, reason="MetricFlow is missing: run `nox -s metricflow`"
    ),
]

FIRST, LAST = "2026-03-05", "2026-03-20"
MORE_MEASURES = "      - {name: sizes, agg: count_distinct, expr: items}\n"
MORE_METRICS = """
  - {name: order_sizes, label: Order sizes, type: simple, type_params: {measure: sizes}}
  - name: large_share
    label: Share of large orders
    type: derived
    type_params: {expr: "large_orders / nullif(orders_paid, 0)", metrics: [{name: large_orders}, {name: orders_paid}]}
"""
METRICS = ("net_revenue", "large_orders", "voucher_amount", "net_revenue_per_order", "order_sizes", "large_share")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project with metrics of two further aggregations, built."""
    folder = build_shop(tmp_path_factory.mktemp("metricflow") / "shop")
    shutil.copytree(EXAMPLE / "semantic_layer", folder / "models" / "shop", dirs_exist_ok=True)
    yaml = folder / "models" / "shop" / "_semantic_models.yml"
    text = yaml.read_text(encoding="utf-8").replace("    measures:\n", f"    measures:\n{MORE_MEASURES}")
    yaml.write_text(text + MORE_METRICS, encoding="utf-8")
    command("dbt", "compile", cwd=folder)
    return folder


def by_metricflow(shop: Path) -> str:
    """The SQL that MetricFlow runs for the metrics and the days."""
    done = subprocess.run(
        [BIN / "mf", "query", "--explain", "--metrics", ",".join(METRICS), "--start-time", FIRST, "--end-time", LAST],
        cwd=shop,
        env=environment(DBT_PROFILES_DIR=str(shop), PATH=f"{BIN}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^(SELECT|WITH)\b.*", done.stdout, re.MULTILINE | re.DOTALL)
    assert found is not None, done.stdout
    return found[0]


def test_equal_values(shop: Path) -> None:
    """Sums, counts with a filter, means, distinct counts and ratios are the same number from both."""
    import duckdb  # the session installs it with dbt

    with running(key=KEY) as console:
        command(
            "dbt-statsig",
            "sync",
            cwd=shop,
            environment={
                "DBT_STATSIG_BASE_URL": console.url,
                "STATSIG_CONSOLE_API_KEY": KEY,
                "DBT_STATSIG_SEMANTIC_LAYER": '{"metrics": "all"}',
            },
        )
        sources = console.state.sources["metric_sources"]
        natives = {one["name"]: one["warehouseNative"] for one in console.state.lists["metrics"]}
    sql = by_metricflow(shop)  # before the warehouse is open here: MetricFlow opens it too
    found = {}
    with duckdb.connect(str(shop / "tea_shop.duckdb"), read_only=True) as warehouse:
        theirs = warehouse.execute(sql)
        names = [column[0] for column in theirs.description or ()]
        values = dict(zip(names, theirs.fetchone() or (), strict=True))
        for metric in METRICS:
            ours = overall_sql(natives[metric], sources)
            for macro, day in (("{statsig_start_date}", FIRST), ("{statsig_end_date}", LAST)):
                ours = ours.replace(macro, f"DATE '{day}'")
            found[metric] = float((warehouse.execute(ours).fetchone() or ())[0])
    assert found == {metric: pytest.approx(float(values[metric])) for metric in METRICS}
    assert all(found.values())
