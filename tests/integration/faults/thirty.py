"""Thirty objects of all kinds, of which some are there, some are new, and some have to go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running

KINDS = ("assignment_source", "qualifying_event", "entity_property_source", "metric_source")
THEIRS = {"name": "By hand", "description": "Somebody's.", "sql": "select 1", "timestampColumn": "ts", "tags": ["x"]}


def before(project: Project) -> None:
    """What is declared at first: twelve sources."""
    project.models.clear()
    for number in range(12):
        project.declare(f"m{number:02}", f"S{number:02}", KINDS[number % 4])


def after(project: Project) -> None:
    """What is declared then: four are renamed or replaced, four changed, two gone, twenty new, all with new tags."""
    project.models.clear()
    for number in range(30):
        name = f"Renamed {number:02}" if number < 4 else f"S{number:02}"
        keys: dict[str, Any] = {"where": "amount > 1"} if 4 <= number < 8 else {}
        if number not in {8, 9}:
            project.declare(f"m{number:02}", name, KINDS[number % 4], **keys, tags=["dbt", "core"])


def content(server: Running) -> dict[str, Any]:
    """All that the console holds, in an order of its own."""
    held = server.state.as_seed()
    return {
        "sources": {name: sorted(held[name], key=lambda item: str(item["name"])) for name in server.state.sources},
        "tags": sorted(tag["name"] for tag in held["tags"]),
    }


def prepared(folder: Path, server: Running) -> Project:
    """The project, pushed as it was, then edited; the console has an object of its own beside."""
    project = Project(folder, server.url)
    before(project)
    done = project.sync()
    assert done.code == 0, done.stdout
    server.state.sources["metric_sources"]["By hand"] = dict(THEIRS)
    after(project)
    return project
