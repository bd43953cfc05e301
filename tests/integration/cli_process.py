"""`dbt-statsig` as users run it: a process of its own, whose start is forked where nobody sends it signals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.forked import BIN, MEASURED, program, unmeasured

COMMAND = BIN / "dbt-statsig"
KEY = "console-emulator"
UNPACED = {"DBT_STATSIG_WRITE_RATE": "1000000", "DBT_STATSIG_WRITE_RATE_MAX": "1000000"}
"""No pace: it is tested by itself."""


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would steer dbt, dbt-statsig or colours; writes at full speed."""
    foreign = ("DBT_", "STATSIG_", "TEA_SHOP_", "NO_COLOR", "FORCE_COLOR")
    given = os.environ if MEASURED in os.environ else unmeasured()
    return {name: value for name, value in given.items() if not name.startswith(foreign)} | UNPACED | more


def run(*arguments: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end; whatever its exit code is, no traceback may show."""
    done = subprocess.run(
        [program("dbt-statsig"), *arguments],
        cwd=cwd,
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert "internal error" not in done.stderr, done.stderr
    return done


def own_copy(shop: Path, folder: Path) -> Path:
    """A copy of the built example project that a test may change."""
    return Path(shutil.copytree(shop, folder / "shop", ignore=shutil.ignore_patterns("*.duckdb", "logs")))


def edit_manifest(project: Path, unique_id: str, **meta: Any) -> None:
    """Change keys of the Statsig block of one kind in a node's meta, as the manifest has it: `kind={key: value}`."""
    path = project / "target" / "manifest.json"
    manifest = json.loads(path.read_bytes())
    for place in (manifest["nodes"][unique_id], manifest["nodes"][unique_id]["config"]):
        for kind, keys in meta.items():
            if "statsig" in place["meta"]:
                place["meta"]["statsig"][kind].update(keys)
    path.write_text(json.dumps(manifest), encoding="utf-8")
