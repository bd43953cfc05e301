"""The example project, copied and built by real dbt."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tests import forked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "example_project"
BIN = forked.BIN
PATIENCE = 240
SOURCES, METRICS = 9, 3
BUILT = SOURCES - 1  # the connector lands the refunds
DECLARED = f"{SOURCES} sources and {METRICS} metrics"
"""What the example project declares, as reports count it."""


def command(
    *arguments: str | Path, cwd: Path, expect: int = 0, environment: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What one of this environment's commands (`dbt`, `dbt-statsig`) prints on stdout; asserts its exit code."""
    name, *rest = arguments
    inherited = forked.unmeasured() if name == "dbt" else os.environ
    env = {key: value for key, value in inherited.items() if not key.startswith(("DBT_", "STATSIG_", "TEA_SHOP_"))}
    done = subprocess.run(
        [forked.program(str(name)), *rest],
        cwd=cwd,
        env={**env, "DBT_USE_COLORS": "false", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def copy_shop(folder: Path) -> Path:
    """A copy of the example project, without what a build leaves behind."""
    return Path(shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal")))


def build_shop(folder: Path) -> Path:
    """A copy of the example project, built, with its catalog; any warning of dbt's fails."""
    shop = copy_shop(folder)
    command("dbt", "--warn-error", "--show-all-deprecations", "build", cwd=shop)
    command("dbt", "--warn-error", "--show-all-deprecations", "docs", "generate", cwd=shop)
    return shop


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, made by the first process that asks; the others wait for it. Do not change what it holds."""
    finished = folder.with_suffix(".finished")
    try:
        folder.parent.joinpath(f"{folder.name}.claimed").touch(exist_ok=False)
    except FileExistsError:
        for _ in range(PATIENCE * 10):
            if finished.exists():
                return folder
            time.sleep(0.1)
        raise TimeoutError(f"Another test process did not finish making {folder.name}.") from None
    make(folder)
    finished.touch()
    return folder


def shared_shop(folder: Path) -> Path:
    """`build_shop`, done once for all processes. Do not change what it gives."""
    return once(folder, build_shop)


def macro_names() -> set[str]:
    """The macros of the package as dbt names them; a generic test is called `test_…` there."""
    files = (ROOT / "macros").rglob("*.sql")
    tests = {file for file in files if file.read_text(encoding="utf-8").startswith("{% test ")}
    return {f"test_{file.stem}" if file in tests else file.stem for file in (ROOT / "macros").rglob("*.sql")}
