"""YAML that is newer than the manifest, as each command shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import own_copy, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.dbt

FILE = "models/shop/_shop.yml"
LINE = f"{FILE} is newer than target/manifest.json: run `dbt compile`."


def test_newer_yaml_is_named(shop: Path, tmp_path: Path) -> None:
    """Every command names the file, quietly and as JSON too; only --require-fresh, as the hook has it, fails on it."""
    project = own_copy(shop, tmp_path)
    file = project / FILE
    file.touch()
    assert "newer" not in run("validate", cwd=project).stdout
    file.write_text(file.read_text(encoding="utf-8").replace("name: Orders\n", "name: All orders\n"), encoding="utf-8")
    for command in (["validate"], ["validate", "-q"], ["debug"]):
        done = run(*command, cwd=project)
        assert done.returncode == 0
        assert LINE in " ".join((done.stdout + done.stderr).split()), command
    answer = json.loads(run("validate", "--output", "json", cwd=project).stdout)
    assert LINE in [one["message"] for one in answer["validation"]["findings"]]
    hook = run("validate", "--quiet", "--require-fresh", cwd=project)
    assert hook.returncode == 1
    assert LINE in " ".join(hook.stdout.split())
