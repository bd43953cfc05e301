"""What the commands say of a service that keeps another form of what it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from dbt_statsig.emulator.mangling import Way
from tests.integration.faults.inprocess import call, plan, sync

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running
    from tests.integration.faults.project import Done, Project

EXPECTED: dict[str, str] = {
    "trim": 'Statsig keeps description as "Orders of the shop. Managed by dbt: shop/model.shop.orders" '
    '(declared: "Orders\\n\\nof the shop.\\n\\nManaged by dbt: shop/model.shop.orders").',
    "escape": 'Statsig keeps sql as "SELECT &#x27;A&#x27; AS x, * FROM orders" '
    "(declared: \"SELECT 'A' AS x, * FROM orders\").",
    "lower": "Statsig keeps tags as [core] (declared: [Core]).",
    "add_tag": "Statsig keeps tags as [Core, from-api] (declared: [Core]).",
    "drop_flags": "Statsig keeps is_verified as not set (declared: true).",
}


def declare(project: Project, **keys: Any) -> None:
    """A source in which every way to keep otherwise finds something."""
    values: dict[str, Any] = {
        "description": "Orders\n\nof the shop.",
        "sql": "SELECT 'A' AS x, * FROM orders",
        "tags": ["Core"],
        "is_verified": True,
    }
    project.declare("orders", "Orders", **(values | keys))


def keep(server: Running, *ways: str) -> None:
    """Let the service keep everything so."""
    server.inject({"match": {"method": "POST"}, "action": "keeps_otherwise", "ways": list(ways)})


def findings(done: Done) -> dict[str, dict[str, Any]]:
    """The findings about what is not kept, by field."""
    found = done.answer["validation"]["findings"]
    return {one["key"].rpartition(".")[2]: one for one in found if one["code"] == "not-kept"}


def writes(server: Running) -> int:
    """How many writes of sources there were."""
    return sum(one.method != "GET" and not one.path.endswith("/tags") for one in server.requests)


@pytest.mark.parametrize("way", get_args(Way))
def test_each_way_is_a_finding_and_no_write(project: Project, server: Running, way: str) -> None:
    """The first sync and every later plan have the same finding, and a later sync writes nothing."""
    declare(project)
    keep(server, way)
    first = sync(project)
    assert (first.code, first.statuses) == (0, {"Orders": "done"})
    shown = findings(first)
    if way == "upper_columns":
        # To the warehouse it is the same name.
        assert (shown, writes(server)) == ({}, 1)
    else:
        assert EXPECTED[way] in {one["message"] for one in shown.values()}
        assert writes(server) == 2
    before = writes(server)
    later = plan(project, "--check")
    assert (later.code, later.actions, findings(later)) == (0, {"Orders": "unchanged"}, shown)
    again = sync(project)
    assert (again.code, again.statuses, findings(again)) == (0, {}, shown)
    assert writes(server) == before


def test_what_a_person_reads(project: Project, server: Running) -> None:
    """The result names both values as YAML writes them, and the finding its key; `--strict` fails."""
    project.declare("orders", "Orders", tags=["Core"])
    keep(server, "add_tag")
    first = call(project, "sync")
    text = " ".join(first.stdout.split())
    assert "tags is declared as [Core], Statsig keeps [Core, from-api]" in text
    assert "not-kept" in text
    later = call(project, "plan")
    assert "Statsig keeps tags as [Core, from-api] (declared: [Core])." in " ".join(later.stdout.split())
    summary = "Nothing to do: 1 source as declared, except for fields that Statsig keeps differently (1)."
    assert summary in later.stdout
    assert "'Core'" not in first.stdout + later.stdout
    for command in ("plan", "sync"):
        done = call(project, command, "--strict", "--output", "json")
        (found,) = findings(done).values()
        assert (done.code, found["severity"], found["source"]) == (1, "error", "Orders")
        assert found["key"] == "statsig.metric_source.tags"


def test_a_saved_plan(project: Project, server: Running, tmp_path: Path) -> None:
    """A saved plan is applied with its note, and one that was made before that is found done."""
    declare(project)
    file = tmp_path / "plan"
    keep(server, "drop_flags")
    assert plan(project, "--out", file).code == 0
    done = sync(project, "--plan", file)
    assert (done.statuses, list(findings(done))) == ({"Orders": "done"}, ["is_verified"])
    before = writes(server)
    again = sync(project, "--plan", file)
    assert (again.code, again.statuses, list(findings(again))) == (0, {"Orders": "done"}, ["is_verified"])
    assert again.entry("Orders")["already"]
    assert writes(server) == before


def test_a_new_value_is_one_write(project: Project, server: Running) -> None:
    """Another change is written with the note as it is, and what Statsig keeps is no part of it."""
    declare(project)
    keep(server, "add_tag")
    sync(project)
    before = writes(server)
    declare(project, timestamp_column="variant")
    change = plan(project).answer["plan"]["changes"][0]
    assert [field["field"] for field in change["fields"]] == ["timestamp_column"]
    done = sync(project)
    assert (done.code, done.statuses, list(findings(done))) == (0, {"Orders": "done"}, ["tags"])
    assert writes(server) == before + 1
    assert plan(project, "--check").code == 0
