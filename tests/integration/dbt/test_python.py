"""The Python functions, as a task of Airflow or Dagster calls them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import dbt_statsig
from dbt_statsig import DbtStatsigError, Kind, Request
from tests.integration.cli_process import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from dbt_statsig.emulator import Running


def request_for(folder: Path, console: Running, **more: object) -> Request:
    """A request as a task makes it."""
    environ = {"STATSIG_CONSOLE_API_KEY": KEY, "DBT_STATSIG_BASE_URL": console.url}
    return Request(project_dir=folder, environ=environ, **more)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.dbt
def test_validate_plan_sync(shop: Path, console: Running) -> None:
    """Each function takes a request and gives a value; after a sync the plan is empty."""
    request = request_for(shop, console, kinds=frozenset({Kind.METRIC_SOURCE}))
    assert dbt_statsig.validate(request).ok()
    planned = dbt_statsig.plan(request)
    assert {change.action.value for change in planned.plan.changes} == {"create"}
    synced = dbt_statsig.sync(request)
    assert {entry.status.value for entry in synced.outcome.objects} == {"done"}
    assert {change.action.value for change in dbt_statsig.plan(request).plan.changes} == {"unchanged"}


def test_errors_are_of_one_tree(tmp_path: Path, console: Running) -> None:
    """What can go wrong is raised as DbtStatsigError, with the next step."""
    with pytest.raises(DbtStatsigError) as raised:
        dbt_statsig.sync(request_for(tmp_path, console))
    assert raised.value.fix


def test_names_are_functions_whatever_was_imported() -> None:
    """The public names stay what they are after every module of the package was imported."""
    script = (
        "import pkgutil, importlib, dbt_statsig\n"
        "for one in pkgutil.walk_packages(dbt_statsig.__path__, 'dbt_statsig.'):\n"
        "    if not one.name.endswith('__main__'): importlib.import_module(one.name)\n"
        "assert all(callable(getattr(dbt_statsig, name)) for name in ('validate', 'plan', 'sync'))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_importing_is_cheap() -> None:
    """`import dbt_statsig`, which dbt does with every command, loads nothing else; unknown names are refused."""
    script = (
        "import sys; before = set(sys.modules)\n"
        "import dbt_statsig\n"
        "print(sorted(set(sys.modules) - before - {'dbt_statsig', '__future__'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = dbt_statsig.no_such_name
