"""The pipeline's steps: what each reads, and that its results do not change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from dbt_statsig.commands.pipeline import declare_project, load_project, prove_project
from dbt_statsig.commands.scope import kinds_in
from dbt_statsig.commands.validate import validate_project
from dbt_statsig.project.request import Request
from dbt_statsig.vocabulary.sources import Kind
from tests.unit.impact.two_states import marked, staging, write

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.payloads.building import Built


def request_of(folder: Path, **fields: Any) -> Request:
    """A project with one assignment source, and a cache of its own."""
    manifest = write(folder / "target", staging(), marked("fct")) / "manifest.json"
    return Request(project_dir=folder, manifest=manifest, environ={"XDG_CACHE_HOME": str(folder / "cache")}, **fields)


def test_only_proving_reads_sql_and_writes_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading, declaring and validating read no SQL, and the cache is there after proving."""
    request = request_of(tmp_path)
    with monkeypatch.context() as closed:
        closed.setattr("dbt_statsig.columns.reader.Reader.shape", pytest.fail)
        project = declare_project(load_project(request))
    assert not (tmp_path / "cache").exists()
    proven = prove_project(project)
    assert list((tmp_path / "cache" / "dbt-statsig").glob("*.sql-read"))
    with monkeypatch.context() as closed:
        closed.setattr("dbt_statsig.columns.reader.Reader.shape", pytest.fail)
        validation = validate_project(proven).validation
    assert [source.selected for source in validation.sources] != [()]


def test_a_result_has_all_before_it(tmp_path: Path) -> None:
    """Each step takes over what the steps before it found, and none of it can be assigned."""
    loaded = load_project(request_of(tmp_path))
    declared = declare_project(loaded)
    proven = prove_project(declared)
    validated = validate_project(proven)
    assert (validated.inputs, validated.declared, validated.built) == (loaded.inputs, declared.declared, proven.built)
    assert kinds_in(validated) == kinds_in(declared) == [Kind.ASSIGNMENT_SOURCE]
    with pytest.raises(AttributeError):
        validated.validation = validated.validation  # type: ignore[misc]  # that is the test


def data_of(built: Built) -> Built:
    """All of it that can be compared: no function."""
    return structs.replace(built, basis=structs.replace(built.basis, forms=None))


def test_a_step_can_be_taken_twice(tmp_path: Path) -> None:
    """The same input gives the same result again: no step changes what it was given."""
    project = declare_project(load_project(request_of(tmp_path)))
    first, second = (validate_project(prove_project(project)) for _ in range(2))
    assert first.validation == second.validation
    assert [data_of(built) for _, built in first.built] == [data_of(built) for _, built in second.built]
