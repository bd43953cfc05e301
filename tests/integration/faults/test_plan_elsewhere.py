"""The plan of a pull request: built in a schema of its own, by a target that may not push."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.project import Project, block, model

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

NAMES = ("Orders", "Exposures", "Events", "Visits")
LOCKS = [{"allowed_targets": ["prod"]}, {"allowed_schemas": ["main"]}]


def built(folder: Path, server: Running, schema: str, settings: dict[str, Any], **orders: Any) -> Project:
    """The project as one target builds it: a built query, a table, and a query of the user's own."""
    project = Project(folder, server.url)
    blocks = {
        "orders": block("Orders", partition_column="ts", **orders),
        "exposures": block("Exposures", "assignment_source"),
        "events": block("Events", "qualifying_event", source_type="table"),
        "visits": block("Visits", sql=f'SELECT ts, user_id FROM {schema}.visits -- "db"."other"."visits"'),
    }
    for name, meta in blocks.items():
        project.models[name] = model(name, meta)
        project.models[name] |= {"relation_name": f'"db"."{schema}"."{name}"', "schema": schema}
    project.write()
    project.settings(**settings)
    return project


@pytest.mark.parametrize("settings", LOCKS)
def test_another_schema_is_no_difference(tmp_path: Path, server: Running, settings: dict[str, Any]) -> None:
    """After the sync of production, the plan of a target that may not push is empty, however it is refused."""
    prod = built(tmp_path / "prod", server, "main", settings)
    assert sync(prod, "--target", "prod").code == 0
    ci = built(tmp_path / "ci", server, "ci_7", settings)
    for done in (plan(ci, "--target", "ci"), sync(ci, "--target", "ci", "--dry-run")):
        assert (done.code, done.actions) == (0, dict.fromkeys(NAMES, "unchanged"))
        (warning,) = done.answer["plan"]["warnings"]
        assert warning.startswith("A sync would be refused. ")
        assert "without their database and schema" in warning
    quiet = call(ci, "plan", "--target", "ci", "--quiet")
    assert "A sync would be refused." in quiet.stderr
    assert call(ci, "sync", "--target", "ci").code == 1
    assert plan(prod, "--target", "prod").actions == dict.fromkeys(NAMES, "unchanged")


def test_an_alias_of_the_target_is_no_difference(tmp_path: Path, server: Running) -> None:
    """Where the alias follows the target too, a node is compared with itself, and the plan says with which tables."""

    def aliased(schema: str, suffix: str, **orders: Any) -> Project:
        project = built(tmp_path / schema, server, schema, LOCKS[0], **orders)
        visits = block("Visits", sql=f"SELECT ts, user_id FROM {schema}.visits{suffix}")
        project.models["visits"] = model("visits", visits) | {"schema": schema}
        for name, one in project.models.items():
            one |= {"relation_name": f'"db"."{schema}"."{name}{suffix}"', "alias": f"{name}{suffix}"}
        project.write()
        return project

    assert sync(aliased("main", "_prod"), "--target", "prod").code == 0
    done = plan(aliased("ci_7", "_ci"), "--target", "ci")
    assert (done.code, done.actions) == (0, dict.fromkeys(NAMES, "unchanged"))
    assert done.answer["plan"]["warnings"][1] == (
        "Compared as the same table, since an alias may depend on the target: events_prod in Statsig is events_ci "
        "here, exposures_prod in Statsig is exposures_ci here, orders_prod in Statsig is orders_ci here, "
        "visits_prod in Statsig is visits_ci here."
    )
    done = plan(aliased("ci_7", "_ci", where="amount > 0"), "--target", "ci")
    assert done.actions == dict.fromkeys(NAMES, "unchanged") | {"Orders": "update"}
    (sql,) = next(one["fields"] for one in done.answer["plan"]["changes"] if one["name"] == "Orders")
    assert '"main"."orders_prod"' in sql["before"]
    assert '"main"."orders_prod"' in sql["after"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("sql", "select count(*) from db.main.other"), ("sql", "SELECT ts FROM other o"), ("sql", "SELECT ts")],
)
def test_a_table_of_another_name_that_is_unknown(tmp_path: Path, server: Running, field: str, value: str) -> None:
    """A live query in which the table of the node is unknown is compared as it is."""
    assert sync(built(tmp_path / "prod", server, "main", LOCKS[0]), "--target", "prod").code == 0
    held = server.state.sources["metric_sources"]["Orders"]
    held[field] = value
    ci = built(tmp_path / "ci", server, "ci_7", LOCKS[0])
    assert plan(ci, "--target", "ci").actions == dict.fromkeys(NAMES, "unchanged") | {"Orders": "update"}


def test_a_table_field_that_is_no_relation(tmp_path: Path, server: Running) -> None:
    """A live table that is no name of a table, or an object of another node, is compared as it is."""
    assert sync(built(tmp_path / "prod", server, "main", LOCKS[0]), "--target", "prod").code == 0
    server.state.sources["qualifying_events"]["Events"]["tableName"] = "no table; at all"
    orders = server.state.sources["metric_sources"]["Orders"]
    orders["description"] = orders["description"].replace("model.shop.orders", "model.shop.orders_old")
    orders["sql"] = orders["sql"].replace('"orders"', '"orders_old"')
    done = plan(built(tmp_path / "ci", server, "ci_7", LOCKS[0]), "--target", "ci")
    assert done.actions == dict.fromkeys(NAMES, "unchanged") | {"Orders": "update", "Events": "update"}


def test_the_change_itself_shows(tmp_path: Path, server: Running) -> None:
    """What the pull request changes is shown, and nothing else: fields, a rename, a new source."""
    assert sync(built(tmp_path / "prod", server, "main", LOCKS[0]), "--target", "prod").code == 0
    ci = built(tmp_path / "ci", server, "ci_7", LOCKS[0], where="amount > 0")
    ci.models["exposures"]["config"]["meta"]["statsig"]["assignment_source"]["name"] = "All exposures"
    ci.models["new"] = model("new", block("New")) | {"schema": "ci_7"}
    ci.write()
    done = plan(ci, "--target", "ci")
    changes = {
        one["name"]: (one["action"], [field["field"] for field in one["fields"]])
        for one in done.answer["plan"]["changes"]
    }
    assert done.code == 0
    assert changes == {
        "All exposures": ("rename", ["name"]),
        "Orders": ("update", ["sql"]),
        "New": ("create", []),
        "Events": ("unchanged", []),
        "Visits": ("unchanged", []),
    }
    (sql,) = next(one["fields"] for one in done.answer["plan"]["changes"] if one["name"] == "Orders")
    assert '"main"' in sql["before"]
    assert '"main"' in sql["after"]


def test_one_model_in_another_schema_is_blocked(tmp_path: Path, server: Running) -> None:
    """Where only some models are in a schema that may not be pushed, these are blocked, and the plan says why."""
    prod = built(tmp_path / "prod", server, "main", LOCKS[1])
    prod.models["visits"]["schema"] = "attic"
    prod.write()
    done = plan(prod, "--target", "prod")
    assert done.actions == {**dict.fromkeys(NAMES, "create"), "Visits": "blocked"}
    assert done.code == 1


def test_a_sync_of_a_locked_schema_speaks_of_itself(tmp_path: Path, server: Running) -> None:
    """A sync of which no model may be pushed says so, and not what a plan compares."""
    done = call(built(tmp_path, server, "ci_7", LOCKS[1]), "sync")
    assert done.code == 1
    assert "No declared model may be pushed: schema" in done.stderr
    assert "This plan" not in done.stdout + done.stderr
    assert "A sync would" not in done.stdout + done.stderr


def test_a_limit_hides_no_difference(tmp_path: Path, server: Running) -> None:
    """What a limit holds back is shown with its reason and its fields, in text and in Markdown."""
    project = Project(tmp_path, server.url)
    project.declare_many(12)
    assert sync(project).code == 0
    project.declare_many(12, where="amount > 0")
    done = call(project, "plan", "--verbose")
    assert done.code == 1
    assert done.stdout.count("+ WHERE") + len(re.findall(r"\+ .*amount > 0", done.stdout)) >= 12
    assert "would change at once" in done.stdout
    assert "sql" in call(project, "plan").stdout
    markdown = call(project, "plan", "--output", "markdown").stdout
    assert markdown.count("| update, held by the limit |") == 12
    assert "Held by the limit: 12 of this project" in markdown
    assert markdown.count("<details>") == 12
