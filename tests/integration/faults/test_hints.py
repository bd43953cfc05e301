"""What a plan says where an option cannot do what it seems to ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.inprocess import call, plan, sync
from tests.integration.faults.project import block, model
from tests.unit.project.artifacts.build import schema

if TYPE_CHECKING:
    from dbt_statsig.emulator import Running
    from tests.integration.faults.project import Project


def test_a_selection_that_matches_nothing(project: Project) -> None:
    """It is a warning of every command, as in dbt, in quiet style too; with --strict it fails."""
    project.declare("orders", "Orders")
    for command in ("validate", "plan", "sync"):
        done = call(project, command, "--select", "nope", "-q")
        assert done.code == 0
        assert 'The selection "nope" matches no node.' in done.stdout
        assert call(project, command, "--select", "nope", "--strict").code == 1
    assert (
        "Nothing to do: the selection matches no declared source." in call(project, "plan", "--select", "nope").stdout
    )


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("oders", 'Did you mean "orders"?'),
        ("1+oders+2", 'Did you mean "orders"?'),
        ("tag:oders", "Correct the name; `dbt ls --select …`"),
    ],
)
def test_the_nearest_node_for_a_selection(project: Project, word: str, fix: str) -> None:
    """A name that matches no node gets the nearest node's, whatever operators are around it."""
    project.declare("orders", "Orders")
    assert f"→ {fix}" in call(project, "validate", "--select", word).stdout


def test_another_kind_in_place_of_the_old(project: Project, server: Running) -> None:
    """`--kind K --prune` keeps the object of a node that now declares another kind; without --kind it is replaced."""
    for number in range(8):
        project.declare(f"m{number}", f"Other {number}")
    project.declare("orders", "Orders")
    assert sync(project).code == 0
    project.declare("orders", "Orders", "qualifying_event")
    narrow = plan(project, "--kind", "metric_source", "--prune")
    assert narrow.actions["Orders"] == "blocked"
    assert "which --kind excludes" in str(narrow.answer["plan"]["changes"])
    assert sync(project, "--kind", "metric_source", "--prune").code == 1
    assert "Orders" in server.state.sources["metric_sources"]
    assert sync(project, "--prune").code == 0
    assert "Orders" not in server.state.sources["metric_sources"]


def test_the_object_of_a_node_that_is_gone(project: Project) -> None:
    """Its hint names all that deleting it takes."""
    project.declare_many(4)
    assert sync(project).code == 0
    project.forget("m00")
    (gone,) = (one for one in plan(project).answer["plan"]["changes"] if one["action"] == "orphan")
    assert gone["fix"] == "To delete it, run `sync --prune --force`: the manifest has no such node."


def test_orphans_of_a_kind_that_nothing_declares(project: Project, server: Running) -> None:
    """A plan names them without --prune; where the list of such a kind cannot be read, the plan is made without it."""
    project.declare("orders", "Orders")
    project.declare("visits", "Visits", "qualifying_event")
    assert sync(project).code == 0
    project.unmark("visits")
    assert plan(project).actions == {"Orders": "unchanged", "Visits": "orphan"}
    assert plan(project, "--kind", "metric_source").actions == {"Orders": "unchanged"}
    server.inject({"action": "status", "status": 403, "body": {}, "match": {"path": "qualifying_events"}, "times": 9})
    refused = plan(project)
    assert (refused.code, refused.actions) == (0, {"Orders": "unchanged"})


@pytest.mark.parametrize("code", ["select * from (select * from {} limit 0)", "select * from {}"])
def test_a_retry_after_an_empty_build(project: Project, server: Running, code: str) -> None:
    """`run -- dbt retry` pushes nothing after a build without rows, which dbt 2 records in the compiled SQL alone."""
    project.declare("orders", "Orders")
    parent, child = '"db"."main"."plain"', project.models["orders"]
    child |= {"compiled_code": code.format(parent), "depends_on": {"nodes": ["model.shop.plain"], "macros": []}}
    project.write()
    _results(project, "inv-1", "build")
    _results(project, "inv-1", "retry", file="retried.json")
    dbt = project.folder / "dbt"
    text = (project.folder / "retried.json").read_text(encoding="utf-8").replace("inv-1", "inv-2")
    (project.folder / "retried.json").write_text(text, encoding="utf-8")
    dbt.write_text(
        f"#!/bin/sh\ncd {project.folder}\ncp retried.json target/run_results.json\n"
        "sed -i.old s/inv-1/inv-2/ target/manifest.json\n"
        f"sed -i.old 's/ limit 0//' target/manifest.json\n",
        encoding="utf-8",
    )
    dbt.chmod(0o755)
    done = call(project, "run", "--", str(dbt), "retry")
    is_empty = "limit 0" in code
    assert (done.code, "Orders" in server.state.sources["metric_sources"]) == ((2, False) if is_empty else (0, True))
    assert ("dbt retried a command that built tables without rows" in " ".join(done.stderr.split())) == is_empty


def _results(project: Project, invocation: str, which: str, *, file: str = "target/run_results.json") -> None:
    """Run results in which the model was built."""
    content = {
        "metadata": {"dbt_schema_version": schema("run-results", 6), "invocation_id": invocation},
        "args": {"which": which},
        "results": [{"unique_id": "model.shop.orders", "status": "success"}],
    }
    (project.folder / file).write_text(json.dumps(content), encoding="utf-8")


def test_a_saved_plan_of_other_declarations(project: Project, server: Running) -> None:
    """It is refused with the names of its objects that are declared otherwise now; of many, the first."""
    project.declare_many(7)
    out = project.folder / "saved.plan"
    assert call(project, "plan", "--out", out).code == 0
    project.declare("m01", "S01", where="amount > 0")
    done = call(project, "sync", "--plan", out)
    assert (done.code, server.state.sources["metric_sources"]) == (2, {})
    assert '(compiled SQL, catalog) now: metric source "S01". Nothing was written.' in " ".join(done.stderr.split())
    project.declare_many(7, where="amount > 0")
    assert '"S04" and 2 more. Nothing' in " ".join(call(project, "sync", "--plan", out).stderr.split())
    project.declare_many(8)
    assert 'now: metric source "S07". Nothing' in " ".join(call(project, "sync", "--plan", out).stderr.split())


def test_a_saved_plan_whose_evidence_is_gone(project: Project) -> None:
    """Where a later dbt command left less evidence, the plan is refused with its names and how to get it back."""
    project.models["orders"] = model("orders", block("Orders")) | {"compiled_code": "select 1 as ts, 2 as user_id"}
    project.models["orders"]["contract"] = {"enforced": False}
    project.models["orders"]["config"]["contract"] = {"enforced": False}
    project.declare("visits", "Visits")
    assert sync(project).code == 0
    project.declare("visits", "Visits", where="amount > 0")
    out = project.folder / "saved.plan"
    assert call(project, "plan", "--out", out).code == 0
    compiled = project.models["orders"].pop("compiled_code")
    project.write()
    done = call(project, "sync", "--plan", out)
    shown = " ".join(done.stderr.split())
    assert (done.code, 'now: metric source "Orders". Nothing was written.' in shown) == (2, True)
    assert "did not compile: model.shop.orders. Run `dbt compile` to compare it." in shown
    project.models["orders"]["compiled_code"] = compiled
    project.write()
    assert call(project, "sync", "--plan", out).code == 0
