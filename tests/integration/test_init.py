"""`dbt-statsig init`: the first block of a model, written into its YAML and valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

import dbt_statsig
from tests.integration.faults.inprocess import call
from tests.integration.faults.project import Project, model
from tests.unit.project.artifacts.build import manifest_bytes

if TYPE_CHECKING:
    from pathlib import Path

FILE = "models/schema.yml"
EXPOSURES = {"Experiment": "varchar", "variant": "varchar", "exposed_at": "timestamp", "user_id": "varchar"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with exposures, events and one without a unit; nothing is marked."""
    made = Project(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "models").mkdir()
    (tmp_path / FILE).write_text("models:\n  - name: exposures\n  - name: events\n", encoding="utf-8")
    columns = {"exposures": EXPOSURES, "events": {"ts": "timestamp", "user_id": "varchar"}, "plain": {"x": "int"}}
    members = []
    for name, types in columns.items():
        listed = {key.lower(): {"name": key, "data_type": kind} for key, kind in types.items()}
        patch = "" if name == "plain" else f"shop://{FILE}"
        members.append({**model(name, {}), "columns": listed, "patch_path": patch})
    (tmp_path / "target/manifest.json").write_bytes(manifest_bytes(*members))
    return made


def test_candidates(project: Project) -> None:
    """Without a model, those that look like sources are listed with the reason, exposures first."""
    done = call(project, "init")
    assert done.code == 0
    assert done.stdout.splitlines() == [
        "Exposures (assignment source)",
        "  exposures  has columns `experiment` and `variant`",
        "",
        "Events (metric source)",
        "  events     has `user_id` and the time `ts`",
        "",
        "→ See a block with `dbt-statsig init MODEL`.",
    ]
    only = call(project, "init", "--kind", "metric_source", "--output", "json").answer["init"]
    assert [one["unique_id"] for one in only["candidates"]] == ["model.shop.events"]


def test_a_block_is_shown_and_written(project: Project) -> None:
    """The diff is shown first; with --write the file has the block, with the reasons as comments."""
    before = (project.folder / FILE).read_bytes()
    shown = call(project, "init", "exposures")
    assert (shown.code, (project.folder / FILE).read_bytes()) == (0, before)
    assert "+            group_id_column: variant  # by its name" in shown.stdout
    written = call(project, "init", "model.shop.exposures", "--write")
    assert f"Written to {FILE}. Run `dbt compile`, then `dbt-statsig validate`." in written.stdout
    text = (project.folder / FILE).read_text(encoding="utf-8")
    assert yaml.safe_load(text)["models"][0]["config"]["meta"]["statsig"]["assignment_source"] == {
        "name": "Exposures",
        "timestamp_column": "exposed_at",
        "experiment_id_column": "experiment",
        "group_id_column": "variant",
        "id_type_mapping": {"userID": "user_id"},
    }
    again = call(project, "init", "exposures", "--write")
    assert (again.code, "has a block" in again.stdout or "already" in again.stdout) == (1, True)
    assert (project.folder / FILE).read_text(encoding="utf-8") == text


def test_what_cannot_be_proposed(project: Project) -> None:
    """A misspelled model, one that looks like nothing, and missing keys write nothing and say what to do."""
    before = (project.folder / FILE).read_bytes()
    misspelled = call(project, "init", "exposure")
    assert (misspelled.code, 'Did you mean "exposures"?' in misspelled.stderr) == (2, True)
    plain = call(project, "init", "plain")
    assert (plain.code, "Choose with --kind" in plain.stderr) == (2, True)
    missing = call(project, "init", "events", "--kind", "assignment_source", "--write")
    assert (missing.code, "No column is certain for `group_id_column`." in missing.stdout) == (1, True)
    assert (project.folder / FILE).read_bytes() == before


def test_a_project_without_blocks_shows_one(project: Project) -> None:
    """`validate` shows six lines of YAML where nothing is declared, and names the command."""
    shown = call(project, "validate").stdout
    assert "Run `dbt-statsig init` to see which models look like sources" in shown
    assert "meta:\n              statsig:\n                metric_source: {name: Orders," in shown


def test_declared_models_are_no_candidates(tmp_path: Path) -> None:
    """A model that is declared is not listed, and a second block of its kind is refused."""
    made = Project(tmp_path, "http://127.0.0.1:9")
    made.declare("orders", "Orders")
    assert "orders" not in call(made, "init").stdout
    again = call(made, "init", "orders", "--kind", "metric_source")
    assert 'model.shop.orders declares the metric source "Orders" already.' in again.stderr


def test_nodes_without_known_columns_or_with_one_name(tmp_path: Path) -> None:
    """A model of which no column is known is counted and refused, and a name of two nodes needs a unique_id."""
    made = Project(tmp_path, "http://127.0.0.1:9")
    unread = {**model("unread", {}), "columns": {}, "compiled_code": None}
    del unread["config"]["contract"], unread["contract"]
    seed = {**model("both", {}), "unique_id": "seed.shop.both", "resource_type": "seed"}
    content = manifest_bytes(unread, model("both", {}), seed)
    (tmp_path / "target/manifest.json").write_bytes(content)
    shown = call(made, "init")
    assert "Columns are not known for 1 model: run `dbt compile`, or `dbt docs generate`." in shown.stdout
    alone = call(made, "init", "unread")
    assert (alone.code, "No column of model.shop.unread is known." in alone.stderr) == (2, True)
    both = call(made, "init", "both")
    assert '"both" is not one node: model.shop.both, seed.shop.both.' in both.stderr


def test_a_block_that_no_file_takes(project: Project) -> None:
    """The block is shown with the reason, as JSON too, and nothing is written."""
    (project.folder / FILE).write_text("models: [{name: exposures}, {name: events}]\n", encoding="utf-8")
    done = call(project, "init", "exposures", "--write", "--output", "json")
    proposed = done.answer["init"]["proposed"]
    assert (done.code, proposed["written"], proposed["kind"]) == (1, False, "assignment_source")
    assert "is written in flow style" in proposed["refusal"]
    assert "Add the block by hand." in call(project, "init", "exposures").stdout


def test_the_name_is_free(tmp_path: Path) -> None:
    """A name that another source of the kind has gets a number."""
    made = Project(tmp_path, "http://127.0.0.1:9")
    made.declare("orders", "Fresh")
    made.models["fresh"] = model("fresh", {})
    made.write()
    block = call(made, "init", "fresh", "--kind", "metric_source", "--output", "json").answer["init"]["proposed"][
        "block"
    ]
    assert block["name"] == "Fresh 2"


def test_from_python(project: Project) -> None:
    """The function gives the same block, and refuses a kind that has no block of its own."""
    request = dbt_statsig.Request(project_dir=project.folder, environ={})
    proposed = dbt_statsig.init(request, "events", kind="metric_source").proposed
    assert proposed is not None
    assert proposed.guess.block["id_type_mapping"] == {"userID": "user_id"}
    with pytest.raises(dbt_statsig.UsageError, match="does not support the kind metric"):
        dbt_statsig.init(request, "events", kind="metric")
