"""The commands of `dbt-statsig` within the test's own process: as from the shell, but for a start of Python each."""

from __future__ import annotations

import gc
import json
import os
from typing import TYPE_CHECKING

from click.testing import CliRunner

from dbt_statsig.cli.app import run
from tests.integration.faults.project import Done

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.project import Project

_STEERING = ("DBT_", "STATSIG_", "NO_COLOR", "FORCE_COLOR")


def call(project: Project, *arguments: str | Path, **env: str) -> Done:
    """How one command ends in this project; `--output json` gives an answer."""
    unset = {name: None for name in os.environ if name.startswith(_STEERING)}
    threshold = gc.get_threshold()
    try:
        with CliRunner().isolation(env={**unset, **project.environ, **env}) as streams:
            code = run([*map(str, arguments), "--project-dir", str(project.folder)])
            stdout, stderr = (stream.getvalue().decode() for stream in streams[:2])
    finally:
        gc.set_threshold(*threshold)
    assert "internal error" not in stderr, stderr
    assert project.key not in stdout + stderr
    answer = json.loads(stdout) if stdout.startswith("{") else {}
    return Done(code=code, answer=answer, stdout=stdout, stderr=stderr)


def sync(project: Project, *arguments: str | Path, **env: str) -> Done:
    """`dbt-statsig sync --output json`."""
    return call(project, "sync", *arguments, "--output", "json", **env)


def plan(project: Project, *arguments: str | Path, **env: str) -> Done:
    """`dbt-statsig plan --output json`."""
    return call(project, "plan", *arguments, "--output", "json", **env)
