"""The pages about ways to run: what they show is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.cli_process import KEY
from tests.integration.dbt.job import HOOK
from tests.integration.shop import BUILT, METRICS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.dbt.job import Job

pytestmark = pytest.mark.dbt

PAGES = sorted((ROOT / "docs" / "run-from").glob("*.md"))
FENCE = re.compile(r"(?ms)^```(\w+)\n(.*?)^```")


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language on a page."""
    return [text for found, text in FENCE.findall(page.read_text(encoding="utf-8")) if found == language]


@pytest.fixture
def production(job: Job) -> Job:
    """The job with a second target, `prod`, on the same database."""
    job.edit(
        "profiles.yml", "  outputs:\n", "  outputs:\n    prod: {type: duckdb, path: tea_shop.duckdb, schema: main}\n"
    )
    return job


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_shown_work(production: Job, page: Path) -> None:
    """Every command that a page shows runs, in the page's order, and ends with 0."""
    if page.stem != "hooks":
        production.edit("dbt_project.yml", HOOK, "\n")
    shown = [line[2:] for text in blocks(page, "console") for line in text.splitlines() if line.startswith("$ ")]
    assert shown
    if not shown[0].startswith("dbt "):
        shown.insert(0, "dbt build --target prod")
    for line in shown:
        done = subprocess.run(
            ["bash", "-c", line],  # noqa: S607 - as a reader types it
            cwd=production.folder,
            env=production.environ(KEY, {}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def test_the_hooks_shown_are_those_tested() -> None:
    """The lines for dbt_project.yml and for a model are the ones that the tests of the hooks use."""
    page = ROOT / "docs" / "run-from" / "hooks.md"
    assert HOOK.strip() in [text.strip() for text in blocks(page, "yaml")]
    assert blocks(page, "sql") == ['{{ config(post_hook="{{ dbt_statsig.statsig_sync_model() }}") }}\n']


def test_the_settings_shown_exist() -> None:
    """The settings that the pages show are settings; `vars` are dbt's, and have their own page."""
    known = json.loads((ROOT / "docs" / "schema" / "settings.schema.json").read_text(encoding="utf-8"))
    text = json.dumps(known)
    shown = re.findall(r"(?m)^(\w+):", "".join(text for page in PAGES for text in blocks(page, "yaml")))
    assert {"on_failure", "allowed_targets", "name_prefix"} <= set(shown)
    assert [key for key in shown if key != "vars" and f'"{key}"' not in text] == []


def test_the_task_shown_works(production: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of the page pushes what the build before it built, and reports what it did."""
    production.edit("dbt_project.yml", HOOK, "\n")
    production.dbt("build", "--target", "prod")
    names: dict[str, Any] = {}
    exec(blocks(ROOT / "docs" / "run-from" / "airflow.md", "python")[0], names)  # noqa: S102 - our own page
    for name, value in production.environ(KEY, {}).items():
        if name.startswith(("STATSIG_", "DBT_STATSIG_")):
            monkeypatch.setenv(name, value)
    assert "STATSIG_CONSOLE_API_KEY" in os.environ
    done = names["push_sources"](str(production.folder), "prod")
    assert done["Orders"] == "create"
    assert len(done) == BUILT + METRICS
