"""README.md shows what really happens: its commands are run and their output is compared."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import yaml

from dbt_statsig.emulator import running
from tests.integration.shop import EXAMPLE, ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", TEXT)


def test_console_blocks_are_real(shop: Path, tmp_path: Path) -> None:
    """Every command of a console block prints what stands below it, run in the example project."""
    here = shutil.copytree(shop, tmp_path / "shop")
    shown = [entry for block in blocks("console") for entry in re.split(r"(?m)^\$ ", block) if entry]
    assert len(shown) >= 3
    with running(warehouse=str(here / "tea_shop.duckdb")) as console:
        key = {"DBT_STATSIG_BASE_URL": console.url, "STATSIG_CONSOLE_API_KEY": console.key}
        for entry in shown:
            line, _, expected = entry.partition("\n")
            assert command(*shlex.split(line), cwd=here, environment=key).strip() == expected.strip()


def test_the_yaml_is_the_example_projects() -> None:
    """The YAML block says what the example project says of the same model."""
    (block,) = blocks("yaml")
    (shown,) = yaml.safe_load(block)["models"]
    example = yaml.safe_load((EXAMPLE / "models" / "experiments" / "_experiments.yml").read_text(encoding="utf-8"))
    (model,) = [model for model in example["models"] if model["name"] == shown["name"]]
    theirs = model["config"]["meta"]["statsig"]["assignment_source"]
    ours = shown["config"]["meta"]["statsig"]["assignment_source"]
    assert ours.items() <= theirs.items()
