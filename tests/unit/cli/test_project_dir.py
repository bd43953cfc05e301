"""Where the dbt project is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dbt_statsig.cli.options import find_project
from dbt_statsig.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_nearest_folder_upwards(tmp_path: Path) -> None:
    """From a folder inside the project, the project is found."""
    (tmp_path / "dbt_project.yml").touch()
    inside = tmp_path / "models" / "marts"
    inside.mkdir(parents=True)
    assert find_project(None, here=inside, needed=True) == tmp_path


def test_the_folder_that_is_named(tmp_path: Path) -> None:
    """A folder that is named is taken as it is."""
    assert find_project(tmp_path, here=tmp_path.parent, needed=True) == tmp_path


def test_no_project(tmp_path: Path) -> None:
    """Without a project the error names both ways out; with a manifest at hand there is none."""
    with pytest.raises(UsageError, match=r"There is no dbt_project\.yml") as caught:
        find_project(None, here=tmp_path, needed=True)
    assert "--project-dir" in caught.value.fix
    assert "--manifest" in caught.value.fix
    assert find_project(None, here=tmp_path, needed=False) == tmp_path
