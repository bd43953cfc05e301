"""Seeds: what is loaded, and every fault reported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.faults import FaultPlan
from dbt_statsig.emulator.seed import load
from dbt_statsig.emulator.state import State


def test_an_absent_seed_is_an_empty_project() -> None:
    """Every collection is there and empty."""
    loaded = load(None)
    assert set(loaded) == {
        "assignment_sources", "entity_property_sources", "qualifying_events", "metric_sources",
        "tags", "unit_id_types", "experiments", "metrics", "teams", "pulse_loads",
    }  # fmt: skip
    assert not any(loaded.values())


def test_names_become_objects_and_required_fields_are_filled() -> None:
    """Tags and unit IDs may be names; a source reads with description and tags."""
    loaded = load({"tags": ["core"], "unit_id_types": [{"name": "companyID"}], "metric_sources": [{"name": "Orders"}]})
    assert loaded["tags"] == [{"name": "core", "description": ""}]
    assert loaded["unit_id_types"] == [{"name": "companyID"}]
    assert loaded["metric_sources"] == [{"name": "Orders", "description": "", "tags": []}]


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        ({"metric_source": []}, "metric_source: unknown key, did you mean metric_sources?"),
        ({"zzz": []}, "zzz: unknown key; known keys: assignment_sources,"),
        ({"tags": "core"}, "tags: must be a list"),
        ({"metric_sources": ["Orders"]}, "metric_sources[0]: must be an object"),
        ({"metric_sources": [{}]}, "metric_sources[0].name: is required"),
        ({"metric_sources": [{"name": "a"}, {"name": "a"}]}, "metric_sources[1].name: 'a' is there twice"),
        ({"metric_sources": [{"name": "a", "tags": "x"}]}, "metric_sources[0].tags: Expected array, received string"),
        ({"unit_id_types": [""]}, "unit_id_types[0].name: is required"),
        ({"experiments": [1]}, "experiments[0]: must be an object"),
    ],
)
def test_a_fault_of_the_seed_names_its_place(seed: dict[str, Any], expected: str) -> None:
    """The message says where and what."""
    with pytest.raises(CannotStart, match="The seed is not valid") as caught:
        load(seed)
    assert expected in str(caught.value)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """A file with two faults gives both, and its name."""
    path = tmp_path / "seed.json"
    path.write_text('{"tags": 1, "teams": 2, "experiments": [{"id": "x"}]}')
    with pytest.raises(CannotStart) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "tags: must be a list" in str(caught.value)
    assert "teams: must be a list" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"), [("[]", "must be an object"), ("{", "is not JSON"), (None, "Cannot read")]
)
def test_files_that_are_no_seed(tmp_path: Path, content: str | None, expected: str) -> None:
    """No JSON, another shape and no file each give one clear message."""
    path = tmp_path / "seed.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CannotStart, match=expected):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_and_folders_are_no_files(tmp_path: Path) -> None:
    """A pipe, a device and a folder give one message, for a seed as for a fault plan, and nothing waits."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull), tmp_path):
        for opened in (load, FaultPlan):
            with pytest.raises(CannotStart, match="not a regular file"):
                opened(path)


def test_a_state_gives_back_its_seed() -> None:
    """What a state shows is a seed of the same state, and a reset goes back to it."""
    state = State(load({"metric_sources": [{"name": "Orders"}], "tags": ["core"]}))
    start = state.as_seed()
    assert State(load(start)).as_seed() == start
    state.add_tags(["core", "new", "new"])
    state.sources["metric_sources"].clear()
    assert [tag["name"] for tag in state.lists["tags"]] == ["core", "new"]
    state.reset()
    assert state.as_seed() == start
