"""docs/tutorial.md really works: its files are written, its commands run, and what they print is compared."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.emulator import running
from tests.integration.shop import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.dbt

TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```")
FILE = re.compile(r"(?:#|--) (\S+\.(?:yml|sql))\n")
IN_ANOTHER_TERMINAL = ("dbt-statsig emulator", "export ")


def test_the_tutorial_works(tmp_path: Path) -> None:
    """From an empty folder, every step of the tutorial does and prints what the tutorial says."""
    project = tmp_path / "tutorial"
    project.mkdir()
    ran = 0
    with running(warehouse=str(project / "tutorial.duckdb")) as console:
        reach = {"DBT_STATSIG_BASE_URL": console.url, "STATSIG_CONSOLE_API_KEY": console.key}
        for language, block in BLOCK.findall(TEXT):
            named = FILE.match(block)
            if named:
                file = project / named[1]
                file.parent.mkdir(exist_ok=True)
                file.write_text(block, encoding="utf-8")
            elif language == "console":
                for entry in re.split(r"(?m)^\$ ", block)[1:]:
                    line, _, expected = entry.partition("\n")
                    if line.startswith(IN_ANOTHER_TERMINAL):
                        continue
                    output = run(line, project, reach, fails="  error  " in expected)
                    assert output.strip() == expected.strip(), line
                    ran += 1
    assert ran >= 12


def run(line: str, project: Path, reach: dict[str, str], *, fails: bool) -> str:
    """What one command of the tutorial prints."""
    words = shlex.split(line)
    if words[0] == "cp":
        from shutil import copytree  # the only command of the shell

        copytree(project / words[-2], project / words[-1])
        return ""
    return command(*words, cwd=project, environment=reach, expect=int(fails))
