"""Times `dbt-statsig validate` and `columns` on made projects, against floors measured in the same run.

`python benchmarks/validate_bench.py` prints one table; every figure is the median of whole processes that took turns,
so that a busy machine slows all of them alike. dbt-bouncer is compared with where `--bouncer` names its command.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
from process import Run, measure

MAKE = Path(__file__).with_name("made_project.py")
PYTHON = sys.executable
TOOL = str(Path(sys.executable).with_name("dbt-statsig"))
LOAD = "import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"
PARSE = """
import json, sys, sqlglot
nodes = json.load(open(sys.argv[1], encoding='utf-8'))['nodes'].values()
for node in nodes:
    if node['resource_type'] == 'model':
        sqlglot.parse(node['compiled_code'], read='postgres')
"""
BOUNCER = """dbt_artifacts_dir: target
manifest_checks:
  - name: check_model_description_populated
  - name: check_model_names
    model_name_pattern: ^d
"""
SIZES = {100: 10, 1_000: 20, 5_000: 50, 10_000: 200}
MEGABYTE = 1e6


class Project(NamedTuple):
    """One made project."""

    folder: Path
    manifest: Path
    models: int
    marked: int


def commands(project: Project, cache: Path, bouncer: str | None) -> dict[str, Run]:
    """What takes turns on one project, by its name in the table."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "NO_COLOR": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(*words: str) -> Run:
        return Run(words, cwd=project.folder, env=environment)

    found = {
        "Python start": run(PYTHON, "-c", "pass"),
        "Python start + json.load": run(PYTHON, "-c", LOAD, str(project.manifest)),
        "import sqlglot": run(PYTHON, "-c", "import sqlglot; sqlglot.parse('select 1', read='postgres')"),
        "validate, cold": run(TOOL, "validate", "--no-cache", "--quiet"),
        "validate, warm": run(TOOL, "validate", "--quiet"),
        "validate, cold, YAML newer": run(
            TOOL, "validate", "--no-cache", "--quiet", "--manifest", str(_older(project))
        ),
    }
    if bouncer:
        (project.folder / "dbt-bouncer.yml").write_text(BOUNCER, encoding="utf-8")
        found["dbt-bouncer, 2 checks"] = run(bouncer, "run", "--config-file", "dbt-bouncer.yml")
    return found


def _older(project: Project) -> Path:
    """The same manifest, as one that was made before the property files were checked out."""
    path = project.manifest.with_name("older") / "manifest.json"
    path.parent.mkdir(exist_ok=True)
    with project.manifest.open("rb") as source, path.open("wb") as copy:
        head = source.read(500)
        copy.write(re.sub(rb'"generated_at": "[^"]*"', b'"generated_at": "2026-01-05T06:00:00.000000Z"', head))
        shutil.copyfileobj(source, copy)  # in pieces: what this process holds would count for those that it starts
    return path


def compare(project: Project, cache: Path, bouncer: str | None, rounds: int) -> None:
    """The rows of one project."""
    size = project.manifest.stat().st_size / MEGABYTE
    print(f"\n{project.models:,} models, {project.marked} marked, manifest of {size:.1f} MB")
    results = measure(commands(project, cache, bouncer), rounds=rounds)
    floor = results["Python start + json.load"].seconds
    for name, result in results.items():
        peak = f"{result.peak_megabytes:7.0f} MB = {result.peak_megabytes / size:.2f} x file"
        print(f"  {name:26} {result.seconds:7.3f} s  {result.seconds / floor:6.2f} x floor  {peak}")


def all_columns(project: Project, cache: Path, rounds: int, jobs: list[int]) -> None:
    """Every column of every model, against sqlglot parsing the same SQL and doing nothing with it."""
    print(f"\nAll columns of {project.models:,} models")
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache / "columns")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    found = {"sqlglot.parse": Run((PYTHON, "-c", PARSE, str(project.manifest)), cwd=project.folder, env=environment)}
    for number in jobs:
        words = (TOOL, "columns", "--no-cache", "--output", "json", "--jobs", str(number))
        found[f"columns, {number} process{'es' if number > 1 else ''}"] = Run(words, project.folder, environment)
    results = measure(found, rounds=rounds)
    floor = results["sqlglot.parse"]
    for name, result in results.items():
        ratio = result.seconds / floor.seconds
        print(f"  {name:26} {result.seconds:7.2f} s  {ratio:6.2f} x sqlglot.parse  CPU {result.cpu_seconds:.2f} s")
    again = Run((TOOL, "columns", "--output", "json"), cwd=project.folder, env=environment)
    subprocess.run(again.words, cwd=again.cwd, env=again.env, stdout=subprocess.DEVNULL, check=True)
    warm = measure({"columns, warm": again}, rounds=rounds)["columns, warm"]
    print(f"  {'columns, warm':26} {warm.seconds:7.2f} s  {warm.seconds / floor.seconds:6.2f} x sqlglot.parse")


def main() -> None:
    """Make the projects, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="how many models")
    parser.add_argument("--rounds", type=int, default=7, help="how often each command runs")
    parser.add_argument("--columns", type=int, default=10_000, help="models for `columns` (0: leave it out)")
    parser.add_argument("--column-rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--bouncer", help="the dbt-bouncer command of another environment")
    given = parser.parse_args()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs{load}; medians of {given.rounds} turns")
    if not given.bouncer:
        print("dbt-bouncer is left out: --bouncer names no command.")
    with tempfile.TemporaryDirectory(prefix="dbt-statsig-bench-") as scratch:
        made: dict[int, Project] = {}
        for models in sorted({*given.sizes, *([given.columns] if given.columns else [])}):
            marked = SIZES.get(models, max(1, models // 100))
            folder = Path(scratch) / str(models)
            # Done by another process: memory that this one has had would count as that of the processes it starts.
            subprocess.run([PYTHON, str(MAKE), str(folder), str(models), str(marked)], check=True)
            made[models] = Project(folder, folder / "target" / "manifest.json", models, marked)
        for models in given.sizes:
            compare(made[models], Path(scratch) / "cache", given.bouncer, given.rounds)
        if given.columns:
            all_columns(made[given.columns], Path(scratch) / "cache", given.column_rounds, given.jobs)


if __name__ == "__main__":
    main()
