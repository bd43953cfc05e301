"""From a console full of sources made by hand to YAML in the dbt project: `make demo-import` runs it, on this machine.

Works on a copy of this folder under `.demo/`, without its blocks. Ends with 1 as soon as a command does otherwise than
expected.
"""

from __future__ import annotations

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - before the imports below

from demo import KEY, SHOP, play, run, say


def without_blocks(text: str) -> str:
    """The text of a property file without `meta`, and without `config` where nothing else is in it."""
    kept: list[str] = []
    cut = -1
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip())
        if line.strip() and cut >= 0 and indent <= cut:
            cut = -1
        if cut < 0 and line.lstrip().startswith("meta:"):
            cut = indent
        if cut < 0:
            kept.append(line)
    return re.sub(r"(?m)^( *)config:\n(?!\1 +\S)", "", "".join(kept))


def import_all(address: str) -> None:
    """All steps that need a console, in order."""
    print(f"\n$ export STATSIG_CONSOLE_API_KEY={KEY} DBT_STATSIG_BASE_URL={address}")
    os.environ.update(STATSIG_CONSOLE_API_KEY=KEY, DBT_STATSIG_BASE_URL=address)
    say("What would be written? Nothing changes yet.")
    run("dbt-statsig import --name-pattern Orders* --verbose", last=60)
    say("Write the blocks of all objects that would stay as they are.")
    run("dbt-statsig import --write --quiet")
    run("dbt compile --quiet")
    say("Taking the objects over changes their ownership lines, and nothing else.")
    run("dbt-statsig plan --adopt-imported --quiet", last=12)
    run("dbt-statsig sync --adopt-imported --yes --quiet", last=3)
    run("dbt-statsig plan --check --quiet")


def remove_blocks() -> None:
    """Takes all blocks for Statsig out of the copied project."""
    for path in [*SHOP.glob("models/*/*.yml"), *SHOP.glob("seeds/*.yml")]:
        path.write_text(without_blocks(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(
        play(
            "A small tea shop on DuckDB, built by dbt; nothing of it is declared for Statsig.",
            "A console with two hundred sources that people made by hand.",
            import_all,
            change=remove_blocks,
            seed=("python hand_made.py console.json", "--seed", "console.json"),
        )
    )
