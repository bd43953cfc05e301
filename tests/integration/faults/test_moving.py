"""Objects that come from hand-made ones, from another project, or go back: adopting, moving, releasing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running


def by_hand(server: Running, name: str) -> None:
    """Let an object be nobody's."""
    server.state.sources["metric_sources"][name]["description"] = "By hand."


def test_imported_objects_are_taken_over(project: Project, server: Running) -> None:
    """--adopt-imported takes what the list names and nobody owns; without a list it says what to run first."""
    project.declare("orders", "Orders")
    project.declare("visits", "Visits")
    assert sync(project).code == 0
    by_hand(server, "Orders")
    by_hand(server, "Visits")
    missing = sync(project, "--adopt-imported", "--yes")
    assert (missing.code, "import --write" in missing.stderr) == (2, True)
    listed = [{"kind": "metric_source", "name": "Orders", "unique_id": "model.shop.orders", "exactness": "exact"}]
    (project.folder / "target/statsig_import.json").write_text(json.dumps(listed), encoding="utf-8")
    asked = sync(project, "--adopt-imported")
    assert (asked.code, "--adopt-imported asks for confirmation" in asked.stderr) == (2, True)
    assert plan(project, "--adopt-imported").actions == {"Orders": "update", "Visits": "foreign"}
    assert sync(project, "--adopt-imported", "--yes").statuses == {"Orders": "done"}
    (project.folder / "target/statsig_import.json").write_text("{}", encoding="utf-8")
    assert "is not a list of imported objects" in plan(project, "--adopt-imported").stderr


def test_imported_objects_that_have_changed_since(project: Project, server: Running) -> None:
    """What was imported as exact is taken over only while only its ownership line changes, unless it is named."""
    for name in ("orders", "visits"):
        project.declare(name, name.capitalize())
    assert sync(project).code == 0
    by_hand(server, "Orders")
    by_hand(server, "Visits")
    server.state.sources["metric_sources"]["Orders"]["sql"] = "SELECT 1 AS edited"
    exactness = {"Orders": "sql", "Visits": "exact"}
    write = (project.folder / "target/statsig_import.json").write_text
    write(json.dumps([{"kind": "metric_source", "name": name, "exactness": how} for name, how in exactness.items()]))
    planned = plan(project, "--adopt-imported")
    assert planned.actions == {"Orders": "blocked", "Visits": "update"}
    assert "taking it over would change `sql` too." in planned.stdout
    assert sync(project, "--adopt-imported", "--yes").statuses == {"Visits": "done"}
    assert server.state.sources["metric_sources"]["Orders"]["sql"] == "SELECT 1 AS edited"
    assert plan(project, "--adopt-imported", "--adopt-all").actions["Orders"] == "update"
    named = plan(project, "--adopt-imported", "--adopt", "Orders")
    assert named.actions["Orders"] == "update"
    write(json.dumps([{"kind": "metric_source", "name": "Orders", "exactness": "changes"}]))
    assert plan(project, "--adopt-imported").actions["Orders"] == "update"


def test_a_block_names_its_object(project: Project, server: Running) -> None:
    """`adopt` in a block takes the object of that name over and renames it, but not for a target with a prefix."""
    project.forget("orders")
    project.declare("users", "Old users", "entity_property_source")
    assert sync(project).code == 0
    server.state.sources["entity_property_sources"]["Old users"]["description"] = "By hand."
    project.declare("users", "Users", "entity_property_source", adopt="Old users")
    project.settings(name_prefix={"dev": "dev "})
    assert plan(project, "--target", "dev").actions == {"dev Users": "create"}
    assert plan(project, "--target", "prod").actions == {"Users": "rename"}
    assert sync(project, "--target", "prod").statuses == {"Users": "done"}
    assert plan(project, "--target", "prod").actions == {"Users": "unchanged"}


def test_adopting_what_a_node_declares(project: Project, server: Running) -> None:
    """--adopt with a unique_id takes over what the node declares."""
    project.declare("orders", "Orders")
    assert sync(project).code == 0
    by_hand(server, "Orders")
    assert sync(project, "--adopt", "model.shop.orders").statuses == {"Orders": "done"}


def test_moving_to_another_project(project: Project, server: Running) -> None:
    """--adopt-from takes another project's objects; that one then says where they have gone."""
    project.declare("orders", "Orders")
    assert sync(project).code == 0
    held = server.state.sources["metric_sources"]["Orders"]
    held["description"] = held["description"].replace("shop/model.shop", "old/model.old")
    assert 'If it has moved to "old", remove its block here.' in call(project, "plan").stdout
    assert plan(project, "--adopt-from", "elsewhere").actions == {"Orders": "foreign"}
    assert sync(project, "--adopt-from", "old", "--yes").statuses == {"Orders": "done"}
    held = server.state.sources["metric_sources"]["Orders"]
    assert held["description"].endswith("Managed by dbt: shop/model.shop.orders")


def test_what_the_other_project_still_declares(project: Project, server: Running, tmp_path: Path) -> None:
    """With the folder of the other project, only what is no longer declared there is taken over."""
    project.declare("visits", "Visits")
    assert sync(project).code == 0
    for name in ("Orders", "Visits"):
        held = server.state.sources["metric_sources"][name]
        held["description"] = held["description"].replace("shop/", "old/")
    old = Project(tmp_path / "old", server.url)
    (old.folder / "dbt_project.yml").write_text("name: old\n", encoding="utf-8")
    old.declare("orders", "Orders")
    manifest = old.folder / "target/manifest.json"
    content = json.loads(manifest.read_bytes())
    content["metadata"]["project_name"] = "old"
    manifest.write_text(json.dumps(content), encoding="utf-8")
    shown = plan(project, "--adopt-from", old.folder)
    assert shown.actions == {"Orders": "foreign", "Visits": "update"}
    messages = call(project, "plan", "--adopt-from", old.folder).stdout
    assert 'it belongs to dbt project "old", which declares it.' in " ".join(messages.split())


@pytest.mark.parametrize("option", ["--adopt-imported", "--adopt-from"])
def test_a_saved_plan_has_its_own(project: Project, option: str) -> None:
    """A saved plan repeats what it was asked for, and takes nothing more."""
    project.declare("orders", "Orders")
    (project.folder / "target/statsig_import.json").write_text("[]", encoding="utf-8")
    words = [option, "old"] if option == "--adopt-from" else [option]
    assert plan(project, *words, "--out", project.folder / "plan.json").code == 0
    done = sync(project, "--plan", project.folder / "plan.json", *words, "--yes")
    assert (done.code, f"{option} cannot be combined with --plan" in done.stderr) == (2, True)
    assert sync(project, "--plan", project.folder / "plan.json").statuses == {"Orders": "done"}


def test_releasing(project: Project, server: Running) -> None:
    """The object is the console's again, editable, and otherwise as it was; the still declared block is named."""
    project.declare("orders", "Orders", description="All orders.", is_read_only=True)
    project.declare("visits", "Visits")
    assert sync(project).code == 0
    before = dict(server.state.sources["metric_sources"]["Orders"])
    shown = call(project, "release", "Orders", "--dry-run")
    assert (shown.code, "Dry run, nothing was written" in shown.stdout) == (0, True)
    assert 'metric source "Orders" is still declared (' in shown.stderr
    assert "release asks for confirmation" in call(project, "release", "Orders").stderr
    assert server.state.sources["metric_sources"]["Orders"] == before
    done = call(project, "release", "Orders", "--yes", "--output", "json")
    assert (done.code, done.answer["command"], done.statuses) == (0, "release", {"Orders": "done"})
    now = server.state.sources["metric_sources"]["Orders"]
    assert {key for key in before if now[key] != before[key]} == {"description", "isReadOnly"}
    assert (now["description"], now["isReadOnly"]) == ("All orders.", False)
    assert plan(project).actions == {"Orders": "foreign", "Visits": "unchanged"}
    project.unmark("orders")
    assert plan(project).actions == {"Visits": "unchanged"}


def test_releasing_what_cannot_be_released(project: Project, server: Running) -> None:
    """A misspelled name, one of two kinds, and an object of nobody write nothing, and say what to do."""
    project.declare("visits", "Orders", "qualifying_event")
    assert sync(project).code == 0
    misspelled = call(project, "release", "Ordrs", "--yes")
    assert (misspelled.code, 'Did you mean "Orders"?' in misspelled.stderr) == (2, True)
    both = call(project, "release", "Orders", "--yes")
    assert (both.code, "Choose with --kind, such as --kind qualifying_event." in both.stderr) == (2, True)
    by_hand(server, "Orders")
    foreign = call(project, "release", "--kind", "metric_source", "Orders", "--yes", "--output", "json")
    assert (foreign.code, foreign.actions, foreign.statuses) == (1, {"Orders": "foreign"}, {})


@pytest.mark.parametrize("settings", [{"read_only": True}, {"defaults": {"is_read_only": True}}])
def test_releasing_what_settings_made_read_only(project: Project, server: Running, settings: dict[str, object]) -> None:
    """An object whose block is gone can be edited again where the settings had made it read-only."""
    project.settings(**settings)
    assert sync(project).code == 0
    project.unmark("orders")
    assert call(project, "release", "Orders", "--yes").code == 0
    assert server.state.sources["metric_sources"]["Orders"]["isReadOnly"] is False
