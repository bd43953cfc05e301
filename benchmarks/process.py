"""Whole processes, timed in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KILOBYTES = 1 if sys.platform == "darwin" else 1024


class Run(NamedTuple):
    """One command line."""

    words: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]


class Result(NamedTuple):
    """Medians over all turns, and the largest memory of any."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def measure(runs: Mapping[str, Run], *, rounds: int) -> dict[str, Result]:
    """Run each once for nothing (bytecode, page cache), then all in turns. Raises RuntimeError where one fails."""
    for run in runs.values():
        _once(run)
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(_once(run))
    return {
        name: Result(
            seconds=statistics.median(one[0] for one in all_of),
            cpu_seconds=statistics.median(one[1] for one in all_of),
            peak_megabytes=max(one[2] for one in all_of),
        )
        for name, all_of in taken.items()
    }


def _once(run: Run) -> tuple[float, float, float]:
    started = time.perf_counter()
    process = subprocess.Popen(
        run.words, cwd=run.cwd, env=dict(run.env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(run.words)} ended with {process.returncode}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * KILOBYTES / 1e6
