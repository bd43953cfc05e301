"""The examples of findings: what is shown as bad has the finding, what is shown as good has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dbt_statsig.commands.validate import validate
from dbt_statsig.project.request import Request
from dbt_statsig.report.run_findings import RULES, example_of
from dbt_statsig.vocabulary.findings import Severity
from dbt_statsig.vocabulary.kinds import SPECS
from tests.integration.shop import ROOT
from tests.unit.project.artifacts.build import catalog_bytes, manifest_bytes, node

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {kind.value for kind in SPECS}
COLUMNS = {
    "user_id": "varchar",
    "device_id": "varchar",
    "ordered_at": "timestamp",
    "paid_at": "timestamp",
    "exposed_at": "timestamp",
    "ordered_on": "date",
    "ds": "varchar",
    "amount": "double",
    "country": "varchar",
    "experiment_key": "varchar",
    "group_key": "varchar",
}
# YAML of a block whose fault is made by something beside it.
NOT_ALONE = {
    "unrendered-jinja": "dbt renders the good one",
    "node-disabled": "dbt decides what is enabled",
    "not-latest-version": "dbt makes two nodes of it",
    "hidden-columns-open": "needs a model of which not every column is known",
    "column-documented-only": "needs a model of which no column is known",
    "skip-validation-unproven": "needs a model of which not every column is known",
    "slow-view": "shows no block",
    "rows-untested": "shows no block",
    "impact-source-removed": "needs the artifacts of another branch",
    "impact-source-renamed": "needs the artifacts of another branch",
    "impact-table-renamed": "needs the artifacts of another branch",
}


def blocks(text: str) -> dict[str, Any] | None:
    """A property file in which the example is; None where it is something else than YAML of a block."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    if not isinstance(content, dict):
        return None
    if content.keys() <= KINDS:
        return {"models": [{"name": "fct_orders", "config": {"meta": {"statsig": content}}}]}
    return content if content.keys() <= {"models", "analyses"} else None


RUN = sorted(
    code for code in RULES if (found := example_of(code)) is not None and blocks(found.bad) and code not in NOT_ALONE
)


def codes(text: str, folder: Path) -> dict[str, Severity]:
    """The findings about a project of which the example is the property file, by code."""
    content = blocks(text)
    assert content is not None
    kinds = yaml.safe_load(text).keys() <= KINDS
    lines = ["models:", "  - name: fct_orders", "    config:", "      meta:", "        statsig:"]
    shown = "\n".join([*lines, *(" " * 10 + line for line in text.splitlines())]) if kinds else text
    (folder / "models").mkdir()
    (folder / "models" / "shop.yml").write_text(shown, encoding="utf-8")
    (folder / "dbt_statsig.yml").write_text("guides: true\n", encoding="utf-8")
    nodes = []
    for kind, entries in content.items():
        for entry in entries:
            config = {"materialized": "table", "enabled": True, "meta": {}, "tags": [], **entry.get("config", {})}
            columns = {
                one["name"]: {
                    "name": one["name"],
                    "config": one.get("config", {}),
                    "tags": one.get("config", {}).get("tags", []),
                }
                for one in entry.get("columns", [])
            }
            name = f'"shop"."main"."{entry["name"]}"' if config["materialized"] != "ephemeral" else None
            unique_id = f"{'model' if kind == 'models' else 'analysis'}.shop.{entry['name']}"
            nodes.append(
                node(unique_id, config=config, columns=columns, relation_name=name, patch_path="shop://models/shop.yml")
            )
    (folder / "target").mkdir()
    (folder / "target" / "manifest.json").write_bytes(manifest_bytes(*nodes))
    table = {name: {"name": name, "type": kind, "index": place} for place, (name, kind) in enumerate(COLUMNS.items())}
    (folder / "target" / "catalog.json").write_bytes(catalog_bytes({one["unique_id"]: table for one in nodes}))
    (folder / "dbt_project.yml").write_text("name: shop\n", encoding="utf-8")
    request = Request(project_dir=folder, environ={"XDG_CACHE_HOME": str(folder / "cache")})
    return {found.code: found.severity for found in validate(request).findings}


@pytest.mark.parametrize("code", RUN)
def test_bad_has_the_finding_and_good_has_not(code: str, tmp_path: Path) -> None:
    """What is shown as bad has the finding; what is shown as good has neither it nor an error."""
    example = example_of(code)
    assert example is not None
    for name in ("bad", "good"):
        (tmp_path / name).mkdir()
    assert code in codes(example.bad, tmp_path / "bad")
    good = codes(example.good, tmp_path / "good")
    assert code not in good
    assert [one for one, severity in good.items() if severity is Severity.ERROR] == []


def test_every_code_has_an_example() -> None:
    """Each code has an example, bad and good, and there is none for a code that does not exist."""
    assert [code for code in RULES if (found := example_of(code)) is None or not (found.bad and found.good)] == []
    text = (ROOT / "dbt_statsig" / "vocabulary" / "examples.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(text).keys() == RULES.keys()


def test_what_is_not_run_has_a_reason() -> None:
    """Most YAML of a block is run; only examples of that kind are excused."""
    assert len(RUN) > 20
    assert NOT_ALONE.keys() <= RULES.keys() - set(RUN)
