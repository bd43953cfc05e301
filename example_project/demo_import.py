"""From a console full of sources made by hand to YAML in the dbt project: `make demo-import` runs it, on this machine.

Works on a copy of this folder under `.demo/`, without its blocks. Ends with 1 as soon as a command does otherwise than
expected.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - before the imports below

from demo import HERE, KEY, SHOP, DemoFailed, run, say, start_emulator, stop


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


def main() -> int:
    """The exit code: 0 when every step went as expected."""
    os.environ.setdefault("FORCE_COLOR" if sys.stdout.isatty() else "NO_COLOR", "1")
    os.environ.setdefault("DBT_USE_COLORS", str("FORCE_COLOR" in os.environ))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(SHOP, ignore_errors=True)
    shutil.copytree(HERE, SHOP, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", "*.wal", "__pycache__"))
    for path in [*SHOP.glob("models/*/*.yml"), *SHOP.glob("seeds/*.yml")]:
        path.write_text(without_blocks(path.read_text(encoding="utf-8")), encoding="utf-8")
    print("$ cd .demo/tea_shop")
    try:
        say("A small tea shop on DuckDB, built by dbt; nothing of it is declared for Statsig.")
        run("dbt build", last=3)
        run("dbt docs generate", last=1)
        say("A console with two hundred sources that people made by hand.")
        run("python hand_made.py console.json")
        process, address = start_emulator("--seed", "console.json")
        try:
            import_all(address)
        finally:
            stop(process)
    except DemoFailed as failure:
        print(f"\nThe demonstration failed: {failure}", file=sys.stderr)
        return 1
    say("Done: everything went as expected.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
