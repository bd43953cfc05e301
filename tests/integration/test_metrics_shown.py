"""What plans and comparisons show of metrics, and metrics that are declared elsewhere: in dbt, on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from dbt_statsig.report.html.page import render as html
from dbt_statsig.report.json import render as as_json
from dbt_statsig.report.markdown import render as markdown
from dbt_statsig.report.subject import Subject
from dbt_statsig.report.text.report import plan_text
from tests.integration.test_metrics import METRICS, SUM, Shop

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "tests" / "semantic" / "manifests"


@pytest.fixture
def shop(tmp_path: Path, server: Running) -> Shop:
    """A project with two metric sources."""
    project = Shop(tmp_path, server.url, key=server.key)
    project.declare("visits")
    return project


def test_the_sql_that_statsig_generates(shop: Shop, server: Running) -> None:
    """With `show_sql` a plan has Statsig's SQL of each metric that is there, in every report; a fault is a warning."""
    shop.metrics(SUM)
    shop.sync()
    shop.metrics(SUM, {"name": "Orders", "aggregation": "count"})
    planned = shop.plan(show_sql=True)
    text = plan_text(planned)
    assert 'Statsig\'s SQL for the metric "Revenue", unit userID' in text
    assert "    SELECT unit_id, SUM(n) AS value" in text
    assert "SELECT unit_id" not in plan_text(shop.plan())
    assert "SQL that Statsig generates, unit userID" in html(Subject.of(planned))
    assert "unit <code>userID</code></summary>\n\n```sql\nSELECT unit_id" in markdown(Subject.of(planned))
    changes = json.loads(as_json(Subject.of(planned)))["plan"]["changes"]
    assert [one["generated"][0][0] for one in changes if one["generated"]] == ["userID"]
    server.emulator.faults.replace([{"action": "status", "status": 404, "match": {"path": "/sql"}}])
    assert [one for one in shop.plan(show_sql=True).warnings if "was not read" in one]


def test_impact(shop: Shop, tmp_path: Path) -> None:
    """Against another state, a metric names what changed of it, and a column that its source loses."""
    ratio = {"name": "Rate", "aggregation": "ratio", **METRICS["ratio"]}
    shop.metrics(SUM, ratio)
    base = tmp_path / "base"
    base.mkdir()
    (base / "manifest.json").write_bytes((tmp_path / "target" / "manifest.json").read_bytes())
    shop.metrics(
        {**SUM, "where": "amount > 2", "value_column": "variant"}, {**ratio, "numerator": {"aggregation": "count"}}
    )
    impact = shop.validate(state=base).impact
    assert impact is not None
    assert {one.message for one in impact.effects} == {
        "Experiments not checked: `validate` does not ask Statsig.",
        'The metric "Rate" has changed its `numerator`.',
        'The metric "Rate" now reads numerator.value_column from nothing (was "amount").',
        'The metric "Revenue" now reads value_column from "variant" (was "amount").',
        'The metric "Revenue" now has where "amount > 2" (was nothing).',
    }


@pytest.mark.parametrize("manifest", sorted(MANIFESTS.glob("*.json")), ids=lambda path: path.stem)
def test_metrics_of_the_semantic_layer(shop: Shop, server: Running, manifest: Path) -> None:
    """What dbt's semantic layer declares passes the strict contract, and is unchanged on the second plan."""
    (shop.folder / "dbt_project.yml").write_text("name: tea_stall\n", encoding="utf-8")
    (shop.folder / "target" / "manifest.json").write_bytes(manifest.read_bytes())
    shop.settings(semantic_layer={"metrics": "all"}, unit_ids={"user": "userID", "visit": "visitID"})
    # Nothing in these manifests is compiled: without `force` all would wait for evidence.
    assert shop.sync(force=True).exit_code == 0
    assert len(server.state.lists["metrics"]) == 23
    assert {one.action.value for one in shop.plan(force=True).plan.changes} == {"unchanged"}


def test_the_page_about_metrics(shop: Shop, server: Running) -> None:
    """The YAML of docs/metrics.md is what a sync takes, without a finding."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    (written,) = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])["models"]
    block = written["config"]["meta"]["statsig"]["metric_source"]
    columns = {"timestamp_column": "ts", "where": "variant <> 'x'"}
    metrics = [{**one, **({"where": "variant = 'paid'"} if "where" in one else {})} for one in block["metrics"]]
    shop.declare("sessions", "Sessions")
    shop.declare("fct_orders", **{**block, **columns, "metrics": metrics})
    done = shop.sync()
    assert (done.exit_code, done.planned.validation.findings) == (0, ())
    assert {one["name"] for one in server.state.lists["metrics"]} == {"Checkout", "Orders per session", "Revenue"}
